/* SPDX-License-Identifier: Apache-2.0 */
#include "revisions.h"

#include <string.h>

#include <keyward/alloc.h>

#include "revision.h"

#define REVISIONS_MAX (UINT32_MAX / 2 - 1)

kw_err kw_etcd_revisions_init(struct kw_etcd_revisions *revisions, size_t reachable)
{
    struct kw_etcd_revisions r = {.cap = reachable};
    if (reachable > REVISIONS_MAX)
        return kw_err_at(KW_CODE_BUSY, "etcd revisions");
    kw_err e = kw_etcd_index_init(&r.latest, reachable);
    if (!kw_failed(e))
        e = kw_etcd_index_init(&r.seen, 0);
    r.all = kw_failed(e) ? NULL : kw_new(reachable, sizeof r.all[0]);
    r.values = kw_failed(e) ? NULL : kw_new(reachable, sizeof r.values[0]);
    if (r.all == NULL || r.values == NULL) {
        kw_etcd_revisions_free(&r);
        return kw_failed(e) ? e : kw_err_at(KW_CODE_NO_MEMORY, "etcd revisions");
    }
    *revisions = r;
    return KW_OK;
}

void kw_etcd_revisions_free(struct kw_etcd_revisions *revisions)
{
    kw_free(revisions->all);
    kw_free(revisions->values);
    kw_etcd_index_free(&revisions->latest);
    kw_etcd_index_free(&revisions->seen);
    *revisions = (struct kw_etcd_revisions){.count = 0};
}

kw_err kw_etcd_revisions_add(struct kw_etcd_revisions *revisions,
                             const struct kw_etcd_entry *entry)
{
    uint8_t hash[KW_ETCD_HASH];
    if (revisions->count >= revisions->cap)
        return kw_err_at(KW_CODE_BAD_INPUT, "etcd revisions");
    kw_err e = kw_etcd_hash(entry->value, hash);
    if (kw_failed(e))
        return e;
    kw_copy(revisions->values[revisions->count], KW_ETCD_VALUE_HASH,
            kw_span_of(hash, KW_ETCD_VALUE_HASH));
    e = kw_etcd_hash(entry->key, hash);
    if (kw_failed(e))
        return e;
    revisions->all[revisions->count++] = entry->revision;
    return kw_etcd_index_put(&revisions->latest, hash,
                             2 * (uint32_t)revisions->count + entry->is_tombstone);
}

kw_err kw_etcd_revisions_is_current(const struct kw_etcd_revisions *revisions, size_t i,
                                    const struct kw_etcd_entry *entry,
                                    bool *ret_is_current)
{
    uint8_t hash[KW_ETCD_HASH];
    if (i >= revisions->count ||
        kw_etcd_revision_compare(revisions->all[i], entry->revision) != 0)
        return kw_err_at(KW_CODE_BAD_INPUT, "etcd revisions");
    kw_err e = kw_etcd_hash(entry->key, hash);
    if (kw_failed(e))
        return e;
    const uint32_t *number = kw_etcd_index_find(&revisions->latest, hash);
    *ret_is_current = number != NULL && *number == 2 * ((uint32_t)i + 1);
    return KW_OK;
}

/* The place of a revision among the reachable ones; their count when it is none. */
static size_t revisions_find(const struct kw_etcd_revisions *revisions,
                             struct kw_etcd_revision revision)
{
    size_t from = 0, to = revisions->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = kw_etcd_revision_compare(revisions->all[middle], revision);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return revisions->count;
}

/* Is it reachable, with this value? */
static kw_err revisions_reach(const struct kw_etcd_revisions *revisions,
                              const struct kw_etcd_entry *entry, bool *ret_is_reached)
{
    uint8_t hash[KW_ETCD_HASH];
    const size_t i = revisions_find(revisions, entry->revision);
    *ret_is_reached = false;
    if (i == revisions->count)
        return KW_OK;
    kw_err e = kw_etcd_hash(entry->value, hash);
    if (!kw_failed(e))
        *ret_is_reached =
            kw_span_equal(kw_span_of(hash, KW_ETCD_VALUE_HASH),
                          kw_span_of(revisions->values[i], KW_ETCD_VALUE_HASH));
    return e;
}

static kw_err revisions_hash(const struct kw_etcd_entry *entry,
                             uint8_t ret_hash[KW_ETCD_HASH])
{
    uint8_t key[KW_ETCD_HASH], value[KW_ETCD_HASH], bytes[17 + 2 * KW_ETCD_HASH];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    kw_err e = kw_etcd_hash(entry->key, key);
    if (!kw_failed(e))
        e = kw_etcd_hash(entry->value, value);
    if (kw_failed(e))
        return e;
    KW_MUST(kw_dst_put_u64(&dst, entry->revision.main) &&
            kw_dst_put_u64(&dst, entry->revision.sub) &&
            kw_dst_put_u8(&dst, entry->is_tombstone) &&
            kw_dst_put(&dst, kw_span_of(key, sizeof key)) &&
            kw_dst_put(&dst, kw_span_of(value, sizeof value)));
    return kw_etcd_hash(kw_dst_span(&dst), ret_hash);
}

kw_err kw_etcd_revisions_is_new(struct kw_etcd_revisions *revisions,
                                const struct kw_etcd_entry *entry, bool *ret_is_new)
{
    uint8_t hash[KW_ETCD_HASH];
    bool is_reached = false;
    *ret_is_new = false;
    kw_err e = revisions_reach(revisions, entry, &is_reached);
    if (kw_failed(e) || is_reached)
        return e;
    e = revisions_hash(entry, hash);
    if (kw_failed(e) || kw_etcd_index_find(&revisions->seen, hash) != NULL)
        return e;
    *ret_is_new = true;
    return kw_etcd_index_put(&revisions->seen, hash, 1);
}
