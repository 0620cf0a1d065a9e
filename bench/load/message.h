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

/* What a reply holds, or a request; empty spans for what it does not.  Borrows. */
struct kw_message {
    kw_span version, healthz; /* Status                                         */
    kw_span key_id;           /* Status, Encrypt                                */
    kw_span text;             /* ciphertext or plaintext                        */
    kw_span annotations;      /* Encrypt's whole reply, when there are such: they are
                                 picked again */
};

/* Appends a whole request, prefix and all; false when it does not fit.  Encrypt takes the
 * text, Decrypt what Encrypt answered: text, key_id and annotations. */
KW_MUST_USE bool kw_message_write(kw_dst *dst, enum kw_bench_method method,
                                  const struct kw_message *m, kw_span uid);

/* Reads the body of a reply, prefix and all.  false: it is none. */
bool kw_message_read(enum kw_bench_method method, kw_span body,
                     struct kw_message *ret_reply);

#endif
