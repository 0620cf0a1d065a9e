/* SPDX-License-Identifier: Apache-2.0 */
/* evidence - a bundle of evidence as tables: filled with what was collected, judged, rendered
 *
 * Everything that a bundle says stands in a row of a table.  Checks are judged by the rows of
 * other tables alone, and controls by the checks, so that whoever has the tables can judge
 * anew.  An outcome is `pass`, `fail` or `not-answered`, and what was not answered is never a
 * pass.  No clock is asked, nothing is random: equal inputs give equal bytes.
 *
 * Threads:   one thread a struct kw_evidence.
 * Blocking:  only on the FILE that is given.
 * Secrets:   none come here.
 */
#ifndef KEYWARD_EVIDENCE_H
#define KEYWARD_EVIDENCE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include <keyward/bytes.h>

struct kw_keyring;

/* ---- the tables ---- */

enum kw_evidence_table {
    KW_EVIDENCE_CONTROLS,
    KW_EVIDENCE_CHECKS,
    KW_EVIDENCE_NODES,
    KW_EVIDENCE_TOKENS,
    KW_EVIDENCE_KEYS,
    KW_EVIDENCE_ATTRIBUTES,
    KW_EVIDENCE_ALGORITHMS,
    KW_EVIDENCE_CONFIGURATION,
    KW_EVIDENCE_ROTATIONS,
    KW_EVIDENCE_COPIES,
    KW_EVIDENCE_ACTS,
    KW_EVIDENCE_LOGS,
    KW_EVIDENCE_COVERAGE,
    KW_EVIDENCE_CALLS,
    KW_EVIDENCE_ETCD,
    KW_EVIDENCE_OBJECTS,
    KW_EVIDENCE_STATED,
    KW_EVIDENCE_LIMITS,
    KW_EVIDENCE_TABLES, /* not a table: how many there are */
};

enum kw_evidence_kind { KW_COLUMN_TEXT, KW_COLUMN_NUMBER, KW_COLUMN_BOOL };
struct kw_evidence_column {
    const char *name;  /* of the member and in the CSV: "key_id" */
    const char *title; /* for people: "key_id"                   */
    enum kw_evidence_kind kind;
    bool or_null;     /* not known, or there is none             */
    const char *says; /* what it is, for the schema              */
};
struct kw_evidence_spec {
    const char *name;  /* "attributes": the member, and NAME.csv  */
    const char *title; /* "What each key says of itself"          */
    const char *says;  /* a sentence or two                       */
    const struct kw_evidence_column *columns;
    size_t column_count;
};
const struct kw_evidence_spec *kw_evidence_spec(enum kw_evidence_table table);

struct kw_evidence_head {
    const char *at;        /* the one clock that there is, RFC 3339, UTC    */
    const char *from, *to; /* the period, half open; the same               */
    int64_t at_us, from_us, to_us;
    uint32_t cryptoperiod_days; /* as the operator states it */
};

struct kw_evidence; /* owned; kw_evidence_free */

/* The head's texts are copied.  NO_MEMORY */
KW_MUST_USE kw_err kw_evidence_new(const struct kw_evidence_head *head,
                                   struct kw_evidence **ret_evidence);
void kw_evidence_free(struct kw_evidence *e); /* NULL does nothing */
const struct kw_evidence_head *kw_evidence_head(const struct kw_evidence *e);

/* One more row, an object that has each column once, in their order, and of its kind; it is
 * taken.  NULL is out of memory.  A failure stays: kw_evidence_state has it.
 * BUG  it is no row of this table */
void kw_evidence_add(struct kw_evidence *e, enum kw_evidence_table table, json_t *row);
/* A list of the rows, in the order in which they came. */
const json_t *kw_evidence_rows(const struct kw_evidence *e, enum kw_evidence_table table);
KW_MUST_USE kw_err kw_evidence_state(const struct kw_evidence *e);

/* ---- what fills them ---- */

/* A control plane, as `keyward evidence collect` saw it (docs/FORMATS.md, 10). */
struct kw_evidence_collected {
    const char *name;
    const char *sha256;          /* of node.json, in hex                             */
    const json_t *node;          /* node.json; NULL: nothing was collected of it     */
    const json_t *const *tokens; /* token-NAME.json, in the configuration's order */
    size_t token_count;
};
/* Nodes, tokens, keys, attributes, configuration. `stated`: what the operator says, or
 * NULL.  BAD_INPUT: a document lacks what it must have, the note says which. */
KW_MUST_USE kw_err kw_evidence_fill_node(struct kw_evidence *e,
                                         const struct kw_evidence_collected *node,
                                         const json_t *stated, struct kw_note *note);
/* Rotations, copies, and the acts of its history: of the newest keyring. */
void kw_evidence_fill_keyring(struct kw_evidence *e, const struct kw_keyring *ring);
/* What the operator says (docs/EVIDENCE.md, "What only you can say"); BAD_INPUT */
KW_MUST_USE kw_err kw_evidence_fill_stated(struct kw_evidence *e, const json_t *stated,
                                           struct kw_note *note);
/* What a row of KW_EVIDENCE_STATED is about that says by which key logs were judged: the
 * SHA-256 is of its SubjectPublicKeyInfo. */
#define KW_STATED_AUDIT_KEY "audit key"
/* A report of `keyward etcd audit --json` (docs/FORMATS.md, 9): `name` is its file's.
 * BAD_INPUT: it is none, or of another format */
KW_MUST_USE kw_err kw_evidence_fill_etcd(struct kw_evidence *e, const char *name,
                                         const char *sha256, const json_t *report,
                                         struct kw_note *note);
/* Algorithms, and what keyward cannot prove. */
void kw_evidence_fill_design(struct kw_evidence *e);

/* Checks, then controls: once, when all else is there. */
void kw_evidence_judge(struct kw_evidence *e);

#define KW_OUTCOME_PASS "pass"
#define KW_OUTCOME_FAIL "fail"
#define KW_OUTCOME_NOT_ANSWERED "not-answered"
/* How many rows of checks there are; what is no outcome counts as not answered. */
struct kw_evidence_sum {
    size_t pass, fail, not_answered;
};
struct kw_evidence_sum kw_evidence_count(const struct kw_evidence *e);
/* The worst of all checks; without any not answered. */
const char *kw_evidence_outcome(const struct kw_evidence *e);

/* ---- what it looks like ---- */

/* evidence.json; NULL: out of memory. */
json_t *kw_evidence_json(const struct kw_evidence *e);
/* The JSON Schema of that, made from the tables; NULL: out of memory. */
json_t *kw_evidence_schema(void);
/* RFC 4180, with the columns' names above.  Text is as <keyward/csv.h> has it; true, false
 * and numbers stand alone, and null is an empty cell.  false: the FILE failed. */
KW_MUST_USE bool kw_evidence_csv(const struct kw_evidence *e,
                                 enum kw_evidence_table table, FILE *out);
/* One page that needs nothing else, and prints.  Of a long table the first rows, and where
 * all of them are. */
KW_MUST_USE bool kw_evidence_html(const struct kw_evidence *e, FILE *out);

#endif
