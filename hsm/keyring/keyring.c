/* SPDX-License-Identifier: Apache-2.0 */
/* keyring - rings and their versions in memory: making, counting, finding */
#include <keyward/keyring.h>

#include <string.h>

#include <keyward/alloc.h>

static const char *const state_names[] = {
    [KW_KEY_CREATED] = "created",   [KW_KEY_ACCEPTED] = "accepted",
    [KW_KEY_ACTIVE] = "active",     [KW_KEY_RETIRED] = "retired",
    [KW_KEY_DISABLED] = "disabled", [KW_KEY_DESTROYED] = "destroyed",
    [KW_KEY_UNKNOWN] = "unknown",
};
enum { STATES = sizeof state_names / sizeof state_names[0] };

const char *kw_key_state_name(enum kw_key_state s)
{
    return (unsigned)s < STATES ? state_names[s] : NULL;
}

bool kw_key_state_from_name(const char *name, enum kw_key_state *ret_state)
{
    for (unsigned s = 0; s < KW_KEY_UNKNOWN; s++)
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

bool kw_key_state_is_probed(enum kw_key_state s)
{
    return s == KW_KEY_CREATED || kw_key_state_unwraps(s);
}

kw_err kw_keyring_new(const char *domain, struct kw_keyring **ret_ring)
{
    if (!kw_is_domain(kw_span_str(domain)))
        return kw_err_at(KW_CODE_BAD_INPUT, "domain");
    struct kw_keyring *ring = kw_new(1, sizeof *ring);
    if (ring == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    KW_MUST(kw_copy_str(ring->domain, sizeof ring->domain, kw_span_str(domain)));
    ring->refs = 1;
    ring->next_n = 1;
    *ret_ring = ring;
    return KW_OK;
}

static bool copy_versions(const struct kw_keyring *ring, struct kw_keyring *copy)
{
    copy->versions = kw_new(ring->count, sizeof *copy->versions);
    for (; copy->versions != NULL && copy->count < ring->count; copy->count++) {
        const struct kw_version *from = &ring->versions[copy->count];
        struct kw_version *to = &copy->versions[copy->count];
        *to = *from;
        if (from->unknown_json != NULL &&
            (to->unknown_json = kw_strdup(kw_span_str(from->unknown_json))) == NULL)
            return false;
    }
    return copy->versions != NULL;
}

static bool copy_history(const struct kw_keyring *ring, struct kw_keyring *copy)
{
    copy->history = kw_new(ring->history_count, sizeof *copy->history);
    if (copy->history == NULL)
        return false;
    for (size_t i = 0; i < ring->history_count; i++)
        copy->history[i] = ring->history[i];
    copy->history_count = ring->history_count;
    return true;
}

kw_err kw_keyring_dup(const struct kw_keyring *ring, struct kw_keyring **ret_ring)
{
    static const uint8_t none[32];
    struct kw_keyring *copy = kw_new(1, sizeof *copy);
    if (copy == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    /* All but the count, which others may be changing. */
    kw_copy(copy, sizeof *copy, kw_span_of(ring, offsetof(struct kw_keyring, refs)));
    copy->refs = 1;
    copy->versions = NULL;
    copy->history = NULL;
    copy->count = copy->history_count = 0;
    kw_copy(copy->sha256, sizeof copy->sha256, kw_span_of(none, sizeof none));
    if (!copy_versions(ring, copy) || !copy_history(ring, copy)) {
        kw_keyring_give(copy);
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    }
    *ret_ring = copy;
    return KW_OK;
}

kw_err kw_keyring_add(struct kw_keyring *ring, const struct kw_version *v)
{
    KW_INVARIANT(v->unknown_json == NULL);
    KW_INVARIANT(ring->count == 0 || ring->versions != NULL);
    if (kw_keyring_by_n(ring, v->n) != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "version n");
    if (kw_keyring_by_key_id(ring, kw_span_str(v->key_id)) != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "version key_id");
    if (ring->count >= KW_VERSIONS_MAX)
        return kw_err_at(KW_CODE_BUSY, "versions");
    struct kw_version *more = kw_new(ring->count + 1, sizeof *more);
    if (more == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    size_t at = ring->count;
    for (; at > 0 && ring->versions[at - 1].n > v->n; at--)
        more[at] = ring->versions[at - 1];
    more[at] = *v;
    for (size_t i = 0; i < at; i++)
        more[i] = ring->versions[i];
    kw_free(ring->versions);
    ring->versions = more;
    ring->count++;
    if (ring->next_n <= v->n)
        ring->next_n = v->n + 1;
    return KW_OK;
}

void kw_keyring_remove(struct kw_keyring *ring, uint32_t n)
{
    size_t at = 0;
    while (at < ring->count && ring->versions[at].n != n)
        at++;
    KW_INVARIANT(at < ring->count);
    kw_free(ring->versions[at].unknown_json);
    for (ring->count--; at < ring->count; at++)
        ring->versions[at] = ring->versions[at + 1];
}

kw_err kw_keyring_record(struct kw_keyring *ring, const struct kw_history *h)
{
    size_t keep = ring->history_count;
    if (keep >= KW_HISTORY_MAX)
        keep = KW_HISTORY_MAX - 1;
    size_t first = ring->history_count - keep;
    struct kw_history *lines = kw_new(keep + 1, sizeof *lines);
    if (lines == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    for (size_t i = 0; i < keep; i++)
        lines[i] = ring->history[first + i];
    lines[keep] = *h;
    kw_free(ring->history);
    ring->history = lines;
    ring->history_count = keep + 1;
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
    for (size_t i = 0; i < ring->count; i++)
        kw_free(ring->versions[i].unknown_json);
    kw_free(ring->versions);
    kw_free(ring->history);
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

const struct kw_object *kw_version_kek(const struct kw_version *v)
{
    KW_INVARIANT(v->state != KW_KEY_UNKNOWN && v->object_count > 0);
    return &v->objects[0];
}

kw_span kw_object_locator(const struct kw_object *o, const char *serial)
{
    for (size_t i = 0; i < o->token_count; i++) {
        const struct kw_object_token *t = &o->tokens[i];
        if (t->locator_len > 0 && serial[0] != '\0' && strcmp(t->serial, serial) == 0)
            return kw_span_of(t->locator, t->locator_len);
    }
    return kw_span_of(o->locator, o->locator_len);
}

/* What a version that is not understood has is only seen as text. */
static bool keyring_has_object(const struct kw_version *v, const char *label)
{
    if (v->state == KW_KEY_UNKNOWN)
        return strstr(v->unknown_json, label) != NULL;
    for (size_t i = 0; i < v->object_count; i++)
        if (strcmp(v->objects[i].label, label) == 0)
            return true;
    return false;
}

const struct kw_version *kw_keyring_sharer(const struct kw_keyring *ring,
                                           const struct kw_version *v,
                                           const struct kw_version *after)
{
    const char *label = v->state == KW_KEY_UNKNOWN ? v->key_id : kw_version_kek(v)->label;
    size_t i = after == NULL ? 0 : (size_t)(after - ring->versions) + 1;
    for (; i < ring->count; i++) {
        const struct kw_version *other = &ring->versions[i];
        if (other != v && other->state != KW_KEY_DESTROYED &&
            keyring_has_object(other, label))
            return other;
    }
    return NULL;
}

struct kw_version *kw_keyring_edit(struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].n == n)
            return &ring->versions[i];
    return NULL;
}
