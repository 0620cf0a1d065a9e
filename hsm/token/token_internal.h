/* SPDX-License-Identifier: Apache-2.0 */
/* token_internal - what the files of this module share, and nobody else sees
 *
 * Every call into the module goes through struct kw_token.ck; its CK_RV goes through
 * kw_ckr or kw_ckr_decrypt before it leaves the function that made the call.
 */
#ifndef KEYWARD_TOKEN_INTERNAL_H
#define KEYWARD_TOKEN_INTERNAL_H

#include <p11-kit/pkcs11.h>

#include <keyward/token.h>

#include "ckr_internal.h"

struct kw_token {
    CK_FUNCTION_LIST *ck; /* p11-kit's managed list */
    struct kw_token_facts facts;
    char *pin; /* the PIN source, owned; never a PIN */
    bool read_write, pin_proven;
    void (*phase)(void *ctx, enum kw_phase phase);
    void *phase_ctx;
    void (*step)(void *ctx); /* NULL: nobody watches */
    void *step_ctx;

    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    bool has_session;
    bool is_fresh;  /* no operation has ended well on this session yet     */
    bool is_spoilt; /* an operation failed on it: renew before the next one*/
    bool login_tried, logged_in, was_logged_in;
    unsigned epoch; /* grows when handles may have died */
    struct kw_token_key *keys;
};

struct kw_token_key {
    char label[KW_KEY_ID_MAX + 8];
    uint8_t locator[KW_LOCATOR_MAX];
    size_t locator_len;
    CK_OBJECT_HANDLE handle;
    unsigned epoch; /* of the token when the handle was found */
    /* Proven for this version by kw_token_prove; "": only found.  The handle of a found
     * key is looked for again when it died, a proven one must be proven again. */
    char version[KW_KEY_ID_MAX + 1];
    struct kw_key_attributes attributes; /* of a proven one, as last read */
    struct kw_token_key *next;
};

void kw_phase_set(const struct kw_token *t, enum kw_phase phase);

/* module.c */
KW_MUST_USE kw_err kw_module_load(const char *path, CK_FUNCTION_LIST **ret_ck,
                                  struct kw_note *note);
void kw_module_unload(CK_FUNCTION_LIST *ck);

/* uri.c: a URI that names a token and nothing else. */
struct kw_token_uri;
KW_MUST_USE kw_err kw_token_uri_parse(const char *text, struct kw_token_uri **ret_uri,
                                      struct kw_note *note);
void kw_token_uri_free(struct kw_token_uri *uri);
bool kw_token_uri_matches(const struct kw_token_uri *uri, const CK_TOKEN_INFO *info);

/* slot.c: the one slot whose token matches. */
KW_MUST_USE kw_err kw_slot_find(CK_FUNCTION_LIST *ck, const struct kw_token_uri *uri,
                                CK_SLOT_ID *ret_slot, CK_TOKEN_INFO *ret_info,
                                struct kw_note *note);

/* facts.c */
void kw_facts_of_token(const CK_TOKEN_INFO *info, struct kw_token_facts *facts);
KW_MUST_USE kw_err kw_facts_of_module(CK_FUNCTION_LIST *ck, struct kw_token_facts *facts);
void kw_facts_of_mechanisms(CK_FUNCTION_LIST *ck, CK_SLOT_ID slot,
                            struct kw_token_facts *facts);
bool kw_facts_say_softhsm(const struct kw_token_facts *facts);

/* pin.c: once; *ret_read is of the descriptor that was read. */
KW_MUST_USE kw_err kw_pin_read(const char *source, struct kw_secret *ret_pin,
                               struct kw_pin_source *ret_read, struct kw_note *note);

/* session.c */
KW_MUST_USE kw_err kw_session_open(struct kw_token *t, CK_SESSION_HANDLE *ret_session);
void kw_session_close(struct kw_token *t, CK_SESSION_HANDLE session);
KW_MUST_USE kw_err kw_session_renew(struct kw_token *t);
/* Opens the first session, or a new one after a failure that could not renew it. */
KW_MUST_USE kw_err kw_session_ready(struct kw_token *t);
/* To be called with the outcome of every operation: after an error the session is
 * replaced, and after SESSION the key (may be NULL) is found again, if finding is all it
 * takes.  Gives the error that the caller shall see. */
KW_MUST_USE kw_err kw_session_after(struct kw_token *t, struct kw_token_key *key,
                                    kw_err e);

/* key.c: the objects of this class, or the secret keys, with this label (unless empty) and
 * locator (unless empty), the first `max` of them. */
