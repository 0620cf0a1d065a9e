/* SPDX-License-Identifier: Apache-2.0 */
/* The document of the node. */
#include "evidence_node.h"

#include <stdio.h>
#include <string.h>

#include "evidence_token.h"

/* ---- the configuration ---- */

static json_t *evidence_duration_json(int64_t ns)
{
    char text[32];
    kw_duration_text(text, sizeof text, ns);
    return json_string(text);
}

static json_t *evidence_names_json(const struct kw_config_var *env, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_string(env[i].name)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *evidence_ids_json(const uint32_t ids[], size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer(ids[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *evidence_scopes_json(const struct kw_config_class *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->accept_count; i++)
        if (json_array_append_new(list, json_string(c->accept_scopes[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *evidence_class_json(const struct kw_config_class *c)
{
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", c->mode);
    return json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:{s:I, s:o}}", "name", c->name,
        "scope", c->scope, "accept_scopes", evidence_scopes_json(c), "socket", c->socket,
        "mode", mode, "uids", evidence_ids_json(c->uids, c->uid_count), "gids",
        evidence_ids_json(c->gids, c->gid_count), "on_hsm_loss",
        c->on_loss == KW_ON_LOSS_SERVE_CACHED ? "serve-cached" : "fail-closed",
        "max_outage",
        c->on_loss == KW_ON_LOSS_SERVE_CACHED ? evidence_duration_json(c->max_outage_ns)
                                              : json_null(),
        "cache", "entries", (json_int_t)c->cache_entries, "ttl",
        evidence_duration_json(c->cache_ttl_ns));
}

static json_t *evidence_config_token_json(const struct kw_config *config, size_t i)
{
    char file[KW_EVIDENCE_TOKEN_NAME], pin[16];
    const struct kw_config_token *t = &config->tokens[i];
    kw_evidence_token_name(config, i, file);
    kw_evidence_pin_kind(t, pin);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "name", t->name, "file",
                     file, "uri", t->uri, "module", t->module, "pin", pin, "workers",
                     (json_int_t)t->workers, "sessions", (json_int_t)t->sessions, "env",
                     evidence_names_json(t->env, t->env_count));
}

static json_t *evidence_list_json(const struct kw_config *config, bool of_tokens)
{
    json_t *list = json_array();
    const size_t count = of_tokens ? config->token_count : config->class_count;
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(
                list, of_tokens ? evidence_config_token_json(config, i)
                                : evidence_class_json(&config->classes[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *evidence_audit_json(const struct kw_config *c)
{
    static const char *const copies[] = {[KW_COPIES_NONE] = "none",
                                         [KW_COPIES_CHECKPOINTS] = "checkpoints",
                                         [KW_COPIES_ALL] = "all"};
    if (c->audit_dir == NULL)
        return json_null();
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:s, s:o}", "dir", c->audit_dir, "durability",
        c->audit_durability == KW_AUDIT_SYNC ? "sync" : "write", "on_failure",
        c->audit_on_failure == KW_AUDIT_DENY ? "deny" : "allow", "deadline",
        evidence_duration_json(c->audit_deadline_ns), "rotate",
        (json_int_t)c->audit_rotate_bytes, "copies", copies[c->audit_copies], "key",
        c->audit_key_label != NULL ? json_pack("{s:s, s:s}", "label", c->audit_key_label,
                                               "sha256", c->audit_key_sha256)
                                   : json_null());
}

static json_t *evidence_configuration_json(const struct kw_context *context,
                                           struct kw_evidence_node *node)
{
    const struct kw_config *c = context->config;
    json_t *redacted = node->redacted;
    node->redacted = NULL;
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "sha256",
                     node->configuration, "redacted", redacted, "domain", c->domain,
                     "environment", c->production ? "production" : "test", "tokens_order",
                     c->order == KW_TOKENS_SPREAD ? "spread" : "priority", "tokens",
                     evidence_list_json(c, true), "classes", evidence_list_json(c, false),
                     "audit", evidence_audit_json(c));
}

/* ---- the keyring ---- */

static json_t *evidence_keyring_json(const struct kw_context *context,
                                     const struct kw_evidence_node *node)
{
    const struct kw_keyring *ring = context->ring;
    const bool refused = context->judgement.refusal != KW_ADMITTED;
    return json_pack(
        "{s:s?, s:o, s:o, s:o, s:s?, s:s?, s:s?}", "sha256",
        node->keyring[0] != '\0' ? node->keyring : NULL, "serial",
        ring != NULL ? json_integer((json_int_t)ring->serial) : json_null(), "baseline",
        ring != NULL && ring->active != 0 ? json_integer((json_int_t)ring->active)
                                          : json_null(),
        "active_here",
        kw_context_active(context) != 0
            ? json_integer((json_int_t)kw_context_active(context))
            : json_null(),
        "refused_here", refused ? context->judgement.why.text : NULL, "doubt",
        context->doubt.text[0] != '\0' ? context->doubt.text : NULL, "state_unknown",
        kw_failed(context->state_err) ? context->state_why.text : NULL);
}

/* ---- the document ---- */

json_t *kw_evidence_node_json(const struct kw_context *context,
                              struct kw_evidence_node *node, json_t *files)
{
    json_t *audit = node->audit, *blind = node->blind;
    const bool is_whole = json_array_size(blind) == 0;
    node->audit = NULL;
    node->blind = NULL;
    return json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:O}", "collected",
        "keyward-node", "format", 1, "node", node->name, "time", node->time, "version",
        KW_VERSION, "complete", is_whole, "not_looked_at", blind, "configuration",
        evidence_configuration_json(context, node), "keyring",
        evidence_keyring_json(context, node), "audit", audit, "files", files);
}
