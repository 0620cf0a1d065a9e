/* SPDX-License-Identifier: Apache-2.0 */
/* One keyring in use, and what this node found about its versions. */
#include "generation.h"

#include <stdio.h>

#include <keyward/alloc.h>

/* What is not understood is never asked about: that is its verdict, and stays it.  No
 * lock: nobody else has it yet. */
static void generation_begin(struct kw_gen_version *g,
                             const struct kw_version *v) KW_NO_THREAD_SAFETY
{
    g->v = v;
    g->told = KW_CODE_STARTING;
    g->verdict.err = kw_err_at(KW_CODE_STARTING, "canary");
    if (v->state != KW_KEY_UNKNOWN)
        return;
    g->verdict.err = kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    snprintf(g->verdict.reason, sizeof g->verdict.reason, "it needs a newer keyward: %s",
             v->unknown);
}

kw_err kw_generation_new(struct kw_keyring *ring, kw_span bytes, uint32_t active_n,
                         uint64_t number, size_t token_count, struct kw_generation **ret)
{
    struct kw_generation *g = kw_new(1, sizeof *g);
    uint8_t *copy = kw_new(1, bytes.len);
    struct kw_gen_token *tokens = kw_new(token_count, sizeof *tokens);
    if (g == NULL || copy == NULL || tokens == NULL) {
        kw_free(g);
        kw_free(copy);
        kw_free(tokens);
        return kw_err_at(KW_CODE_NO_MEMORY, "generation");
    }
    kw_copy(copy, bytes.len, bytes);
    *g = (struct kw_generation){.number = number,
                                .ring = kw_keyring_take(ring),
                                .bytes = {copy, bytes.len},
                                .active_n = active_n,
                                .token_count = token_count,
                                .tokens = tokens};
    for (size_t k = 0; k < token_count; k++) {
        tokens[k].count = ring->count;
        for (size_t i = 0; i < ring->count; i++)
            generation_begin(&tokens[k].versions[i], &ring->versions[i]);
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
    kw_free(g->tokens);
    kw_free(g);
}

uint32_t kw_generation_highest(const struct kw_generation *g)
{
    return g->ring->count == 0 ? 0 : g->ring->versions[g->ring->count - 1].n;
}

const struct kw_version *kw_generation_active(const struct kw_generation *g)
{
    return g->active_n == 0 ? NULL : kw_keyring_by_n(g->ring, g->active_n);
}

bool kw_generation_was_ready(const struct kw_generation *g)
{
    for (size_t k = 0; k < g->token_count; k++)
        if (g->tokens[k].ever_ready)
            return true;
    return false;
}

struct kw_gen_version *kw_gen_find(struct kw_gen_token *t, kw_span key_id)
{
    for (size_t i = 0; i < t->count; i++)
        if (kw_span_equal_str(key_id, t->versions[i].v->key_id))
            return &t->versions[i];
    return NULL;
}

struct kw_gen_version *kw_gen_at(struct kw_gen_token *t, uint32_t n)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->versions[i].v->n == n)
            return &t->versions[i];
    return NULL;
}

/* How much a token's word counts: see kw_generation_word. */
static unsigned weight(const struct kw_gen_version *v) KW_LOCKED
{
    if ((v->found & KW_WIRE_EXPOSED) != 0)
        return 4;
    if (!kw_failed(v->verdict.err))
        return 3;
    if (kw_gen_version_is_away(v))
        return 2;
    return v->verdict.err.code == KW_CODE_STARTING ? 1 : 0;
}

const struct kw_gen_version *kw_generation_word_at(const struct kw_generation *g,
                                                   size_t i)
{
    const struct kw_gen_version *best = &g->tokens[0].versions[i];
    for (size_t k = 1; k < g->token_count; k++)
        if (weight(&g->tokens[k].versions[i]) > weight(best))
            best = &g->tokens[k].versions[i];
    return best;
}

