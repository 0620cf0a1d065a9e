/* SPDX-License-Identifier: Apache-2.0 */
/* What was collected of a control plane: the node, its tokens, keys and settings. */
#include <inttypes.h>
#include <string.h>

#include "source.h"

/* Far more than the largest configuration and the most talkative token have. */
enum { SETTINGS_MAX = 16384, ATTRIBUTES_MAX = 256 };

/* ---- tokens ---- */

/* What the operator says of the token with this serial number; NULL: nothing. */
static const json_t *node_stated(const json_t *stated, const char *serial)
{
    const json_t *tokens = json_object_get(stated, "tokens"), *one;
    size_t i;
    json_array_foreach(tokens, i, one)
    {
        const char *of = json_string_value(json_object_get(one, "serial"));
        if (serial != NULL && of != NULL && strcmp(of, serial) == 0)
            return one;
    }
    return NULL;
}

static void node_add_token(struct kw_evidence *e, const char *node,
                           struct kw_source *source, const json_t *token,
                           const json_t *stated)
{
    const json_t *error = kw_source_get(source, token, "error", "o?");
    const json_t *facts = kw_source_get(source, token, "token", "o?");
    const json_t *library = kw_source_get(source, token, "library", "o?");
    const json_t *mechanism = kw_source_get(source, token, "mechanism", "o?");
    const json_t *audit = kw_source_get(source, token, "audit_key", "o?");
    const json_t *says =
        node_stated(stated, kw_source_text(source, facts, "serial", "s"));
#define OF(of, name, kind) kw_source_get(source, of, name, kind)
    kw_evidence_add(
        e, KW_EVIDENCE_TOKENS,
        json_pack(
            "{s:s, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, "
            "s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O}",
            "node", node, "token", OF(token, "name", "s"), "asked",
            OF(token, "asked", "b"), "error", OF(error, "why", "s"), "label",
            OF(facts, "label", "s"), "serial", OF(facts, "serial", "s"), "manufacturer",
            OF(facts, "manufacturer", "s"), "model", OF(facts, "model", "s"), "firmware",
            OF(facts, "firmware", "s"), "hardware", OF(facts, "hardware", "s"), "library",
            OF(library, "description", "s"), "library_version",
            OF(library, "version", "s"), "softhsm", OF(facts, "softhsm", "b"),
            "mechanism", OF(mechanism, "pkcs11", "s"), "iv_source",
            OF(mechanism, "iv_source", "s"), "self_test", OF(mechanism, "self_test", "b"),
            "audit_key_good", OF(audit, "good", "b"), "audit_key_sha256",
            OF(audit, "sha256", "s?"), "standard", OF(says, "standard", "s?"),
            "certificate", OF(says, "certificate", "s?"), "level",
            OF(says, "level", "s?"), "location", OF(says, "location", "s?")));
}

/* ---- keys ---- */

struct node_key {
    const char *node;
    const json_t *token, *serial, *version;
};

static void node_add_key(struct kw_evidence *e, struct kw_source *source,
                         const struct node_key *k)
{
    const json_t *v = k->version;
    const json_t *error = OF(v, "error", "o?");
    kw_evidence_add(
        e, KW_EVIDENCE_KEYS,
        json_pack("{s:s, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:o, s:O, "
                  "s:O}",
                  "node", k->node, "token", k->token, "serial", k->serial, "n",
                  OF(v, "n", "i"), "key_id", OF(v, "key_id", "s"), "state",
                  OF(v, "state", "s"), "baseline", OF(v, "baseline", "b"), "active_here",
                  OF(v, "active_here", "b"), "asked", OF(v, "asked", "s"), "found",
                  OF(v, "found", "b?"), "check_blob_opens",
                  OF(v, "check_blob_opens", "b?"), "findings",
                  kw_source_joined(OF(v, "findings", "a"), " "), "verdict",
                  OF(v, "verdict", "v?"), "error", OF(error, "why", "s")));
}