KW_MUST_USE kw_err kw_object_search(struct kw_token *t, CK_OBJECT_CLASS class,
                                    kw_span label, kw_span locator,
                                    CK_OBJECT_HANDLE *ret_handles, unsigned max,
                                    unsigned *ret_count);
KW_MUST_USE kw_err kw_key_search(struct kw_token *t, kw_span label, kw_span locator,
                                 CK_OBJECT_HANDLE *ret_handles, unsigned max,
                                 unsigned *ret_count);
/* The handle may be used in the next call.  SESSION without a native code: it died, and
 * the key has to be proven before it is used again. */
KW_MUST_USE kw_err kw_key_ready(struct kw_token *t, struct kw_token_key *key);
/* A key of the token's list; `version` as in the struct.  NULL: no memory. */
struct kw_token_key *kw_key_known(struct kw_token *t, kw_span label, kw_span locator,
                                  const char *version);
struct kw_token_key *kw_key_new(kw_span label, kw_span locator, const char *version);
void kw_key_keep(struct kw_token *t, struct kw_token_key *key);
void kw_key_explain(struct kw_note *note, kw_err e, const struct kw_token *t,
                    const char *label);
void kw_keys_free(struct kw_token *t);

/* list.c: one attribute of at most `cap` bytes; *ret_len 0 when it is longer or not
 * there. */
KW_MUST_USE kw_err kw_object_bytes(struct kw_token *t, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE_TYPE type, void *dst, size_t cap,
                                   size_t *ret_len);

/* gcm.c: one single-part operation on a session.  Nothing is judged but the CK_RVs. */
#define KW_GCM_IV 12u
struct kw_gcm {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    kw_span iv, aad, text; /* text: what goes in */
};
KW_MUST_USE kw_err kw_gcm_encrypt(struct kw_token *t, const struct kw_gcm *op,
                                  uint8_t iv_after[KW_GCM_IV], struct kw_secret *ret_out);
KW_MUST_USE kw_err kw_gcm_decrypt(struct kw_token *t, const struct kw_gcm *op,
                                  struct kw_secret *ret_out);

/* wrap.c: kw_token_wrap and kw_token_unwrap without the phase. */
KW_MUST_USE kw_err kw_wrap(struct kw_token *t, struct kw_token_key *key,
                           enum kw_mechanism m, kw_span iv, kw_span aad, kw_span inner,
                           kw_dst *dst);
KW_MUST_USE kw_err kw_unwrap(struct kw_token *t, struct kw_token_key *key,
                             enum kw_mechanism m, kw_span iv, kw_span aad, kw_span sealed,
                             struct kw_secret *ret_inner);

/* canary.c: kw_token_canary without the phase; the two halves of it. */
KW_MUST_USE kw_err kw_canary(struct kw_token *t, struct kw_token_key *key,
                             const struct kw_version *v, const char *domain,
                             bool also_wrap);
KW_MUST_USE kw_err kw_canary_wraps(struct kw_token *t, struct kw_token_key *key,
                                   const struct kw_version *v, const char *domain);

/* attributes.c: kw_token_attributes without the phase. */
KW_MUST_USE kw_err kw_attributes_read(struct kw_token *t, struct kw_token_key *key,
                                      struct kw_key_attributes *ret_attributes);
/* The token lives and knows the key, but does not answer this one. */
bool kw_ck_is_no_answer(CK_RV rv);
/* Of an object of any class. */
KW_MUST_USE kw_err kw_attributes_of(struct kw_token *t, CK_OBJECT_HANDLE object,
                                    struct kw_key_attributes *ret_attributes);
/* Those that a token may change in the life of a key, anew and in one call:
 * CKA_EXTRACTABLE, CKA_SENSITIVE, and CKA_COPYABLE where the token has answered it. */
KW_MUST_USE kw_err kw_attributes_again(struct kw_token *t, struct kw_token_key *key,
                                       struct kw_key_attributes *attributes);
/* Tests hold this table against kw_attribute_fields. */
struct kw_attribute_ck {
    const char *name;
    CK_ATTRIBUTE_TYPE type;
    size_t offset;
};
extern const struct kw_attribute_ck kw_attribute_cks[];
extern const size_t kw_attribute_cks_count;

/* sign.c: signs a hash under the pair that `signer` means, found and judged before.  Only
 * for who makes the hash from what the pair may sign (a checkpoint, a manifest). */
KW_MUST_USE kw_err kw_sign_under(struct kw_token *t, const struct kw_token_signer *signer,
                                 const uint8_t hash[KW_SHA256],
                                 struct kw_token_signed *ret_signed,
                                 struct kw_note *note);

#endif
