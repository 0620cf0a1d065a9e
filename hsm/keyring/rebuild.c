/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild - a lost keyring file, as far as a backup and this node's marks remember it */
#include <keyward/act.h>

#include <inttypes.h>
#include <string.h>

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

static bool is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

/* Is the backup the last file taken here, or one before it?  A node without memory has
 * nothing to say. */
static bool is_before(const struct kw_keyring *backup, const struct kw_marks *m)
{
    if (m->serial == 0)
        return true;
    if (backup->serial == m->serial)
        return is_digest(backup->sha256, m->sha256, m->sha256_len);
    uint64_t back = m->serial - backup->serial; /* huge for a later one */
    return backup->serial < m->serial && back <= m->ancestor_count &&
           is_digest(backup->sha256, m->ancestors[back - 1], 32);
}

static void take_chain(struct kw_keyring *ring, const struct kw_marks *m)
{
    if (m->serial == 0)
        return;
    ring->serial = m->serial;
    ring->ancestor_count = m->ancestor_count;
    kw_copy(ring->ancestors, sizeof ring->ancestors,
            kw_span_of(m->ancestors, sizeof m->ancestors));
    kw_copy(ring->sha256, sizeof ring->sha256, kw_span_of(m->sha256, 32));
    if (ring->next_n < m->next_n)
        ring->next_n = m->next_n;
}

void kw_act_recall(struct kw_keyring *ring, struct kw_version *v,
                   const struct kw_marks *marks, const char *at)
{
    const struct kw_mark *mark = kw_marks_of(marks, v->n);
    enum kw_key_state now;
    if (mark == NULL || strcmp(mark->id.key_id, v->key_id) != 0 ||
        !kw_key_state_from_name(mark->state, &now) || now == v->state)
        return;
    if (now == KW_KEY_DISABLED)
        PUT(v->disabled_from, v->state == KW_KEY_DESTROYED || v->state == KW_KEY_ACTIVE
                                  ? kw_key_state_name(KW_KEY_RETIRED)
                                  : kw_key_state_name(v->state));
    else
        v->disabled_from[0] = '\0';
    char *const times[] = {v->created, v->accepted, v->activated,
                           v->retired, v->disabled, v->destroyed};
    if (times[now][0] == '\0')
        kw_copy_str(times[now], KW_TIME_TEXT, kw_span_str(at));
    v->state = now;
    if (now == KW_KEY_ACTIVE)
        ring->active = v->n;
}

static kw_err from_backup(const struct kw_keyring *backup, const struct kw_marks *marks,
                          const char *at, struct kw_keyring **ret_ring)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_dup(backup, &ring);
    if (kw_failed(e))
        return e;
    kw_copy(ring->sha256, sizeof ring->sha256, kw_span_of(backup->sha256, 32));
    const struct kw_mark *was = kw_marks_of(marks, ring->active);
    if (was != NULL && strcmp(was->state, kw_key_state_name(KW_KEY_ACTIVE)) != 0)
        ring->active = 0;
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].state != KW_KEY_UNKNOWN)
            kw_act_recall(ring, &ring->versions[i], marks, at);
    *ret_ring = ring;
    return KW_OK;
}

kw_err kw_act_rebuild(const struct kw_keyring *backup, const char *domain,
                      const struct kw_marks *marks, const char *at,
                      struct kw_keyring **ret_ring, struct kw_note *note)
{
    if (backup != NULL && !is_before(backup, marks)) {
        kw_note_set(note,
                    "the backup, serial %" PRIu64 ", is none of the files before serial "
                    "%" PRIu64 ", which this node took last: it is of another cluster, "
                    "or of a fork",
                    backup->serial, marks->serial);
        return kw_err_at(KW_CODE_DENIED, "--keyring-backup");
    }
    kw_err e = backup != NULL ? from_backup(backup, marks, at, ret_ring)
                              : kw_keyring_new(domain, ret_ring);
    if (!kw_failed(e))
        take_chain(*ret_ring, marks);
    return e;
}
