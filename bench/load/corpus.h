/* SPDX-License-Identifier: Apache-2.0 */
/* corpus - the messages of KMS v2 (k8s.io/kms, apis/v2/api.proto), seeds of our own, what the
 * plugin made of them, and whether it gives them back
 *
 * In a file, so that the plugin can be restarted before they are asked for: a first line
 * that says what it is, then one line a seed, "SEED DECRYPT" in hex; DECRYPT is the whole
 * message of the call.
 *
 * Threads:   plain values.
 * Blocking:  write and read: on the disk.
 * Secrets:   none: the seeds are made here for the measurement and protect nothing.  The
 *            file is its owner's alone (0600) all the same.
 */
#ifndef KEYWARD_BENCH_CORPUS_H
#define KEYWARD_BENCH_CORPUS_H

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

struct kw_corpus_entry {
    uint8_t seed[KW_SEED];
    uint8_t *decrypt; /* the whole Decrypt message, owned; NULL until Encrypt answered */
    uint32_t len;
};

struct kw_corpus {
    size_t count;
    struct kw_corpus_entry *entry;
    bool is_keyward; /* the last Status named a key_id of keyward's */
};

KW_MUST_USE kw_err kw_corpus_init(struct kw_corpus *c, size_t count);
void kw_corpus_wipe(struct kw_corpus *c);

/* The request of this method for entry i: in the buffer, or the entry's own, which is empty
 * when Encrypt has not answered. */
kw_span kw_corpus_request(const struct kw_corpus *c, enum kw_bench_method method,
                          size_t i, uint8_t buffer[KW_MESSAGE_MAX]);

/* Is this the right reply for entry i?  A reply of Encrypt is kept: what it holds is
 * known when it was decrypted again. */
bool kw_corpus_judge(struct kw_corpus *c, enum kw_bench_method method, size_t i,
                     kw_span body);

/* IO, NO_MEMORY.  A file that was there is replaced. */
KW_MUST_USE kw_err kw_corpus_write(const struct kw_corpus *c, const char *path,
                                   struct kw_note *note);
/* The first `count` seeds of the file; 0: all of them.
 * MISSING, IO  as kw_file_read
 * BAD_INPUT    not such a file, damaged, or it has fewer
 * NO_MEMORY */
KW_MUST_USE kw_err kw_corpus_read(const char *path, size_t count,
                                  struct kw_corpus *ret_corpus, struct kw_note *note);

#endif