const struct kw_gen_version *kw_generation_word(const struct kw_generation *g,
                                                kw_span key_id)
{
    for (size_t i = 0; i < g->ring->count; i++)
        if (kw_span_equal_str(key_id, g->ring->versions[i].key_id))
            return kw_generation_word_at(g, i);
    return NULL;
}

bool kw_gen_version_is_probed(const struct kw_gen_version *v)
{
    return kw_key_state_is_probed(v->v->state);
}

bool kw_gen_version_unwraps(const struct kw_gen_version *v)
{
    return kw_key_state_unwraps(v->v->state) && !kw_failed(v->verdict.err);
}

bool kw_gen_version_is_away(const struct kw_gen_version *v)
{
    return (v->found & KW_GEN_BAD) != 0 && v->why == KW_CODE_MISSING &&
           v->proven_wall_ns != 0 && kw_key_state_unwraps(v->v->state);
}

bool kw_gen_version_is_unusable(const struct kw_gen_version *v)
{
    return (v->found & KW_GEN_BAD) != 0 && !kw_is_other_key((kw_err){.code = v->why});
}

kw_err kw_gen_version_verdict(const struct kw_gen_version *v)
{
    kw_err e = v->verdict.err;
    if (kw_gen_version_is_away(v))
        e.code = KW_CODE_MISSING;
    return e;
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
static void generation_explain(struct kw_gen_version *v, kw_err e, kw_err before,
                               const char *reason) KW_LOCKED
{
    bool same = before.code == KW_CODE_KEY_BAD && e.native == before.native &&
                kw_span_equal(kw_span_str(e.where), kw_span_str(before.where));
    if (kw_failed(e) && reason[0] == '\0' && same)
        return;
    if (kw_failed(e) && reason[0] == '\0')
        reason = "the canary failed";
    kw_copy_str(v->verdict.reason, sizeof v->verdict.reason, kw_span_str(reason));
}

/* ---- findings ---------------------------------------------------------------------- */

/* As long as one of these stands, so does the verdict. */
enum { ENDS = KW_WIRE_EXPOSED | KW_WIRE_REPLACED };

static bool takes_back(const struct kw_gen_finding *f, uint64_t worker)
{
    return worker == f->by || worker > f->newest;
}

void kw_gen_version_find(struct kw_gen_version *v, unsigned bits, uint64_t worker,
                         uint64_t newest)
{
    for (unsigned i = 0; i < KW_GEN_FOUND; i++)
        if ((bits & 1u << i) != 0)
            v->findings[i] = (struct kw_gen_finding){worker, newest};
    v->found |= bits;
}

static void generation_lift(struct kw_gen_version *v, unsigned bits,
                            uint64_t worker) KW_LOCKED
{
    for (unsigned i = 0; i < KW_GEN_FOUND; i++) /* the verdict last */
        if ((bits & 1u << i) != 0 && takes_back(&v->findings[i], worker) &&
            (1u << i != KW_GEN_BAD || (v->found & ENDS) == 0))
            v->found &= ~(1u << i);
}

bool kw_gen_version_may_lift(const struct kw_gen_version *v, uint64_t worker)
{
    static const unsigned order[] = {KW_WIRE_EXPOSED, KW_WIRE_REPLACED, KW_GEN_BAD};
    unsigned bits = v->found;
    for (size_t k = sizeof order / sizeof order[0]; k-- > 0;)
        if ((v->found & order[k]) != 0)
            bits = order[k];
    for (unsigned i = 0; i < KW_GEN_FOUND; i++)
        if ((bits & 1u << i) != 0 && takes_back(&v->findings[i], worker))
            return true;
    return false;
}

void kw_gen_version_hand_over(struct kw_gen_version *v, unsigned bits, uint64_t from,
                              uint64_t to)
{
    for (unsigned i = 0; i < KW_GEN_FOUND; i++)
        if ((bits & 1u << i) != 0 && v->findings[i].by == from)
            v->findings[i].by = to;
}

void kw_gen_found_text(unsigned found, char dst[64])
{
    static const char *const names[] = {"exposed", "replaced", "copyable",
                                        "duplicate-label", "disputed"};
    size_t len = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((found & 1u << i) != 0)
            len += (size_t)snprintf(dst + len, 64 - len, "%s%s", len > 0 ? "," : "",
                                    names[i]);
}

void kw_gen_inherit(struct kw_gen_token *t, const struct kw_gen_token *old,
                    uint64_t worker)
{
    for (size_t k = 0; k < old->count; k++) {
        const struct kw_gen_version *before = &old->versions[k];
        struct kw_gen_version *v = kw_gen_find(t, kw_span_str(before->v->key_id));
        unsigned inherited = 0;
        for (unsigned i = 0; v != NULL && i < KW_GEN_FOUND; i++)
            if ((before->found & ~v->found & 1u << i) != 0 &&
                !takes_back(&before->findings[i], worker)) {
                v->findings[i] = before->findings[i];
                inherited |= 1u << i;
            }
        if (v != NULL)
            v->found |= inherited;
        if ((inherited & KW_GEN_BAD) == 0)
            continue;
        v->verdict = before->verdict;
        v->why = before->why;
    }
}

void kw_gen_carry(struct kw_gen_token *t, const struct kw_gen_token *old)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct kw_gen_version *before = &old->versions[i];
        struct kw_gen_version *v = kw_gen_find(t, kw_span_str(before->v->key_id));
        if (v == NULL || v->v->state == KW_KEY_UNKNOWN ||
            before->v->state == KW_KEY_UNKNOWN)
            continue;
        if (v->answered) {
            v->proven_wall_ns =
                v->proven_wall_ns != 0 ? v->proven_wall_ns : before->proven_wall_ns;
            v->told = before->told;
            v->told_found = before->told_found;
            continue;
        }
        const struct kw_version *of = v->v;
        *v = *before;
        v->v = of;
        v->asked_id = 0; /* its worker's answer is not heard any more */
        v->due_ns = v->look_ns = 0;
    }
}

