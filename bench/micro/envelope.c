/* SPDX-License-Identifier: Apache-2.0 */
/* The stored bytes: read, written, bound to key and domain, proven. */
#include <keyward/envelope.h>

#include "micro.h"

#define DOMAIN "cluster.example"
#define KEY_ID "kw1-1-0123456789abcdef01234567"

enum { SEED = 32 };

static struct fixture {
    uint8_t iv[KW_IV_MAX], sealed[KW_SEALED_MAX], seed[SEED];
    uint8_t stored[KW_CIPHERTEXT_MAX], aad[KW_AAD_MAX];
    size_t stored_len, aad_len;
    struct kw_envelope env;
} f;

static void *setup(struct kw_micro *m)
{
    kw_dst stored = kw_dst_of(f.stored, sizeof f.stored);
    kw_dst aad = kw_dst_of(f.aad, sizeof f.aad);
    kw_micro_fill(f.iv, sizeof f.iv, 1);
    kw_micro_fill(f.sealed, sizeof f.sealed, 2);
    kw_micro_fill(f.seed, sizeof f.seed, 3);
    f.env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str("secrets"),
        .seed_len = SEED,
        .iv = kw_span_of(f.iv, kw_mechanism_iv_len(KW_MECH_AES_256_GCM)),
        .sealed = kw_span_of(f.sealed, kw_mechanism_sealed_len(KW_MECH_AES_256_GCM,
                                                               SEED + KW_INNER_DIGEST))};
    if (kw_micro_failed(m, kw_envelope_write(&f.env, &stored)) ||
        kw_micro_failed(
            m, kw_envelope_aad(&f.env, kw_span_str(KEY_ID), kw_span_str(DOMAIN), &aad)))
        return NULL;
    f.stored_len = stored.len;
    f.aad_len = aad.len;
    return &f;
}

static void parse(struct kw_micro *m, void *fixture)
{
    struct kw_envelope env = {0};
    kw_err e = KW_OK;
    (void)fixture;
    while (!kw_failed(e) && kw_micro_next(m)) {
        e = kw_envelope_parse(kw_span_of(f.stored, f.stored_len), &env);
        kw_micro_keep(&env);
    }
    (void)kw_micro_failed(m, e);
}

static void write_it(struct kw_micro *m, void *fixture)
{
    uint8_t stored[KW_CIPHERTEXT_MAX];
    kw_err e = KW_OK;
    (void)fixture;
    while (!kw_failed(e) && kw_micro_next(m)) {
        kw_dst dst = kw_dst_of(stored, sizeof stored);
        e = kw_envelope_write(&f.env, &dst);
        kw_micro_keep(stored);
    }
    (void)kw_micro_failed(m, e);
}

static void aad(struct kw_micro *m, void *fixture)
{
    uint8_t bytes[KW_AAD_MAX];
    kw_err e = KW_OK;
    (void)fixture;
    while (!kw_failed(e) && kw_micro_next(m)) {
        kw_dst dst = kw_dst_of(bytes, sizeof bytes);
        e = kw_envelope_aad(&f.env, kw_span_str(KEY_ID), kw_span_str(DOMAIN), &dst);
        kw_micro_keep(bytes);
    }
    (void)kw_micro_failed(m, e);
}

static void iv(struct kw_micro *m, void *fixture)
{
    uint8_t fresh[KW_IV_MAX];
    (void)fixture;
    while (kw_micro_next(m)) {
        kw_envelope_iv(KW_MECH_AES_256_GCM, kw_span_of(f.seed, SEED), fresh);
        kw_micro_keep(fresh);
    }
}

/* Seed and digest into the arena, and out again. */
static void inner(struct kw_micro *m, void *fixture)
{
    struct kw_secret s = {0};
    kw_err e = KW_OK;
    (void)fixture;
    while (!kw_failed(e) && kw_micro_next(m)) {
        e = kw_envelope_inner(kw_span_of(f.aad, f.aad_len), kw_span_of(f.seed, SEED), &s);
        kw_secret_wipe(&s);
    }
    (void)kw_micro_failed(m, e);
}

/* As after an unwrap: the token's bytes in the arena, the digest checked, the seed wiped.
 */
static void prove(struct kw_micro *m, void *fixture)
{
    struct kw_secret sealed_in = {0}, s = {0};
    kw_span bound = kw_span_of(f.aad, f.aad_len);
    (void)fixture;
    kw_err e = kw_envelope_inner(bound, kw_span_of(f.seed, SEED), &sealed_in);
    while (!kw_failed(e) && kw_micro_next(m)) {
        e = kw_secret_copy(&s, kw_secret_peek(&sealed_in));
        if (!kw_failed(e))
            e = kw_envelope_prove(bound, SEED, &s);
        kw_secret_wipe(&s);
    }
    kw_secret_wipe(&sealed_in);
    (void)kw_micro_failed(m, e);
}

static const struct kw_micro_case cases[] = {
    {.name = "envelope/parse", .setup = setup, .run = parse},
    {.name = "envelope/write", .setup = setup, .run = write_it},
    {.name = "envelope/aad", .setup = setup, .run = aad},
    {.name = "envelope/iv", .setup = setup, .run = iv},
    {.name = "envelope/inner", .setup = setup, .run = inner},
    {.name = "envelope/prove", .setup = setup, .run = prove},
};

void kw_micro_envelope(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        kw_micro_register(&cases[i]);
}
