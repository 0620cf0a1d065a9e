/* SPDX-License-Identifier: Apache-2.0 */
/* One keyring in use, and what this node found about its versions. */
#include "generation.h"

#include <keyward/alloc.h>

kw_err kw_generation_new(struct kw_keyring *ring, kw_span bytes, uint32_t active_n,
                         uint64_t number, struct kw_generation **ret)
{
    struct kw_generation *g = kw_new(1, sizeof *g);
    uint8_t *copy = kw_new(1, bytes.len);
    if (g == NULL || copy == NULL) {
        kw_free(g);
        kw_free(copy);
        return kw_err_at(KW_CODE_NO_MEMORY, "generation");
    }
    kw_copy(copy, bytes.len, bytes);
    *g = (struct kw_generation){.number = number,
                                .ring = kw_keyring_take(ring),
                                .bytes = {copy, bytes.len},
                                .active_n = active_n,
                                .count = ring->count};
    for (size_t i = 0; i < g->count; i++) {
        g->versions[i].v = &ring->versions[i];
        g->versions[i].verdict.err = kw_err_at(KW_CODE_STARTING, "canary");
        g->versions[i].told = KW_CODE_STARTING;
    }
    *ret = g;
    return KW_OK;
}

void kw_generation_free(struct kw_generation *g)
{
    if (g == NULL)
        return;
    kw_keyring_give(g->ring);
    kw_blob_wipe(&g->bytes);
    kw_free(g);
}

struct kw_gen_version *kw_generation_find(struct kw_generation *g, kw_span key_id)
{
    for (size_t i = 0; i < g->count; i++)
        if (kw_span_equal_str(key_id, g->versions[i].v->key_id))
            return &g->versions[i];
    return NULL;
}

struct kw_gen_version *kw_generation_at(struct kw_generation *g, uint32_t n)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->versions[i].v->n == n)
            return &g->versions[i];
    return NULL;
}

struct kw_gen_version *kw_generation_active(struct kw_generation *g)
{
    return g->active_n == 0 ? NULL : kw_generation_at(g, g->active_n);
}

uint32_t kw_generation_highest(const struct kw_generation *g)
{
    return g->count == 0 ? 0 : g->versions[g->count - 1].v->n;
}

bool kw_gen_version_is_probed(const struct kw_gen_version *v)
{
    return kw_key_state_is_probed(v->v->state);
}

bool kw_is_other_key(kw_err e)
{
    return e.code == KW_CODE_WRONG_ANSWER || e.code == KW_CODE_FORGED;
}

bool kw_is_verdict(kw_err e)
{
    return !kw_failed(e) || kw_is_other_key(e) || e.code == KW_CODE_KEY_BAD ||
           e.code == KW_CODE_MISSING || e.code == KW_CODE_HSM_CONFIG ||
           e.code == KW_CODE_DENIED;
}

/* The worker's explanation comes once, when it starts; a canary that fails at the same
 * place later has none, and means the same. */
static void explain(struct kw_gen_version *v, kw_err e, kw_err before, const char *reason)
{
    bool same = before.code == KW_CODE_KEY_BAD && e.native == before.native &&
                kw_span_equal(kw_span_str(e.where), kw_span_str(before.where));
    if (kw_failed(e) && reason[0] == '\0' && same)
        return;
    if (kw_failed(e) && reason[0] == '\0')
        reason = "the canary failed";
    kw_copy_str(v->verdict.reason, sizeof v->verdict.reason, kw_span_str(reason));
}

bool kw_gen_version_judge(struct kw_gen_version *v, kw_err e, const char *reason,
                          int64_t now_ns, int64_t wall_ns)
{
    v->answered = true;
    v->good = !kw_failed(e);
    v->answered_ns = now_ns;
    if (v->good)
        v->proven_wall_ns = wall_ns;
    if (!kw_is_verdict(e))
        return false;
    kw_err before = v->verdict.err;
    v->verdict.err = v->good ? KW_OK : (kw_err){KW_CODE_KEY_BAD, e.native, e.where};
    explain(v, e, before, reason);
    return before.code != v->verdict.err.code;
}

struct kw_gen_version *kw_generation_due(struct kw_generation *g, int64_t now_ns)
{
    struct kw_gen_version *first = NULL;
    for (size_t i = 0; i < g->count; i++) {
        struct kw_gen_version *v = &g->versions[i];
        if (kw_gen_version_is_probed(v) && v->asked_id == 0 && v->due_ns <= now_ns &&
            (first == NULL || v->due_ns < first->due_ns))
            first = v;
    }
    return first;
}

int64_t kw_generation_next_due(const struct kw_generation *g)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < g->count; i++) {
        const struct kw_gen_version *v = &g->versions[i];
        if (kw_gen_version_is_probed(v) && v->asked_id == 0 && v->due_ns < first)
            first = v->due_ns;
    }
    return first;
}