bool kw_gen_version_judge(struct kw_gen_version *v, const struct kw_gen_result *result,
                          int64_t now_ns, int64_t wall_ns)
{
    const kw_err e = result->err, before = v->verdict.err;
    v->answered = true;
    v->good = !kw_failed(e);
    v->answered_ns = now_ns;
    if (!kw_is_verdict(e))
        return false;
    if (v->good && result->looked)
        generation_lift(v, v->found & ~result->findings, result->worker);
    kw_gen_version_find(v, result->findings | (v->good ? 0 : KW_GEN_BAD), result->worker,
                        result->newest);
    if (v->good && (v->found & KW_GEN_BAD) != 0)
        return false;
    if (v->good)
        v->proven_wall_ns = wall_ns;
    v->verdict.err = v->good ? KW_OK : (kw_err){KW_CODE_KEY_BAD, e.native, e.where};
    v->why = e.code;
    generation_explain(v, e, before, result->reason);
    return before.code != v->verdict.err.code;
}

bool kw_gen_is_due(const struct kw_gen_version *v, int64_t now_ns)
{
    return kw_gen_version_is_probed(v) && v->asked_id == 0 && v->due_ns <= now_ns;
}

struct kw_gen_version *kw_gen_due(struct kw_gen_token *t, int64_t now_ns)
{
    struct kw_gen_version *first = NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct kw_gen_version *v = &t->versions[i];
        if (kw_gen_is_due(v, now_ns) && (first == NULL || v->due_ns < first->due_ns))
            first = v;
    }
    return first;
}

int64_t kw_gen_next_due(const struct kw_gen_token *t)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < t->count; i++) {
        const struct kw_gen_version *v = &t->versions[i];
        if (kw_gen_version_is_probed(v) && v->asked_id == 0 && v->due_ns < first)
            first = v->due_ns;
    }
    return first;
}
