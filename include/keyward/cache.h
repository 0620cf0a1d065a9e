/* SPDX-License-Identifier: Apache-2.0 */
/* cache - lately unwrapped seeds, bounded in number and in age, in secret memory
 *
 * One cache per class, so that one class cannot evict another.  Its slots are taken from
 * the arena at once, when it is made: a full cache never asks for more.  Entries live
 * `ttl` from the unwrap, absolutely: a hit does not prolong them.  When it is full the
 * entry that was used longest ago goes (exact LRU).
 *
 * The key of an entry is HMAC-SHA256 under a per-process random key over {class, key_id,
 * ciphertext}, each with its length: equal requests, and only those, meet.
 *
 * Threads:   the caller holds the house's mutex for every call but _new, _free and
 *            kw_cache_keyer_*.
 * Blocking:  never.
 * Cost:      get, put: O(1); expire: O(expired + 1).
 * Secrets:   seeds lie in the arena only and are wiped when they leave, whatever the way.
 * Ages:      CLOCK_BOOTTIME, passed in.
 */
#ifndef KEYWARD_CACHE_H
#define KEYWARD_CACHE_H

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/secret.h>

struct kw_cache_key {
    uint8_t b[32];
};
struct kw_cache_keyer; /* holds the per-process HMAC key */
KW_MUST_USE kw_err kw_cache_keyer_new(struct kw_cache_keyer **ret_keyer);
void kw_cache_keyer_free(struct kw_cache_keyer *keyer); /* NULL does nothing */
/* One thread at a time per keyer. */
void kw_cache_keyer_make(struct kw_cache_keyer *keyer, uint32_t class_index,
                         kw_span key_id, kw_span ciphertext,
                         struct kw_cache_key *ret_key);

struct kw_cache;
/* entries 0 or ttl 0 make a cache that holds nothing.  NO_MEMORY. */
KW_MUST_USE kw_err kw_cache_new(size_t entries, int64_t ttl_ns,
                                struct kw_cache **ret_cache);
void kw_cache_free(struct kw_cache *cache); /* wipes; NULL does nothing */

/* Copies the seed out to *ret_seed, which is empty.  true on a hit that is younger than
 * the ttl; NO_MEMORY of the arena reads as a miss. */
bool kw_cache_get(struct kw_cache *cache, const struct kw_cache_key *key,
                  int64_t boot_now_ns, struct kw_secret *ret_seed);
/* Remembers a copy; an entry of the same key is replaced.
 * seed is 1..KW_SEED_MAX bytes. */
void kw_cache_put(struct kw_cache *cache, const struct kw_cache_key *key, kw_span seed,
                  int64_t boot_now_ns);
/* Drops what is too old.  Returns when the next entry gets too old (CLOCK_BOOTTIME), or
 * INT64_MAX. */
int64_t kw_cache_expire(struct kw_cache *cache, int64_t boot_now_ns);
size_t kw_cache_wipe(struct kw_cache *cache); /* how many */

struct kw_cache_stats {
    uint64_t hits, misses, puts, evicted, expired, wiped;
    size_t entries, capacity;
};
void kw_cache_stats(const struct kw_cache *cache, struct kw_cache_stats *ret_stats);

#endif
