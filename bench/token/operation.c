/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of each kind, and the texts it is done on. */
#include "lane.h"

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

/* All lanes of all points wrap under one key: the IV holds who it is and how often. */
static kw_err fresh_iv(struct kw_lane *l, uint8_t iv[IV])
{
    kw_dst dst = kw_dst_of(iv, IV);
    uint64_t who = l->errand->board->point * KW_LANES_MAX + l->number + 1;
    if (!kw_dst_put_u32(&dst, (uint32_t)who) || !kw_dst_put_u64(&dst, l->ivs++))
        return kw_err_at(KW_CODE_BUG, "iv");
    return KW_OK;
}

static kw_err wrap_one(struct kw_lane *l, size_t session, size_t i)
{
    struct kw_texts *t = l->texts;
    kw_dst dst = kw_dst_of(t->sealed[i], SEALED);
    kw_err e = fresh_iv(l, t->iv[i]);
    if (kw_failed(e))
        return e;
    return kw_token_wrap(l->token[session], l->key[session], KW_MECH_AES_256_GCM,
                         kw_span_of(t->iv[i], IV), kw_span_of(t->aad, AAD),
                         kw_span_of(t->inner[i], INNER), &dst);
}

static kw_err unwrap_one(struct kw_lane *l, size_t session, size_t i)
{
    const struct kw_texts *t = l->texts;
    KW_AUTO_SECRET(inner);
    kw_err e = kw_token_unwrap(l->token[session], l->key[session], KW_MECH_AES_256_GCM,
                               kw_span_of(t->iv[i], IV), kw_span_of(t->aad, AAD),
                               kw_span_of(t->sealed[i], SEALED), &inner);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_secret_peek(&inner), kw_span_of(t->inner[i], INNER)))
        l->slot->wrong++;
    return e;
}

static kw_err find_one(struct kw_lane *l, size_t session)
{
    const kw_span no_locator = {0};
    return kw_token_find(l->token[session], l->label, no_locator, &l->key[session],
                         &l->slot->note);
}

/* A token that draws the same twice is not random; zeros are what an untouched buffer
 * has. */
static kw_err random_one(struct kw_lane *l, size_t session)
{
    uint8_t drawn[sizeof l->drawn] = {0};
    kw_err e = kw_token_random(l->token[session], drawn, sizeof drawn);
    if (kw_failed(e))
        return e;
    if (kw_span_equal(kw_span_of(drawn, sizeof drawn),
                      kw_span_of(l->drawn, sizeof l->drawn)))
        l->slot->wrong++;
    kw_copy(l->drawn, sizeof l->drawn, kw_span_of(drawn, sizeof drawn));
    return KW_OK;
}

kw_err kw_lane_operation(struct kw_lane *l, uint64_t n)
{
    const size_t session = n % l->sessions;
    const size_t i = l->texts != NULL ? n % l->texts->count : 0;
    switch (l->errand->plan->op) {
    case KW_OP_UNWRAP: return unwrap_one(l, session, i);
    case KW_OP_WRAP: return wrap_one(l, session, i);
    case KW_OP_FIND: return find_one(l, session);
    case KW_OP_LOGIN: return kw_token_login(l->token[session], &l->slot->note);
    case KW_OP_SESSION: return kw_token_try_session(l->token[session]);
    case KW_OP_RANDOM: return random_one(l, session);
    }
    return kw_err_at(KW_CODE_BUG, "op");
}

kw_err kw_lane_texts(struct kw_lane *l)
{
    const uint64_t rate = l->errand->plan->max_rate;
    struct kw_texts *t = l->texts = kw_new(1, sizeof *t);
    kw_err e = KW_OK;
    if (t == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "texts");
    t->count = rate > 0 ? KW_TEXTS_SPARING : KW_TEXTS;
    kw_random(t->aad, sizeof t->aad);
    kw_random(t->inner, sizeof t->inner);
    /* Lanes are set up one after the other, so this one has the whole rate. */
    kw_pace_init(&l->pace, rate, 0, 1, kw_mono_ns(&kw_clock_system), 0);
    for (size_t i = 0; i < t->count && !kw_failed(e) && kw_lane_turn(l); i++)
        e = wrap_one(l, 0, i);
    return e;
}

void kw_lane_prove(struct kw_lane *l, uint64_t n)
{
    if (l->errand->plan->op != KW_OP_WRAP || n == 0)
        return;
    kw_err e = unwrap_one(l, 0, (n - 1) % l->texts->count);
    if (kw_failed(e))
        l->slot->wrong++;
}
