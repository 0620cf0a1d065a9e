/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild - a lost keyring file, as far as a backup and this node's marks remember it */
#include <keyward/act.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

static bool is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

#define REFUSED(note, ...)                                                               \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_DENIED, "--keyring-backup"))

/* Is the backup the last file taken here, or one before it? */
static bool is_before(const struct kw_keyring *backup, const struct kw_marks *m)
{
    if (backup->serial == m->serial)
        return is_digest(backup->sha256, m->sha256, m->sha256_len);
    uint64_t back = m->serial - backup->serial; /* huge for a later one */
    return backup->serial < m->serial && back <= m->ancestor_count &&
           is_digest(backup->sha256, m->ancestors[back - 1], 32);
}

/* A node without memory has nothing to say. */
static kw_err is_usable(const struct kw_keyring *backup, const char *domain,
                        const struct kw_marks *m, struct kw_note *note)
{
    if (strcmp(backup->domain, domain) != 0)
        return REFUSED(note,
                       "the backup's domain is \"%s\", the configuration's is \"%s\"",
                       backup->domain, domain);
    if (m->serial == 0 || is_before(backup, m))
        return KW_OK;
    if (kw_chain(backup, m) == KW_ADMITTED)
        return REFUSED(note,
                       "the backup, serial %" PRIu64 ", follows serial %" PRIu64
                       ", which this node took last: put it back as it is",
                       backup->serial, m->serial);
    return REFUSED(note,
                   "the backup, serial %" PRIu64 ", is none of the files before serial "
                   "%" PRIu64 ", which this node took last: it is of another cluster, "
                   "or of a fork",
                   backup->serial, m->serial);
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

/* Can this program bring every version to the state that is remembered? */
static kw_err is_understood(const struct kw_keyring *backup, const struct kw_marks *m,
                            struct kw_note *note)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct kw_mark *mark = &m->versions[i];
        const struct kw_version *v = kw_keyring_by_n(backup, mark->id.n);
        enum kw_key_state s;
        bool fits = v == NULL || (v->state == KW_KEY_UNKNOWN
                                      ? strcmp(v->unknown_state, mark->state) == 0
                                      : kw_key_state_from_name(mark->state, &s));
        if (!fits)
            return REFUSED(note,
                           "version %u was last \"%s\" here, and this program does not "
                           "understand what the backup or the marks say of it: use the "
                           "newer keyward that made it",
                           mark->id.n, mark->state);
    }
    return KW_OK;
}

void kw_act_recall(struct kw_keyring *ring, struct kw_version *v,
                   const struct kw_marks *marks, const char *at)
{
    const struct kw_mark *mark = kw_marks_of(marks, v->n);
    enum kw_key_state now;
    if (v->state == KW_KEY_UNKNOWN || mark == NULL ||
        strcmp(mark->id.key_id, v->key_id) != 0 ||
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

/* The line of a version that was destroyed and pruned after the backup: without it a node
 * that did not see that would miss the version. */
static kw_err record_prune(struct kw_keyring *ring, const struct kw_version *v,
                           const struct kw_marks *marks, const char *at)
{
    struct kw_history h = {.serial = marks->serial, .n = v->n};
    PUT(h.act, kw_act_name(KW_ACT_PRUNE));
    PUT(h.at, at);
    snprintf(h.proof, sizeof h.proof, "%s destroyed, by this node's marks", v->key_id);
    return kw_keyring_record(ring, &h);
}

/* Destroyed is for good: what the last file did not have any more must not come back. */
static kw_err drop_pruned(struct kw_keyring *ring, const struct kw_marks *marks,
                          const char *at)
{
    for (size_t i = ring->count; i > 0; i--) {
        const struct kw_version *v = &ring->versions[i - 1];
        const struct kw_mark *mark = kw_marks_of(marks, v->n);
        if (mark != NULL && strcmp(mark->id.key_id, v->key_id) == 0)
            continue;
        kw_err e = mark == NULL ? record_prune(ring, v, marks, at) : KW_OK;
        if (kw_failed(e))
            return e;
        kw_keyring_remove(ring, v->n);
    }
    return KW_OK;
}

static void recall_all(struct kw_keyring *ring, const struct kw_marks *marks,
                       const char *at)
{
    const struct kw_mark *was = kw_marks_of(marks, ring->active);
    if (was == NULL || strcmp(was->state, kw_key_state_name(KW_KEY_ACTIVE)) != 0)
        ring->active = 0;
    for (size_t i = 0; i < ring->count; i++)
        kw_act_recall(ring, &ring->versions[i], marks, at);
}

static kw_err from_backup(const struct kw_keyring *backup, const struct kw_marks *marks,
                          const char *at, struct kw_keyring **ret_ring)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_dup(backup, &ring);
    if (kw_failed(e))
        return e;
    kw_copy(ring->sha256, sizeof ring->sha256, kw_span_of(backup->sha256, 32));
    if (marks->serial != 0) {
        e = drop_pruned(ring, marks, at);
        recall_all(ring, marks, at);
    }
    if (kw_failed(e))
        kw_keyring_give(ring);
    else
        *ret_ring = ring;
    return e;
}

kw_err kw_act_rebuild(const struct kw_keyring *backup, const char *domain,
                      const struct kw_marks *marks, const char *at,
                      struct kw_keyring **ret_ring, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    kw_err e = backup != NULL ? is_usable(backup, domain, marks, note) : KW_OK;
    if (!kw_failed(e) && backup != NULL)
        e = is_understood(backup, marks, note);
    if (!kw_failed(e))
        e = backup != NULL ? from_backup(backup, marks, at, &ring)
                           : kw_keyring_new(domain, &ring);
    if (kw_failed(e))
        return e;
    take_chain(ring, marks);
    *ret_ring = ring;
    return KW_OK;
}
