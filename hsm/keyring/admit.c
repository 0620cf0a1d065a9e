/* SPDX-License-Identifier: Apache-2.0 */
/* admit - may this node use this ring, and which version does it wrap with?  Pure. */
#include <keyward/state.h>

#include <inttypes.h>
#include <string.h>

#define REFUSED(note, ...)                                                               \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "keyring"))

static bool is_seen(const struct kw_marks *marks, const uint8_t sha256[32])
{
    return kw_span_equal(kw_span_of(sha256, 32),
                         kw_span_of(marks->serial_sha256, marks->serial_sha256_len));
}

static bool follows(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    uint8_t prev[32];
    return kw_unhex(prev, sizeof prev, kw_span_str(ring->prev_sha256)) &&
           is_seen(marks, prev);
}

/* Two files of one serial, or two that follow one: somebody changed a copy, and nodes
 * that took the one and nodes that took the other would disagree unseen. */
static kw_err chain_rule(const struct kw_keyring *ring, const struct kw_marks *marks,
                         struct kw_note *note)
{
    if (marks->serial_sha256_len == 0)
        return KW_OK;
    if (ring->serial == marks->serial_max && !is_seen(marks, ring->sha256))
        return REFUSED(note,
                       "keyring: its serial %" PRIu64
                       " is the one this node has seen, and its content is another: it "
                       "was edited by hand, or changed in two places; put this node's "
                       "last good one back (keyring.json in its state directory) and "
                       "make the change again with keyward key",
                       ring->serial);
    if (ring->serial == marks->serial_max + 1 && !follows(ring, marks))
        return REFUSED(note,
                       "keyring: its serial %" PRIu64
                       " is the next one, and its prev-sha256 is not of the file that "
                       "this node has seen: it was made from another copy; compare the "
                       "nodes' keyrings and make the change again, with keyward key, on "
                       "this node's last good one (keyring.json in its state directory)",
                       ring->serial);
    return KW_OK;
}

kw_err kw_keyring_admit(const struct kw_keyring *ring, const char *domain,
                        const struct kw_marks *marks, struct kw_note *note)
{
    if (strcmp(ring->domain, domain) != 0)
        return REFUSED(note,
                       "keyring: its domain is \"%s\", the configuration's is \"%s\"; a "
                       "domain never changes: put the right file or the right "
                       "configuration in place",
                       ring->domain, domain);
    if (ring->serial < marks->serial_max)
        return REFUSED(note,
                       "keyring: its serial is %" PRIu64 " and this node has seen "
                       "%" PRIu64
                       ": an older file was put back; copy the newest one here "
                       "(this node's last good one is keyring.json in its state "
                       "directory)",
                       ring->serial, marks->serial_max);
    kw_err e = chain_rule(ring, marks, note);
    if (kw_failed(e))
        return e;
    if (ring->active < marks->baseline_max)
        return REFUSED(note,
                       "keyring: its active version is %u and this node has seen %u: the "
                       "baseline never goes back; make a new version with same-key-as to "
                       "use an old key again",
                       ring->active, marks->baseline_max);
    return KW_OK;
}

/* The version of this node's act, as far as the ring lets it be wrapped with; else 0. */
static uint32_t acted(const struct kw_keyring *ring, const struct kw_activation *act)
{
    const struct kw_version *v = kw_keyring_by_n(ring, act->n);
    bool usable = act->n != 0 && v != NULL && strcmp(v->key_id, act->key_id) == 0 &&
                  kw_key_state_wraps(v->state);
    return usable ? act->n : 0;
}

kw_err kw_keyring_effective(const struct kw_keyring *ring,
                            const struct kw_activation *act, const struct kw_marks *marks,
                            uint32_t *ret_n, struct kw_note *note)
{
    uint32_t n = acted(ring, act);
    if (ring->active > n)
        n = ring->active;
    if (n < marks->active_max)
        return REFUSED(note,
                       "keyring: this node would wrap with version %u and has wrapped "
                       "with %u: accept version %u again, or create and activate a later "
                       "one",
                       n, marks->active_max, marks->active_max);
    *ret_n = n;
    return KW_OK;
}
