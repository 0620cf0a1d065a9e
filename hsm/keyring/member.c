/* SPDX-License-Identifier: Apache-2.0 */
/* member - an object against its table, there and back */
#include "member.h"

#include <stdio.h>
#include <string.h>

void kw_note_prefix(struct kw_note *note, const char *what)
{
    struct kw_note inner = *note;
    kw_note_set(note, "%s: %s", what, inner.text);
}

void kw_note_element(struct kw_note *note, size_t i)
{
    char which[32];
    snprintf(which, sizeof which, "element %zu", i);
    kw_note_prefix(note, which);
}

static kw_err member_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "json member");
}

static void *field_of(const struct kw_member *m, void *base)
{
    return (char *)base + m->offset;
}

static const void *const_field_of(const struct kw_member *m, const void *base)
{
    return (const char *)base + m->offset;
}

static bool member_is_known(const struct kw_member *table, const char *name)
{
    for (const struct kw_member *m = table; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return true;
    return false;
}

static kw_err only_known(const struct kw_member *table, json_t *object,
                         struct kw_note *note)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!member_is_known(table, name)) {
            kw_note_set(note, "unknown member \"%s\"", name);
            return member_bad();
        }
    }
    return KW_OK;
}

static kw_err member_read_one(const struct kw_member *m, json_t *object, void *base,
                              struct kw_note *note)
{
    json_t *value = json_object_get(object, m->name);
    kw_err e = member_bad();
    if (value == NULL && (m->may_miss || m->former != NULL))
        return KW_OK;
    if (value == NULL)
        kw_note_set(note, m->newer ? "missing: only files of pre-release builds lack it, "
                                     "and this program does not read those"
                                   : "missing");
    else if (m->former != NULL)
        kw_note_set(note,
                    "only files of pre-release builds have it, and this program "
                    "does not read those: %s",
                    m->former);
    else
        e = m->kind->read(m, value, field_of(m, base), note);
    if (kw_failed(e))
        kw_note_prefix(note, m->name);
    return e;
}

kw_err kw_members_read(const struct kw_member *table, json_t *object, void *base,
                       struct kw_note *note)
{
    if (!json_is_object(object)) {
        kw_note_set(note, "must be an object");
        return member_bad();
    }
    for (const struct kw_member *m = table; m->name != NULL; m++) {
        kw_err e = member_read_one(m, object, base, note);
        if (kw_failed(e))
            return e;
    }
    return only_known(table, object, note);
}

json_t *kw_members_write(const struct kw_member *table, const void *base)
{
    json_t *object = json_object();
    for (const struct kw_member *m = table; m->name != NULL; m++) {
        if (m->former != NULL)
            continue;
        json_t *value = m->kind->write(m, const_field_of(m, base));
        if (json_object_set_new_nocheck(object, m->name, value) != 0) { /* takes value */
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
