/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "bundle_check.h"

#define NODE_JSON "node.json"
enum { DOCUMENT_MAX = 32 << 20 };

bool kw_bundle_node_named(const char *word, struct kw_bundle_node *ret_node)
{
    struct kw_bundle_node node = {.dir = strchr(word, '=')};
    const size_t len = node.dir != NULL ? (size_t)(node.dir - word) : strlen(word);
    if (!kw_copy_str(node.name, sizeof node.name, kw_span_of(word, len)) ||
        !kw_evidence_is_node_name(node.name) || (node.dir != NULL && node.dir[1] == '\0'))
        return false;
    node.dir = node.dir != NULL ? node.dir + 1 : NULL;
    *ret_node = node;
    return true;
}

/* ---- reading ---- */

static kw_err bundle_node_bad(const struct kw_bundle_node *node, const char *file,
                              const char *why, struct kw_note *note)
{
    kw_note_set(note, "%s/%s: %s", node->dir, file, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "node");
}

/* It has the file's name: which folder's? */
static kw_err bundle_node_told(const struct kw_bundle_node *node, kw_err e,
                               struct kw_note *note)
{
    const struct kw_note why = *note;
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note, "%s/%s", node->dir, why.text);
    return e;
}

static kw_err bundle_node_path(const struct kw_bundle_node *node, const char *name,
                               char dst[KW_PATH_MAX], struct kw_note *note)
{
    const int len = snprintf(dst, KW_PATH_MAX, "%s/%s", node->dir, name);
    return len > 0 && len < (int)KW_PATH_MAX
               ? KW_OK
               : bundle_node_bad(node, name, "the path is too long", note);
}

