/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_report - what was found in etcd's files, in words, as JSON or as a table
 *
 * Objects are written as they are found; what counts them, and the verdict, come last.
 * Nothing of a value is ever written.
 */
#ifndef KEYWARD_CLI_ETCD_REPORT_H
#define KEYWARD_CLI_ETCD_REPORT_H

#include <limits.h>

#include <keyward/etcd_audit.h>

#include "cli.h"
#include "etcd_restore.h"
#include "foreign.h"

enum { KW_EXIT_LEFTOVERS = 4 }; /* current is as it must be, and another place is not */

enum kw_etcd_input_kind {
    KW_ETCD_INPUT_DB,    /* the database, or a snapshot of it       */
    KW_ETCD_INPUT_COPY,  /* *.snap.db, and what a defrag left       */
    KW_ETCD_INPUT_LOG,   /* a folder                                */
    KW_ETCD_INPUT_OTHER, /* any other file of a member's            */
};

struct kw_etcd_input {
    char path[PATH_MAX];
    enum kw_etcd_input_kind kind;
    bool failed;         /* it could not be read … */
    struct kw_note note; /* … and why              */
};
#define KW_ETCD_INPUTS_MAX 64u

#define KW_ETCD_PREFIX "/registry" /* kube-apiserver's --etcd-prefix, unless it is told */

struct kw_etcd_report {
    FILE *out;
    const struct kw_redaction *redaction;
    uint64_t objects; /* written so far */
    const struct kw_etcd_input *inputs;
    size_t input_count;
    const char *prefix;
    const char *config;               /* path of the EncryptionConfiguration, or NULL */
    const struct kw_restore *restore; /* NULL: not asked for */
};

struct kw_etcd_verdict {
    int code;
    const char *word;                     /* "violated" */
    uint64_t not_allowed[KW_ETCD_PLACES]; /* objects    */
    bool is_unread;
    enum kw_restore_verdict restore; /* KW_RESTORABLE when not asked for */
    struct kw_restore_sum restore_sum;
};
/* The least good of all counts: what is current is not as it must be, or does not open;
 * something could not be read, asked or judged; leftovers. */
struct kw_etcd_verdict kw_etcd_judge(const struct kw_etcd_report *report,
                                     const struct kw_etcd_findings *findings);

/* One way to write it. */
struct kw_etcd_format {
    void (*begin)(struct kw_etcd_report *report);
    void (*object)(struct kw_etcd_report *report, const struct kw_etcd_found *found);
    void (*end)(struct kw_etcd_report *report, const struct kw_etcd_findings *findings,
                const struct kw_etcd_verdict *verdict);
};
extern const struct kw_etcd_format kw_etcd_words, kw_etcd_json, kw_etcd_csv;

/* ---- what the three have in common ---- */

struct kw_etcd_names {
    char resource[2 * KW_FOREIGN_MAX], name_space[KW_FOREIGN_MAX], name[KW_FOREIGN_MAX];
};
/* "secrets", "widgets.example.com"; "" for what is no object. */
void kw_etcd_resource_text(const struct kw_redaction *redaction,
                           const struct kw_etcd_builtin *builtin, kw_span group,
                           kw_span resource, char ret_text[2 * KW_FOREIGN_MAX]);
void kw_etcd_object_names(const struct kw_redaction *redaction,
                          const struct kw_etcd_found *found,
                          struct kw_etcd_names *ret_names);
/* The path of an input; why it could not be read, which names the path: both redacted.
 * Of a log nothing is said then, as that may name a file of it. */
void kw_etcd_input_text(const struct kw_redaction *redaction,
                        const struct kw_etcd_input *input, char ret_path[KW_FOREIGN_MAX],
                        char ret_why[KW_NOTE_MAX]);
const char *kw_etcd_input_name(enum kw_etcd_input_kind kind);   /* "database" */
const char *kw_etcd_trailer_name(enum kw_etcd_trailer trailer); /* "good" */
/* Whose blind[i] is told: "reachable pages", "copies", "unreachable pages", "log", "other
 * files". */
const char *kw_etcd_blind_name(unsigned i);
/* The first file that was unread; "" where there is none. */
/* Why the token could not be asked; only where it could not. */
const char *kw_etcd_token_why(const struct kw_etcd_report *report);
void kw_etcd_blind_file(const struct kw_redaction *redaction,
                        const struct kw_etcd_blind *blind, char ret_file[KW_FOREIGN_MAX]);

/* ---- etcd_cure.c ---- */

/* What to do about it: commands one a line, explained by lines that begin with #. "" when
 * there is nothing to do. */
#define KW_ETCD_CURE_MAX 32768u
void kw_etcd_cure(const struct kw_etcd_report *report,
                  const struct kw_etcd_findings *findings,
                  const struct kw_etcd_verdict *verdict, char ret_cure[KW_ETCD_CURE_MAX]);

#endif
