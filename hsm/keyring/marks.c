/* SPDX-License-Identifier: Apache-2.0 */
/* marks - what this node has seen of keyrings: their last file, their versions' names */
#include "chain.h"
#include "dir.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

#include <keyward/act.h>

#define FILE_NAME "marks.json"
#define AT(field) offsetof(struct kw_marks, field)

static const struct kw_member named_table[] = {
    {.name = "n",
     .kind = &kw_kind_u32,
     .offset = offsetof(struct kw_named, n),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "key-id",
     .kind = &kw_kind_text,
     .offset = offsetof(struct kw_named, key_id),
     .max = KW_KEY_ID_MAX + 1,
     .nullable = true},
    {.name = NULL},
};

static const struct kw_member boot_table[] = {
    {.name = "boot", .kind = &kw_kind_text, .offset = 0, .max = KW_BOOT_ID},
    {.name = "at-ns",
     .kind = &kw_kind_i64,
     .offset = offsetof(struct kw_moment, boot_ns) - offsetof(struct kw_moment, boot)},
    {.name = NULL},
};

#define MARK(field) offsetof(struct kw_mark, field)
static const struct kw_member mark_table[] = {
    {.name = "n", .kind = &kw_kind_u32, .offset = MARK(id.n), .max = KW_VERSION_N_MAX},
    {.name = "key-id",
     .kind = &kw_kind_text,
     .offset = MARK(id.key_id),
     .max = KW_KEY_ID_MAX + 1},
    {.name = "state",
     .kind = &kw_kind_text,
     .offset = MARK(state),
     .max = sizeof((struct kw_mark *)0)->state},
    {.name = "wrapped", .kind = &kw_kind_bool, .offset = MARK(wrapped)},
    {.name = "accepted", .kind = &kw_kind_bool, .offset = MARK(accepted)},
    {.name = "since-ns", .kind = &kw_kind_i64, .offset = MARK(since.wall_ns)},
    {.name = "since-boot",
     .kind = &kw_kind_moment,
     .offset = MARK(since.boot),
     .table = boot_table,
     .newer = true},
    {.name = NULL},
};

#define DIGEST(of)                                                                       \
    {                                                                                    \
        .name = "sha256", .kind = &kw_kind_hex, .offset = offsetof(of, sha256),          \
        .max = 32, .len_at = offsetof(of, sha256_len) - offsetof(of, sha256),            \
        .nullable = true                                                                 \
    }

static const struct kw_member trust_table[] = {
    DIGEST(struct kw_trust),
    {.name = "at",
     .kind = &kw_kind_time,
     .offset = offsetof(struct kw_trust, at),
     .max = KW_TIME_TEXT,
     .nullable = true},
    {.name = "by",
     .kind = &kw_kind_text,
     .offset = offsetof(struct kw_trust, by),
     .max = 64,
     .nullable = true},
    {.name = NULL},
};

static const struct kw_member marks_table[] = {
    {.name = "serial-max", .former = "they go with a keyring of such a build"},
    {.name = "marks", .kind = &kw_kind_format, .max = 1},
    {.name = "serial",
     .kind = &kw_kind_u64,
     .offset = AT(serial),
     .max = (size_t)KW_SERIAL_MAX},
    DIGEST(struct kw_marks),
    {.name = "ancestors",
     .kind = &kw_kind_ancestors,
     .offset = AT(ancestors),
     .max = KW_ANCESTORS_MAX,
     .len_at = AT(ancestor_count) - AT(ancestors)},
    {.name = "next-n",
     .kind = &kw_kind_u32,
     .offset = AT(next_n),
     .max = KW_VERSION_N_MAX + 1,
     .nullable = true},
    {.name = "baseline",
     .kind = &kw_kind_object,
     .offset = AT(baseline),
     .table = named_table},
    {.name = "active",
     .kind = &kw_kind_object,
     .offset = AT(active),
     .table = named_table},
    {.name = "versions",
     .kind = &kw_kind_list,
     .offset = AT(versions),
     .max = KW_VERSIONS_MAX,
     .len_at = AT(count) - AT(versions),
     .stride = sizeof(struct kw_mark),
     .table = mark_table},
    {.name = "trust", .kind = &kw_kind_object, .offset = AT(trust), .table = trust_table},
    {.name = "trusted",
     .kind = &kw_kind_object,
     .offset = AT(trusted),
     .table = trust_table},
    {.name = "rebuilt",
     .kind = &kw_kind_text,
     .offset = AT(rebuilt),
     .max = sizeof((struct kw_marks *)0)->rebuilt,
     .nullable = true},
    {.name = NULL},
};

