/* SPDX-License-Identifier: Apache-2.0 */
/* The copies, and what was taken out of them. */
#include "evidence_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#define REDACTED "redacted"

bool kw_evidence_is_node_name(const char *name)
{
    const size_t len = strlen(name);
    return len >= 1 && len < KW_EVIDENCE_NODE_NAME && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

kw_err kw_evidence_blind(struct kw_evidence_node *node, const char *fmt, ...)
{
    char text[KW_NOTE_MAX + 64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kw_copy_printable(text, sizeof text, kw_span_str(text));
    return json_array_append_new(node->blind, json_string(text)) == 0
               ? KW_OK
               : kw_err_at(KW_CODE_NO_MEMORY, "evidence");
}

static kw_err evidence_digest(kw_span bytes, char hex[2 * KW_SHA256 + 1])
{
    uint8_t sha256[KW_SHA256];
    const kw_err e = kw_sha256(bytes, sha256);
    if (!kw_failed(e))
        kw_hex(hex, 2 * KW_SHA256 + 1, kw_span_of(sha256, sizeof sha256));
    return e;
}

static kw_err evidence_moved(const char *path, struct kw_note *note)
{
    kw_note_set(note, "%s was changed meanwhile; say it again", path);
    return kw_err_at(KW_CODE_BUSY, "evidence");
}

/* ---- the configuration ---- */

/* What names a file or a folder is where something lies; anything else may be a password of
 * the vendor's. */
static bool evidence_is_place(const char *value)
{
    struct stat st;
    return value[0] == '/' && stat(value, &st) == 0;
}

static kw_err evidence_redact_var(struct kw_config_var *var, size_t token,
                                  json_t *redacted)
{
    json_t *name = json_sprintf("hsm.tokens[%zu].env.%s", token, var->name);
    char *value = kw_strdup(kw_span_str(REDACTED));
    if (json_array_append_new(redacted, name) != 0 || value == NULL) {
        kw_free(value);
        return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    }
    kw_free(var->value);
    var->value = value;
    return KW_OK;
}

kw_err kw_evidence_redact(struct kw_config *config, json_t *redacted)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < config->token_count; i++) {
        struct kw_config_token *token = &config->tokens[i];
        for (size_t k = 0; k < token->env_count && !kw_failed(e); k++)
            if (!evidence_is_place(token->env[k].value))
                e = evidence_redact_var(&token->env[k], i, redacted);
    }
    return e;
}

/* The effective values, without the file's comments, which may quote what was taken out. */
static kw_err evidence_put_effective(struct kw_evidence_folder *folder,
                                     const struct kw_config *config, struct kw_note *note)
{
    char *text = kw_new(KW_CONFIG_MAX, 1);
    FILE *out = text != NULL ? fmemopen(text, KW_CONFIG_MAX, "w") : NULL;
    kw_err e = kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    if (out != NULL) {
        kw_config_print(config, out);
        const bool is_whole = fflush(out) == 0 && !ferror(out);
        const long len = ftell(out);
        fclose(out);
        if (is_whole && len > 0)
            e = kw_evidence_put(folder, "keyward.yaml", kw_span_of(text, (size_t)len),
                                note);
    }
    kw_free(text);
    return e;
}

static void evidence_differs(void *ctx, const char *path)
{
    (void)path;
    *(bool *)ctx = true;
}

static kw_err evidence_put_configuration(struct kw_evidence_folder *folder,
                                         const struct kw_context *context,
                                         const char *path, kw_span yaml, json_t *redacted,
                                         struct kw_note *note)
{
    struct kw_config *again = NULL;
    bool differs = false;
    kw_err e = kw_config_parse(yaml, path, SIZE_MAX, &again, note);
    if (kw_failed(e))
        return evidence_moved(path, note);
    kw_config_compare(context->config, again, evidence_differs, &differs);
    e = differs ? evidence_moved(path, note) : kw_evidence_redact(again, redacted);
    if (!kw_failed(e))
        e = json_array_size(redacted) > 0
                ? evidence_put_effective(folder, again, note)
                : kw_evidence_put(folder, "keyward.yaml", yaml, note);
    kw_config_free(again);
    return e;
}

kw_err kw_evidence_configuration(struct kw_evidence_folder *folder,
                                 const struct kw_context *context, const char *path,
                                 struct kw_evidence_node *node, struct kw_note *note)
{
    struct kw_blob file = {0};
    kw_err e = kw_file_read(path, KW_CONFIG_MAX, &file, note);
    if (!kw_failed(e))
        e = evidence_digest(kw_blob_peek(&file), node->configuration);
    if (!kw_failed(e))
        e = evidence_put_configuration(folder, context, path, kw_blob_peek(&file),
                                       node->redacted, note);
    kw_blob_wipe(&file);
    return e;
}

/* ---- the keyring ---- */

static kw_err evidence_put_keyring(struct kw_evidence_folder *folder,
                                   const struct kw_context *context, kw_span bytes,
                                   struct kw_evidence_node *node, struct kw_note *note)
{
    char want[2 * KW_SHA256 + 1] = "";
    kw_err e = evidence_digest(bytes, node->keyring);
    if (kw_failed(e))
        return e;
    if (context->ring != NULL)
        kw_hex(want, sizeof want, kw_span_of(context->ring->sha256, KW_SHA256));
    if (context->ring != NULL && strcmp(want, node->keyring) != 0)
        return evidence_moved(context->config->keyring, note);
    if (context->ring == NULL && context->damage.text[0] == '\0')
        return evidence_moved(context->config->keyring, note);
    /* What is no keyring may be anything of this machine, by a link of the daemon's user. */
    return context->ring != NULL ? kw_evidence_put(folder, "keyring.json", bytes, note)
                                 : KW_OK;
}

kw_err kw_evidence_keyring(struct kw_evidence_folder *folder,
                           const struct kw_context *context,
                           struct kw_evidence_node *node, struct kw_note *note)
{
    struct kw_blob file = {0};
    const char *path = context->config->keyring;
    kw_err e = kw_file_read(path, KW_KEYRING_MAX, &file, note);
    if (e.code == KW_CODE_MISSING && context->ring == NULL)
        return kw_evidence_blind(node, "keyring: %s: there is none", path);
    if (e.code == KW_CODE_BAD_INPUT && context->ring == NULL)
        return kw_evidence_blind(node, "keyring: %s", note->text);
    if (e.code == KW_CODE_MISSING)
        return evidence_moved(path, note);
    if (!kw_failed(e))
        e = evidence_put_keyring(folder, context, kw_blob_peek(&file), node, note);
    kw_blob_wipe(&file);
    if (!kw_failed(e) && context->ring == NULL)
        e = kw_evidence_blind(node, "keyring: %s", context->damage.text);
    return e;
}
