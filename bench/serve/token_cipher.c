/* SPDX-License-Identifier: Apache-2.0 */
/* A token in the server's own process: what a call costs without a worker. */
#include "cipher.h"

#include <keyward/alloc.h>
#include <keyward/token.h>

struct kw_token_cipher {
    struct kw_token *token;
    struct kw_token_key *made; /* NULL: none yet                       */
    struct kw_token_key *key;  /* the one that works: made, or its copy */
};

static kw_err check_token(const struct kw_token_cipher *p, bool any, struct kw_note *note)
{
    const struct kw_token_facts *facts = kw_token_facts(p->token);
    if (facts->softhsm || any)
        return KW_OK;
    kw_note_set(
        note,
        "token %s (%s %s) is no SoftHSM: a load on this server goes to it as fast "
        "as it can; say --yes when nobody else needs it",
        facts->label, facts->manufacturer, facts->model);
    return kw_err_at(KW_CODE_DENIED, "token");
}

/* A copy is an object of its own, with a label of its own. */
static kw_err make_keys(struct kw_token_cipher *p, enum kw_served_key place,
                        struct kw_note *note)
{
    char label[KW_KEY_ID_MAX + 1], copy[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_token_make_throwaway(p->token, label, place != KW_SERVED_SESSION,
                                       &p->made, note);
    p->key = p->made;
    if (kw_failed(e) || place != KW_SERVED_COPY)
        return e;
    kw_token_throwaway_label(copy);
    return kw_token_copy_throwaway(p->token, label, copy, &p->key, note);
}

/* The copy ends with its session. */
static kw_err destroy_keys(struct kw_token_cipher *p, struct kw_note *note)
{
    if (p->made == NULL)
        return KW_OK;
    kw_err e = kw_token_destroy_throwaway(p->token, p->made);
    if (kw_failed(e))
        kw_note_set(note, "the key that was served with could not be destroyed: "
                          "keyward-bench token --clean finds it");
    return e;
}

kw_err kw_token_cipher_open(const struct kw_token_cipher_options *o,
                            struct kw_token_cipher **ret_cipher, struct kw_note *note)
{
    const struct kw_token_options options = {.module = o->module,
                                             .uri = o->uri,
                                             .pin = o->pin,
                                             .read_write = o->key != KW_SERVED_SESSION};
    struct kw_token_cipher *p = kw_new(1, sizeof *p);
    if (p == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "token");
    kw_err e = kw_token_open(&options, &p->token, note);
    if (!kw_failed(e))
        e = check_token(p, o->any_token, note);
    if (!kw_failed(e))
        e = kw_token_login(p->token, note);
    if (!kw_failed(e))
        e = make_keys(p, o->key, note);
    if (kw_failed(e)) {
        (void)destroy_keys(p, note); /* its note, should it fail too, is the graver */
        kw_token_close(p->token);
        kw_free(p);
        return e;
    }
    *ret_cipher = p;
    return KW_OK;
}

kw_err kw_token_cipher_close(struct kw_token_cipher *cipher, struct kw_note *note)
{
    if (cipher == NULL)
        return KW_OK;
    kw_err e = destroy_keys(cipher, note);
    kw_token_close(cipher->token);
    kw_free(cipher);
    return e;
}

static kw_err token_wrap(void *ctx, kw_span iv, kw_span aad, kw_span inner, kw_dst *dst)
{
    struct kw_token_cipher *p = ctx;
    kw_err e = kw_token_wrap(p->token, p->key, KW_MECH_AES_256_GCM, iv, aad, inner, dst);
    if (e.code == KW_CODE_SESSION) /* it was renewed: once more, as keyward-hsm does */
        e = kw_token_wrap(p->token, p->key, KW_MECH_AES_256_GCM, iv, aad, inner, dst);
    return e;
}

/* There is no canary here that could tell the token's fault from the data's. */
static kw_err token_unwrap(void *ctx, kw_span iv, kw_span aad, kw_span sealed,
                           struct kw_secret *ret_inner)
{
    struct kw_token_cipher *p = ctx;
    kw_err e = kw_token_unwrap(p->token, p->key, KW_MECH_AES_256_GCM, iv, aad, sealed,
                               ret_inner);
    if (e.code == KW_CODE_SESSION)
        e = kw_token_unwrap(p->token, p->key, KW_MECH_AES_256_GCM, iv, aad, sealed,
                            ret_inner);
    if (e.code == KW_CODE_UNSURE)
        e.code = KW_CODE_FORGED;
    return e;
}

const struct kw_cipher kw_token_cipher = {"kw1-0-token-without-any-wall--", token_wrap,
                                          token_unwrap};
