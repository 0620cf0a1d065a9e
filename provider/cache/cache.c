/* SPDX-License-Identifier: Apache-2.0 */
/* cache - a fixed table of entries, their seeds in one block of the arena
 *
 * Entry i has slot i.  An entry is either on the free list, or in one bucket's chain and
 * on two rings: BY_USE (longest ago used first) says who goes when it is full, BY_AGE
 * (oldest first) says who expires next; as every entry lives equally long, the order of
 * putting is the order of expiry.  All of it is indices into one array; the keys, which
 * are no secret, lie in one of their own. */
#include <keyward/cache.h>

#include <keyward/alloc.h>

#define SLOT KW_SEED_MAX
#define NAME (KW_KEY_ID_MAX + KW_ENVELOPE_MAX)
#define NONE UINT32_MAX
#define ENTRIES_MAX (UINT32_MAX / 4)

enum order { BY_USE, BY_AGE, ORDERS };

struct link {
    uint32_t next, prev;
};

struct entry {
    struct link ring[ORDERS];
    uint32_t chain; /* next in the bucket, or next free */
    uint32_t mark;
    uint32_t seed_len;
    uint16_t key_id_len, ciphertext_len; /* of its name */
    int64_t stored_boot_ns;
};

struct kw_cache {
    struct kw_secret slots; /* capacity * SLOT                              */
    struct entry *entries;  /* capacity + 1: the last is the rings' anchor  */
    uint8_t *names;         /* capacity * NAME: key_id, ciphertext          */
    uint32_t *buckets;      /* bucket_mask + 1, a power of two              */
    uint32_t bucket_mask;
    uint32_t capacity, count, first_free;
    int64_t ttl_ns;
    struct kw_cache_stats stats;
};

/* ---- rings ------------------------------------------------------------------------- */

static void ring_out(struct kw_cache *c, enum order o, uint32_t i)
{
    struct link l = c->entries[i].ring[o];
    c->entries[l.prev].ring[o].next = l.next;
    c->entries[l.next].ring[o].prev = l.prev;
}

static void ring_in_last(struct kw_cache *c, enum order o, uint32_t i)
{
    uint32_t anchor = c->capacity, last = c->entries[anchor].ring[o].prev;
    c->entries[i].ring[o] = (struct link){anchor, last};
    c->entries[last].ring[o].next = i;
    c->entries[anchor].ring[o].prev = i;
}

static uint32_t ring_first(const struct kw_cache *c, enum order o)
{
    uint32_t first = c->entries[c->capacity].ring[o].next;
    return first == c->capacity ? NONE : first;
}

/* ---- buckets ----------------------------------------------------------------------- */

uint32_t kw_cache_key_mark(const struct kw_cache_key *key)
{
    struct kw_src src = kw_src_of(key->ciphertext);
    if (kw_src_left(&src) > 4)
        (void)kw_src_take(&src, kw_src_left(&src) - 4);
    return kw_src_u32(&src); /* 0 for one that is shorter */
}

bool kw_cache_key_equal(const struct kw_cache_key *a, const struct kw_cache_key *b)
{
    return kw_span_equal(a->ciphertext, b->ciphertext) &&
           kw_span_equal(a->key_id, b->key_id);
}

static struct kw_cache_key cache_key_of(const struct kw_cache *c, uint32_t i)
{
    const struct entry *e = &c->entries[i];
    const uint8_t *name = c->names + (size_t)i * NAME;
    return (struct kw_cache_key){kw_span_of(name, e->key_id_len),
                                 kw_span_of(name + e->key_id_len, e->ciphertext_len)};
}

/* The link that points at the entry of this key, or at the NONE that ends its chain. */
static uint32_t *link_of(struct kw_cache *c, const struct kw_cache_key *key)
{
    uint32_t mark = kw_cache_key_mark(key);
    uint32_t *link = &c->buckets[mark & c->bucket_mask];
    for (; *link != NONE; link = &c->entries[*link].chain) {
        const struct kw_cache_key its = cache_key_of(c, *link);
        if (c->entries[*link].mark == mark && kw_cache_key_equal(&its, key))
            break;
    }
    return link;
}

