/* SPDX-License-Identifier: Apache-2.0 */
/* opaque - what is new in a version, and keeping it as it stands */
#include "opaque.h"

#include "keyring_layout.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

#include "value.h"

enum { WHY = sizeof((struct kw_version *)0)->unknown };

static kw_err opaque_bad(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static bool is_new_name(const json_t *object, const char *member,
                        bool (*is_known)(const char *), char why[WHY])
{
    const char *name = json_string_value(json_object_get(object, member));
    if (name == NULL || is_known(name) || !kw_is_member_text(kw_span_str(name), WHY / 2))
        return false;
    snprintf(why, WHY, "its %s is \"%s\"", member, name);
    return true;
}

static bool is_mechanism(const char *name)
{
    enum kw_mechanism m;
    return kw_mechanism_from_name(name, &m);
}

static bool is_state(const char *name)
{
    enum kw_key_state s;
    return kw_key_state_from_name(name, &s);
}

/* Formats of the ciphertext are one byte. */
static bool is_new_format(const json_t *version, char why[WHY])
{
    json_int_t format = json_integer_value(json_object_get(version, "format"));
    if (format <= KW_FORMAT_1 || format > UINT8_MAX)
        return false;
    snprintf(why, WHY, "its format is %d", (int)format);
    return true;
}

static bool has_new_object(const json_t *version, char why[WHY])
{
    const json_t *objects = json_object_get(version, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++)
        if (!kw_object_is_known(json_array_get(objects, i))) {
            snprintf(why, WHY, "it has an object of a new role or type");
            return true;
        }
    return false;
}

static bool has_critical(const json_t *version, char why[WHY])
{
    const json_t *names = json_object_get(version, "critical");
    if (!kw_is_critical(names) || json_array_size(names) == 0)
        return false;
    snprintf(why, WHY, "\"%s\" must be understood to use it",
             json_string_value(json_array_get(names, 0)));
    return true;
}

bool kw_version_is_new(const json_t *value, char why[WHY])
{
    why[0] = '\0';
    return is_new_name(value, "mechanism", is_mechanism, why) ||
           is_new_name(value, "state", is_state, why) || is_new_format(value, why) ||
           has_new_object(value, why) || has_critical(value, why);
}

/* An earlier version that must stay as long as this one; 0 = none is named. */
static uint32_t opaque_key_of(const json_t *value, uint32_t n)
{
    json_int_t as = json_integer_value(json_object_get(value, "same-key-as"));
    return as >= 1 && as < (json_int_t)n ? (uint32_t)as : 0;
}

kw_err kw_version_keep(const json_t *value, struct kw_version *v, struct kw_note *note)
{
    kw_span state = kw_span_str(json_string_value(json_object_get(value, "state")));
    const json_t *critical = json_object_get(value, "critical");
    v->state = KW_KEY_UNKNOWN;
    v->unknown_json = kw_layout_owned_line(value);
    if (v->unknown_json == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    if (!kw_is_member_text(state, sizeof v->unknown_state)) {
        kw_note_set(note, "state: must be 1 to %zu bytes of printable text",
                    sizeof v->unknown_state - 1);
        return opaque_bad();
    }
    if (critical != NULL && !kw_is_critical(critical)) {
        kw_note_set(note, "critical: " KW_CRITICAL_RULE, KW_CRITICAL_MAX,
                    KW_CRITICAL_NAME_MAX);
        return opaque_bad();
    }
    if (strlen(v->unknown_json) > KW_UNKNOWN_VERSION_MAX) {
        kw_note_set(note, "is larger than %u bytes", KW_UNKNOWN_VERSION_MAX);
        return opaque_bad();
    }
    (void)kw_copy_str(v->unknown_state, sizeof v->unknown_state, state);
    v->same_key_as = opaque_key_of(value, v->n);
    return KW_OK;
}
