/* SPDX-License-Identifier: Apache-2.0 */
/* keyring - rings and their versions in memory: making, counting, finding */
#include <keyward/keyring.h>

#include <string.h>

#include <keyward/alloc.h>

static const char *const state_names[] = {
    [KW_KEY_CREATED] = "created",   [KW_KEY_ACCEPTED] = "accepted",
    [KW_KEY_ACTIVE] = "active",     [KW_KEY_RETIRED] = "retired",
    [KW_KEY_DISABLED] = "disabled", [KW_KEY_DESTROYED] = "destroyed",
};
enum { STATES = sizeof state_names / sizeof state_names[0] };

const char *kw_key_state_name(enum kw_key_state s)
{
    return (unsigned)s < STATES ? state_names[s] : NULL;
}

bool kw_key_state_from_name(const char *name, enum kw_key_state *ret_state)
{
    for (unsigned s = 0; s < STATES; s++)
        if (strcmp(state_names[s], name) == 0) {
            *ret_state = (enum kw_key_state)s;
            return true;
        }
    return false;
}

bool kw_key_state_unwraps(enum kw_key_state s)
{
    return s == KW_KEY_ACCEPTED || s == KW_KEY_ACTIVE || s == KW_KEY_RETIRED;
}

bool kw_key_state_wraps(enum kw_key_state s)
{
    return s == KW_KEY_ACCEPTED || s == KW_KEY_ACTIVE;
}

kw_err kw_keyring_new(const char *domain, struct kw_keyring **ret_ring)
{
    if (!kw_is_domain(kw_span_str(domain)))
        return kw_err_at(KW_CODE_BAD_INPUT, "domain");
    struct kw_keyring *ring = kw_new(1, sizeof *ring);
    if (ring == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    KW_INVARIANT(kw_copy_str(ring->domain, sizeof ring->domain, kw_span_str(domain)));
    ring->refs = 1;
    *ret_ring = ring;
    return KW_OK;
}

/* A copy of the versions with room for `extra` more; NULL when out of memory. */
static struct kw_version *copy_versions(const struct kw_keyring *ring, size_t extra)
{
    KW_INVARIANT(ring->count == 0 || ring->versions != NULL);
    struct kw_version *copy = kw_new(ring->count + extra, sizeof *copy);
    if (copy != NULL)
        for (size_t i = 0; i < ring->count; i++)
            copy[i] = ring->versions[i];
    return copy;
}

kw_err kw_keyring_dup(const struct kw_keyring *ring, struct kw_keyring **ret_ring)
{
    struct kw_keyring *copy = NULL;
    kw_err e = kw_keyring_new(ring->domain, &copy);
    if (kw_failed(e))
        return e;
    copy->versions = copy_versions(ring, 0);
    if (copy->versions == NULL) {
        kw_keyring_give(copy);
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    }
    kw_copy(copy->prev_sha256, sizeof copy->prev_sha256,
            kw_span_of(ring->prev_sha256, sizeof ring->prev_sha256));
    copy->serial = ring->serial;
    copy->active = ring->active;
    copy->count = ring->count;
    *ret_ring = copy;
    return KW_OK;
}

kw_err kw_keyring_add(struct kw_keyring *ring, const struct kw_version *v)
{
    if (kw_keyring_by_n(ring, v->n) != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "version n");
    if (kw_keyring_by_key_id(ring, kw_span_str(v->key_id)) != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "version key_id");
    if (ring->count >= KW_VERSIONS_MAX)
        return kw_err_at(KW_CODE_BUSY, "versions");
    struct kw_version *more = copy_versions(ring, 1);
    if (more == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    size_t at = ring->count;
    for (; at > 0 && more[at - 1].n > v->n; at--)
        more[at] = more[at - 1];
    more[at] = *v;
    kw_free(ring->versions);
    ring->versions = more;
    ring->count++;
    return KW_OK;
}

struct kw_keyring *kw_keyring_take(struct kw_keyring *ring)
{
    __atomic_add_fetch(&ring->refs, 1, __ATOMIC_RELAXED);
    return ring;
}

void kw_keyring_give(struct kw_keyring *ring)
{
    if (ring == NULL || __atomic_sub_fetch(&ring->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    kw_free(ring->versions);
    kw_free(ring);
}

const struct kw_version *kw_keyring_by_n(const struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].n == n)
            return &ring->versions[i];
    return NULL;
}

const struct kw_version *kw_keyring_by_key_id(const struct kw_keyring *ring,
                                              kw_span key_id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (kw_span_equal_str(key_id, ring->versions[i].key_id))
            return &ring->versions[i];
    return NULL;
}

/* Ends: each step goes to a lower n. */
const struct kw_version *kw_keyring_object(const struct kw_keyring *ring,
                                           const struct kw_version *v)
{
    while (v->same_key_as != 0 && v->same_key_as < v->n) {
        const struct kw_version *earlier = kw_keyring_by_n(ring, v->same_key_as);
        if (earlier == NULL)
            break;
        v = earlier;
    }
    return v;
}

struct kw_version *kw_keyring_edit(struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].n == n)
            return &ring->versions[i];
    return NULL;
}
