/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest is read, and everything beside it looked at. */
#include "bundle_check.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/sha256.h>

static kw_err bundle_differs(struct kw_note *note, const char *name, const char *how)
{
    kw_note_set(note, "%s: %s", name, how);
    return kw_err_at(KW_CODE_BAD_INPUT, "bundle");
}

static kw_err bundle_unsigned(kw_err e, struct kw_note *note)
{
    const struct kw_note why = *note;
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note, "%s; what is not as its manifest says is not signed", why.text);
    return e;
}

static kw_err bundle_unread(struct kw_note *note, const char *path, int error)
{
    kw_note_set(note, "%s: %s", path, strerror(error));
    return kw_err_native(KW_CODE_IO, (uint32_t)error, "bundle");
}

/* ---- the manifest ---- */

/* NULL: no memory. */
static const char **bundle_texts(const json_t *list)
{
    const size_t count = json_array_size(list);
    const char **texts = kw_new(count + 1, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < count; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    return texts;
}

static kw_err bundle_spell(const json_t *root, struct kw_blob *ret, struct kw_note *note)
{
    const json_t *nodes = json_object_get(root, "nodes"),
                 *keys = json_object_get(root, "audit_keys");
    const char **node_names = bundle_texts(nodes), **key_names = bundle_texts(keys);
    const struct kw_bundle_head head = {
        .version = json_string_value(json_object_get(root, "version")),
        .at = json_string_value(json_object_get(root, "at")),
        .from = json_string_value(json_object_get(root, "from")),
        .to = json_string_value(json_object_get(root, "to")),
        .nodes = node_names,
        .node_count = json_array_size(nodes),
        .audit_keys = key_names,
        .audit_key_count = json_array_size(keys)};
    const kw_err e =
        node_names != NULL && key_names != NULL
            ? kw_bundle_manifest(&head, json_object_get(root, "files"), ret, note)
            : kw_err_at(KW_CODE_NO_MEMORY, "bundle");
    kw_free(node_names);
    kw_free(key_names);
    return e;
}

/* What it says is written once more, and must be the same. */
static kw_err bundle_parse(kw_span manifest, json_t **ret_root, struct kw_note *note)
{
    struct kw_blob again = {NULL, 0};
    struct kw_note why = {{0}};
    if (!kw_bundle_is_manifest(manifest))
        return bundle_differs(note, KW_BUNDLE_MANIFEST,
                              "it does not begin as the manifest of a bundle does");
    json_t *root = json_loadb((const char *)manifest.ptr, manifest.len,
                              JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL)
        return bundle_differs(note, KW_BUNDLE_MANIFEST, "it is no JSON");
    const kw_err e = bundle_spell(root, &again, &why);
    const bool is_same = !kw_failed(e) && kw_span_equal(manifest, kw_blob_peek(&again));
    kw_blob_wipe(&again);
    if (is_same) {
        *ret_root = root;
        return KW_OK;
    }
    json_decref(root);
    if (e.code == KW_CODE_NO_MEMORY)
        return e;
    return bundle_differs(note, KW_BUNDLE_MANIFEST,
                          kw_failed(e) ? why.text
                                       : "it is not spelt as keyward writes it");
}

/* ---- the files ---- */

struct bundle_walk {
    const char *const *but; /* names that nobody lists, ended by NULL */
    json_t *listed;         /* name -> row, of those that were not met yet */
    struct kw_note *note;
};

/* Name, size and SHA-256, as what it lists may be anybody's; NULL: it has no such name. */
static const char *bundle_listed_name(const json_t *row)
{
    uint8_t sha256[KW_SHA256];
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *hex = json_string_value(json_object_get(row, "sha256"));
    const bool is_whole = name != NULL && hex != NULL &&
                          json_is_integer(json_object_get(row, "size")) &&
                          kw_unhex(sha256, sizeof sha256, kw_span_str(hex));
    return is_whole ? name : NULL;
}

static kw_err bundle_index(const json_t *files, json_t *listed, struct kw_note *note)
{
    if (listed == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "bundle");
    for (size_t i = 0; i < json_array_size(files); i++) {
        json_t *row = json_array_get(files, i);
        const char *name = bundle_listed_name(row);
        if (name == NULL)
            return bundle_differs(note, "its list",
                                  "a file in it lacks name, size or SHA-256");
        if (json_object_get(listed, name) != NULL)
            return bundle_differs(note, name, "it is listed twice");
        if (json_object_set(listed, name, row) != 0)
            return kw_err_at(KW_CODE_NO_MEMORY, "bundle");
    }
    return KW_OK;
}

/* Of one that is open. */
static kw_err bundle_judge_bytes(struct kw_note *note, const json_t *row,
                                 const char *name, int fd)
{
    struct stat st;
    uint8_t sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1];
    const json_int_t size = json_integer_value(json_object_get(row, "size"));
    if (fstat(fd, &st) != 0)
        return bundle_unread(note, name, errno);
    if (!S_ISREG(st.st_mode))
        return bundle_differs(note, name, "it is no regular file");
    if (st.st_size != size)
        return bundle_differs(note, name, "it has another size than is listed");
    const kw_err e = kw_sha256_file(fd, (uint64_t)st.st_size, sha256);
    if (kw_failed(e)) {
        kw_note_set(note, "%s: cannot be read", name);
        return e;
    }
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    return strcmp(hex, json_string_value(json_object_get(row, "sha256"))) == 0
               ? KW_OK
               : bundle_differs(note, name, "it has another SHA-256 than is listed");
}

