/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild - a lost keyring file, as far as a backup and this node's marks remember it */
#include <keyward/act.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

static bool rebuild_is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

#define REFUSED(note, ...)                                                               \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_DENIED, "--keyring-backup"))

/* Is the backup the last file taken here, or one before it? */
static bool is_before(const struct kw_keyring *backup, const struct kw_marks *m)
{
    if (backup->serial == m->serial)
        return rebuild_is_digest(backup->sha256, m->sha256, m->sha256_len);
    uint64_t back = m->serial - backup->serial; /* huge for a later one */
    return backup->serial < m->serial && back <= m->ancestor_count &&
           rebuild_is_digest(backup->sha256, m->ancestors[back - 1], 32);
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
static kw_err rebuild_is_understood(const struct kw_keyring *backup,
                                    const struct kw_marks *m, struct kw_note *note)
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

/* There is one baseline, and it never goes back: the lower one of the two is retired. */
static void become_baseline(struct kw_keyring *ring, const struct kw_version *v,
                            const char *at)
{
    struct kw_version *old = kw_keyring_edit(ring, ring->active);
    if (old != NULL && old->n != v->n && old->state == KW_KEY_ACTIVE) {
        old->state = KW_KEY_RETIRED;
        PUT(old->retired, at);
    }
    ring->active = v->n;
}

/* The marks do not know what it was before.  In `created`, to which it would go back, no
 * node that sealed under it would take the ring. */
static void recall_disabled(struct kw_version *v)
{
    enum kw_key_state from = v->state;
    if (from == KW_KEY_DISABLED)
        (void)kw_key_state_from_name(v->disabled_from, &from);
    bool stays = from == KW_KEY_ACCEPTED || from == KW_KEY_RETIRED;
    PUT(v->disabled_from, kw_key_state_name(stays ? from : KW_KEY_RETIRED));
}

void kw_act_recall(struct kw_keyring *ring, struct kw_version *v,
                   const struct kw_marks *marks, const char *at)
{
    const struct kw_mark *mark = kw_marks_of(marks, v->n);
    enum kw_key_state now;
    if (v->state == KW_KEY_UNKNOWN || mark == NULL ||
        strcmp(mark->id.key_id, v->key_id) != 0 ||
        !kw_key_state_from_name(mark->state, &now))
        return;
    if (now == KW_KEY_ACTIVE && ring->active > v->n)
        now = KW_KEY_RETIRED;
    if (now == KW_KEY_ACTIVE)
        become_baseline(ring, v, at);
    if (now == KW_KEY_DISABLED)
        recall_disabled(v);
    if (now == v->state)
        return;
    if (now != KW_KEY_DISABLED)
        v->disabled_from[0] = '\0';
    char *const times[] = {v->created, v->accepted, v->activated,
                           v->retired, v->disabled, v->destroyed};
    if (times[now][0] == '\0')
        kw_copy_str(times[now], KW_TIME_TEXT, kw_span_str(at));
    v->state = now;
}

static kw_err rebuild_record(struct kw_keyring *ring, enum kw_act act, uint32_t n,
                             const char *at, const char *proof)
{
    struct kw_history h = {.serial = ring->serial + 1, .n = n};
    PUT(h.act, kw_act_name(act));
    PUT(h.at, at);
    PUT(h.proof, proof);
    return kw_keyring_record(ring, &h);
}

/* What was done since the backup is not in its history: each version that it brings back
 * counts as accepted anew. */
static kw_err bring_back(struct kw_keyring *ring, struct kw_version *v,
                         const struct kw_marks *marks, uint64_t from, const char *at)
{
    char proof[64];
    snprintf(proof, sizeof proof, "from the backup, serial %" PRIu64, from);
    kw_act_recall(ring, v, marks, at);
    return rebuild_record(ring, KW_ACT_ADOPT, v->n, at, proof);
}

/* The marks have every version of the last ring: one that they lack was pruned since, and
 * a node that did not see that needs the line.  A number that somebody trusted to be
 * another key's has no such line. */
static kw_err leave_out(struct kw_keyring *ring, const struct kw_version *v,
                        const struct kw_marks *marks, const char *at)
{
    char proof[128];
    uint32_t n = v->n;
    snprintf(proof, sizeof proof, "%s destroyed, after the backup", v->key_id);
    kw_keyring_remove(ring, n);
    return kw_marks_of(marks, n) == NULL
               ? rebuild_record(ring, KW_ACT_PRUNE, n, at, proof)
               : KW_OK;
}

static bool rebuild_is_known(const struct kw_marks *marks, const struct kw_version *v)
{
    const struct kw_mark *mark = kw_marks_of(marks, v->n);
    return marks->serial == 0 ||
           (mark != NULL && strcmp(mark->id.key_id, v->key_id) == 0);
}

static kw_err recall_all(struct kw_keyring *ring, const struct kw_keyring *backup,
                         const struct kw_marks *marks, const char *at)
{
    kw_err e = KW_OK;
    const struct kw_mark *was = kw_marks_of(marks, ring->active);
    if (marks->serial != 0 &&
        (was == NULL || strcmp(was->state, kw_key_state_name(KW_KEY_ACTIVE)) != 0))
        ring->active = 0;
    for (size_t i = 0; i < backup->count && !kw_failed(e); i++) {
        struct kw_version *v = kw_keyring_edit(ring, backup->versions[i].n);
        e = rebuild_is_known(marks, v) ? bring_back(ring, v, marks, backup->serial, at)
                                       : leave_out(ring, v, marks, at);
    }
    return e;
}

kw_err kw_act_rebuild(const struct kw_keyring *backup, const char *domain,
                      const struct kw_marks *marks, const char *at,
                      struct kw_keyring **ret_ring, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    kw_err e = backup != NULL ? is_usable(backup, domain, marks, note) : KW_OK;
    if (!kw_failed(e) && backup != NULL)
        e = rebuild_is_understood(backup, marks, note);
    if (!kw_failed(e))
        e = backup != NULL ? kw_keyring_dup(backup, &ring)
                           : kw_keyring_new(domain, &ring);
    if (kw_failed(e))
        return e;
    if (backup != NULL)
        kw_copy(ring->sha256, sizeof ring->sha256, kw_span_of(backup->sha256, 32));
    take_chain(ring, marks);
    if (backup != NULL)
        e = recall_all(ring, backup, marks, at);
    if (kw_failed(e))
        kw_keyring_give(ring);
    else
        *ret_ring = ring;
    return e;
}
