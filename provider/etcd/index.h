/* SPDX-License-Identifier: Apache-2.0 */
/* index - hashes of 16 bytes, each with a number: 27 bytes of memory for each that is
 * expected
 *
 * The hash is cut from SHA-256, so that its first bytes are a place already and nobody
 * who writes to etcd makes two keys meet.
 *
 * Threads:  one thread a struct kw_etcd_index. */
#ifndef KEYWARD_ETCD_INDEX_H
#define KEYWARD_ETCD_INDEX_H

#include <keyward/bytes.h>

enum { KW_ETCD_HASH = 16 };

struct kw_etcd_index {
    uint8_t (*hash)[KW_ETCD_HASH];
    uint32_t *number; /* 0: the place is free */
    size_t places, used;
};

/* Cut from SHA-256.  NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_hash(kw_span bytes, uint8_t ret_hash[KW_ETCD_HASH]);

/* Room for `expected`; it grows beyond.  A zeroed one is empty, and grows, too.  NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_index_init(struct kw_etcd_index *index, size_t expected);
void kw_etcd_index_free(struct kw_etcd_index *index);

/* Its number, or NULL when it has none.  Good until the next put. */
uint32_t *kw_etcd_index_find(const struct kw_etcd_index *index,
                             const uint8_t hash[KW_ETCD_HASH]);

/* Gives a hash, known or new, this number, which is not 0.  NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_index_put(struct kw_etcd_index *index,
                                     const uint8_t hash[KW_ETCD_HASH], uint32_t number);

#endif