static void chain_out(struct kw_cache *c, uint32_t i)
{
    uint32_t *link = &c->buckets[c->entries[i].mark & c->bucket_mask];
    while (*link != i)
        link = &c->entries[*link].chain;
    *link = c->entries[i].chain;
}

/* Entry i, which is free, takes the key's name and its place in the key's bucket. */
static void chain_in(struct kw_cache *c, uint32_t i, const struct kw_cache_key *key)
{
    struct entry *e = &c->entries[i];
    kw_dst name = kw_dst_of(c->names + (size_t)i * NAME, NAME);
    KW_MUST(kw_dst_put(&name, key->key_id) && kw_dst_put(&name, key->ciphertext));
    e->mark = kw_cache_key_mark(key);
    e->key_id_len = (uint16_t)key->key_id.len;
    e->ciphertext_len = (uint16_t)key->ciphertext.len;
    e->chain = c->buckets[e->mark & c->bucket_mask];
    c->buckets[e->mark & c->bucket_mask] = i;
}

/* ---- entries ----------------------------------------------------------------------- */

static uint8_t *cache_slot_of(struct kw_cache *c, uint32_t i)
{
    return c->slots.ptr + (size_t)i * SLOT;
}

static void cache_drop(struct kw_cache *c, uint32_t i)
{
    chain_out(c, i);
    ring_out(c, BY_USE, i);
    ring_out(c, BY_AGE, i);
    kw_wipe(cache_slot_of(c, i), SLOT);
    c->entries[i] = (struct entry){.chain = c->first_free};
    c->first_free = i;
    c->count--;
}

static bool too_old(const struct kw_cache *c, uint32_t i, int64_t boot_now_ns)
{
    return boot_now_ns - c->entries[i].stored_boot_ns >= c->ttl_ns;
}

/* A free entry; when there is none, that of whoever was used longest ago. */
static uint32_t take_free(struct kw_cache *c)
{
    if (c->first_free == NONE) {
        cache_drop(c, ring_first(c, BY_USE));
        c->stats.evicted++;
    }
    uint32_t i = c->first_free;
    c->first_free = c->entries[i].chain;
    return i;
}

/* ---- making and ending ------------------------------------------------------------- */

static void make_empty(struct kw_cache *c)
{
    c->entries[c->capacity].ring[BY_USE] = (struct link){c->capacity, c->capacity};
    c->entries[c->capacity].ring[BY_AGE] = (struct link){c->capacity, c->capacity};
    for (uint32_t b = 0; b <= c->bucket_mask; b++)
        c->buckets[b] = NONE;
    for (uint32_t i = 0; i < c->capacity; i++)
        c->entries[i].chain = i + 1 < c->capacity ? i + 1 : NONE;
    c->first_free = 0;
}

static kw_err take_memory(struct kw_cache *c)
{
    uint32_t buckets = 1;
    while (buckets < c->capacity)
        buckets *= 2;
    c->bucket_mask = buckets - 1;
    c->entries = kw_new(c->capacity + 1, sizeof *c->entries);
    c->buckets = kw_new(buckets, sizeof *c->buckets);
    c->names = kw_new(c->capacity, NAME);
    if (c->entries == NULL || c->buckets == NULL || c->names == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "kw_cache_new");
    return kw_secret_init(&c->slots, (size_t)c->capacity * SLOT);
}

kw_err kw_cache_new(size_t entries, int64_t ttl_ns, struct kw_cache **ret_cache)
{
    KW_INVARIANT(entries <= ENTRIES_MAX && ttl_ns >= 0);
    struct kw_cache *c = kw_new(1, sizeof *c);
    if (c == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "kw_cache_new");
    c->ttl_ns = ttl_ns;
    c->capacity = ttl_ns == 0 ? 0 : (uint32_t)entries;
    if (c->capacity > 0) {
        kw_err e = take_memory(c);
        if (kw_failed(e)) {
            kw_cache_free(c);
            return e;
        }
        make_empty(c);
    }
    *ret_cache = c;
    return KW_OK;
}

