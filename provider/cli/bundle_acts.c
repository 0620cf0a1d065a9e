/* SPDX-License-Identifier: Apache-2.0 */
/* What began, and its outcome. */
#include "bundle_acts.h"

#include <inttypes.h>
#include <stdio.h>

#define BROKEN_OFF "broken off"

void kw_bundle_acts_begin(struct kw_bundle_acts *a, const char *node,
                          const struct kw_period *period)
{
    *a = (struct kw_bundle_acts){.node = node, .period = *period, .rows = json_array()};
    if (a->rows == NULL)
        a->err = kw_err_at(KW_CODE_NO_MEMORY, "acts");
}

void kw_bundle_acts_free(struct kw_bundle_acts *a)
{
    json_decref(a->rows);
    *a = (struct kw_bundle_acts){.rows = NULL};
}

static json_t *acts_text(const struct kw_audit_value *value)
{
    return value->is_null ? json_null()
                          : json_stringn((const char *)value->text.ptr, value->text.len);
}

/* "uid 0, login uid 1000" */
static void acts_by(const struct kw_audit_value *v, char dst[64])
{
    const int n = snprintf(dst, 64, "uid %" PRIu64, v[KW_AUDIT_OPERATOR_UID].number);
    if (!v[KW_AUDIT_OPERATOR_LOGIN_UID].is_null)
        snprintf(dst + n, 64 - (size_t)n, ", login uid %" PRIu64,
                 v[KW_AUDIT_OPERATOR_LOGIN_UID].number);
}

/* NULL: out of memory. */
static json_t *acts_row(const struct kw_bundle_acts *a, const struct kw_audit_record *r)
{
    const struct kw_audit_value *v = r->value;
    char by[64];
    acts_by(v, by);
    return json_pack("{s:s, s:s%, s:b, s:o, s:o, s:s, s:o, s:n, s:n}", "from", a->node,
                     "time", (const char *)r->time.ptr, r->time.len, "in_period",
                     kw_period_has(&a->period, kw_time_us(r->time)), "act",
                     acts_text(&v[KW_AUDIT_OPERATOR_ACT]), "key_id",
                     acts_text(&v[KW_AUDIT_OPERATOR_KEY_ID]), "by", by, "ticket",
                     acts_text(&v[KW_AUDIT_OPERATOR_TICKET]), "outcome", "proof");
}

static bool acts_is_same(const json_t *a, const json_t *b)
{
    static const char *const members[] = {"act", "key_id", "by", "ticket"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
            return false;
    return true;
}

/* ---- waiting for an outcome ---- */

static void acts_ended(struct kw_bundle_acts *a, json_t *row, json_t *outcome)
{
    if (json_object_set_new(row, "outcome", outcome) != 0)
        a->err = kw_err_at(KW_CODE_NO_MEMORY, "acts");
}

static void acts_drop(struct kw_bundle_acts *a, size_t at)
{
    for (size_t i = at + 1; i < a->waiting_count; i++)
        a->waiting[i - 1] = a->waiting[i];
    a->waiting_count--;
}

static void acts_wait(struct kw_bundle_acts *a, json_t *row)
{
    if (a->waiting_count == KW_BUNDLE_WAITING_MAX) {
        acts_ended(a, a->waiting[0], json_string(BROKEN_OFF));
        acts_drop(a, 0);
    }
    a->waiting[a->waiting_count++] = row;
}

/* false: none of them is this one. */
static bool acts_outcome(struct kw_bundle_acts *a, const json_t *row, json_t *outcome)
{
    for (size_t i = a->waiting_count; i > 0; i--)
        if (acts_is_same(a->waiting[i - 1], row)) {
            acts_ended(a, a->waiting[i - 1], json_incref(outcome));
            acts_drop(a, i - 1);
            return true;
        }
    return false;
}

/* ---- records and rows ---- */

static void acts_append(struct kw_bundle_acts *a, json_t *row)
{
    if (json_array_append(a->rows, row) != 0)
        a->err = kw_err_at(KW_CODE_NO_MEMORY, "acts");
}

static void acts_take(struct kw_bundle_acts *a, const struct kw_audit_value *outcome,
                      json_t *row)
{
    if (kw_span_equal_str(outcome->text, "begun")) {
        acts_append(a, row);
        if (!kw_failed(a->err))
            acts_wait(a, row);
        return;
    }
    json_t *word = acts_text(outcome);
    if (!acts_outcome(a, row, word)) {
        acts_ended(a, row, json_incref(word));
        acts_append(a, row);
    }
    json_decref(word);
}

void kw_bundle_acts_meet(struct kw_bundle_acts *a, const struct kw_audit_record *r)
{
    if (r->kind != KW_AUDIT_OPERATOR || kw_failed(a->err))
        return;
    json_t *row = acts_row(a, r);
    if (row == NULL)
        a->err = kw_err_at(KW_CODE_NO_MEMORY, "acts");
    else
        acts_take(a, &r->value[KW_AUDIT_OPERATOR_OUTCOME], row);
    json_decref(row);
}

kw_err kw_bundle_acts_rows(struct kw_bundle_acts *a, bool is_all, struct kw_evidence *e)
{
    for (size_t i = 0; is_all && i < a->waiting_count && !kw_failed(a->err); i++)
        acts_ended(a, a->waiting[i], json_string(BROKEN_OFF));
    a->waiting_count = 0;
    if (kw_failed(a->err))
        return a->err;
    size_t i;
    json_t *row;
    json_array_foreach(a->rows, i, row)
        kw_evidence_add(e, KW_EVIDENCE_ACTS, json_incref(row));
    return kw_evidence_state(e);
}
