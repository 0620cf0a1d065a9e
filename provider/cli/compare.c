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

/* A node may wrap with what is accepted, by an act of its own, and no file says so. */
static bool is_sealing(const struct kw_version *v)
{
    return (v->accepted[0] != '\0' || v->activated[0] != '\0') &&
           v->state != KW_KEY_DESTROYED;
}

/* The marks of a node that took every file up to this one. */
static void marks_after(const struct kw_keyring *ring, struct kw_marks *ret)
{
    *ret = (struct kw_marks){0};
    (void)kw_marks_raise(ret, ring, ring->active, KW_NO_MOMENT);
    for (size_t i = 0; i < ret->count; i++) {
        const struct kw_version *v = kw_keyring_by_n(ring, ret->versions[i].id.n);
        ret->versions[i].wrapped = v != NULL && is_sealing(v);
    }
}

bool kw_compare_may_trust(const struct kw_held *item, const struct kw_held *to)
{
    struct kw_marks marks;
    struct kw_judgement j;
    const struct kw_activation no_act = {0};
    const struct kw_places nowhere = {"", ""};
    marks_after(item->ring, &marks);
    marks.trust.sha256_len = sizeof marks.trust.sha256;
    kw_copy(marks.trust.sha256, sizeof marks.trust.sha256, kw_span_of(to->sha256, 32));
    const struct kw_memory memory = {&marks, &no_act, NULL};
    kw_keyring_judge(to->ring, item->domain, &memory, &nowhere, &j);
    return j.refusal == KW_ADMITTED || j.refusal == KW_REFUSED_ACTIVE;
}

const struct kw_version *kw_compare_sealed_apart(const struct kw_held *item,
                                                 const struct kw_held *to)
{
    for (size_t i = 0; i < item->ring->count; i++) {
        const struct kw_version *v = &item->ring->versions[i];
        const struct kw_version *there = kw_keyring_by_n(to->ring, v->n);
        bool same = there != NULL && strcmp(there->key_id, v->key_id) == 0;
        bool opens =
            same && (kw_key_state_unwraps(there->state) || there->state == v->state);
        if (is_sealing(v) && !opens)
            return v;
    }
    return NULL;
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
