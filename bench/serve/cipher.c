/* SPDX-License-Identifier: Apache-2.0 */
#include "inprocess.h"

#include <openssl/evp.h>

#include <keyward/alloc.h>

/* ---- OpenSSL --------------------------------------------------------------------------
 *
 * Both contexts are prepared once with the key and started over with an iv alone, so that no
 * call pays for the key schedule. */

enum { KEY = 32, IV = 12 };

struct software {
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *opening, *sealing;
};

static kw_err software_run(void *ctx, enum kw_hsm_op op, kw_span iv, kw_span aad,
                           kw_span input, struct kw_secret *ret_output)
{
    const struct software *s = ctx;
    const bool wrap = op == KW_HSM_WRAP;
    EVP_CIPHER_CTX *c = wrap ? s->sealing : s->opening;
    KW_AUTO_SECRET(output);
    uint8_t tag[KW_GCM_TAG];
    int n = 0, end = 0;
    if (iv.len != IV || input.len > KW_SEALED_MAX || (!wrap && input.len <= sizeof tag))
        return kw_err_at(KW_CODE_BAD_INPUT, "software");
    const size_t len = wrap ? input.len : input.len - sizeof tag;
    kw_err e = kw_secret_init(&output, wrap ? len + sizeof tag : len);
    if (kw_failed(e))
        return e;
    if (!wrap)
        kw_copy(tag, sizeof tag, kw_span_of(input.ptr + len, sizeof tag));
    bool good =
        EVP_CipherInit_ex2(c, NULL, NULL, iv.ptr, -1, NULL) == 1 &&
        (wrap || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1) &&
        EVP_CipherUpdate(c, NULL, &n, aad.ptr, (int)aad.len) == 1 &&
        EVP_CipherUpdate(c, output.ptr, &n, input.ptr, (int)len) == 1 &&
        EVP_CipherFinal_ex(c, output.ptr + n, &end) == 1 &&
        (!wrap || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, sizeof tag,
                                      output.ptr + len) == 1);
    if (!good)
        return kw_err_at(wrap ? KW_CODE_NO_MEMORY : KW_CODE_FORGED, "software");
    kw_secret_move(ret_output, &output);
    return KW_OK;
}

/* The contexts are wiped as they go: EVP_CIPHER_CTX_free(3). */
static kw_err software_close(void *ctx, struct kw_note *note)
{
    struct software *s = ctx;
    EVP_CIPHER_CTX_free(s->sealing);
    EVP_CIPHER_CTX_free(s->opening);
    EVP_CIPHER_free(s->gcm);
    kw_free(s);
    return KW_OK;
}

kw_err kw_software_open(struct kw_cipher *ret_cipher)
{
    KW_AUTO_SECRET(key);
    struct kw_note note;
    kw_err e = kw_secret_init(&key, KEY);
    if (kw_failed(e))
        return e;
    kw_random(key.ptr, key.len);
    struct software *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "software");
    s->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    s->sealing = EVP_CIPHER_CTX_new();
    s->opening = EVP_CIPHER_CTX_new();
    if (s->gcm == NULL || s->sealing == NULL || s->opening == NULL ||
        EVP_EncryptInit_ex2(s->sealing, s->gcm, key.ptr, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(s->opening, s->gcm, key.ptr, NULL, NULL) != 1) {
        (void)software_close(s, &note);
        return kw_err_at(KW_CODE_NO_MEMORY, "EVP_EncryptInit");
    }
    *ret_cipher = (struct kw_cipher){"kw1-0-software-protects-little", s, software_run,
                                     software_close};
    return KW_OK;
}

/* ---- a token ------------------------------------------------------------------------- */

struct in_token {
    struct kw_token *token;
    struct kw_token_key *made; /* NULL: none yet                       */
    struct kw_token_key *key;  /* the one that works: made, or its copy */
};

static kw_err in_token_once(const struct in_token *t, enum kw_hsm_op op, kw_span iv,
                            kw_span aad, kw_span input, struct kw_secret *ret_output)
{
    uint8_t bytes[KW_SEALED_MAX];
    kw_dst sealed = kw_dst_of(bytes, sizeof bytes);
    if (op == KW_HSM_UNWRAP)
        return kw_token_unwrap(t->token, t->key, KW_MECH_AES_256_GCM, iv, aad, input,
                               ret_output);
    kw_err e =
        kw_token_wrap(t->token, t->key, KW_MECH_AES_256_GCM, iv, aad, input, &sealed);
    return kw_failed(e) ? e : kw_secret_copy(ret_output, kw_dst_span(&sealed));
}

static kw_err in_token_run(void *ctx, enum kw_hsm_op op, kw_span iv, kw_span aad,
                           kw_span input, struct kw_secret *ret_output)
{
    kw_err e = in_token_once(ctx, op, iv, aad, input, ret_output);
    if (e.code == KW_CODE_SESSION) /* it was renewed: once more, as keyward-hsm does */
        e = in_token_once(ctx, op, iv, aad, input, ret_output);
    if (e.code == KW_CODE_UNSURE) /* no canary is here to tell the token's fault */
        e.code = KW_CODE_FORGED;
    return e;
}

/* A copy is an object of its own, with a label of its own. */
static kw_err in_token_make_keys(struct in_token *t, enum kw_bench_key place,
                                 struct kw_note *note)
{
    char label[KW_KEY_ID_MAX + 1], copy[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_token_make_throwaway(t->token, label, place != KW_BENCH_KEY_SESSION,
                                       &t->made, note);
    t->key = t->made;
    if (kw_failed(e) || place != KW_BENCH_KEY_COPY)
        return e;
    kw_token_throwaway_label(copy);
    return kw_token_copy_throwaway(t->token, label, copy, &t->key, note);
}

/* A copy ends with its session. */
static kw_err in_token_close(void *ctx, struct kw_note *note)
{
    struct in_token *t = ctx;
    kw_err e = t->made != NULL ? kw_token_destroy_throwaway(t->token, t->made) : KW_OK;
    if (kw_failed(e))
        kw_note_set(note, "the key that was served with could not be destroyed: "
                          "keyward-bench token --clean finds it");
    kw_token_close(t->token);
    kw_free(t);
    return e;
}

kw_err kw_token_cipher_open(const struct kw_token_cipher_options *o,
                            struct kw_cipher *ret_cipher, struct kw_note *note)
{
    const struct kw_token_options options = {.module = o->module,
                                             .uri = o->uri,
                                             .pin = o->pin,
                                             .read_write =
                                                 o->key != KW_BENCH_KEY_SESSION};
    struct in_token *t = kw_new(1, sizeof *t);
    if (t == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "token");
    kw_err e = kw_token_open(&options, &t->token, note);
    if (!kw_failed(e))
        e = kw_bench_token_allowed(kw_token_facts(t->token), o->any_token, note);
    if (!kw_failed(e))
        e = kw_token_login(t->token, note);
    if (!kw_failed(e))
        e = in_token_make_keys(t, o->key, note);
    if (kw_failed(e)) {
        (void)in_token_close(t, note); /* its note, should it fail too, is the graver */
        return e;
    }
    *ret_cipher = (struct kw_cipher){"kw1-0-token-without-any-wall--", t, in_token_run,
                                     in_token_close};
    return KW_OK;
}
