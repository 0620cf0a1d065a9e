/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what must hold between the members of a keyring, each with its own words */
#include "member_table.h"

#include <string.h>

#define BROKEN(note, ...)                                                                \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "keyring"))

static kw_err disabled_rule(const struct kw_version *v, struct kw_note *note)
{
    enum kw_key_state from;
    bool disabled = v->state == KW_KEY_DISABLED;
    if (!disabled && v->disabled_from[0] != '\0')
        return BROKEN(note, "version %u: disabled-from: must be null in state %s", v->n,
                      kw_key_state_name(v->state));
    if (disabled &&
        (!kw_key_state_from_name(v->disabled_from, &from) || from == KW_KEY_ACTIVE ||
         from == KW_KEY_DISABLED || from == KW_KEY_DESTROYED))
        return BROKEN(note, "version %u: disabled-from: must name the state to return to",
                      v->n);
    return KW_OK;
}

/* What AES-256-GCM wants: one key, that wraps and unwraps. */
static kw_err objects_rule(const struct kw_version *v, struct kw_note *note)
{
    const struct kw_object *o = &v->objects[0];
    if (v->object_count != 1)
        return BROKEN(note, "version %u: objects: %s has exactly one", v->n,
                      kw_mechanism_name(v->mechanism));
    if (o->role != KW_ROLE_KEK || strcmp(o->type, KW_TYPE_AES_256) != 0)
        return BROKEN(note,
                      "version %u: objects: %s wants role kek and type " KW_TYPE_AES_256,
                      v->n, kw_mechanism_name(v->mechanism));
    if (v->same_key_as == 0 && strcmp(o->label, v->key_id) != 0)
        return BROKEN(note, "version %u: objects: label: must be the key-id", v->n);
    return KW_OK;
}

static kw_err version_rules(const struct kw_version *v, struct kw_note *note)
{
    uint32_t n = 0;
    if (!kw_key_id_parse(kw_span_str(v->key_id), &n) || n != v->n)
        return BROKEN(note, "version %u: key-id: must be kw1-%u- and 24 hex digits", v->n,
                      v->n);
    if (v->state == KW_KEY_UNKNOWN)
        return KW_OK;
    kw_err e = objects_rule(v, note);
    return kw_failed(e) ? e : disabled_rule(v, note);
}

static bool is_same_object(const struct kw_object *a, const struct kw_object *b)
{
    return a->role == b->role && strcmp(a->type, b->type) == 0 &&
           strcmp(a->label, b->label) == 0 &&
           kw_span_equal(kw_span_of(a->locator, a->locator_len),
                         kw_span_of(b->locator, b->locator_len));
}

static bool share_locator(const struct kw_version *a, const struct kw_version *b)
{
    const struct kw_object *x = &a->objects[0], *y = &b->objects[0];
    return x->locator_len > 0 && kw_span_equal(kw_span_of(x->locator, x->locator_len),
                                               kw_span_of(y->locator, y->locator_len));
}

static kw_err pair_rules(const struct kw_version *a, const struct kw_version *b,
                         struct kw_note *note)
{
    if (a->n == b->n)
        return BROKEN(note, "version %u: n: is there twice", a->n);
    if (strcmp(a->key_id, b->key_id) == 0)
        return BROKEN(note, "version %u: key-id: is also version %u's", b->n, a->n);
    if (a->state == KW_KEY_ACTIVE && b->state == KW_KEY_ACTIVE)
        return BROKEN(note,
                      "version %u: state: active, and so is version %u; only one "
                      "may be",
                      b->n, a->n);
    if (a->state != KW_KEY_UNKNOWN && b->state != KW_KEY_UNKNOWN && share_locator(a, b) &&
        strcmp(a->objects[0].label, b->objects[0].label) != 0)
        return BROKEN(note,
                      "version %u: locator: is also version %u's, and no same-key-as "
                      "says that they are one key",
                      b->n, a->n);
    return KW_OK;
}

