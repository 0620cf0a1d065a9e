/* SPDX-License-Identifier: Apache-2.0 */
/* latch - which PIN sources have been refused or have worked, one latch a token name */
#include "dir.h"

#include <string.h>

#define FILE_NAME "pin-latch.json"
#define AT(field) offsetof(struct kw_pin_latch, field)
#define IN(field) offsetof(struct kw_pin_source, field)

enum { LATCHES_MAX = 32 };

struct latches {
    size_t count;
    struct kw_pin_latch list[LATCHES_MAX];
};

static const struct kw_member source_table[] = {
    {.name = "dev", .kind = &kw_kind_i64, .offset = IN(dev)},
    {.name = "ino", .kind = &kw_kind_i64, .offset = IN(ino)},
    {.name = "ctime-ns", .kind = &kw_kind_i64, .offset = IN(ctime_ns)},
    {.name = "size", .kind = &kw_kind_i64, .offset = IN(size)},
    {.name = NULL},
};

static const struct kw_member latch_table[] = {
    {.name = "token", .kind = &kw_kind_text, .offset = AT(token), .max = 33},
    {.name = "latched", .kind = &kw_kind_bool, .offset = AT(latched)},
    {.name = "proven", .kind = &kw_kind_bool, .offset = AT(proven)},
    {.name = "retry", .kind = &kw_kind_bool, .offset = AT(retry), .may_miss = true},
    {.name = "source",
     .kind = &kw_kind_object,
     .offset = AT(source),
     .table = source_table},
    {.name = "reason",
     .kind = &kw_kind_text,
     .offset = AT(reason),
     .max = 160,
     .nullable = true},
    {.name = "at",
     .kind = &kw_kind_time,
     .offset = AT(at),
     .max = KW_TIME_TEXT,
     .nullable = true},
    {.name = NULL},
};

static kw_err read_list(const struct kw_member *m, json_t *value, void *field,
                        struct kw_note *note)
{
    (void)m;
    struct latches *all = field;
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > LATCHES_MAX) {
        kw_note_set(note, "must be an array of at most %d latches", LATCHES_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "pin latch");
    }
    for (size_t i = 0; i < count; i++) {
        kw_err e =
            kw_members_read(latch_table, json_array_get(value, i), &all->list[i], note);
        if (kw_failed(e))
            return e;
    }
    all->count = count;
    return KW_OK;
}

static json_t *write_list(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct latches *all = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < all->count; i++) {
        json_t *one = kw_members_write(latch_table, &all->list[i]);
        if (json_array_append_new(array, one) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const struct kw_member_kind kind_list = {read_list, write_list};

static const struct kw_member latches_table[] = {
    {.name = "pin-latch", .kind = &kw_kind_format, .max = 1},
    {.name = "tokens", .kind = &kind_list},
    {.name = NULL},
};

/* The latch of a token, or NULL. */
static struct kw_pin_latch *find(struct latches *all, const char *token)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].token, token) == 0)
            return &all->list[i];
    return NULL;
}

kw_err kw_state_pin_latch(struct kw_state_dir *dir, const char *token,
                          struct kw_pin_latch *ret_latch, struct kw_note *note)
{
    struct latches all = {0};
    struct kw_pin_latch none = {0};

    kw_err e = kw_state_read(dir, FILE_NAME, latches_table, &all, note);
    if (kw_failed(e))
        return e;
    (void)kw_copy_str(none.token, sizeof none.token, kw_span_str(token));
    const struct kw_pin_latch *found = find(&all, token);
    *ret_latch = found ? *found : none;
    return KW_OK;
}

kw_err kw_state_set_pin_latch(struct kw_state_dir *dir, const struct kw_pin_latch *latch,
                              struct kw_note *note)
{
    struct latches all = {0};
    kw_err e = kw_state_read(dir, FILE_NAME, latches_table, &all, note);
    if (kw_failed(e))
        return e;
    struct kw_pin_latch *found = find(&all, latch->token);
    if (found == NULL && all.count == LATCHES_MAX) {
        kw_note_set(note, FILE_NAME ": full; take tokens out of it that are gone");
        return kw_err_at(KW_CODE_BUSY, "pin latch");
    }
    if (found == NULL)
        found = &all.list[all.count++];
    *found = *latch;
    /* It may hold words of a vendor's library, which must not keep the latch from being
     * written. */
    kw_copy_printable(found->reason, sizeof found->reason, kw_span_str(latch->reason));
    return kw_state_write(dir, FILE_NAME, latches_table, &all, note);
}