kw_err kw_state_marks(struct kw_state_dir *dir, struct kw_marks *ret_marks,
                      struct kw_note *note)
{
    struct kw_marks marks = {0};
    kw_err e = kw_state_read(dir, FILE_NAME, marks_table, &marks, note);
    if (kw_failed(e))
        e.where = "marks.json";
    else
        *ret_marks = marks;
    return e;
}

kw_err kw_marks_parse(kw_span json, struct kw_marks *ret_marks, struct kw_note *note)
{
    struct kw_marks marks = {0};
    kw_err e = kw_json_read(marks_table, json, KW_STATE_FILE_MAX, &marks, note);
    if (!kw_failed(e))
        *ret_marks = marks;
    return e;
}

kw_err kw_marks_write(const struct kw_marks *marks, struct kw_blob *ret_json)
{
    return kw_json_write(marks_table, marks, ret_json);
}

const struct kw_mark *kw_marks_of(const struct kw_marks *marks, uint32_t n)
{
    for (size_t i = 0; i < marks->count; i++)
        if (marks->versions[i].id.n == n)
            return &marks->versions[i];
    return NULL;
}

/* ---- raising ---- */

static bool same_name(const struct kw_named *a, const struct kw_version *v)
{
    return a->n == v->n && strcmp(a->key_id, v->key_id) == 0;
}

/* May acts have been made since the last file taken here that this ring does not tell? It
 * is of another line, or its history starts later: lines make room, and pruned versions
 * take theirs along. */
static bool has_gap(const struct kw_marks *marks, const struct kw_keyring *ring)
{
    if (kw_chain(ring, marks) != KW_ADMITTED)
        return true;
    return ring->serial > marks->serial &&
           (ring->history_count == 0 || ring->history[0].serial > marks->serial + 1);
}

static bool accepts(const char *act)
{
    return strcmp(act, kw_act_name(KW_ACT_ACCEPT)) == 0 ||
           strcmp(act, kw_act_name(KW_ACT_ENABLE)) == 0 ||
           strcmp(act, kw_act_name(KW_ACT_ADOPT)) == 0;
}

/* Was this version accepted, enabled or adopted in a file that this node has not
 * taken? */
static bool accepted_meanwhile(const struct kw_marks *marks,
                               const struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->n == n && h->serial > marks->serial && accepts(h->act))
            return true;
    }
    return false;
}

/* The clock was ahead when it said so, and was set right over a restart: nobody knows how
 * long ago that is, and waiting for it could take years. */
static bool is_to_come(const struct kw_moment *since, const struct kw_moment *now)
{
    bool went_back = false;
    return now->boot[0] != '\0' && kw_moment_age(since, now, &went_back) == 0 &&
           went_back;
}

