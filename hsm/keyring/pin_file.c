/* SPDX-License-Identifier: Apache-2.0 */
/* pin_file - pin-latch.json, member by member */
#include "pin_file.h"

#include <string.h>

#include "dir.h"

#define AT(field) offsetof(struct kw_pin_record, field)
#define TRIED(field) (offsetof(struct kw_pin_record, field) - AT(tried))
enum { PID_MAX = 1 << 22 }; /* of a 64-bit kernel: proc(5), pid_max */

/* ---- moments and processes, or null ------------------------------------------------ */

static const struct kw_member tried_table[] = {
    {.name = "boot",
     .kind = &kw_kind_text,
     .offset = TRIED(tried.boot),
     .max = KW_BOOT_ID},
    {.name = "pid", .kind = &kw_kind_u32, .offset = TRIED(tried.pid), .max = PID_MAX},
    {.name = "start",
     .kind = &kw_kind_u64,
     .offset = TRIED(tried.start),
     .max = INT64_MAX},
    {.name = "at-ns", .kind = &kw_kind_i64, .offset = TRIED(tried_ns)},
    {.name = NULL},
};

static const struct kw_member ended_table[] = {
    {.name = "boot", .kind = &kw_kind_text, .offset = 0, .max = KW_BOOT_ID},
    {.name = "at-ns", .kind = &kw_kind_i64, .offset = AT(ended_ns) - AT(ended_boot)},
    {.name = NULL},
};

/* ---- PINs that were refused -------------------------------------------------------- */

#define REFUSED(field) offsetof(struct kw_pin_refused, field)
static const struct kw_member refused_table[] = {
    {.name = "label",
     .kind = &kw_kind_text,
     .offset = REFUSED(label),
     .max = sizeof((struct kw_pin_refused *)0)->label,
     .nullable = true},
    {.name = "key",
     .kind = &kw_kind_hex,
     .offset = REFUSED(mark.key),
     .max = sizeof((struct kw_pin_mark *)0)->key,
     .len_at = REFUSED(mark.key_len) - REFUSED(mark.key)},
    {.name = "digest",
     .kind = &kw_kind_hex,
     .offset = REFUSED(mark.digest),
     .max = sizeof((struct kw_pin_mark *)0)->digest,
     .len_at = REFUSED(mark.digest_len) - REFUSED(mark.digest)},
    {.name = NULL},
};

/* ---- a token ----------------------------------------------------------------------- */

#define MARK(field) offsetof(struct kw_pin_record, mark.field)
static const struct kw_member record_table[] = {
    {.name = "serial",
     .kind = &kw_kind_text,
     .offset = AT(serial),
     .max = sizeof((struct kw_pin_record *)0)->serial,
     .nullable = true},
    {.name = "label",
     .kind = &kw_kind_text,
     .offset = AT(label),
     .max = sizeof((struct kw_pin_record *)0)->label,
     .nullable = true},
    {.name = "change", .kind = &kw_kind_u64, .offset = AT(change), .max = INT64_MAX},
    {.name = "latched", .kind = &kw_kind_bool, .offset = AT(latched)},
    {.name = "proven", .kind = &kw_kind_bool, .offset = AT(proven)},
    {.name = "retry", .kind = &kw_kind_bool, .offset = AT(retry)},
    {.name = "key",
     .kind = &kw_kind_hex,
     .offset = MARK(key),
     .max = sizeof((struct kw_pin_mark *)0)->key,
     .len_at = MARK(key_len) - MARK(key),
     .nullable = true},
    {.name = "digest",
     .kind = &kw_kind_hex,
     .offset = MARK(digest),
     .max = sizeof((struct kw_pin_mark *)0)->digest,
     .len_at = MARK(digest_len) - MARK(digest),
     .nullable = true},
    {.name = "refused",
     .kind = &kw_kind_list,
     .offset = AT(refused),
     .max = KW_PIN_REFUSED_MAX,
     .len_at = AT(refused_count) - AT(refused),
     .table = refused_table,
     .stride = sizeof(struct kw_pin_refused),
     .newer = true},
    {.name = "unclear",
     .kind = &kw_kind_u32,
     .offset = AT(unclear),
     .max = UINT32_MAX,
     .nullable = true},
    {.name = "ended",
     .kind = &kw_kind_moment,
     .offset = AT(ended_boot),
     .table = ended_table},
    {.name = "tried", .kind = &kw_kind_moment, .offset = AT(tried), .table = tried_table},
    {.name = "reason",
     .kind = &kw_kind_text,
     .offset = AT(reason),
     .max = sizeof((struct kw_pin_record *)0)->reason,
     .nullable = true},
    {.name = "at",
     .kind = &kw_kind_time,
     .offset = AT(at),
     .max = KW_TIME_TEXT,
     .nullable = true},
    {.name = NULL},
};

