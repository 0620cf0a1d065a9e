/* SPDX-License-Identifier: Apache-2.0 */
/* cache - lately unwrapped seeds, bounded in number and in age, in secret memory
 *
 * One cache per class, so that one class cannot evict another.  Its slots are taken from
 * the arena at once, when it is made: a full cache never asks for more.  Entries live
 * `ttl` from the unwrap, absolutely: a hit does not prolong them.  When it is full the
 * entry that was used longest ago goes (exact LRU).
 *
 * An entry is found by what was asked: key_id and ciphertext, byte for byte.  Nothing
 * stands between two requests being equal and meeting: no hash that could collide.
 *
 * Threads:   the caller holds the big lock for every call but _new and _free.
 * Blocking:  never.
 * Cost:      get, put: O(1); expire: O(expired + 1).
 * Secrets:   seeds lie in the arena only and are wiped when they leave, whatever the way.
 * Ages:      CLOCK_BOOTTIME, passed in.
 */
#ifndef KEYWARD_CACHE_H
#define KEYWARD_CACHE_H

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/mutex.h>
#include <keyward/secret.h>

/* What is asked; borrowed. */
struct kw_cache_key {
    kw_span key_id;     /* at most KW_KEY_ID_MAX bytes */
    kw_span ciphertext; /* at most KW_ENVELOPE_MAX bytes */
};
bool kw_cache_key_equal(const struct kw_cache_key *a, const struct kw_cache_key *b);
/* For tables: the last four bytes of the ciphertext.  A genuine one ends in its tag,
 * which is as good as random, and only genuine ones are remembered. */
uint32_t kw_cache_key_mark(const struct kw_cache_key *key);

struct kw_cache;
/* entries 0 or ttl 0 make a cache that holds nothing.  NO_MEMORY. */
KW_MUST_USE kw_err kw_cache_new(size_t entries, int64_t ttl_ns,
                                struct kw_cache **ret_cache);
void kw_cache_free(struct kw_cache *cache); /* wipes; NULL does nothing */

/* Copies the seed out to *ret_seed, which is empty.  true on a hit that is younger than
 * the ttl; NO_MEMORY of the arena reads as a miss. */
bool kw_cache_get(struct kw_cache *cache, const struct kw_cache_key *key,
                  int64_t boot_now_ns, struct kw_secret *ret_seed) KW_LOCKED;
/* Remembers a copy; an entry of the same key is replaced.
 * seed is 1..KW_SEED_MAX bytes, the key no longer than it may be (asserted). */
void kw_cache_put(struct kw_cache *cache, const struct kw_cache_key *key, kw_span seed,
                  int64_t boot_now_ns) KW_LOCKED;
/* Drops what is too old.  Returns when the next entry gets too old (CLOCK_BOOTTIME), or
 * INT64_MAX. */
int64_t kw_cache_expire(struct kw_cache *cache, int64_t boot_now_ns) KW_LOCKED;
size_t kw_cache_wipe(struct kw_cache *cache) KW_LOCKED; /* how many */

struct kw_cache_stats {
    uint64_t hits, misses, puts, evicted, expired, wiped;
    size_t entries, capacity;
};
void kw_cache_stats(const struct kw_cache *cache,
                    struct kw_cache_stats *ret_stats) KW_LOCKED;

#endif
