/* SPDX-License-Identifier: Apache-2.0 */
/* judge - a check: rows of one table in, rows of the table of checks out
 *
 * What a check looks at is said by its name, and by the tables that it names; a check that was
 * given nothing to look at is not answered.
 */
#ifndef KEYWARD_EVIDENCE_JUDGE_H
#define KEYWARD_EVIDENCE_JUDGE_H

#include <keyward/evidence.h>

struct kw_judge {
    struct kw_evidence *e;
    const char *check, *tables, *command;
    size_t said;
};

/* One row of the check; `subject` is of whom, cut at 200 bytes. */
void kw_judge_say(struct kw_judge *j, const char *subject, const char *outcome,
                  const char *fmt, ...) KW_PRINTF(4, 5);
/* "cp-1, token hsm, kw1-1-…": of whom a row is, by the columns that it has. */
#define KW_SUBJECT_MAX 200u
void kw_judge_subject(const json_t *row, char dst[KW_SUBJECT_MAX]);

/* Of each row of `table`: `column` must be `wanted`, a text, a number in decimal, true or false;
 * null is not answered. */
struct kw_judge_rule {
    enum kw_evidence_table table;
    const char *column, *wanted;
};
void kw_judge_rule(struct kw_judge *j, const struct kw_judge_rule *rule);

/* Values of a row; "", 0 and false where they are null. */
const char *kw_row_text(const json_t *row, const char *column);
json_int_t kw_row_number(const json_t *row, const char *column);
bool kw_row_is(const json_t *row, const char *column);
bool kw_row_says(const json_t *row, const char *column, const char *text);
bool kw_row_is_null(const json_t *row, const char *column);
/* false: null, or no time; *ret_us is untouched. */
bool kw_row_time(const json_t *row, const char *column, int64_t *ret_us);
/* May data be unwrapped by a version of this state? */
bool kw_row_is_usable(const json_t *row);
/* Is it of a version that was not understood when it was collected?  It may be usable. */
bool kw_row_is_unknown(const json_t *row);
#define KW_JUDGE_UNKNOWN "a newer keyward made this version, and it was not understood"

/* Why what was collected of this control plane says nothing of the whole period, or cannot be
 * in a bundle that was made then; NULL: it can. */
const char *kw_judge_untimely(const struct kw_judge *j, const json_t *node);
/* Of each control plane that has another keyring than the one of KW_EVIDENCE_ROTATIONS, or
 * uses or doubts it in a way of its own, or tells nothing of that, or is untimely: what that
 * one says is no answer for it. */
void kw_judge_others(struct kw_judge *j);

typedef void kw_judge_run(struct kw_judge *j);
/* judge_keys.c */
kw_judge_run kw_judge_certificate, kw_judge_attributes, kw_judge_identity,
    kw_judge_generated, kw_judge_strength;
/* judge_lives.c, judge_ended.c */
kw_judge_run kw_judge_cryptoperiod, kw_judge_second_copy, kw_judge_ended;
/* judge_nodes.c */
kw_judge_run kw_judge_complete, kw_judge_agree, kw_judge_fail_closed,
    kw_judge_audit_fail_closed, kw_judge_custody;
/* judge_logs.c */
kw_judge_run kw_judge_sound, kw_judge_covers, kw_judge_signed, kw_judge_anchored,
    kw_judge_clock, kw_judge_operator_sound, kw_judge_tickets, kw_judge_invocations;
/* judge_etcd.c */
kw_judge_run kw_judge_encrypted, kw_judge_leftovers, kw_judge_restorable;

#endif
