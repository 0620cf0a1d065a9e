/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what must hold between the members of a keyring, each with its own words */
#include "table.h"

#include <string.h>

#define BROKEN(note, ...)                                                                \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "keyring"))

enum { CHECK_TEXT = 32 };

static kw_err check_blob_rule(const struct kw_version *v, struct kw_note *note)
{
    struct kw_envelope env;
    kw_err e = kw_envelope_parse(kw_span_of(v->check_blob, v->check_blob_len), &env);
    if (kw_failed(e))
        return BROKEN(note, "version %u: check-blob: no envelope: %s", v->n, e.where);
    if (env.purpose != KW_PURPOSE_CHECK || env.seed_len != CHECK_TEXT)
        return BROKEN(note,
                      "version %u: check-blob: seals something else than a check "
                      "text; it is no check blob",
                      v->n);
    if (env.mechanism != v->mechanism || env.format != v->format)
        return BROKEN(note,
                      "version %u: check-blob: of another mechanism or format than "
                      "its version",
                      v->n);
    return KW_OK;
}

static kw_err disabled_rule(const struct kw_version *v, struct kw_note *note)
{
    enum kw_key_state from;
    bool disabled = v->state == KW_KEY_DISABLED;
    if (!disabled && v->disabled_from[0] != '\0')
        return BROKEN(note, "version %u: disabled-from: must be null in state %s", v->n,
                      kw_key_state_name(v->state));
    if (disabled && (!kw_key_state_from_name(v->disabled_from, &from) ||
                     from == KW_KEY_DISABLED || from == KW_KEY_DESTROYED))
        return BROKEN(note, "version %u: disabled-from: must name the state to return to",
                      v->n);
    return KW_OK;
}

static kw_err version_rules(const struct kw_version *v, struct kw_note *note)
{
    uint32_t n = 0;
    if (!kw_key_id_parse(kw_span_str(v->key_id), &n) || n != v->n)
        return BROKEN(note, "version %u: key-id: must be kw1-%u- and 24 hex digits", v->n,
                      v->n);
    kw_err e = check_blob_rule(v, note);
    return kw_failed(e) ? e : disabled_rule(v, note);
}

static bool share_locator(const struct kw_version *a, const struct kw_version *b)
{
    return a->locator_len > 0 && kw_span_equal(kw_span_of(a->locator, a->locator_len),
                                               kw_span_of(b->locator, b->locator_len));
}

static kw_err pair_rules(const struct kw_keyring *ring, const struct kw_version *a,
                         const struct kw_version *b, struct kw_note *note)
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
    if (share_locator(a, b) && kw_keyring_object(ring, a) != kw_keyring_object(ring, b))
        return BROKEN(note,
                      "version %u: locator: is also version %u's, and no same-key-as "
                      "says that they are one key",
                      b->n, a->n);
    return KW_OK;
}

static kw_err same_key_rule(const struct kw_keyring *ring, const struct kw_version *v,
                            struct kw_note *note)
{
    if (v->same_key_as == 0 ||
        (v->same_key_as < v->n && kw_keyring_by_n(ring, v->same_key_as) != NULL))
        return KW_OK;
    return BROKEN(note, "version %u: same-key-as: %u is no earlier version", v->n,
                  v->same_key_as);
}

static kw_err active_rule(const struct kw_keyring *ring, struct kw_note *note)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *v = &ring->versions[i];
        if (v->state == KW_KEY_ACTIVE && v->n != ring->active)
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
    if (v->state != KW_KEY_ACTIVE)
        return BROKEN(note, "active: version %u is in state %s", v->n,
                      kw_key_state_name(v->state));
    return KW_OK;
}

static kw_err ring_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    uint8_t sha256[32];
    if (!kw_is_domain(kw_span_str(ring->domain)))
        return BROKEN(note,
                      "domain: must be 1 to %u of a-z, 0-9, '-' and '.', not "
                      "beginning or ending in '-' or '.'",
                      KW_DOMAIN_MAX);
    if (ring->serial < 1)
        return BROKEN(note, "serial: must be at least 1");
    if (ring->prev_sha256[0] != '\0' &&
        !kw_unhex(sha256, sizeof sha256, kw_span_str(ring->prev_sha256)))
        return BROKEN(note, "prev-sha256: must be 64 lower-case hex digits or null");
    return KW_OK;
}

/* Pairs before order, so that a duplicate is called one. */
static kw_err order_rules(const struct kw_keyring *ring, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < ring->count; i++)
        for (size_t j = i + 1; j < ring->count && !kw_failed(e); j++)
            e = pair_rules(ring, &ring->versions[i], &ring->versions[j], note);
    for (size_t i = 1; i < ring->count && !kw_failed(e); i++)
        if (ring->versions[i - 1].n > ring->versions[i].n)
            e = BROKEN(note, "version %u: n: stands after a higher one",
                       ring->versions[i].n);
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
    return kw_failed(e) ? e : active_rule(ring, note);
}
