/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest's one spelling. */
#include "bundle_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/sha256.h>

enum { MANIFEST_TEXT = 255 };

/* ---- what may stand in it ---- */

static bool manifest_is_part(kw_span part)
{
    return part.len > 0 && !kw_span_equal_str(part, ".") &&
           !kw_span_equal_str(part, "..");
}

static bool manifest_is_name_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-' || c == '@' || c == '/';
}

bool kw_bundle_is_name(const char *name)
{
    const size_t len = strlen(name);
    bool ok = len <= KW_BUNDLE_NAME_MAX && name[0] != '-' &&
              kw_span_all(kw_span_of(name, len), manifest_is_name_char) &&
              strcmp(name, KW_BUNDLE_MANIFEST) != 0 &&
              strcmp(name, KW_BUNDLE_SIGNATURE) != 0;
    for (size_t at = 0; ok && at <= len; at += strcspn(name + at, "/") + 1)
        ok = manifest_is_part(kw_span_of(name + at, strcspn(name + at, "/")));
    return ok;
}

static bool manifest_is_text_char(uint8_t c)
{
    return c < 0x80 && kw_is_printable_char(c) && c != '"' && c != '\\';
}

static bool manifest_is_text(const char *text)
{
    const kw_span s = kw_span_str(text);
    return s.len >= 1 && s.len <= MANIFEST_TEXT && kw_span_all(s, manifest_is_text_char);
}

static bool manifest_is_sha256(const char *hex)
{
    uint8_t sha256[KW_SHA256];
    return hex != NULL && kw_unhex(sha256, sizeof sha256, kw_span_str(hex));
}

static kw_err manifest_refuse(const char *what, const char *text, struct kw_note *note)
{
    kw_note_set(note, "'%.200s' cannot be %s in a manifest", text != NULL ? text : "",
                what);
    return kw_err_at(KW_CODE_BAD_INPUT, "manifest");
}

static kw_err manifest_judge_head(const struct kw_bundle_head *head, struct kw_note *note)
{
    const char *const texts[] = {head->version, head->at, head->from, head->to};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!manifest_is_text(texts[i]))
            return manifest_refuse("a text", texts[i], note);
    for (size_t i = 0; i < head->node_count; i++)
        if (!manifest_is_text(head->nodes[i]))
            return manifest_refuse("a node's name", head->nodes[i], note);
    for (size_t i = 0; i < head->audit_key_count; i++)
        if (!manifest_is_sha256(head->audit_keys[i]))
            return manifest_refuse("a key's SHA-256", head->audit_keys[i], note);
    return KW_OK;
}

/* ---- files in their order ---- */

struct manifest_file {
    const char *name, *sha256;
    json_int_t size;
};

static kw_err manifest_take(const json_t *row, struct manifest_file *ret,
                            struct kw_note *note)
{
    const json_t *size = json_object_get(row, "size");
    ret->name = json_string_value(json_object_get(row, "name"));
    ret->sha256 = json_string_value(json_object_get(row, "sha256"));
    ret->size = json_integer_value(size);
    if (ret->name == NULL || !kw_bundle_is_name(ret->name))
        return manifest_refuse("a file's name", ret->name, note);
    if (!json_is_integer(size) || ret->size < 0 || !manifest_is_sha256(ret->sha256))
        return manifest_refuse("listed, without size and SHA-256,", ret->name, note);
    return KW_OK;
}

