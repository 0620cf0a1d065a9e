/* SPDX-License-Identifier: Apache-2.0 */
/* index - open addressing, three of four places used at most */
#include "index.h"

#include <keyward/alloc.h>
#include <keyward/sha256.h>

enum { INDEX_LEAST = 64 };

kw_err kw_etcd_hash(kw_span bytes, uint8_t ret_hash[KW_ETCD_HASH])
{
    uint8_t whole[KW_SHA256];
    kw_err e = kw_sha256(bytes, whole);
    if (!kw_failed(e))
        kw_copy(ret_hash, KW_ETCD_HASH, kw_span_of(whole, KW_ETCD_HASH));
    return e;
}

static size_t index_places(size_t expected)
{
    return expected < INDEX_LEAST ? 2 * INDEX_LEAST : expected + expected / 3 + 1;
}

kw_err kw_etcd_index_init(struct kw_etcd_index *index, size_t expected)
{
    struct kw_etcd_index ix = {.places = index_places(expected)};
    ix.hash = kw_new(ix.places, sizeof ix.hash[0]);
    ix.number = kw_new(ix.places, sizeof ix.number[0]);
    if (ix.hash == NULL || ix.number == NULL) {
        kw_etcd_index_free(&ix);
        return kw_err_at(KW_CODE_NO_MEMORY, "index");
    }
    *index = ix;
    return KW_OK;
}

void kw_etcd_index_free(struct kw_etcd_index *index)
{
    kw_free(index->hash);
    kw_free(index->number);
    *index = (struct kw_etcd_index){0};
}

/* Where the hash is, or the free place where it would be. */
static size_t index_place(const struct kw_etcd_index *index,
                          const uint8_t hash[KW_ETCD_HASH])
{
    const kw_span wanted = kw_span_of(hash, KW_ETCD_HASH);
    struct kw_src src = kw_src_of(wanted);
    KW_INVARIANT(index->places > 0);
    size_t at = (size_t)(kw_src_u64(&src) % index->places);
    while (index->number[at] != 0 &&
           !kw_span_equal(kw_span_of(index->hash[at], KW_ETCD_HASH), wanted))
        at = at + 1 == index->places ? 0 : at + 1;
    return at;
}

uint32_t *kw_etcd_index_find(const struct kw_etcd_index *index,
                             const uint8_t hash[KW_ETCD_HASH])
{
    if (index->places == 0)
        return NULL;
    uint32_t *number = &index->number[index_place(index, hash)];
    return *number != 0 ? number : NULL;
}

static kw_err index_grow(struct kw_etcd_index *index)
{
    struct kw_etcd_index larger;
    /* By a quarter: old and new together stay below 64 bytes a hash. */
    kw_err e = kw_etcd_index_init(&larger, index->used + index->used / 4);
    if (kw_failed(e))
        return e;
    for (size_t i = 0; i < index->places; i++)
        if (index->number[i] != 0) {
            const size_t at = index_place(&larger, index->hash[i]);
            kw_copy(larger.hash[at], KW_ETCD_HASH,
                    kw_span_of(index->hash[i], KW_ETCD_HASH));
            larger.number[at] = index->number[i];
        }
    larger.used = index->used;
    kw_etcd_index_free(index);
    *index = larger;
    return KW_OK;
}

kw_err kw_etcd_index_put(struct kw_etcd_index *index, const uint8_t hash[KW_ETCD_HASH],
                         uint32_t number)
{
    if (index->places == 0) {
        kw_err e = kw_etcd_index_init(index, 0);
        if (kw_failed(e))
            return e;
    }
    size_t at = index_place(index, hash);
    const bool is_new = index->number[at] == 0;
    if (is_new && index->used >= index->places - index->places / 4) {
        kw_err e = index_grow(index);
        if (kw_failed(e))
            return e;
        at = index_place(index, hash);
    }
    kw_copy(index->hash[at], KW_ETCD_HASH, kw_span_of(hash, KW_ETCD_HASH));
    index->number[at] = number;
    index->used += is_new;
    return KW_OK;
}
