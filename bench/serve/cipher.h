/* SPDX-License-Identifier: Apache-2.0 */
/* cipher - what the in-process HSM seals with: OpenSSL, or a token in this very process
 *
 * Both have one AES-256-GCM key, made at open, nobody else's, gone with close.
 *
 * Threads:   one at a time.
 * Blocking:  the token's, for as long as its module likes.
 * Secrets:   in the arena, which is open before and closed after.
 */
#ifndef KEYWARD_BENCH_CIPHER_H
#define KEYWARD_BENCH_CIPHER_H

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/secret.h>

struct kw_cipher {
    const char *key_id; /* 30 bytes, as keywardd's first ones have */
    /* Appends to dst. */
    kw_err (*wrap)(void *ctx, kw_span iv, kw_span aad, kw_span inner, kw_dst *dst);
    /* FORGED  tag or additional data do not match */
    kw_err (*unwrap)(void *ctx, kw_span iv, kw_span aad, kw_span sealed,
                     struct kw_secret *ret_inner);
};

/* software.c: the least that a seed can cost. */
struct kw_software;
extern const struct kw_cipher kw_software_cipher;
KW_MUST_USE kw_err kw_software_new(struct kw_software **ret_software);
void kw_software_free(struct kw_software *software); /* NULL does nothing */

/* token_cipher.c: the token module in this process, one session. */
enum kw_served_key {
    KW_SERVED_TOKEN,   /* a token object, as a KEK is                     */
    KW_SERVED_SESSION, /* an object of the session, never on the token    */
    KW_SERVED_COPY,    /* a token object, used by its copy in the session */
};
struct kw_token_cipher_options {
    const char *module, *uri, *pin; /* as in <keyward/token.h>; borrowed until close */
    enum kw_served_key key;
    bool any_token; /* also one that is no SoftHSM */
};
struct kw_token_cipher;
extern const struct kw_cipher kw_token_cipher;
/* DENIED  it is no SoftHSM and any_token is not set; and what <keyward/token.h> says */
KW_MUST_USE kw_err kw_token_cipher_open(const struct kw_token_cipher_options *options,
                                        struct kw_token_cipher **ret_cipher,
                                        struct kw_note *note);
/* Destroys the key; an error, with a note, when the token would not.  NULL does nothing. */
KW_MUST_USE kw_err kw_token_cipher_close(struct kw_token_cipher *cipher,
                                         struct kw_note *note);

#endif