static kw_err same_key_rule(const struct kw_keyring *ring, const struct kw_version *v,
                            struct kw_note *note)
{
    if (v->same_key_as == 0 || v->state == KW_KEY_UNKNOWN)
        return KW_OK;
    const struct kw_version *of = kw_keyring_by_n(ring, v->same_key_as);
    if (of == NULL || of->n >= v->n)
        return BROKEN(note, "version %u: same-key-as: %u is no earlier version", v->n,
                      v->same_key_as);
    if (of->state == KW_KEY_UNKNOWN)
        return KW_OK;
    if (of->mechanism != v->mechanism || of->object_count != v->object_count)
        return BROKEN(note, "version %u: same-key-as: version %u has another mechanism",
                      v->n, of->n);
    for (size_t i = 0; i < v->object_count; i++)
        if (!is_same_object(&of->objects[i], &v->objects[i]))
            return BROKEN(note, "version %u: same-key-as: version %u has other objects",
                          v->n, of->n);
    return KW_OK;
}

/* The state that stands in the file, also of a version that is not understood. */
static const char *state_of(const struct kw_version *v)
{
    return v->state == KW_KEY_UNKNOWN ? v->unknown_state : kw_key_state_name(v->state);
}

/* Is it said to be the baseline?  A state of a newer keyward may mean that too. */
static bool may_be_active(const struct kw_version *v)
{
    enum kw_key_state s;
    return !kw_key_state_from_name(state_of(v), &s) || s == KW_KEY_ACTIVE;
}

static kw_err active_rule(const struct kw_keyring *ring, struct kw_note *note)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *v = &ring->versions[i];
        if (strcmp(state_of(v), "active") == 0 && v->n != ring->active)
            return BROKEN(note,
                          "version %u: state: active, but the ring's active member "
                          "is another",
                          v->n);
    }
    if (ring->active == 0)
        return KW_OK;
    const struct kw_version *v = kw_keyring_by_n(ring, ring->active);
    if (v == NULL)
        return BROKEN(note, "active: there is no version %u", ring->active);
    if (!may_be_active(v))
        return BROKEN(note, "active: version %u is in state %s", v->n, state_of(v));
    return KW_OK;
}

static kw_err ring_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    if (!kw_is_domain(kw_span_str(ring->domain)))
        return BROKEN(note,
                      "domain: must be 1 to %u of a-z, 0-9, '-' and '.', not "
                      "beginning or ending in '-' or '.'",
                      KW_DOMAIN_MAX);
    if (ring->serial < 1)
        return BROKEN(note, "serial: must be at least 1");
    uint64_t before = ring->serial - 1;
    if (before > KW_ANCESTORS_MAX)
        before = KW_ANCESTORS_MAX;
    if (ring->ancestor_count != before)
        return BROKEN(note, "ancestors: must be the %u files before this one",
                      (unsigned)before);
    return KW_OK;
}

static kw_err history_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    uint64_t last = 1;
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->serial < last || h->serial > ring->serial)
            return BROKEN(note,
                          "history: element %zu: serial: must not be below the line "
                          "before, nor above the file's",
                          i);
        if (h->n >= ring->next_n)
            return BROKEN(note, "history: element %zu: n: must be below next-n", i);
        last = h->serial;
    }
    return KW_OK;
}

/* Pairs before order, so that a duplicate is called one. */
static kw_err order_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < ring->count; i++)
        for (size_t j = i + 1; j < ring->count && !kw_failed(e); j++)
            e = pair_rules(&ring->versions[i], &ring->versions[j], note);
    for (size_t i = 1; i < ring->count && !kw_failed(e); i++)
        if (ring->versions[i - 1].n > ring->versions[i].n)
            e = BROKEN(note, "version %u: n: stands after a higher one",
                       ring->versions[i].n);
    if (!kw_failed(e) && ring->count > 0 &&
        ring->versions[ring->count - 1].n >= ring->next_n)
        e = BROKEN(note, "next-n: must be above version %u",
                   ring->versions[ring->count - 1].n);
    return e;
}

kw_err kw_keyring_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    kw_err e = ring_rules(ring, note);
    if (!kw_failed(e))
        e = order_rules(ring, note);
    for (size_t i = 0; i < ring->count && !kw_failed(e); i++) {
        e = version_rules(&ring->versions[i], note);
        if (!kw_failed(e))
            e = same_key_rule(ring, &ring->versions[i], note);
    }
    if (!kw_failed(e))
        e = history_rules(ring, note);
    return kw_failed(e) ? e : active_rule(ring, note);
}
