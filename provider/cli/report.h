/* SPDX-License-Identifier: Apache-2.0 */
/* report - findings, one after the other, and the exit code they add up to */
#ifndef KEYWARD_CLI_REPORT_H
#define KEYWARD_CLI_REPORT_H

#include "cli.h"

enum kw_found {
    KW_FOUND_OK,
    KW_FOUND_WARN,
    KW_FOUND_FAIL,
    KW_FOUND_BLIND,
    KW_FOUND_NOT_TRIED, /* changes no exit code: not asked for, or of no use any more */
};

struct kw_report {
    const struct kw_cli *cli;
    json_t *items;
    unsigned count[KW_FOUND_NOT_TRIED + 1];
};
void kw_report_begin(struct kw_report *r, const struct kw_cli *cli);

/* Prints a line now, keeps an object for --json.  remedy may be NULL. */
void kw_report_add(struct kw_report *r, enum kw_found found, const char *name,
                   const char *remedy, const char *fmt, ...) KW_PRINTF(5, 6);
/* An error as a finding: BLIND or FAIL as the exit code of the error would be. */
void kw_report_err(struct kw_report *r, const char *name, kw_err e,
                   const struct kw_note *note);

/* PROBLEM when anything FAILs, else BLIND when something could not be looked at, else
 * GOOD.  `extra` (may be NULL) joins the JSON document; both are given up. */
int kw_report_end(struct kw_report *r, json_t *extra);

#endif