static const json_t *node_rule_of(const json_t *rules, const char *attribute)
{
    const json_t *rule;
    size_t i;
    json_array_foreach(rules, i, rule)
    {
        const char *of = json_string_value(json_object_get(rule, "attribute"));
        if (of != NULL && strcmp(of, attribute) == 0)
            return rule;
    }
    return NULL;
}

static void node_add_attribute(struct kw_evidence *e, struct kw_source *source,
                               const struct node_key *k, const char *name,
                               const json_t *now)
{
    const json_t *ceremony = OF(k->version, "at_ceremony", "o?");
    const json_t *rule = node_rule_of(OF(k->version, "rules", "a?"), name);
    kw_evidence_add(
        e, KW_EVIDENCE_ATTRIBUTES,
        json_pack("{s:s, s:O, s:O, s:O, s:O, s:s, s:o, s:o, s:O, s:O, s:O}", "node",
                  k->node, "token", k->token, "serial", k->serial, "n",
                  OF(k->version, "n", "i"), "key_id", OF(k->version, "key_id", "s"),
                  "attribute", name, "at_ceremony",
                  kw_source_as_text(json_object_get(ceremony, name)), "now",
                  kw_source_as_text(now), "wants", OF(rule, "wants", "s"), "decisive",
                  OF(rule, "decisive", "b"), "outcome", OF(rule, "outcome", "v")));
}
#undef OF

static void node_add_attributes(struct kw_evidence *e, struct kw_source *source,
                                const struct node_key *k)
{
    const char *const parts[] = {"attributes", "properties"};
    kw_source_limit(source, json_array_size(json_object_get(k->version, "rules")),
                    ATTRIBUTES_MAX, "rules");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_t *part = kw_source_get(source, k->version, parts[i], "o?");
        const char *name;
        json_t *now;
        kw_source_limit(source, json_object_size(part), ATTRIBUTES_MAX, "attributes");
        if (kw_failed(source->err))
            return;
        json_object_foreach(part, name, now) node_add_attribute(e, source, k, name, now);
    }
}

static kw_err node_fill_token(struct kw_evidence *e, const char *node,
                              const json_t *token, const json_t *stated,
                              struct kw_note *note)
{
    char name[KW_NOTE_MAX];
    struct kw_source source = {.name = "a token's document", .note = note};
    if (kw_failed(kw_source_begin(&source, token, "keyward-token")))
        return source.err;
    const char *token_name = kw_source_text(&source, token, "name", "s");
    if (token_name == NULL)
        return source.err;
    snprintf(name, sizeof name, "the document of the token '%s'", token_name);
    source.name = name;
    const json_t *facts = kw_source_get(&source, token, "token", "o?"), *version;
    struct node_key k = {node, kw_source_get(&source, token, "name", "s"),
                         kw_source_get(&source, facts, "serial", "s"), NULL};
    size_t i;
    if (!kw_failed(source.err))
        node_add_token(e, node, &source, token, stated);
    json_array_foreach(kw_source_get(&source, token, "versions", "a"), i, version)
    {
        if (!kw_source_is_row(&source, version, "versions"))
            break;
        k.version = version;
        node_add_key(e, &source, &k);
        node_add_attributes(e, &source, &k);
    }
    return source.err;
}

/* ---- the node ---- */

static void node_add_node(struct kw_evidence *e, struct kw_source *source,
                          const struct kw_evidence_collected *c)
{
    const json_t *n = c->node;
    const json_t *configuration = kw_source_get(source, n, "configuration", "o");
    const json_t *keyring = kw_source_get(source, n, "keyring", "o");
    const json_t *blind = kw_source_get(source, n, "not_looked_at", "a");
#define OF(of, name, kind) kw_source_get(source, of, name, kind)
    kw_evidence_add(
        e, KW_EVIDENCE_NODES,
        json_pack("{s:s, s:b, s:O, s:O, s:O, s:o, s:O, s:O, s:O, s:O, s:O, s:s?}", "node",
                  c->name, "collected", n != NULL, "time", OF(n, "time", "t"), "version",
                  OF(n, "version", "s"), "complete", OF(n, "complete", "b"),
                  "not_looked_at",
                  n != NULL ? kw_source_joined(blind, "; ") : json_null(), "domain",
                  OF(configuration, "domain", "s"), "environment",
                  OF(configuration, "environment", "s"), "configuration_sha256",
                  OF(configuration, "sha256", "s"), "keyring_sha256",
                  OF(keyring, "sha256", "s?"), "keyring_serial",
                  OF(keyring, "serial", "i?"), "folder_sha256", c->sha256));
#undef OF
}

