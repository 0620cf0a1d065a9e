/* SPDX-License-Identifier: Apache-2.0 */
/* The stored bytes: read, written, bound to key and domain, proven. */
#include <keyward/envelope.h>

#include "micro.h"

#define DOMAIN "cluster.example"
#define KEY_ID "kw1-1-0123456789abcdef01234567"

enum { SEED = 32 };

static uint8_t iv_bytes[KW_IV_MAX], sealed[KW_SEALED_MAX], seed[SEED];
static uint8_t stored_bytes[KW_CIPHERTEXT_MAX], aad_bytes[KW_AAD_MAX];
static kw_span stored, bound;
static struct kw_envelope env;

static kw_err make_aad(uint8_t bytes[KW_AAD_MAX], kw_span *ret_aad)
{
    kw_dst dst = kw_dst_of(bytes, KW_AAD_MAX);
    kw_err e = kw_envelope_aad(&env, kw_span_str(KEY_ID), kw_span_str(DOMAIN), &dst);
    *ret_aad = kw_dst_span(&dst);
    return e;
}

static bool envelope_setup(struct kw_micro *m)
{
    const enum kw_mechanism gcm = KW_MECH_AES_256_GCM;
    kw_dst dst = kw_dst_of(stored_bytes, sizeof stored_bytes);
    kw_micro_fill(iv_bytes, sizeof iv_bytes, 1);
    kw_micro_fill(sealed, sizeof sealed, 2);
    kw_micro_fill(seed, sizeof seed, 3);
    env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = gcm,
        .scope = kw_span_str("secrets"),
        .seed_len = SEED,
        .iv = kw_span_of(iv_bytes, kw_mechanism_iv_len(gcm)),
        .sealed =
            kw_span_of(sealed, kw_mechanism_sealed_len(gcm, SEED + KW_INNER_DIGEST))};
    if (kw_micro_failed(m, kw_envelope_write(&env, &dst)))
        return false;
    stored = kw_dst_span(&dst);
    return !kw_micro_failed(m, make_aad(aad_bytes, &bound));
}

static void envelope_parse(struct kw_micro *m)
{
    struct kw_envelope got = {0};
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = kw_envelope_parse(stored, &got);
        kw_micro_keep(&got);
    }
}

static void write_it(struct kw_micro *m)
{
    uint8_t bytes[KW_CIPHERTEXT_MAX];
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        kw_dst dst = kw_dst_of(bytes, sizeof bytes);
        e = kw_envelope_write(&env, &dst);
        kw_micro_keep(bytes);
    }
}

static void aad(struct kw_micro *m)
{
    uint8_t bytes[KW_AAD_MAX];
    kw_span made;
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = make_aad(bytes, &made);
        kw_micro_keep(bytes);
    }
}

static void iv(struct kw_micro *m)
{
    uint8_t fresh[KW_IV_MAX];
    while (kw_micro_next(m)) {
        kw_envelope_iv(KW_MECH_AES_256_GCM, kw_span_of(seed, SEED), fresh);
        kw_micro_keep(fresh);
    }
}

/* Seed and digest into the arena, and out again. */
static void inner(struct kw_micro *m)
{
    struct kw_secret s = {0};
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = kw_envelope_inner(bound, kw_span_of(seed, SEED), &s);
        kw_secret_wipe(&s);
    }
}

/* As after an unwrap: the token's bytes in the arena, the digest checked, the seed wiped.
 */
static void envelope_prove(struct kw_micro *m)
{
    struct kw_secret sealed_in = {0}, s = {0};
    kw_err e = kw_envelope_inner(bound, kw_span_of(seed, SEED), &sealed_in);
    if (kw_micro_failed(m, e))
        return;
    KW_MICRO_EACH(m, e)
    {
        e = kw_secret_copy(&s, kw_secret_peek(&sealed_in));
        if (!kw_failed(e))
            e = kw_envelope_prove(bound, SEED, &s);
        kw_secret_wipe(&s);
    }
    kw_secret_wipe(&sealed_in);
}

const struct kw_micro_case kw_micro_envelope[] = {
    {"envelope/parse", envelope_setup, envelope_parse},
    {"envelope/write", envelope_setup, write_it},
    {"envelope/aad", envelope_setup, aad},
    {"envelope/iv", envelope_setup, iv},
    {"envelope/inner", envelope_setup, inner},
    {"envelope/prove", envelope_setup, envelope_prove},
    {.name = NULL},
};