void kw_cache_free(struct kw_cache *cache)
{
    if (cache == NULL)
        return;
    kw_secret_wipe(&cache->slots);
    kw_free(cache->names);
    kw_free(cache->buckets);
    kw_free(cache->entries);
    kw_free(cache);
}

/* ---- use --------------------------------------------------------------------------- */

static bool get(struct kw_cache *c, const struct kw_cache_key *key, int64_t boot_now_ns,
                struct kw_secret *ret_seed)
{
    uint32_t i = *link_of(c, key);
    if (i == NONE)
        return false;
    if (too_old(c, i, boot_now_ns)) {
        cache_drop(c, i);
        c->stats.expired++;
        return false;
    }
    if (kw_failed(kw_secret_copy(
            ret_seed, kw_span_of(cache_slot_of(c, i), c->entries[i].seed_len))))
        return false;
    ring_out(c, BY_USE, i);
    ring_in_last(c, BY_USE, i);
    return true;
}

bool kw_cache_get(struct kw_cache *cache, const struct kw_cache_key *key,
                  int64_t boot_now_ns, struct kw_secret *ret_seed)
{
    bool hit = cache->capacity > 0 && get(cache, key, boot_now_ns, ret_seed);
    if (hit)
        cache->stats.hits++;
    else
        cache->stats.misses++;
    return hit;
}

void kw_cache_put(struct kw_cache *cache, const struct kw_cache_key *key, kw_span seed,
                  int64_t boot_now_ns)
{
    KW_INVARIANT(seed.len >= 1 && seed.len <= SLOT && key->key_id.len <= KW_KEY_ID_MAX &&
                 key->ciphertext.len <= KW_ENVELOPE_MAX);
    if (cache->capacity == 0)
        return;
    uint32_t old = *link_of(cache, key);
    if (old != NONE)
        cache_drop(cache, old);
    uint32_t i = take_free(cache);
    cache->entries[i] =
        (struct entry){.seed_len = (uint32_t)seed.len, .stored_boot_ns = boot_now_ns};
    chain_in(cache, i, key);
    ring_in_last(cache, BY_USE, i);
    ring_in_last(cache, BY_AGE, i);
    kw_copy(cache_slot_of(cache, i), SLOT, seed);
    cache->count++;
    cache->stats.puts++;
}

int64_t kw_cache_expire(struct kw_cache *cache, int64_t boot_now_ns)
{
    if (cache->capacity == 0)
        return INT64_MAX;
    uint32_t oldest = ring_first(cache, BY_AGE);
    while (oldest != NONE && too_old(cache, oldest, boot_now_ns)) {
        cache_drop(cache, oldest);
        cache->stats.expired++;
        oldest = ring_first(cache, BY_AGE);
    }
    if (oldest == NONE ||
        cache->ttl_ns > INT64_MAX - cache->entries[oldest].stored_boot_ns)
        return INT64_MAX;
    return cache->entries[oldest].stored_boot_ns + cache->ttl_ns;
}

/* Walks from the oldest on. */
size_t kw_cache_wipe(struct kw_cache *cache)
{
    struct kw_cache *c = cache;
    size_t dropped = 0;
    uint32_t next, i = c->capacity > 0 ? ring_first(c, BY_AGE) : NONE;
    for (; i != NONE && i != c->capacity; i = next) {
        next = c->entries[i].ring[BY_AGE].next;
        cache_drop(c, i);
        dropped++;
    }
    c->stats.wiped += dropped;
    return dropped;
}

void kw_cache_stats(const struct kw_cache *cache, struct kw_cache_stats *ret_stats)
{
    *ret_stats = cache->stats;
    ret_stats->entries = cache->count;
    ret_stats->capacity = cache->capacity;
}
