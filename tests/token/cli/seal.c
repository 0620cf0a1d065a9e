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

static void seal_under(struct kw_token *token, const char *label,
                       struct kw_sample *sample)
{
    uint8_t iv[KW_IV_MAX], aad_bytes[KW_AAD_MAX], sealed_bytes[KW_SEALED_MAX];
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    kw_dst sealed = kw_dst_of(sealed_bytes, sizeof sealed_bytes);
    kw_dst whole = kw_dst_of(sample->ciphertext, sizeof sample->ciphertext);
    struct kw_token_key *key = NULL;
    KW_AUTO_SECRET(seed);
    KW_AUTO_SECRET(inner);
    CHECK_OK(kw_token_find(token, label, (kw_span){0}, &key, NULL));
    CHECK_OK(kw_secret_init(&seed, 32));
    kw_random(seed.ptr, seed.len);
    kw_envelope_iv(KW_MECH_AES_256_GCM, kw_secret_peek(&seed), iv);
    struct kw_envelope env = {
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str(sample->scope),
        .seed_len = seed.len,
        .iv = kw_span_of(iv, kw_mechanism_iv_len(KW_MECH_AES_256_GCM)),
    };
    CHECK_OK(kw_envelope_aad(&env, kw_span_str(sample->key_id),
                             kw_span_str(sample->domain), &aad));
    CHECK_OK(kw_envelope_inner(kw_dst_span(&aad), kw_secret_peek(&seed), &inner));
    CHECK_OK(kw_token_wrap(token, key, env.mechanism, env.iv, kw_dst_span(&aad),
                           kw_secret_peek(&inner), &sealed));
    env.sealed = kw_dst_span(&sealed);
    CHECK_OK(kw_envelope_write(&env, &whole));
    sample->ciphertext_len = whole.len;
}

void seal_sample(const struct site *s, const char *label, const char *key_id,
                 const char *domain, const char *path)
{
    static bool open;
    struct kw_sample sample = {.class_name = "secrets", .scope = "secrets"};
    if (!open)
        kw_test_arena(ARENA);
    open = true;
    kw_copy_str(sample.key_id, sizeof sample.key_id, kw_span_str(key_id));
    kw_copy_str(sample.domain, sizeof sample.domain, kw_span_str(domain));
    struct kw_token *token = open_copy(s);
    seal_under(token, label, &sample);
    kw_token_close(token);
    CHECK_OK(kw_sample_save(path, &sample, NULL));
}