/* Of bytes: they are ASCII. */
static int manifest_order(const void *a, const void *b)
{
    const struct manifest_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static kw_err manifest_sort(const json_t *files, struct manifest_file *dst,
                            struct kw_note *note)
{
    const size_t count = json_array_size(files);
    kw_err e = KW_OK;
    for (size_t i = 0; i < count && !kw_failed(e); i++)
        e = manifest_take(json_array_get(files, i), &dst[i], note);
    if (kw_failed(e))
        return e;
    qsort(dst, count, sizeof dst[0], manifest_order);
    for (size_t i = 1; i < count; i++)
        if (strcmp(dst[i - 1].name, dst[i].name) == 0)
            return manifest_refuse("listed twice", dst[i].name, note);
    return KW_OK;
}

/* ---- the bytes ---- */

/* A line is never longer than this and the name or text in it. */
enum { MANIFEST_LINE = 128 };

static size_t manifest_bound(const struct kw_bundle_head *head,
                             const struct manifest_file *files, size_t count)
{
    size_t bound = (size_t)16 * (MANIFEST_LINE + MANIFEST_TEXT);
    bound += head->node_count * (MANIFEST_LINE + MANIFEST_TEXT);
    bound += head->audit_key_count * (size_t)MANIFEST_LINE;
    for (size_t i = 0; i < count; i++)
        bound += MANIFEST_LINE + strlen(files[i].name);
    return bound;
}

static void manifest_put(kw_dst *dst, const char *text)
{
    KW_MUST(kw_dst_put(dst, kw_span_str(text)));
}

static void manifest_put_text(kw_dst *dst, const char *member, const char *text)
{
    char line[MANIFEST_LINE + MANIFEST_TEXT];
    snprintf(line, sizeof line, "  \"%s\": \"%s\",\n", member, text);
    manifest_put(dst, line);
}

static void manifest_put_list(kw_dst *dst, const char *member, const char *const *texts,
                              size_t count)
{
    char line[MANIFEST_LINE];
    snprintf(line, sizeof line, "  \"%s\": [", member);
    manifest_put(dst, line);
    for (size_t i = 0; i < count; i++) {
        manifest_put(dst, i > 0 ? ", \"" : "\"");
        manifest_put(dst, texts[i]);
        manifest_put(dst, "\"");
    }
    manifest_put(dst, "],\n");
}

static void manifest_put_file(kw_dst *dst, const struct manifest_file *file, bool is_last)
{
    char line[MANIFEST_LINE + KW_BUNDLE_NAME_MAX];
    snprintf(line, sizeof line,
             "    {\"sha256\": \"%s\", \"size\": %" JSON_INTEGER_FORMAT
             ", \"name\": \"%s\"}%s\n",
             file->sha256, file->size, file->name, is_last ? "" : ",");
    manifest_put(dst, line);
}

static void manifest_write(const struct kw_bundle_head *head,
                           const struct manifest_file *files, size_t count, kw_dst *dst)
{
    manifest_put(dst, KW_BUNDLE_DOMAIN);
    manifest_put_text(dst, "version", head->version);
    manifest_put_text(dst, "at", head->at);
    manifest_put_text(dst, "from", head->from);
    manifest_put_text(dst, "to", head->to);
    manifest_put_list(dst, "nodes", head->nodes, head->node_count);
    manifest_put_list(dst, "audit_keys", head->audit_keys, head->audit_key_count);
    manifest_put(dst, "  \"files\": [\n");
    for (size_t i = 0; i < count; i++)
        manifest_put_file(dst, &files[i], i + 1 == count);
    manifest_put(dst, "  ]\n}\n");
}

static kw_err manifest_make(const struct kw_bundle_head *head,
                            const struct manifest_file *files, size_t count,
                            struct kw_blob *ret, struct kw_note *note)
{
    const size_t bound = manifest_bound(head, files, count);
    uint8_t *bytes = kw_new(1, bound);
    if (bytes == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "manifest");
    kw_dst dst = kw_dst_of(bytes, bound);
    manifest_write(head, files, count, &dst);
    if (dst.len <= KW_BUNDLE_MANIFEST_MAX) {
        *ret = (struct kw_blob){dst.ptr, dst.len};
        return KW_OK;
    }
    kw_free(bytes);
    kw_note_set(note, "the manifest would be longer than %zu bytes",
                KW_BUNDLE_MANIFEST_MAX);
    return kw_err_at(KW_CODE_BUSY, "manifest");
}

kw_err kw_bundle_manifest(const struct kw_bundle_head *head, const json_t *files,
                          struct kw_blob *ret_manifest, struct kw_note *note)
{
    const size_t count = json_array_size(files);
    kw_err e = manifest_judge_head(head, note);
    if (kw_failed(e))
        return e;
    struct manifest_file *sorted = kw_new(count + 1, sizeof *sorted);
    if (sorted == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "manifest");
    e = manifest_sort(files, sorted, note);
    if (!kw_failed(e))
        e = manifest_make(head, sorted, count, ret_manifest, note);
    kw_free(sorted);
    return e;
}

/* ---- both files ---- */

kw_err kw_bundle_finish(struct kw_evidence_folder *folder,
                        const struct kw_bundle_head *head, struct kw_note *note)
{
    struct kw_blob manifest = {NULL, 0};
    kw_err e = kw_evidence_put(folder, KW_BUNDLE_VERIFY, kw_bundle_verify_text(), note);
    if (!kw_failed(e))
        e = kw_bundle_manifest(head, folder->files, &manifest, note);
    if (kw_failed(e))
        return e;
    e = kw_evidence_put(folder, KW_BUNDLE_MANIFEST, kw_blob_peek(&manifest), note);
    kw_blob_wipe(&manifest);
    return kw_failed(e) ? e : kw_evidence_folder_sync(folder, note);
}
