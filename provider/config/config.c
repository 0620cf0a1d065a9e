/* SPDX-License-Identifier: Apache-2.0 */
/* config - from a file's bytes to a checked configuration, and its end */
#include <keyward/config.h>

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "reader.h"

/* ---- the token's name -------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %XX.  false for what does not fit or is not printable. */
static bool label_of(kw_span value, char *dst, size_t cap)
{
    struct kw_src src = kw_src_of(value);
    size_t n = 0;
    while (kw_src_left(&src) > 0) {
        int c = kw_src_u8(&src);
        if (c == '%') {
            int high = hex_digit(kw_src_u8(&src)), low = hex_digit(kw_src_u8(&src));
            c = high < 0 || low < 0 ? -1 : high * 16 + low;
        }
        if (src.bad || c < 0x20 || c > 0x7e || n + 1 >= cap)
            return false;
        dst[n++] = (char)c;
    }
    dst[n] = '\0';
    return n > 0;
}

/* No token before this one has its name. */
static bool is_only(const struct kw_config_token *tokens, size_t i)
{
    size_t k = 0;
    while (k < i && strcmp(tokens[k].name, tokens[i].name) != 0)
        k++;
    return k == i;
}

static void config_name_token(struct kw_config_token *tokens, size_t i)
{
    struct kw_config_token *t = &tokens[i];
    static const char attribute[] = "token=";
    const char *at = t->uri + strlen("pkcs11:");
    while (*at != '\0' && *at != '?') {
        size_t n = strcspn(at, ";?");
        if (strncmp(at, attribute, strlen(attribute)) == 0) {
            kw_span value = kw_span_of(at + strlen(attribute), n - strlen(attribute));
            if (label_of(value, t->name, sizeof t->name) && is_only(tokens, i))
                return;
        }
        at += n + (at[n] == ';');
    }
    snprintf(t->name, sizeof t->name, "token-%zu", i + 1);
}

/* ---- parse, load, free ------------------------------------------------------------- */

static kw_err config_fill(struct kw_reader *r, kw_span yaml, size_t locked_max)
{
    yaml_document_t doc;
    kw_err e = kw_tree_load(yaml, &r->teller, &doc);
    if (kw_failed(e))
        return e;
    r->doc = &doc;
    e = kw_reader_run(r);
    yaml_document_delete(&doc);
    if (!kw_failed(e))
        e = kw_check_all(r, locked_max);
    for (size_t i = 0; i < r->config->token_count && !kw_failed(e); i++)
        config_name_token(r->config->tokens, i);
    return e;
}

kw_err kw_config_parse(kw_span yaml, const char *name, size_t locked_max,
                       struct kw_config **ret_config, struct kw_note *note)
{
    struct kw_config_faults teller = {name, note};
    if (yaml.len > KW_CONFIG_MAX)
        return kw_config_fault(&teller, (yaml_mark_t){0}, "yaml",
                               "the file has over %u bytes", KW_CONFIG_MAX);
    struct kw_config *config = kw_new(1, sizeof *config);
    struct kw_reader *r = kw_new(1, sizeof *r);
    kw_err e = kw_err_at(KW_CODE_NO_MEMORY, "config");
    if (config != NULL && r != NULL) {
        r->teller = teller;
        r->config = config;
        e = config_fill(r, yaml, locked_max);
    }
    kw_free(r);
    if (kw_failed(e)) {
        kw_config_free(config);
        return e;
    }
    *ret_config = config;
    return KW_OK;
}

kw_err kw_config_load(const char *path, size_t locked_max, struct kw_config **ret_config,
                      struct kw_note *note)
{
    struct kw_blob blob = {0};
    kw_err e = kw_file_read(path, KW_CONFIG_MAX, &blob, note);
    if (kw_failed(e))
        return e;
    e = kw_config_parse(kw_blob_peek(&blob), path, locked_max, ret_config, note);
    kw_blob_wipe(&blob);
    return e;
}

static void free_token(struct kw_config_token *t)
{
    kw_free(t->uri);
    kw_free(t->module);
    kw_free(t->pin);
    for (size_t i = 0; i < t->env_count; i++) {
        kw_free(t->env[i].name);
        kw_free(t->env[i].value);
    }
}

static void free_class(struct kw_config_class *c)
{
    kw_free(c->name);
    kw_free(c->scope);
    kw_free(c->socket);
    for (size_t i = 0; i < c->accept_count; i++)
        kw_free(c->accept_scopes[i]);
}

void kw_config_free(struct kw_config *config)
{
    if (config == NULL)
        return;
    kw_free(config->domain);
    kw_free(config->keyring);
    kw_free(config->state);
    kw_free(config->status);
    kw_free(config->audit_dir);
    kw_free(config->audit_copies_to);
    kw_free(config->audit_key_label);
    kw_free(config->audit_key_sha256);
    for (size_t i = 0; i < config->token_count; i++)
        free_token(&config->tokens[i]);
    for (size_t i = 0; i < config->class_count; i++)
        free_class(&config->classes[i]);
    kw_free(config);
}