/* ---- all of them ------------------------------------------------------------------- */

static kw_err pin_file_read_list(const struct kw_member *m, json_t *value, void *field,
                                 struct kw_note *note)
{
    (void)m;
    struct kw_pin_records *all = field;
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > KW_PIN_RECORDS_MAX) {
        kw_note_set(note, "must be an array of at most %d tokens", KW_PIN_RECORDS_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "pin latch");
    }
    for (size_t i = 0; i < count; i++) {
        kw_err e =
            kw_members_read(record_table, json_array_get(value, i), &all->list[i], note);
        if (kw_failed(e))
            return e;
    }
    all->count = count;
    return KW_OK;
}

static json_t *pin_file_write_list(const struct kw_member *m, const void *field)
{
    (void)m;
    const struct kw_pin_records *all = field;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < all->count; i++) {
        json_t *one = kw_members_write(record_table, &all->list[i]);
        if (json_array_append_new(array, one) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static const struct kw_member_kind kind_list = {pin_file_read_list, pin_file_write_list};

static const struct kw_member records_table[] = {
    {.name = "pin-latch", .kind = &kw_kind_format, .max = 1},
    {.name = "tokens", .kind = &kind_list},
    {.name = NULL},
};

kw_err kw_pin_records_read(const struct kw_state_dir *dir, struct kw_pin_records *ret,
                           struct kw_note *note)
{
    *ret = (struct kw_pin_records){0};
    kw_err e = kw_state_read(dir, KW_PIN_FILE, records_table, ret, note);
    if (kw_failed(e))
        e.where = "pin-latch.json";
    return e;
}

kw_err kw_pin_records_parse(kw_span json, struct kw_pin_records *ret,
                            struct kw_note *note)
{
    *ret = (struct kw_pin_records){0};
    kw_err e = kw_json_read(records_table, json, KW_STATE_FILE_MAX, ret, note);
    if (kw_failed(e))
        *ret = (struct kw_pin_records){0};
    return e;
}

kw_err kw_pin_records_text(const struct kw_pin_records *records, struct kw_blob *ret_json)
{
    return kw_json_write(records_table, records, ret_json);
}

kw_err kw_pin_records_write(const struct kw_state_dir *dir,
                            const struct kw_pin_records *records, struct kw_note *note)
{
    return kw_state_write(dir, KW_PIN_FILE, records_table, records, note);
}

struct kw_pin_record *kw_pin_records_find(struct kw_pin_records *all, const char *serial,
                                          const char *label)
{
    for (size_t i = 0; i < all->count; i++) {
        struct kw_pin_record *r = &all->list[i];
        if (strcmp(r->serial, serial) == 0 &&
            (serial[0] != '\0' || strcmp(r->label, label) == 0))
            return r;
    }
    return NULL;
}

/* A vendor's words must not keep the latch from being written. */
static void pin_file_show(char *text, size_t cap)
{
    (void)kw_copy_printable(text, cap, kw_span_str(text));
}

static struct kw_pin_record *make_room(struct kw_pin_records *all)
{
    if (all->count < KW_PIN_RECORDS_MAX)
        return &all->list[all->count++];
    struct kw_pin_record *oldest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        struct kw_pin_record *r = &all->list[i];
        if (!r->latched && r->refused_count == 0 && r->unclear == 0 &&
            r->tried.pid == 0 && (oldest == NULL || strcmp(r->at, oldest->at) < 0))
            oldest = r;
    }
    return oldest;
}

bool kw_pin_records_put(struct kw_pin_records *all, const struct kw_pin_record *record)
{
    struct kw_pin_record *place = kw_pin_records_find(all, record->serial, record->label);
    if (place == NULL)
        place = make_room(all);
    if (place == NULL)
        return false;
    *place = *record;
    pin_file_show(place->serial, sizeof place->serial);
    pin_file_show(place->label, sizeof place->label);
    pin_file_show(place->reason, sizeof place->reason);
    for (size_t i = 0; i < place->refused_count; i++)
        pin_file_show(place->refused[i].label, sizeof place->refused[i].label);
    return true;
}
