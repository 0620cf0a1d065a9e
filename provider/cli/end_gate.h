/* SPDX-License-Identifier: Apache-2.0 */
/* end_gate - is nothing sealed under a version any more, as far as reports of
 * `keyward etcd audit` show?
 *
 * Asked before a version that was ever accepted is disabled or destroyed; retiring leaves
 * it readable and is free.  Of every member of etcd a report of today: nothing under the
 * version is current, and the baseline's key_id has sealed something later than it.  Of
 * every backup that may be restored one day, a report of any age: nothing under it
 * anywhere.
 *
 * A seat belt and no lock: that those were all members and all backups is the operator's
 * word.  It is recorded with a digest of the reports, and so is why there are none.  What
 * has the same bytes is one report: a second one of members, or of backups, is refused.
 */
#ifndef KEYWARD_CLI_END_GATE_H
#define KEYWARD_CLI_END_GATE_H

#include <keyward/args.h>

#include "context.h"

#define KW_GATE_REPORT_MAX (64u << 20) /* bytes of a report        */
#define KW_GATE_REPORTS_MAX 9999u      /* of each of the two kinds */

struct kw_gate_words {
    struct kw_words live, backups; /* files, or folders of them         */
    bool no_backups;               /* there are none, somebody says     */
    const char *without_proof;     /* why; NULL: it is not said         */
};

/* For a verb's table of options. */
#define KW_GATE_OPTIONS(place)                                                           \
    {"live", "REPORT",                                                                   \
     "keyward etcd audit --json of each member's snapshot of now; a folder: all in it",  \
     .words = &(place)->live},                                                           \
        {"backup", "REPORT", "the same of each backup that may be restored one day",     \
         .words = &(place)->backups},                                                    \
        {"no-backups", NULL, "you say that there are none", .on = &(place)->no_backups}, \
    {                                                                                    \
        "without-proof", "TEXT", "no reports, and why; on record in the keyring",        \
            .text = &(place)->without_proof                                              \
    }

enum { KW_GATE_OPTION_COUNT = 4 };

/* Wrong usage: -1 to go on, else the exit code. */
int kw_gate_usage(const char *verb, const struct kw_gate_words *words);

/* Was it ever accepted, or has this node wrapped with it, whatever is written of it?
 * Nothing is sealed under any other version. */
bool kw_gate_was_accepted(const struct kw_context *context, const struct kw_version *v);

/* What was given is looked at, whether it is wanted or not.  -1 to go on, with what the
 * keyring's history is to say; else the exit code, and it has said what is sealed under
 * the version still, or which reports are wanted. */
int kw_gate_pass(const struct kw_cli *cli, const struct kw_context *context,
                 const struct kw_version *v, const char *act,
                 const struct kw_gate_words *words, char ret_proof[128]);

/* What one report says of a key_id; exposed for tests.  Sums end at UINT64_MAX.
 * BAD_INPUT with a note: no report, one of another format, or one that could not read
 * everything. */
struct kw_gate_report {
    uint64_t current, elsewhere; /* objects under the version                        */
    uint64_t unknown_current,    /* objects encrypted in a way that the audit did not */
        unknown_elsewhere;       /* know: perhaps under it                           */
    uint64_t newest, newest_of_baseline; /* main revisions; 0: none                  */
    bool
        is_up_to_date; /* a snapshot, or a member's log was read with its database: a copied
                           database alone lacks what the log has beyond it            */
};
/* baseline: "" when there is none. */
KW_MUST_USE kw_err kw_gate_read(const json_t *report, const char *key_id,
                                const char *baseline, struct kw_gate_report *ret_report,
                                struct kw_note *note);

#endif
