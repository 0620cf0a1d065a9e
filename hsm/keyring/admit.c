/* SPDX-License-Identifier: Apache-2.0 */
/* admit - may this node use this ring, and which version does it wrap with?  Pure. */
#include <keyward/state.h>

#include <inttypes.h>
#include <string.h>

#define REFUSED(note, ...)                                                               \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "keyring"))

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