/* ---- settings ---- */

static void node_add_setting(struct kw_evidence *e, const char *node, const char *path,
                             const json_t *value)
{
    json_t *text = kw_source_as_text(value);
    if (json_is_null(text))
        text = json_string("");
    kw_evidence_add(
        e, KW_EVIDENCE_CONFIGURATION,
        json_pack("{s:s, s:s, s:o}", "node", node, "setting", path, "value", text));
}

/* No document of ours has one that is as long, or as deep. */
enum { SETTING_PATH_MAX = 512 };

static void node_fill_setting(struct kw_evidence *e, const char *node, json_t *path,
                              json_t *value);

/* Depth first, in the document's order. */
static void node_fill_settings(struct kw_evidence *e, const char *node, const char *path,
                               json_t *value)
{
    const char *name;
    json_t *one;
    size_t i;
    if (json_is_object(value) && json_object_size(value) > 0) {
        json_object_foreach(value, name, one)
            node_fill_setting(e, node, json_sprintf("%s.%s", path, name), one);
    } else if (json_is_array(value) && json_array_size(value) > 0) {
        json_array_foreach(value, i, one)
            node_fill_setting(e, node, json_sprintf("%s[%zu]", path, i), one);
    } else {
        node_add_setting(e, node, path, value);
    }
}

/* What lies in one of them; the path is taken. */
static void node_fill_setting(struct kw_evidence *e, const char *node, json_t *path,
                              json_t *value)
{
    if (path == NULL)
        kw_evidence_add(e, KW_EVIDENCE_CONFIGURATION, NULL);
    else if (json_string_length(path) < SETTING_PATH_MAX)
        node_fill_settings(e, node, json_string_value(path), value);
    json_decref(path);
}

static size_t node_count_settings(json_t *value)
{
    const char *name;
    json_t *one;
    size_t i, sum = 0;
    if (json_is_array(value))
        json_array_foreach(value, i, one) sum += node_count_settings(one);
    else if (json_is_object(value))
        json_object_foreach(value, name, one) sum += node_count_settings(one);
    return sum > 0 ? sum : 1;
}

kw_err kw_evidence_fill_node(struct kw_evidence *e,
                             const struct kw_evidence_collected *node,
                             const json_t *stated, struct kw_note *note)
{
    struct kw_source source = {.name = "node.json", .note = note};
    kw_err err =
        node->node != NULL ? kw_source_begin(&source, node->node, "keyward-node") : KW_OK;
    if (kw_failed(err))
        return err;
    node_add_node(e, &source, node);
    kw_source_limit(&source,
                    node_count_settings(json_object_get(node->node, "configuration")) +
                        node_count_settings(json_object_get(node->node, "keyring")),
                    SETTINGS_MAX, "settings");
    for (size_t i = 0; i < node->token_count && !kw_failed(source.err); i++)
        source.err = node_fill_token(e, node->name, node->tokens[i], stated, note);
    if (!kw_failed(source.err) && node->node != NULL) {
        node_fill_settings(e, node->name, "configuration",
                           kw_source_get(&source, node->node, "configuration", "o"));
        node_fill_settings(e, node->name, "keyring",
                           kw_source_get(&source, node->node, "keyring", "o"));
    }
    return kw_failed(source.err) ? source.err : kw_evidence_state(e);
}
