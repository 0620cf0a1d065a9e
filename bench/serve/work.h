/* SPDX-License-Identifier: Apache-2.0 */
/* work - what stands behind the transport: nothing, a cipher here, a token in here
 *
 * Everything but echo goes the whole way of a seed: envelope, additional data, inner
 * digest, and what was wrapped is unwrapped and compared before it is given out.  Only
 * the cipher differs, so two works differ by what their cipher costs.
 *
 * What it never does: remember a seed, or an answer.  The keys are made here, are nobody
 * else's and end with the process.
 *
 * Threads:   open and close on the main thread, before the rpc thread begins and after it
 *            ended; between them it belongs to the rpc thread.
 * Blocking:  the token's work waits for its token on the rpc thread: a measurement of
 * what the wall costs, and no way to serve anybody. Secrets:   in the arena, which is
 * open before and closed after.
 */
#ifndef KEYWARD_BENCH_WORK_H
#define KEYWARD_BENCH_WORK_H

#include <keyward/kms.h>

/* One AEAD with a key of its own, AES-256-GCM. */
struct kw_cipher {
    /* Appends to dst. */
    kw_err (*wrap)(void *ctx, kw_span iv, kw_span aad, kw_span inner, kw_dst *dst);
    /* FORGED  tag or additional data do not match */
    kw_err (*unwrap)(void *ctx, kw_span iv, kw_span aad, kw_span sealed,
                     struct kw_secret *ret_inner);
};

/* What rpc takes for kms here. */
struct kw_kms {
    const char *key_id;
    const struct kw_cipher *cipher; /* NULL: echo, which frames its input and no more */
    void *ctx;                      /* the cipher's */
    bool no_verify;                 /* Encrypt does not unwrap what it wrapped */
};

enum kw_work_kind { KW_WORK_ECHO, KW_WORK_SOFTWARE, KW_WORK_TOKEN };

enum kw_key_place {
    KW_KEY_TOKEN,   /* a token object, as a KEK is                      */
    KW_KEY_SESSION, /* an object of the session, never on the token     */
    KW_KEY_COPY,    /* a token object, used by its copy in the session  */
};

struct kw_work_options {
    enum kw_work_kind kind;
    bool no_verify;
    /* the token's work only */
    const char *module, *uri, *pin; /* as in <keyward/token.h>; borrowed until close */
    enum kw_key_place place;
    bool any_token; /* also one that is no SoftHSM */
};

struct kw_work {
    struct kw_kms kms;
    struct kw_software *software;
    struct kw_inproc *inproc;
};

/* Bytes of the arena that any work wants. */
#define KW_WORK_ARENA ((size_t)256 * 1024)

/* NO_MEMORY; of the token: DENIED when it is no SoftHSM and any_token is not set, and
 * what <keyward/token.h> says.  Close it in every case. */
KW_MUST_USE kw_err kw_work_open(const struct kw_work_options *options,
                                struct kw_work *ret_work, struct kw_note *note);
/* Destroys the key.  An error, with a note, when the token would not. */
KW_MUST_USE kw_err kw_work_close(struct kw_work *work, struct kw_note *note);

/* software.c: OpenSSL's, with a key from the random number generator. */
struct kw_software;
extern const struct kw_cipher kw_software_cipher;
KW_MUST_USE kw_err kw_software_new(struct kw_software **ret_software);
void kw_software_free(struct kw_software *software); /* NULL does nothing */

/* inproc.c: the token room in this very process, one session. */
struct kw_inproc;
extern const struct kw_cipher kw_inproc_cipher;
KW_MUST_USE kw_err kw_inproc_open(const struct kw_work_options *options,
                                  struct kw_inproc **ret_inproc, struct kw_note *note);
KW_MUST_USE kw_err kw_inproc_close(struct kw_inproc *inproc, struct kw_note *note);

#endif
