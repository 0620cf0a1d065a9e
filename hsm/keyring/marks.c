/* SPDX-License-Identifier: Apache-2.0 */
/* marks - the highest numbers this node has seen; they only ever rise */
#include "dir.h"

#include <string.h>

#define FILE_NAME "marks.json"

#define FIRST offsetof(struct kw_marks, accepted[0])
static const struct kw_member accepted_table[] = {
    {.name = "n",
     .kind = &kw_kind_u32,
     .offset = offsetof(struct kw_marks, accepted[0].n) - FIRST,
     .max = KW_VERSION_N_MAX},
    {.name = "since-ns",
     .kind = &kw_kind_i64,
     .offset = offsetof(struct kw_marks, accepted[0].since_wall_ns) - FIRST},
    {.name = NULL},
};

static kw_err read_accepted(const struct kw_member *m, json_t *value, void *field,
                            struct kw_note *note)
{
    (void)m;
    struct kw_marks *marks = field;
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > KW_VERSIONS_MAX) {
        kw_note_set(note, "must be an array of at most %u versions", KW_VERSIONS_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "marks");
    }
    for (size_t i = 0; i < count; i++) {
        kw_err e = kw_members_read(accepted_table, json_array_get(value, i),
                                   &marks->accepted[i], note);
        if (kw_failed(e))
            return e;
    }
    marks->count = count;
    return KW_OK;
}

static json_t *write_accepted(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_marks *marks = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < marks->count; i++) {
        json_t *one = kw_members_write(accepted_table, &marks->accepted[i]);
        if (json_array_append_new(array, one) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const struct kw_member_kind kind_accepted = {read_accepted, write_accepted};

static const struct kw_member marks_table[] = {
    {.name = "marks", .kind = &kw_kind_format, .max = 1},
    {.name = "serial-max",
     .kind = &kw_kind_u64,
     .offset = offsetof(struct kw_marks, serial_max),
     .max = INT64_MAX},
    {.name = "serial-sha256",
     .kind = &kw_kind_hex,
     .offset = offsetof(struct kw_marks, serial_sha256),
     .max = sizeof((struct kw_marks *)0)->serial_sha256,
     .len_at = offsetof(struct kw_marks, serial_sha256_len) -
               offsetof(struct kw_marks, serial_sha256),
     .nullable = true,
     .may_miss = true},
    {.name = "baseline-max",
     .kind = &kw_kind_u32,
     .offset = offsetof(struct kw_marks, baseline_max),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "active-max",
     .kind = &kw_kind_u32,
     .offset = offsetof(struct kw_marks, active_max),
     .max = KW_VERSION_N_MAX,
     .nullable = true},
    {.name = "accepted", .kind = &kind_accepted},
    {.name = NULL},
};

kw_err kw_state_marks(struct kw_state_dir *dir, struct kw_marks *ret_marks,
                      struct kw_note *note)
{
    struct kw_marks marks = {0};
    kw_err e = kw_state_read(dir, FILE_NAME, marks_table, &marks, note);
    if (!kw_failed(e))
        *ret_marks = marks;
    return e;
}

static bool raise_n(uint32_t *mark, uint32_t n)
{
    if (n <= *mark)
        return false;
    *mark = n;
    return true;
}

static bool knows(const struct kw_marks *marks, uint32_t n)
{
    for (size_t i = 0; i < marks->count; i++)
        if (marks->accepted[i].n == n)
            return true;
    return false;
}

/* Versions that left the ring make room: a ring's own always fit. */
static bool forget_gone(struct kw_marks *marks, const struct kw_keyring *ring)
{
    size_t kept = 0;
    for (size_t i = 0; i < marks->count; i++)
        if (kw_keyring_by_n(ring, marks->accepted[i].n) != NULL)
            marks->accepted[kept++] = marks->accepted[i];
    bool changed = kept != marks->count;
    marks->count = kept;
    return changed;
}

static bool note_accepted(struct kw_marks *marks, const struct kw_keyring *ring,
                          int64_t wall_ns)
{
    bool changed = forget_gone(marks, ring);
    for (size_t i = 0; i < ring->count && marks->count < KW_VERSIONS_MAX; i++) {
        const struct kw_version *v = &ring->versions[i];
        if (!kw_key_state_unwraps(v->state) || knows(marks, v->n))
            continue;
        marks->accepted[marks->count].n = v->n;
        marks->accepted[marks->count++].since_wall_ns = wall_ns;
        changed = true;
    }
    return changed;
}

/* The first ring of a serial is the one: a second one was refused before it got here. */
static bool raise_serial(struct kw_marks *marks, const struct kw_keyring *ring)
{
    bool known = marks->serial_sha256_len > 0;
    if (ring->serial < marks->serial_max || (ring->serial == marks->serial_max && known))
        return false;
    marks->serial_max = ring->serial;
    marks->serial_sha256_len = sizeof marks->serial_sha256;
    kw_copy(marks->serial_sha256, sizeof marks->serial_sha256,
            kw_span_of(ring->sha256, sizeof ring->sha256));
    return true;
}

kw_err kw_state_raise(struct kw_state_dir *dir, const struct kw_keyring *ring,
                      uint32_t active, int64_t wall_ns, struct kw_note *note)
{
    struct kw_marks marks = {0};
    kw_err e = kw_state_marks(dir, &marks, note);
    if (kw_failed(e))
        return e;
    bool changed = raise_serial(&marks, ring);
    changed |= raise_n(&marks.baseline_max, ring->active);
    changed |= raise_n(&marks.active_max, ring->active);
    changed |= raise_n(&marks.active_max, active);
    changed |= note_accepted(&marks, ring, wall_ns);
    return changed ? kw_state_write(dir, FILE_NAME, marks_table, &marks, note) : KW_OK;
}
