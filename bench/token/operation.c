/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of each kind, and the texts it is done on. */
#include "token_child.h"

#include <keyward/alloc.h>
#include <keyward/clock.h>

enum {
    INNER = 48, /* what keyward wraps: a seed of 32 bytes and its inner digest */
    AAD = 96,   /* about what it authenticates */
    IV = 12,
    SEALED = INNER + 16,
};

struct kw_texts {
    size_t count;
    uint8_t aad[AAD], inner[KW_TEXTS][INNER], iv[KW_TEXTS][IV], sealed[KW_TEXTS][SEALED];
};

/* All threads of all points wrap under one key: the IV holds who it is and how often. */
static kw_err fresh_iv(struct kw_bench_thread *t, uint8_t iv[IV])
{
    kw_dst dst = kw_dst_of(iv, IV);
    uint64_t who = t->task->shared->point * KW_ALL_THREADS_MAX + t->number + 1;
    if (!kw_dst_put_u32(&dst, (uint32_t)who) || !kw_dst_put_u64(&dst, t->ivs++))
        return kw_err_at(KW_CODE_BUG, "iv");
    return KW_OK;
}

static kw_err wrap_one(struct kw_bench_thread *t, size_t session, size_t i)
{
    struct kw_texts *x = t->texts;
    kw_dst dst = kw_dst_of(x->sealed[i], SEALED);
    kw_err e = fresh_iv(t, x->iv[i]);
    if (kw_failed(e))
        return e;
    return kw_token_wrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                         kw_span_of(x->iv[i], IV), kw_span_of(x->aad, AAD),
                         kw_span_of(x->inner[i], INNER), &dst);
}

static kw_err unwrap_one(struct kw_bench_thread *t, size_t session, size_t i)
{
    const struct kw_texts *x = t->texts;
    KW_AUTO_SECRET(inner);
    kw_err e = kw_token_unwrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                               kw_span_of(x->iv[i], IV), kw_span_of(x->aad, AAD),
                               kw_span_of(x->sealed[i], SEALED), &inner);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_secret_peek(&inner), kw_span_of(x->inner[i], INNER)))
        t->slot->wrong++;
    return e;
}

static kw_err find_one(struct kw_bench_thread *t, size_t session)
{
    const kw_span no_locator = {0};
    return kw_token_find(t->token[session], t->label, no_locator, &t->key[session],
                         &t->slot->note);
}

/* A token that draws the same twice is not random; zeros are what an untouched buffer
 * has. */
static kw_err random_one(struct kw_bench_thread *t, size_t session)
{
    uint8_t drawn[sizeof t->drawn] = {0};
    kw_err e = kw_token_random(t->token[session], drawn, sizeof drawn);
    if (kw_failed(e))
        return e;
    if (kw_span_equal(kw_span_of(drawn, sizeof drawn),
                      kw_span_of(t->drawn, sizeof t->drawn)))
        t->slot->wrong++;
    kw_copy(t->drawn, sizeof t->drawn, kw_span_of(drawn, sizeof drawn));
    return KW_OK;
}

kw_err kw_thread_operation(struct kw_bench_thread *t, uint64_t n)
{
    const size_t session = n % t->sessions;
    const size_t i = t->texts != NULL ? n % t->texts->count : 0;
    switch (t->task->plan->op) {
    case KW_OP_UNWRAP: return unwrap_one(t, session, i);
    case KW_OP_WRAP: return wrap_one(t, session, i);
    case KW_OP_FIND: return find_one(t, session);
    case KW_OP_LOGIN: return kw_token_login(t->token[session], &t->slot->note);
    case KW_OP_SESSION: return kw_token_try_session(t->token[session]);
    case KW_OP_RANDOM: return random_one(t, session);
    }
    return kw_err_at(KW_CODE_BUG, "op");
}

kw_err kw_thread_texts(struct kw_bench_thread *t)
{
    const uint64_t rate = t->task->plan->max_rate;
    struct kw_texts *x = t->texts = kw_new(1, sizeof *x);
    kw_err e = KW_OK;
    if (x == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "texts");
    x->count = rate > 0 ? KW_TEXTS_SPARING : KW_TEXTS;
    kw_random(x->aad, sizeof x->aad);
    kw_random(x->inner, sizeof x->inner);
    /* Threads are set up one after the other, so this one has the whole rate. */
    t->pace = kw_pace_begin((double)rate, kw_mono_ns(&kw_clock_system), 0, 0);
    for (size_t i = 0; i < x->count && !kw_failed(e) && kw_thread_paced(t); i++)
        e = wrap_one(t, 0, i);
    return e;
}

void kw_thread_prove(struct kw_bench_thread *t, uint64_t n)
{
    if (t->task->plan->op != KW_OP_WRAP || n == 0)
        return;
    kw_err e = unwrap_one(t, 0, (n - 1) % t->texts->count);
    if (kw_failed(e))
        t->slot->wrong++;
}
