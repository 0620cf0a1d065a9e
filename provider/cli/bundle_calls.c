/* SPDX-License-Identifier: Apache-2.0 */
/* A row for each kind of call, in their order. */
#include "bundle_calls.h"

#include <string.h>

#include <keyward/alloc.h>

#define OTHER_KEY "other"

struct kw_bundle_call {
    char method[9], klass[33], source[9], reason[33];
    char key_id[KW_AUDIT_NAME]; /* "": none */
    uint64_t code, times;
};

kw_err kw_bundle_calls_begin(struct kw_bundle_calls *c, const struct kw_period *period)
{
    *c = (struct kw_bundle_calls){
        .period = *period,
        .at = kw_new(KW_BUNDLE_CALLS_MAX, sizeof(struct kw_bundle_call))};
    return c->at != NULL ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "calls");
}

void kw_bundle_calls_free(struct kw_bundle_calls *c)
{
    kw_free(c->at);
    *c = (struct kw_bundle_calls){.count = 0};
}

/* ---- kinds ---- */

static struct kw_bundle_call calls_kind(const struct kw_audit_record *r)
{
    const struct kw_audit_value *v = r->value;
    struct kw_bundle_call call = {.code = v[KW_AUDIT_CALL_CODE].number};
    kw_copy_str(call.method, sizeof call.method, v[KW_AUDIT_CALL_METHOD].text);
    kw_copy_str(call.klass, sizeof call.klass, v[KW_AUDIT_CALL_CLASS].text);
    kw_copy_str(call.source, sizeof call.source, v[KW_AUDIT_CALL_SOURCE].text);
    kw_copy_str(call.reason, sizeof call.reason, v[KW_AUDIT_CALL_REASON].text);
    if (!v[KW_AUDIT_CALL_KEY_ID].is_null)
        kw_copy_str(call.key_id, sizeof call.key_id, v[KW_AUDIT_CALL_KEY_ID].text);
    return call;
}

static int calls_compare(const struct kw_bundle_call *a, const struct kw_bundle_call *b)
{
    int order = strcmp(a->method, b->method);
    if (order == 0)
        order = strcmp(a->klass, b->klass);
    if (order == 0)
        order = strcmp(a->source, b->source);
    if (order == 0)
        order = (a->code > b->code) - (a->code < b->code);
    if (order == 0)
        order = strcmp(a->reason, b->reason);
    return order != 0 ? order : strcmp(a->key_id, b->key_id);
}

/* Where it is, or would be. */
static size_t calls_place(const struct kw_bundle_calls *c,
                          const struct kw_bundle_call *call, bool *ret_is_there)
{
    size_t from = 0, to = c->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = calls_compare(&c->at[middle], call);
        if (order == 0) {
            *ret_is_there = true;
            return middle;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    *ret_is_there = false;
    return from;
}

static void calls_insert(struct kw_bundle_calls *c, size_t place,
                         const struct kw_bundle_call *call)
{
    for (size_t i = c->count; i > place; i--)
        c->at[i] = c->at[i - 1];
    c->at[place] = *call;
    c->count++;
}

static bool calls_is_foreign(const struct kw_bundle_call *call)
{
    return call->code != 0 && call->key_id[0] != '\0' &&
           strcmp(call->key_id, OTHER_KEY) != 0;
}

void kw_bundle_calls_meet(struct kw_bundle_calls *c, const struct kw_audit_record *r)
{
    if (r->kind != KW_AUDIT_CALL || !kw_period_has(&c->period, kw_time_us(r->time)))
        return;
    bool is_there;
    struct kw_bundle_call call = calls_kind(r);
    size_t place = calls_place(c, &call, &is_there);
    if (!is_there && calls_is_foreign(&call) && c->foreign == KW_BUNDLE_KEYS_MAX) {
        c->folded++;
        kw_copy_str(call.key_id, sizeof call.key_id, kw_span_str(OTHER_KEY));
        place = calls_place(c, &call, &is_there);
    }
    if (!is_there && c->count == KW_BUNDLE_CALLS_MAX) {
        c->left_out++;
        return;
    }
    if (!is_there) {
        calls_insert(c, place, &call);
        c->foreign += calls_is_foreign(&call);
    }
    c->at[place].times++;
}

/* ---- rows ---- */

void kw_bundle_calls_rows(const struct kw_bundle_calls *c, const char *node,
                          struct kw_evidence *e)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct kw_bundle_call *call = &c->at[i];
        const char *key_id = call->key_id[0] != '\0' ? call->key_id : NULL;
        kw_evidence_add(e, KW_EVIDENCE_CALLS,
                        json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s?, s:I}", "node",
                                  node, "method", call->method, "class", call->klass,
                                  "source", call->source, "code", (json_int_t)call->code,
                                  "reason", call->reason, "key_id", key_id, "count",
                                  (json_int_t)call->times));
    }
}