static struct kw_mark mark_for(const struct kw_marks *before,
                               const struct kw_keyring *ring, const struct kw_version *v,
                               const struct kw_moment *now)
{
    const struct kw_mark *old = kw_marks_of(before, v->n);
    struct kw_mark m = {.id = {.n = v->n}};
    if (old != NULL && same_name(&old->id, v))
        m = *old;
    kw_copy_str(m.id.key_id, sizeof m.id.key_id, kw_span_str(v->key_id));
    const char *state =
        v->state == KW_KEY_UNKNOWN ? v->unknown_state : kw_key_state_name(v->state);
    kw_copy_str(m.state, sizeof m.state, kw_span_str(state));
    const bool unwraps = kw_key_state_unwraps(v->state);
    const bool lasts = unwraps ? m.accepted : !m.accepted && m.since.wall_ns != 0;
    m.accepted = unwraps;
    if (!unwraps && v->state != KW_KEY_DISABLED)
        m.since = KW_NO_MOMENT;
    else if (!lasts || is_to_come(&m.since, now) || has_gap(before, ring) ||
             accepted_meanwhile(before, ring, v->n))
        m.since = *now;
    return m;
}

static void raise_named(struct kw_named *mark, struct kw_marks *marks,
                        const struct kw_keyring *ring, uint32_t n)
{
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    if (n == 0 || v == NULL)
        return;
    for (size_t i = 0; i < marks->count; i++)
        if (marks->versions[i].id.n == n)
            marks->versions[i].wrapped = true;
    if (n <= mark->n)
        return;
    mark->n = n;
    kw_copy_str(mark->key_id, sizeof mark->key_id, kw_span_str(v->key_id));
}

static void marks_take_file(struct kw_marks *marks, const struct kw_keyring *ring)
{
    marks->serial = ring->serial;
    marks->next_n = ring->next_n;
    marks->sha256_len = sizeof marks->sha256;
    kw_copy(marks->sha256, sizeof marks->sha256,
            kw_span_of(ring->sha256, sizeof ring->sha256));
    marks->ancestor_count = ring->ancestor_count;
    kw_copy(marks->ancestors, sizeof marks->ancestors,
            kw_span_of(ring->ancestors, sizeof ring->ancestors));
}

/* A trust is good for the next ring that is taken, be it the one of before: what was said
 * yesterday must not let an old file in tomorrow. */
static void use_up_trust(struct kw_marks *marks, const struct kw_marks *before,
                         const struct kw_keyring *ring)
{
    if (kw_chain_is_trusted(ring, before))
        marks->trusted = before->trust;
    marks->trust = (struct kw_trust){0};
}

static bool same_mark(const struct kw_mark *a, const struct kw_mark *b)
{
    return a->id.n == b->id.n && strcmp(a->id.key_id, b->id.key_id) == 0 &&
           strcmp(a->state, b->state) == 0 && a->wrapped == b->wrapped &&
           a->accepted == b->accepted && a->since.wall_ns == b->since.wall_ns &&
           a->since.boot_ns == b->since.boot_ns &&
           strcmp(a->since.boot, b->since.boot) == 0;
}

/* The digest stands for everything that comes from the ring. */
static bool same_marks(const struct kw_marks *a, const struct kw_marks *b)
{
    bool same = kw_span_equal(kw_span_of(a->sha256, a->sha256_len),
                              kw_span_of(b->sha256, b->sha256_len)) &&
                a->baseline.n == b->baseline.n && a->active.n == b->active.n &&
                a->count == b->count && a->trust.sha256_len == b->trust.sha256_len;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_mark(&a->versions[i], &b->versions[i]);
    return same;
}

bool kw_marks_raise(struct kw_marks *marks, const struct kw_keyring *ring,
                    uint32_t active, struct kw_moment now)
{
    const struct kw_marks before = *marks;
    marks->count = 0;
    for (size_t i = 0; i < ring->count; i++)
        marks->versions[marks->count++] =
            mark_for(&before, ring, &ring->versions[i], &now);
    for (size_t i = marks->count; i < KW_VERSIONS_MAX; i++)
        marks->versions[i] = (struct kw_mark){0};
    marks_take_file(marks, ring);
    raise_named(&marks->baseline, marks, ring, ring->active);
    raise_named(&marks->active, marks, ring, ring->active);
    raise_named(&marks->active, marks, ring, active);
    use_up_trust(marks, &before, ring);
    return !same_marks(marks, &before);
}

