/* SPDX-License-Identifier: Apache-2.0 */
/* token_fixture - a token with one KEK in it, as most cases of this ring want it */
#ifndef KEYWARD_TESTS_TOKEN_FIXTURE_H
#define KEYWARD_TESTS_TOKEN_FIXTURE_H

#include "check.h"
#include "fault_module.h"
#include "token_internal.h"
#include "test_softhsm.h"

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

/* A token with a KEK, opened read-only and logged in.  With the fault module before it
 * when `control` is given; it lies from after the login on. */
static inline void fixture_begin(struct fixture *f, const char *control)
{
    *f = (struct fixture){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f->hsm);
    struct kw_token *maker = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_WRITE);
    (void)kw_softhsm_key(maker, KEK, text_span(LOCATOR));
    kw_token_close(maker);
    if (control != NULL)
        kw_fault_between(&f->hsm);
    f->token = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_find(f->token, KEK, text_span(LOCATOR), &f->key, &f->note));
    if (control != NULL)
        kw_fault_set(&f->hsm, control);
}

static inline void fixture_end(struct fixture *f)
{
    kw_token_close(f->token);
    kw_softhsm_remove(&f->hsm);
}

/* A key that no ceremony makes: same label twice, or extractable.  Wants READ_WRITE. */
static inline CK_OBJECT_HANDLE raw_key_at(struct kw_token *t, const char *label,
                                          kw_span id, bool extractable)
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG len = 32;
    CK_BYTE label_bytes[64], id_bytes[64];
    CK_OBJECT_HANDLE key = 0;
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    kw_copy(label_bytes, sizeof label_bytes, kw_span_str(label));
    kw_copy(id_bytes, sizeof id_bytes, id);
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_LABEL, label_bytes, strlen(label)},
        {CKA_ID, id_bytes, id.len},
        {CKA_SENSITIVE, extractable ? &no : &yes, sizeof yes},
        {CKA_EXTRACTABLE, extractable ? &yes : &no, sizeof yes},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_VALUE_LEN, &len, sizeof len},
    };
    CHECK(t->ck->C_GenerateKey(t->session, &mechanism, attributes,
                               sizeof attributes / sizeof attributes[0], &key) == CKR_OK);
    return key;
}

static inline CK_OBJECT_HANDLE raw_key(struct kw_token *t, const char *label,
                                       const char *id, bool extractable)
{
    return raw_key_at(t, label, kw_span_str(id), extractable);
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

/* Seals 48 bytes under a fresh IV. */
static inline kw_err seal_some(struct fixture *f, struct sealed *s)
{
    uint8_t inner[48] = {1, 2, 3};
    return seal(f, s, kw_span_of(inner, sizeof inner));
}

static inline kw_err open_sealed(struct fixture *f, const struct sealed *s,
                                 struct kw_secret *ret_inner)
{
    return kw_token_unwrap(f->token, f->key, KW_MECH_AES_256_GCM,
                           kw_span_of(s->iv, sizeof s->iv), s->aad, kw_dst_span(&s->dst),
                           ret_inner);
}

/* The round trip that must work when all is well again. */
static inline void works(struct fixture *f)
{
    struct sealed s;
    KW_AUTO_SECRET(back);
    CHECK_OK(seal_some(f, &s));
    CHECK_OK(open_sealed(f, &s, &back));
    CHECK(back.len == 48 && back.ptr[0] == 1 && back.ptr[2] == 3 && back.ptr[47] == 0);
}

#endif