static kw_err bundle_judge_file(const struct bundle_walk *w, const char *path,
                                const char *name)
{
    const json_t *row = json_object_get(w->listed, name);
    for (size_t i = 0; w->but[i] != NULL; i++)
        if (strcmp(name, w->but[i]) == 0)
            return KW_OK;
    if (row == NULL)
        return bundle_differs(w->note, name, "it is not listed");
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return bundle_unread(w->note, path, errno);
    const kw_err e = bundle_judge_bytes(w->note, row, name, fd);
    close(fd);
    if (!kw_failed(e))
        KW_MUST(json_object_del(w->listed, name) == 0);
    return e;
}

static kw_err bundle_judge_entry(const struct bundle_walk *w, const FTSENT *entry,
                                 size_t root_len)
{
    const char *name = entry->fts_path + root_len;
    name += strspn(name, "/");
    switch (entry->fts_info) {
    case FTS_D:
    case FTS_DP: return KW_OK;
    case FTS_F: return bundle_judge_file(w, entry->fts_path, name);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS: return bundle_unread(w->note, entry->fts_path, entry->fts_errno);
    default: return bundle_differs(w->note, name, "it is no regular file");
    }
}

static kw_err bundle_walk_tree(const struct bundle_walk *w, FTS *tree, size_t root_len)
{
    kw_err e = KW_OK;
    const FTSENT *entry = NULL;
    errno = 0;
    while (!kw_failed(e) && (entry = fts_read(tree)) != NULL) {
        e = bundle_judge_entry(w, entry, root_len);
        errno = 0;
    }
    if (!kw_failed(e) && errno != 0)
        return bundle_unread(w->note, ".", errno);
    return e;
}

static kw_err bundle_walk_all(const struct bundle_walk *w, const char *dir)
{
    char path[PATH_MAX];
    char *const roots[] = {path, NULL};
    if (!kw_copy_str(path, sizeof path, kw_span_str(dir)))
        return bundle_unread(w->note, dir, ENAMETOOLONG);
    FTS *tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL)
        return bundle_unread(w->note, dir, errno);
    const kw_err e = bundle_walk_tree(w, tree, strlen(path));
    fts_close(tree);
    return e;
}

kw_err kw_bundle_files(const char *dir, const json_t *files, const char *const but[],
                       struct kw_note *note)
{
    struct bundle_walk w = {.but = but, .listed = json_object(), .note = note};
    kw_err e = bundle_index(files, w.listed, note);
    if (!kw_failed(e))
        e = bundle_walk_all(&w, dir);
    if (!kw_failed(e) && json_object_size(w.listed) > 0)
        e = bundle_differs(note, json_object_iter_key(json_object_iter(w.listed)),
                           "it is listed and not there");
    json_decref(w.listed);
    return e;
}

/* ---- the whole ---- */

kw_err kw_bundle_check(const char *dir, struct kw_bundle *ret_bundle,
                       struct kw_note *note)
{
    static const char *const but[] = {KW_BUNDLE_MANIFEST, KW_BUNDLE_SIGNATURE, NULL};
    char path[KW_PATH_MAX];
    struct kw_bundle bundle = {.files = 0};
    json_t *root = NULL;
    const int n = snprintf(path, sizeof path, "%s/" KW_BUNDLE_MANIFEST, dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return bundle_unread(note, dir, ENAMETOOLONG);
    kw_err e = kw_file_read(path, KW_BUNDLE_MANIFEST_MAX, &bundle.manifest, note);
    if (kw_failed(e))
        return e;
    e = bundle_parse(kw_blob_peek(&bundle.manifest), &root, note);
    if (!kw_failed(e)) {
        const json_t *files = json_object_get(root, "files");
        bundle.files = json_array_size(files);
        e = kw_bundle_files(dir, files, but, note);
    }
    e = bundle_unsigned(e, note);
    json_decref(root);
    if (kw_failed(e))
        kw_blob_wipe(&bundle.manifest);
    else
        *ret_bundle = bundle;
    return e;
}
