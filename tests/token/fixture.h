/* SPDX-License-Identifier: Apache-2.0 */
/* fixture - a token with one KEK in it, as most cases of this ring want it */
#ifndef KEYWARD_TESTS_TOKEN_FIXTURE_H
#define KEYWARD_TESTS_TOKEN_FIXTURE_H

#include "check.h"
#include "liar.h"
#include "softhsm.h"

#define KEK "kw1-1-000102030405060708090a0b"
#define OTHER_KEK "kw1-2-aaaaaaaaaaaaaaaaaaaaaaaa"
#define LOCATOR "0123456789abcdef"

struct fixture {
    struct kw_softhsm hsm;
    struct kw_token *token;
    struct kw_token_key *key; /* KEK, found */
    struct kw_note note;      /* of the last call that took one */
};

static inline kw_span text_span(const char *s)
{
    return kw_span_str(s);
}

/* A token with a KEK, opened read-only and logged in.  With the liar before it when
 * `control` is given; it lies from after the login on. */
static inline void fixture_begin(struct fixture *f, const char *control)
{
    *f = (struct fixture){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f->hsm);
    struct kw_token *maker = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_WRITE);
    (void)kw_softhsm_key(maker, KEK, text_span(LOCATOR));
    kw_token_close(maker);
    if (control != NULL)
        kw_liar_between(&f->hsm);
    f->token = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_find(f->token, KEK, text_span(LOCATOR), &f->key, &f->note));
    if (control != NULL)
        kw_liar_tell(&f->hsm, control);
}

static inline void fixture_end(struct fixture *f)
{
    kw_token_close(f->token);
    kw_softhsm_remove(&f->hsm);
}

/* One sealed text with its IV and AAD. */
struct sealed {
    uint8_t iv[12];
    kw_span aad;
    uint8_t bytes[KW_SEALED_MAX];
    kw_dst dst;
};

static inline kw_err seal(struct fixture *f, struct sealed *s, kw_span inner)
{
    kw_random(s->iv, sizeof s->iv);
    s->aad = text_span("keyward test aad");
    s->dst = kw_dst_of(s->bytes, sizeof s->bytes);
    return kw_token_wrap(f->token, f->key, KW_MECH_AES_256_GCM,
                         kw_span_of(s->iv, sizeof s->iv), s->aad, inner, &s->dst);
}

static inline kw_err open_sealed(struct fixture *f, const struct sealed *s,
                                 struct kw_secret *ret_inner)
{
    return kw_token_unwrap(f->token, f->key, KW_MECH_AES_256_GCM,
                           kw_span_of(s->iv, sizeof s->iv), s->aad, kw_dst_span(&s->dst),
                           ret_inner);
}

#endif
