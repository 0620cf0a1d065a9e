/* SPDX-License-Identifier: Apache-2.0 */
/* Ages and the JSON of a version. */
#include "version.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <keyward/sha256.h>

#include "gone.h"

const char *kw_version_since(const struct kw_version *v)
{
    switch (v->state) {
    case KW_KEY_CREATED: return v->created;
    case KW_KEY_ACCEPTED: return v->accepted;
    case KW_KEY_ACTIVE: return v->activated;
    case KW_KEY_RETIRED: return v->retired;
    case KW_KEY_DISABLED: return v->disabled;
    case KW_KEY_DESTROYED: return v->destroyed;
    case KW_KEY_UNKNOWN: break;
    }
    return "";
}

bool kw_time_parse(const char *text, int64_t *ret_wall_ns)
{
    struct tm tm = {0};
    char z = 0;
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%*6d%c%n", &tm.tm_year, &tm.tm_mon,
               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &z, &used) != 7 ||
        z != 'Z' || text[used] != '\0')
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_wall_ns = (int64_t)timegm(&tm) * KW_S_NS;
    return true;
}

void kw_age_text(char dst[16], const char *since, int64_t wall_now_ns)
{
    static const struct {
        int64_t seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t then = 0;
    kw_copy_str(dst, 16, kw_span_str("-"));
    if (!kw_time_parse(since, &then))
        return;
    int64_t age = wall_now_ns > then ? (wall_now_ns - then) / KW_S_NS : 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (age >= units[i].seconds || units[i].seconds == 1) {
            snprintf(dst, 16, "%lld%c", (long long)(age / units[i].seconds),
                     units[i].letter);
            return;
        }
}

bool kw_version_unproven(const struct kw_version *v)
{
    return strncmp(v->origin, KW_ORIGIN_UNPROVEN, sizeof KW_ORIGIN_UNPROVEN - 1) == 0;
}

json_t *kw_attributes_json(const struct kw_key_attributes *a)
{
    json_t *o = json_object();
    for (size_t i = 0; i < kw_attribute_fields_count; i++) {
        const struct kw_attribute_field *f = &kw_attribute_fields[i];
        const void *at = (const char *)a + f->offset;
        enum kw_answer given = *(const enum kw_answer *)at;
        if (json_object_set_new(o, f->name,
                                given == KW_ANSWER_NONE
                                    ? json_null()
                                    : json_boolean(given == KW_ANSWER_TRUE)) != 0)
            break;
    }
    if (json_object_set_new(o, "CKA_VALUE_LEN",
                            a->value_len > 0 ? json_integer(a->value_len)
                                             : json_null()) != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static const char *cli_version_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static json_t *times_json(const struct kw_version *v)
{
    return json_pack(
        "{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "created",
        cli_version_or_null(v->created), "accepted", cli_version_or_null(v->accepted),
        "activated", cli_version_or_null(v->activated), "retired",
        cli_version_or_null(v->retired), "disabled", cli_version_or_null(v->disabled),
        "destroyed", cli_version_or_null(v->destroyed));
}

static json_t *token_json(const struct kw_version *v)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "label", v->token.label, "serial",
                     v->token.serial, "manufacturer", v->token.manufacturer, "model",
                     v->token.model, "firmware", v->token.firmware);
}

static json_t *copies_json(const struct kw_object *o)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < o->token_count; i++) {
        const struct kw_object_token *t = &o->tokens[i];
        if (json_array_append_new(rows, json_pack("{s:s, s:s, s:s?, s:s?}", "token_label",
                                                  t->label, "serial", t->serial, "proven",
                                                  cli_version_or_null(t->proven), "gone",
                                                  cli_version_or_null(t->gone))) != 0)
            break;
    }
    return rows;
}

static json_t *objects_json(const struct kw_version *v)
{
    char locator[2 * KW_LOCATOR_MAX + 1];
    json_t *objects = json_array();
    for (size_t i = 0; i < v->object_count; i++) {
        const struct kw_object *o = &v->objects[i];
        kw_hex(locator, sizeof locator, kw_span_of(o->locator, o->locator_len));
        if (json_array_append_new(objects, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}",
                                                     "role", kw_object_role_name(o->role),
                                                     "type", o->type, "label", o->label,
                                                     "locator", locator, "attributes",
                                                     kw_attributes_json(&o->attributes),
                                                     "tokens", copies_json(o))) != 0)
            break;
    }
    return objects;
}

static json_t *unknown_json(const struct kw_context *context, const struct kw_version *v)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b}", "n", (int)v->n, "key_id",
                     v->key_id, "state", "unknown", "state_in_file", v->unknown_state,
                     "unknown", v->unknown, "baseline", context->ring->active == v->n);
}

/* Who did what to it, as far as the keyring's history goes back. */
static json_t *cli_version_history(const struct kw_context *context,
                                   const struct kw_version *v)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < context->ring->history_count; i++) {
        const struct kw_history *h = &context->ring->history[i];
        if (h->n == v->n)
            json_array_append_new(lines,
                                  json_pack("{s:I, s:s, s:s, s:s?, s:s?}", "serial",
                                            (json_int_t)h->serial, "act", h->act, "at",
                                            h->at, "by", cli_version_or_null(h->by),
                                            "proof", cli_version_or_null(h->proof)));
    }
    return lines;
}

void kw_version_hash(const struct kw_version *v, char dst[KW_KEY_ID_HASH])
{
    uint8_t sha256[KW_SHA256];
    dst[0] = '\0';
    if (kw_failed(kw_sha256(kw_span_str(v->key_id), sha256)))
        return;
    const int len = snprintf(dst, KW_KEY_ID_HASH, "sha256:");
    kw_hex(dst + len, KW_KEY_ID_HASH - (size_t)len, kw_span_of(sha256, sizeof sha256));
}

json_t *kw_version_json(const struct kw_context *context, const struct kw_version *v)
{
    char hash[KW_KEY_ID_HASH];
    kw_version_hash(v, hash);
    if (v->state == KW_KEY_UNKNOWN)
        return unknown_json(context, v);
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:s?, s:s, s:s, s:s, s:o, s:o, s:o, "
        "s:b, s:b, s:i, s:o, s:o}",
        "n", (int)v->n, "key_id", v->key_id, "key_id_hash", hash, "state",
        kw_key_state_name(v->state), "mechanism", kw_mechanism_name(v->mechanism),
        "baseline", context->ring->active == v->n, "active_here",
        kw_context_active(context) == v->n, "second_copy",
        cli_version_or_null(v->second_copy), "origin", v->origin, "operator",
        v->operator_, "tool", v->tool, "times", times_json(v), "token", token_json(v),
        "objects", objects_json(v), "destroyable", v->want_destroyable, "copyable",
        v->want_copyable, "same_key_as", (int)v->same_key_as, "key_material_gone",
        kw_gone_json(context->ring, v), "history", cli_version_history(context, v));
}
