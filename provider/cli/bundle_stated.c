/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_stated.h"

#include <stdio.h>
#include <string.h>

#include <keyward/file.h>
#include <keyward/limits.h>
#include <keyward/sha256.h>

enum { STATED_MAX = 1 << 20, FILE_MAX = 256 << 20, DAYS_MAX = 3650 };

struct stated {
    const char *path; /* of the document */
    struct kw_note *note;
};

static kw_err stated_bad(const struct stated *s, const char *what, const char *why)
{
    kw_note_set(s->note, "%s: %s: %s", s->path, what, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "stated");
}

/* ---- members ---- */

/* Texts of `known` (ended by NULL), those of `wanted` of them must be there. */
static kw_err stated_texts(const struct stated *s, const char *list, json_t *object,
                           const char *const known[], size_t wanted)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return stated_bad(s, list, "each of them is an object");
    json_object_foreach(object, name, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            return stated_bad(s, name, "there is no such member");
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            json_string_length(value) > 255)
            return stated_bad(s, name, "it is a text of 1 to 255 bytes");
    }
    for (size_t i = 0; i < wanted; i++)
        if (json_object_get(object, known[i]) == NULL)
            return stated_bad(s, known[i], "it is missing");
    return KW_OK;
}

static kw_err stated_file_path(const struct stated *s, const char *file,
                               char dst[KW_PATH_MAX])
{
    const char *slash = strrchr(s->path, '/');
    const bool is_beside = file[0] != '/' && slash != NULL;
    const int len = snprintf(dst, KW_PATH_MAX, "%.*s%s",
                             is_beside ? (int)(slash + 1 - s->path) : 0, s->path, file);
    return len > 0 && len < (int)KW_PATH_MAX
               ? KW_OK
               : stated_bad(s, file, "the path is too long");
}

static kw_err stated_digest(const struct stated *s, json_t *file)
{
    char path[KW_PATH_MAX], hex[2 * KW_SHA256 + 1];
    uint8_t sha256[KW_SHA256];
    struct kw_blob bytes = {0};
    kw_err e =
        stated_file_path(s, json_string_value(json_object_get(file, "file")), path);
    if (!kw_failed(e))
        e = kw_file_read(path, FILE_MAX, &bytes, s->note);
    if (!kw_failed(e) && bytes.len == 0)
        e = stated_bad(s, path, "it is empty");
    if (!kw_failed(e))
        e = kw_sha256(kw_blob_peek(&bytes), sha256);
    kw_blob_wipe(&bytes);
    if (kw_failed(e))
        return e;
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    return json_object_set_new(file, "sha256", json_string(hex)) == 0
               ? KW_OK
               : kw_err_at(KW_CODE_NO_MEMORY, "stated");
}

/* ---- the document ---- */

/* What is said of it twice may contradict itself. */
static bool stated_is_twice(const json_t *tokens, size_t at)
{
    const json_t *serial = json_object_get(json_array_get(tokens, at), "serial");
    for (size_t i = 0; i < at; i++)
        if (json_equal(json_object_get(json_array_get(tokens, i), "serial"), serial))
            return true;
    return false;
}

static kw_err stated_tokens(const struct stated *s, json_t *tokens)
{
    static const char *const known[] = {"serial", "standard", "certificate",
                                        "level",  "location", NULL};
    json_t *one;
    size_t i;
    json_array_foreach(tokens, i, one)
    {
        kw_err e = stated_texts(s, "tokens", one, known, 1);
        if (!kw_failed(e) && stated_is_twice(tokens, i))
            e = stated_bad(s, json_string_value(json_object_get(one, "serial")),
                           "a token is stated once");
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

static kw_err stated_files(const struct stated *s, json_t *files)
{
    static const char *const known[] = {"what", "file", NULL};
    json_t *one;
    size_t i;
    json_array_foreach(files, i, one)
    {
        kw_err e = stated_texts(s, "files", one, known, 2);
        if (!kw_failed(e))
            e = stated_digest(s, one);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

static kw_err stated_judge(const struct stated *s, json_t *root)
{
    const char *name;
    json_t *value;
    if (!json_is_object(root))
        return stated_bad(s, "it", "it is no JSON object, or a member stands twice");
    json_object_foreach(root, name, value)
    {
        kw_err e = KW_OK;
        if (strcmp(name, "cryptoperiod_days") == 0) {
            const json_int_t days = json_integer_value(value);
            if (days < 1 || days > DAYS_MAX)
                e = stated_bad(s, name, "it is a number from 1 to 3650");
        } else if (strcmp(name, "tokens") == 0 && json_is_array(value)) {
            e = stated_tokens(s, value);
        } else if (strcmp(name, "files") == 0 && json_is_array(value)) {
            e = stated_files(s, value);
        } else {
            e = stated_bad(s, name, "no such member, or of another kind");
        }
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

kw_err kw_bundle_stated(const char *path, json_t **ret_stated, struct kw_note *note)
{
    const struct stated s = {path, note};
    struct kw_blob bytes = {0};
    kw_err e = kw_file_read(path, STATED_MAX, &bytes, note);
    if (kw_failed(e))
        return e;
    json_t *root =
        json_loadb((const char *)bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    kw_blob_wipe(&bytes);
    e = stated_judge(&s, root);
    if (kw_failed(e))
        json_decref(root);
    else
        *ret_stated = root;
    return e;
}

uint32_t kw_bundle_cryptoperiod(const json_t *stated, uint32_t standard)
{
    const json_t *days = json_object_get(stated, "cryptoperiod_days");
    return days != NULL ? (uint32_t)json_integer_value(days) : standard;
}
