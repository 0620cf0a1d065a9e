/* SPDX-License-Identifier: Apache-2.0 */
/* Serials, digests, ancestors. */
#include "compare.h"

#include <string.h>

const char *kw_relation_name(enum kw_relation r)
{
    static const char *const names[] = {
        [KW_HELD_SAME] = "same",       [KW_HELD_BEHIND] = "behind",
        [KW_HELD_AHEAD] = "ahead",     [KW_HELD_FORKED] = "forked",
        [KW_HELD_UNKNOWN] = "unknown", [KW_HELD_NONE] = "none",
        [KW_HELD_FOREIGN] = "foreign",
    };
    return names[r];
}

/* Its digest of the file with this serial, itself or an ancestor; NULL: it has none. */
static const uint8_t *digest_of(const struct kw_held *h, uint64_t serial)
{
    if (serial == h->serial)
        return h->sha256;
    if (h->ring == NULL || serial > h->serial || serial == 0)
        return NULL;
    uint64_t back = h->serial - serial;
    return back <= h->ring->ancestor_count ? h->ring->ancestors[back - 1] : NULL;
}

static bool same_digest(const uint8_t *a, const uint8_t *b)
{
    return a != NULL && b != NULL && kw_span_equal(kw_span_of(a, 32), kw_span_of(b, 32));
}

static uint64_t last_common(const struct kw_held *a, const struct kw_held *b)
{
    uint64_t serial = a->serial < b->serial ? a->serial : b->serial;
    for (; serial > 0; serial--) {
        const uint8_t *x = digest_of(a, serial), *y = digest_of(b, serial);
        if (x == NULL || y == NULL)
            return 0;
        if (same_digest(x, y))
            return serial;
    }
    return 0;
}

/* `low` has a lower serial than `high`, or the same one. */
static struct kw_relative of_lower(const struct kw_held *low, const struct kw_held *high,
                                   enum kw_relation descent)
{
    const uint8_t *there = digest_of(high, low->serial);
    if (there == NULL)
        return (struct kw_relative){KW_HELD_UNKNOWN, 0};
    if (same_digest(there, low->sha256))
        return (struct kw_relative){descent, low->serial};
    return (struct kw_relative){KW_HELD_FORKED, last_common(low, high)};
}

struct kw_relative kw_compare(const struct kw_held *item, const struct kw_held *to)
{
    if (strcmp(item->domain, to->domain) != 0)
        return (struct kw_relative){KW_HELD_FOREIGN, 0};
    if (item->serial == 0)
        return (struct kw_relative){KW_HELD_NONE, 0};
    if (item->serial == to->serial)
        return of_lower(item, to, KW_HELD_SAME);
    return item->serial < to->serial ? of_lower(item, to, KW_HELD_BEHIND)
                                     : of_lower(to, item, KW_HELD_AHEAD);
}

size_t kw_compare_reference(const struct kw_held *items, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        bool file = items[i].ring != NULL, best_file = items[best].ring != NULL;
        if (file != best_file ? file : items[i].serial > items[best].serial)
            best = i;
    }
    return best;
}