/* A ring that this process takes or took; `known`: what it could not write so far, or
 * NULL. */
struct taking {
    const struct kw_marks *known;
    const struct kw_keyring *ring;
    uint32_t active;
    struct kw_moment now;
};

/* Fills *ret with what is to be written; *ret_new: it does not lie there already. */
static kw_err raised(struct kw_state_dir *dir, const struct taking *t,
                     struct kw_marks *ret, bool *ret_new, struct kw_note *note)
{
    struct kw_marks there = {0};
    kw_err e = kw_state_marks(dir, &there, note);
    if (kw_failed(e))
        return e;
    *ret = t->known != NULL && t->known->serial != 0 ? *t->known : there;
    ret->trust = there.trust; /* an operator's word, said since */
    (void)kw_marks_raise(ret, t->ring, t->active, t->now);
    *ret_new = !same_marks(ret, &there);
    return KW_OK;
}

kw_err kw_state_raise_known(struct kw_state_dir *dir, const struct kw_marks *known,
                            const struct kw_keyring *ring, uint32_t active,
                            struct kw_moment now, struct kw_note *note)
{
    const struct taking t = {known, ring, active, now};
    struct kw_marks marks;
    bool is_new = false;
    kw_err e = raised(dir, &t, &marks, &is_new, note);
    if (kw_failed(e) || !is_new)
        return e; /* nothing to write: a directory that is read-only does no harm */
    e = kw_state_lock(dir, note);
    if (kw_failed(e))
        return e;
    e = raised(dir, &t, &marks, &is_new, note);
    if (!kw_failed(e) && is_new)
        e = kw_state_write(dir, FILE_NAME, marks_table, &marks, note);
    kw_state_unlock(dir);
    return e;
}

kw_err kw_state_raise(struct kw_state_dir *dir, const struct kw_keyring *ring,
                      uint32_t active, struct kw_moment now, struct kw_note *note)
{
    return kw_state_raise_known(dir, NULL, ring, active, now, note);
}

kw_err kw_state_trust(struct kw_state_dir *dir, const struct kw_trust *trust,
                      struct kw_note *note)
{
    struct kw_marks marks = {0};
    kw_err e = kw_state_lock(dir, note);
    if (kw_failed(e))
        return e;
    e = kw_state_marks(dir, &marks, note);
    marks.trust = *trust;
    if (!kw_failed(e))
        e = kw_state_write(dir, FILE_NAME, marks_table, &marks, note);
    kw_state_unlock(dir);
    return e;
}

static kw_err rebuild(struct kw_state_dir *dir, const struct kw_keyring *ring,
                      struct kw_moment now, const char *who, struct kw_note *note)
{
    struct kw_marks marks = {0};
    char at[KW_TIME_TEXT];
    kw_err e = kw_state_marks(dir, &marks, note);
    if (kw_failed(e))
        return e;
    if (marks.serial != 0) {
        kw_note_set(note, FILE_NAME ": is there already, for serial %llu",
                    (unsigned long long)marks.serial);
        return kw_err_at(KW_CODE_DENIED, "marks");
    }
    (void)kw_marks_raise(&marks, ring, 0, now);
    kw_time_text(at, now.wall_ns);
    snprintf(marks.rebuilt, sizeof marks.rebuilt, "%s, %.63s", at, who);
    return kw_state_write(dir, FILE_NAME, marks_table, &marks, note);
}

kw_err kw_state_rebuild(struct kw_state_dir *dir, const struct kw_keyring *ring,
                        struct kw_moment now, const char *who, struct kw_note *note)
{
    kw_err e = kw_state_lock(dir, note);
    if (kw_failed(e))
        return e;
    e = rebuild(dir, ring, now, who, note);
    kw_state_unlock(dir);
    return e;
}
