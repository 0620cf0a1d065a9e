/* SPDX-License-Identifier: Apache-2.0 */
/* message - the messages of KMS v2 (k8s.io/kms, apis/v2/api.proto), written and read
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_MESSAGE_H
#define KEYWARD_BENCH_MESSAGE_H

#include <keyward/bytes.h>

enum kw_bench_method { KW_STATUS, KW_ENCRYPT, KW_DECRYPT, KW_METHODS };
extern const char *const kw_bench_method_names[KW_METHODS]; /* "status", … */

enum {
    KW_MESSAGE_PREFIX = 5, /* gRPC: compressed or not, length of four bytes */
    KW_SEED = 32,
    KW_REPLY_MAX = 4096, /* of any reply we read: ciphertext, key_id, annotations */
    KW_MESSAGE_MAX = KW_REPLY_MAX + 128,
};

/* What a reply holds; empty spans for what it does not.  Borrows from the reply. */
struct kw_reply {
    kw_span version, healthz; /* Status                                        */
    kw_span key_id;           /* Status, Encrypt                               */
    kw_span text;             /* ciphertext or plaintext                       */
    bool has_annotations;     /* Encrypt                                       */
    kw_span annotations;      /* the whole message then: they are picked again */
};

/* Each appends a whole message, prefix and all; false when it does not fit. */
KW_MUST_USE bool kw_message_status(kw_dst *dst);
KW_MUST_USE bool kw_message_encrypt(kw_dst *dst, kw_span seed, kw_span uid);
/* With what Encrypt answered: ciphertext, key_id and annotations. */
KW_MUST_USE bool kw_message_decrypt(kw_dst *dst, const struct kw_reply *sealed,
                                    kw_span uid);

/* Reads the body of a reply, prefix and all.  false: it is none. */
bool kw_message_read(enum kw_bench_method method, kw_span body,
                     struct kw_reply *ret_reply);

#endif
