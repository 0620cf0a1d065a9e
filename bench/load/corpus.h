/* SPDX-License-Identifier: Apache-2.0 */
/* corpus - seeds of our own, what the plugin made of them, and whether it gives them back
 *
 * Threads:   plain values.
 * Secrets:   none: the seeds are made here for the measurement and protect nothing.
 */
#ifndef KEYWARD_BENCH_CORPUS_H
#define KEYWARD_BENCH_CORPUS_H

#include "choice.h"
#include "message.h"

struct kw_corpus_entry {
    uint8_t seed[KW_SEED];
    uint8_t *decrypt; /* the whole Decrypt message, owned; NULL until Encrypt answered */
    uint32_t len, cap;
};

struct kw_corpus {
    size_t count;
    struct kw_corpus_entry *entry;
    bool is_keyward; /* the last Status named a key_id of keyward's */
};

KW_MUST_USE kw_err kw_corpus_init(struct kw_corpus *c, size_t count);
void kw_corpus_wipe(struct kw_corpus *c);

/* The request of this method for entry i: in the buffer, or the entry's own. */
kw_span kw_corpus_request(const struct kw_corpus *c, enum kw_bench_method method,
                          size_t i, uint8_t buffer[KW_MESSAGE_MAX]);
/* The Decrypt message of entry i; empty when Encrypt has not answered it. */
kw_span kw_corpus_decrypt(const struct kw_corpus *c, size_t i);

/* Is this the right reply for entry i?  A reply of Encrypt is kept: what it holds is
 * known when it was decrypted again. */
bool kw_corpus_judge(struct kw_corpus *c, enum kw_bench_method method, size_t i,
                     kw_span body);

#endif
