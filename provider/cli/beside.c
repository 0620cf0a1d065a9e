/* SPDX-License-Identifier: Apache-2.0 */
/* Whose keys are these? */
#include "beside.h"

#include <stdio.h>
#include <string.h>

static bool beside_has_object(const struct kw_version *v, const char *label)
{
    if (v->state == KW_KEY_UNKNOWN) /* only seen as text */
        return strstr(v->unknown_json, label) != NULL;
    for (size_t i = 0; i < v->object_count; i++)
        if (strcmp(v->objects[i].label, label) == 0)
            return true;
    return false;
}

/* Objects are undestroyable by default: that of a pruned version may be there for
 * good. */
bool kw_beside_is_pruned(const struct kw_keyring *ring, const char *label)
{
    size_t len = strlen(label);
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (strcmp(h->act, "prune") == 0 && strncmp(h->proof, label, len) == 0 &&
            (h->proof[len] == ' ' || h->proof[len] == '\0'))
            return true;
    }
    return false;
}

static bool beside_is_known(const struct kw_keyring *ring, const char *label)
{
    for (size_t i = 0; ring != NULL && i < ring->count; i++)
        if (strcmp(ring->versions[i].key_id, label) == 0 ||
            beside_has_object(&ring->versions[i], label))
            return true;
    return ring != NULL && kw_beside_is_pruned(ring, label);
}

static void beside_add(struct kw_beside_names *names, const char *label)
{
    if (names->count < KW_BESIDE_NAMED)
        kw_copy_str(names->name[names->count], sizeof names->name[0], kw_span_str(label));
    names->count++;
}

void kw_beside_sort(const struct kw_listed_key *keys, size_t count,
                    const struct kw_keyring *ring, const char *domain,
                    struct kw_beside *ret)
{
    *ret = (struct kw_beside){0};
    for (size_t i = 0; i < count; i++) {
        uint8_t ours[KW_NEW_LOCATOR];
        const char *label = keys[i].label;
        if (!kw_key_id_parse(kw_span_str(label), NULL) || beside_is_known(ring, label))
            continue;
        kw_locator_make(domain, label, ours);
        bool is_ours = kw_span_equal(kw_span_of(ours, sizeof ours),
                                     kw_span_of(keys[i].locator, keys[i].locator_len));
        beside_add(is_ours ? &ret->unknown : &ret->others, label);
    }
}

bool kw_beside_is_free(const struct kw_beside *b, const struct kw_keyring *ring)
{
    return b->unknown.count == 0 && !b->more && (ring != NULL || b->others.count == 0);
}

void kw_beside_text(const struct kw_beside_names *names, char dst[512])
{
    size_t len = 0, shown = names->count;
    if (shown > KW_BESIDE_NAMED)
        shown = KW_BESIDE_NAMED;
    dst[0] = '\0';
    for (size_t i = 0; i < shown; i++)
        len += (size_t)snprintf(dst + len, 512 - len, "%s%s", i > 0 ? ", " : "",
                                names->name[i]);
    if (names->count > shown)
        snprintf(dst + len, 512 - len, " and %zu more", names->count - shown);
}
