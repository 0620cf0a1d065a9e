/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <stdlib.h>

#include <keyward/token.h>

enum { ARENA = 1 << 16 };

/* The token's folder as it is now, for this user, and its PIN. */
static void copy_token(const struct site *s, char conf[96], char pin[96])
{
    static struct kw_run run;
    char line[512];
    snprintf(conf, 96, "%s/seal.conf", s->dir);
    snprintf(pin, 96, "file:%s/seal.pin", s->dir);
    snprintf(line, sizeof line,
             "cd %s && rm -rf seal && cp -R %s seal && chmod -R u+rwX seal && cp %s "
             "seal.pin && chmod 600 seal.pin && echo directories.tokendir = %s/seal "
             ">seal.conf && echo objectstore.backend = file >>seal.conf",
             s->dir, s->tokens, s->pin, s->dir);
    kw_run(&run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    if (run.status != 0)
        fail_msg("%s", run.err);
}

static struct kw_token *open_copy(const struct site *s)
{
    char conf[96], pin[96];
    struct kw_note note = {{0}};
    struct kw_token *token = NULL;
    copy_token(s, conf, pin);
    CHECK(setenv("SOFTHSM2_CONF", conf, 1) == 0);
    const struct kw_token_options options = {
        .module = SOFTHSM, .uri = "pkcs11:token=keyward", .pin = pin};
    kw_err e = kw_token_open(&options, &token, &note);
    if (!kw_failed(e))
        e = kw_token_login(token, &note);
    if (kw_failed(e))
        fail_msg("%s", note.text);
    CHECK(unsetenv("SOFTHSM2_CONF") == 0);
    return token;
}

static void seal_under(struct kw_token *token, const struct seal_words *words,
                       kw_span seed, kw_dst *dst)
{
    uint8_t iv[KW_IV_MAX], aad_bytes[KW_AAD_MAX], sealed_bytes[KW_SEALED_MAX];
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    kw_dst sealed = kw_dst_of(sealed_bytes, sizeof sealed_bytes);
    struct kw_token_key *key = NULL;
    KW_AUTO_SECRET(inner);
    CHECK_OK(kw_token_find(token, words->label, (kw_span){0}, &key, NULL));
    kw_envelope_iv(KW_MECH_AES_256_GCM, seed, iv);
    struct kw_envelope env = {
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str(words->scope),
        .seed_len = seed.len,
        .iv = kw_span_of(iv, kw_mechanism_iv_len(KW_MECH_AES_256_GCM)),
    };
    CHECK_OK(kw_envelope_aad(&env, kw_span_str(words->key_id), kw_span_str(words->domain),
                             &aad));
    CHECK_OK(kw_envelope_inner(kw_dst_span(&aad), seed, &inner));
    CHECK_OK(kw_token_wrap(token, key, env.mechanism, env.iv, kw_dst_span(&aad),
                           kw_secret_peek(&inner), &sealed));
    env.sealed = kw_dst_span(&sealed);
    CHECK_OK(kw_envelope_write(&env, dst));
}

void seal_seed(const struct site *s, const struct seal_words *words, kw_span seed,
               kw_dst *dst)
{
    static bool open;
    if (!open)
        kw_test_arena(ARENA);
    open = true;
    struct kw_token *token = open_copy(s);
    seal_under(token, words, seed, dst);
    kw_token_close(token);
}

void seal_sample(const struct site *s, const char *label, const char *key_id,
                 const char *domain, const char *path)
{
    struct kw_sample sample = {.class_name = "secrets", .scope = "secrets"};
    const struct seal_words words = {label, key_id, domain, sample.scope};
    kw_dst whole = kw_dst_of(sample.ciphertext, sizeof sample.ciphertext);
    uint8_t seed[32];
    kw_copy_str(sample.key_id, sizeof sample.key_id, kw_span_str(key_id));
    kw_copy_str(sample.domain, sizeof sample.domain, kw_span_str(domain));
    kw_random(seed, sizeof seed);
    seal_seed(s, &words, kw_span_of(seed, sizeof seed), &whole);
    sample.ciphertext_len = whole.len;
    CHECK_OK(kw_sample_save(path, &sample, NULL));
}