static kw_err bundle_node_document(struct kw_bundle_node *node, const char *name,
                                   json_t **ret_document, char ret_sha256[65],
                                   struct kw_note *note)
{
    char path[KW_PATH_MAX];
    uint8_t sha256[KW_SHA256];
    struct kw_blob bytes = {0};
    kw_err e = bundle_node_path(node, name, path, note);
    if (!kw_failed(e))
        e = kw_file_read(path, DOCUMENT_MAX, &bytes, note);
    if (!kw_failed(e))
        e = kw_sha256(kw_blob_peek(&bytes), sha256);
    if (kw_failed(e))
        return e;
    kw_hex(ret_sha256, 65, kw_span_of(sha256, sizeof sha256));
    *ret_document =
        json_loadb((const char *)bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    kw_blob_wipe(&bytes);
    return *ret_document != NULL ? KW_OK
                                 : bundle_node_bad(node, name, "it is no JSON", note);
}

static const char *bundle_node_file_of(const json_t *file)
{
    const char *name = json_string_value(json_object_get(file, "name"));
    return name != NULL ? name : "";
}

bool kw_bundle_node_has(const struct kw_bundle_node *node, const char *name)
{
    const json_t *file;
    size_t i;
    json_array_foreach(json_object_get(node->node, "files"), i, file)
    {
        if (strcmp(bundle_node_file_of(file), name) == 0)
            return true;
    }
    return false;
}

/* Does it speak of this node, in a way that we know? */
static kw_err bundle_node_judge(const struct kw_bundle_node *node, struct kw_note *note)
{
    const char *what = json_string_value(json_object_get(node->node, "collected"));
    const char *name = json_string_value(json_object_get(node->node, "node"));
    if (what == NULL || strcmp(what, "keyward-node") != 0 ||
        json_integer_value(json_object_get(node->node, "format")) != 1 || name == NULL ||
        !json_is_array(json_object_get(node->node, "files")))
        return bundle_node_bad(node, NODE_JSON, "it is none of keyward evidence collect",
                               note);
    if (strcmp(name, node->name) == 0)
        return KW_OK;
    kw_note_set(note, "%s is of the node '%s', and not of '%s'", node->dir, name,
                node->name);
    return kw_err_at(KW_CODE_BAD_INPUT, "node");
}

/* What a token says must not be left out by a configuration that does not name it. */
static kw_err bundle_node_no_other_token(const struct kw_bundle_node *node,
                                         const json_t *tokens, struct kw_note *note)
{
    const json_t *file, *one;
    size_t i, k;
    json_array_foreach(json_object_get(node->node, "files"), i, file)
    {
        const char *name = bundle_node_file_of(file);
        bool is_known = strncmp(name, "token-", strlen("token-")) != 0;
        json_array_foreach(tokens, k, one)
        {
            const char *of = json_string_value(json_object_get(one, "file"));
            is_known = is_known || (of != NULL && strcmp(of, name) == 0);
        }
        if (!is_known)
            return bundle_node_bad(node, name, "no token of the configuration has it",
                                   note);
    }
    return KW_OK;
}

static kw_err bundle_node_tokens(struct kw_bundle_node *node, struct kw_note *note)
{
    const json_t *configuration = json_object_get(node->node, "configuration"), *one;
    char sha256[65];
    size_t i;
    json_array_foreach(json_object_get(configuration, "tokens"), i, one)
    {
        const char *file = json_string_value(json_object_get(one, "file"));
        if (file == NULL || node->token_count == KW_TOKENS_MAX ||
            !kw_bundle_node_has(node, file))
            return bundle_node_bad(node, NODE_JSON, "a token has no document", note);
        const kw_err e = bundle_node_document(
            node, file, &node->tokens[node->token_count], sha256, note);
        if (kw_failed(e))
            return e;
        if (!json_equal(json_object_get(node->tokens[node->token_count++], "name"),
                        json_object_get(one, "name")))
            return bundle_node_bad(node, file, "it is of another token", note);
    }
    return node->token_count > 0
               ? bundle_node_no_other_token(
                     node, json_object_get(configuration, "tokens"), note)
               : bundle_node_bad(node, NODE_JSON, "it names no token", note);
}

/* ---- the keyring, of which both documents speak ---- */

static bool bundle_node_is_text(const json_t *in, const char *name, const char *text)
{
    const char *is = json_string_value(json_object_get(in, name));
    return is != NULL && strcmp(is, text) == 0;
}

static bool bundle_node_is_of_ring(const struct kw_bundle_node *node)
{
    char hex[2 * KW_SHA256 + 1];
    const json_t *keyring = json_object_get(node->node, "keyring");
    const json_t *serial = json_object_get(keyring, "serial");
    if (node->ring == NULL)
        return serial == NULL || json_is_null(serial);
    kw_hex(hex, sizeof hex, kw_span_of(node->ring->sha256, KW_SHA256));
    return json_is_integer(serial) &&
           (uint64_t)json_integer_value(serial) == node->ring->serial &&
           bundle_node_is_text(keyring, "sha256", hex);
}

/* Each version of the keyring, in its order, and no other. */
static bool bundle_node_has_versions(const struct kw_bundle_node *node,
                                     const json_t *token)
{
    const json_t *versions = json_object_get(token, "versions");
    const size_t count = node->ring != NULL ? node->ring->count : 0;
    if (json_array_size(versions) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct kw_version *v = &node->ring->versions[i];
        const json_t *says = json_array_get(versions, i);
        if (json_integer_value(json_object_get(says, "n")) != (json_int_t)v->n ||
            !bundle_node_is_text(says, "key_id", v->key_id) ||
            !bundle_node_is_text(says, "state", kw_key_state_name(v->state)))
            return false;
    }
    return true;
}

static kw_err bundle_node_keyring(struct kw_bundle_node *node, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    kw_err e = KW_OK;
    if (kw_bundle_node_has(node, "keyring.json")) {
        e = bundle_node_path(node, "keyring.json", path, note);
        if (!kw_failed(e))
            e = kw_keyring_load(path, &node->ring, NULL, note);
    }
    if (!kw_failed(e) && !bundle_node_is_of_ring(node))
        e = bundle_node_bad(node, NODE_JSON, "it is of another keyring", note);
    for (size_t i = 0; i < node->token_count && !kw_failed(e); i++)
        if (!bundle_node_has_versions(node, node->tokens[i]))
            e = bundle_node_bad(node, NODE_JSON,
                                "a token's versions are not those of the keyring", note);
    return e;
}

kw_err kw_bundle_node_read(struct kw_bundle_node *node, struct kw_note *note)
{
    static const char *const but[] = {NODE_JSON, NULL};
    if (node->dir == NULL)
        return KW_OK;
    kw_err e = bundle_node_document(node, NODE_JSON, &node->node, node->sha256, note);
    if (!kw_failed(e))
        e = bundle_node_judge(node, note);
    if (!kw_failed(e))
        e = bundle_node_told(
            node,
            kw_bundle_files(node->dir, json_object_get(node->node, "files"), but, note),
            note);
    if (!kw_failed(e))
        e = bundle_node_tokens(node, note);
    return kw_failed(e) ? e : bundle_node_keyring(node, note);
}

void kw_bundle_node_free(struct kw_bundle_node *node)
{
    json_decref(node->node);
    for (size_t i = 0; i < node->token_count; i++)
        json_decref(node->tokens[i]);
    kw_keyring_give(node->ring);
    *node = (struct kw_bundle_node){.name = ""};
}

/* ---- copying ---- */

static bool bundle_node_is_audit(const char *name)
{
    return strncmp(name, "audit/audit", strlen("audit/audit")) == 0;
}

/* What was written is what was read and judged before. */
static kw_err bundle_node_is_copied(const struct kw_bundle_node *node,
                                    const struct kw_evidence_folder *folder,
                                    const char *name, const char *sha256,
                                    struct kw_note *note)
{
    const json_t *last =
        json_array_get(folder->files, json_array_size(folder->files) - 1);
    return sha256 != NULL && bundle_node_is_text(last, "sha256", sha256)
               ? KW_OK
               : bundle_node_bad(node, name, "somebody changed it meanwhile", note);
}

static kw_err bundle_node_copy_one(const struct kw_bundle_node *node,
                                   struct kw_evidence_folder *folder, const char *name,
                                   const char *sha256, struct kw_note *note)
{
    char from[KW_PATH_MAX], to[KW_PATH_MAX];
    struct stat st = {0};
    bool is_unread = false;
    snprintf(to, sizeof to, "nodes/%s/%s", node->name, name);
    kw_err e = bundle_node_path(node, name, from, note);
    if (kw_failed(e))
        return e;
    const int fd = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0) {
        e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "node");
        kw_note_set(note, "%s: %s", from, strerror(errno));
    } else {
        e = kw_evidence_copy(folder, to, fd, (uint64_t)st.st_size, &is_unread, note);
    }
    if (fd >= 0)
        close(fd);
    return kw_failed(e) ? e : bundle_node_is_copied(node, folder, name, sha256, note);
}

kw_err kw_bundle_node_copy(const struct kw_bundle_node *node,
                           struct kw_evidence_folder *folder, struct kw_note *note)
{
    const json_t *file;
    size_t i;
    kw_err e = node->dir != NULL
                   ? bundle_node_copy_one(node, folder, NODE_JSON, node->sha256, note)
                   : KW_OK;
    json_array_foreach(json_object_get(node->node, "files"), i, file)
    {
        if (!kw_failed(e) && !bundle_node_is_audit(bundle_node_file_of(file)))
            e = bundle_node_copy_one(node, folder, bundle_node_file_of(file),
                                     json_string_value(json_object_get(file, "sha256")),
                                     note);
    }
    return e;
}
