/* SPDX-License-Identifier: Apache-2.0 */
#include "args_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

enum { VALUE_CHOICES = 384 }; /* all of a row, with commas */

static kw_err value_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "args");
}

static bool number_read(const char *text, const struct kw_option *o, uint64_t *ret_n)
{
    char *end = NULL;
    uint64_t n = strlen(text) <= 18 ? strtoull(text, &end, 10) : 0;
    if (end == NULL || text[0] < '0' || text[0] > '9' || *end != '\0' || n < o->least ||
        n > o->most)
        return false;
    *ret_n = n;
    return true;
}

static kw_err value_number(const struct kw_option *o, const char *value, uint64_t *ret_n,
                           struct kw_note *note)
{
    if (number_read(value, o, ret_n))
        return KW_OK;
    kw_note_set(note, "--%s %s: it wants a whole number from %" PRIu64 " to %" PRIu64,
                o->name, value, o->least, o->most);
    return value_bad();
}

static kw_err value_time(const struct kw_option *o, const char *value,
                         struct kw_note *note)
{
    char least[32], most[32];
    int64_t ns = 0;
    if (kw_duration_parse(value, &ns) && ns >= (int64_t)o->least &&
        ns <= (int64_t)o->most) {
        *o->time_ns = ns;
        return KW_OK;
    }
    kw_duration_text(least, sizeof least, (int64_t)o->least);
    kw_duration_text(most, sizeof most, (int64_t)o->most);
    kw_note_set(note, "--%s %s: it wants a time such as 500ms or 2s, from %s to %s",
                o->name, value, least, most);
    return value_bad();
}

static kw_err value_list(const struct kw_option *o, const char *value,
                         struct kw_note *note)
{
    o->list->count = 0;
    for (const char *at = value; at != NULL;) {
        char one[24];
        const char *comma = strchr(at, ',');
        size_t len = comma != NULL ? (size_t)(comma - at) : strlen(at);
        if (o->list->count == KW_ARGS_LIST_MAX ||
            !kw_copy_str(one, sizeof one, kw_span_of(at, len))) {
            kw_note_set(note, "--%s %s: it wants at most %u numbers with commas between",
                        o->name, value, KW_ARGS_LIST_MAX);
            return value_bad();
        }
        kw_err e = value_number(o, one, &o->list->at[o->list->count++], note);
        if (kw_failed(e))
            return e;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return KW_OK;
}

/* "red, green or blue" */
static void value_choices(const struct kw_option *o, char dst[VALUE_CHOICES])
{
    kw_dst list = kw_dst_of(dst, VALUE_CHOICES - 1);
    bool has_room = true;
    for (unsigned i = 0; has_room && o->choices[i] != NULL; i++) {
        const char *between = i == 0 ? "" : o->choices[i + 1] == NULL ? " or " : ", ";
        has_room = kw_dst_put(&list, kw_span_str(between)) &&
                   kw_dst_put(&list, kw_span_str(o->choices[i]));
    }
}

static kw_err value_choice(const struct kw_option *o, const char *value,
                           struct kw_note *note)
{
    char all[VALUE_CHOICES] = "";
    for (unsigned i = 0; o->choices[i] != NULL; i++)
        if (strcmp(value, o->choices[i]) == 0) {
            *o->choice = i;
            return KW_OK;
        }
    value_choices(o, all);
    kw_note_set(note, "--%s %s: it wants %s", o->name, value, all);
    return value_bad();
}

kw_err kw_args_value(const struct kw_option *o, const char *value, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (o->number != NULL)
        e = value_number(o, value, o->number, note);
    if (!kw_failed(e) && o->time_ns != NULL)
        e = value_time(o, value, note);
    if (!kw_failed(e) && o->list != NULL)
        e = value_list(o, value, note);
    if (!kw_failed(e) && o->choice != NULL)
        e = value_choice(o, value, note);
    if (!kw_failed(e) && o->text != NULL)
        *o->text = value;
    return e;
}
