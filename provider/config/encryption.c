/* SPDX-License-Identifier: Apache-2.0 */
/* encryption - kube-apiserver's EncryptionConfiguration, as far as names go */
#include <keyward/encryption_config.h>

#include <string.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "tree.h"

struct encryption_reader {
    struct kw_config_faults teller;
    yaml_document_t *doc;
};

static kw_err encryption_no_memory(void)
{
    return kw_err_at(KW_CODE_NO_MEMORY, "EncryptionConfiguration");
}

/* ---- nodes ---- */

static const yaml_node_t *encryption_node(const struct encryption_reader *r, int id)
{
    return yaml_document_get_node(r->doc, id);
}

/* The value of a key; NULL when the mapping has none. */
static const yaml_node_t *encryption_member(const struct encryption_reader *r,
                                            const yaml_node_t *map, const char *key)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
         p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *name = encryption_node(r, p->key);
        if (name->type == YAML_SCALAR_NODE && kw_span_equal_str(kw_scalar(name), key))
            return encryption_node(r, p->value);
    }
    return NULL;
}

static size_t encryption_length(const yaml_node_t *list)
{
    return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

static const yaml_node_t *encryption_item(const struct encryption_reader *r,
                                          const yaml_node_t *list, size_t i)
{
    return encryption_node(r, list->data.sequence.items.start[i]);
}

/* A member that must be a list with something in it. */
static kw_err encryption_list(const struct encryption_reader *r, const yaml_node_t *map,
                              const char *key, const yaml_node_t **ret_list)
{
    if (map->type != YAML_MAPPING_NODE)
        return kw_config_fault(&r->teller, map->start_mark, key, "wants a mapping here");
    const yaml_node_t *list = encryption_member(r, map, key);
    if (list == NULL || list->type != YAML_SEQUENCE_NODE || encryption_length(list) == 0)
        return kw_config_fault(&r->teller, (list != NULL ? list : map)->start_mark, key,
                               "wants a list that is not empty");
    *ret_list = list;
    return KW_OK;
}

static kw_err encryption_read_text(const struct encryption_reader *r,
                                   const yaml_node_t *node, const yaml_node_t *above,
                                   const char *key, char **ret_text)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
        return kw_config_fault(&r->teller, (node != NULL ? node : above)->start_mark, key,
                               "wants a text");
    *ret_text = kw_strdup(kw_scalar(node));
    return *ret_text != NULL ? KW_OK : encryption_no_memory();
}

/* ---- providers ---- */

static const struct encryption_kind {
    const char *name;
    enum kw_encryption_kind kind;
} encryption_kinds[] = {
    {"identity", KW_ENCRYPTION_IDENTITY}, {"aescbc", KW_ENCRYPTION_AESCBC},
    {"aesgcm", KW_ENCRYPTION_AESGCM},     {"secretbox", KW_ENCRYPTION_SECRETBOX},
    {"kms", KW_ENCRYPTION_KMS_V2},
};

static kw_err encryption_read_names(const struct encryption_reader *r,
                                    const yaml_node_t *body,
                                    struct kw_encryption_provider *p)
{
    const yaml_node_t *keys = NULL;
    kw_err e = encryption_list(r, body, "keys", &keys);
    if (kw_failed(e) || keys == NULL)
        return e;
    p->names = (char **)kw_new(encryption_length(keys), sizeof *p->names);
    if (p->names == NULL)
        return encryption_no_memory();
    for (size_t i = 0; !kw_failed(e) && i < encryption_length(keys); i++) {
        const yaml_node_t *key = encryption_item(r, keys, i);
        if (key->type != YAML_MAPPING_NODE)
            return kw_config_fault(&r->teller, key->start_mark, "keys",
                                   "wants a mapping with a name");
        e = encryption_read_text(r, encryption_member(r, key, "name"), key, "keys[].name",
                                 &p->names[i]);
        p->name_count += !kw_failed(e);
    }
    return e;
}

static kw_err encryption_read_kms(const struct encryption_reader *r,
                                  const yaml_node_t *body,
                                  struct kw_encryption_provider *p)
{
    if (body->type != YAML_MAPPING_NODE)
        return kw_config_fault(&r->teller, body->start_mark, "kms", "wants a mapping");
    const yaml_node_t *version = encryption_member(r, body, "apiVersion");
    const kw_span v = version == NULL ? kw_span_str("v1") /* upstream's default */
                      : version->type == YAML_SCALAR_NODE ? kw_scalar(version)
                                                          : kw_span_str("");
    if (version != NULL && !kw_span_equal_str(v, "v1") && !kw_span_equal_str(v, "v2"))
        return kw_config_fault(&r->teller, version->start_mark, "kms.apiVersion",
                               "is neither v1 nor v2");
    p->kind = kw_span_equal_str(v, "v2") ? KW_ENCRYPTION_KMS_V2 : KW_ENCRYPTION_KMS_V1;
    p->names = (char **)kw_new(1, sizeof *p->names);
    if (p->names == NULL)
        return encryption_no_memory();
    kw_err e = encryption_read_text(r, encryption_member(r, body, "name"), body,
                                    "kms.name", &p->names[0]);
    p->name_count = !kw_failed(e);
    if (!kw_failed(e))
        e = encryption_read_text(r, encryption_member(r, body, "endpoint"), body,
                                 "kms.endpoint", &p->endpoint);
    return e;
}

/* A mapping of one key, which says what kind it is. */
static kw_err encryption_read_provider(const struct encryption_reader *r,
                                       const yaml_node_t *node,
                                       struct kw_encryption_provider *p)
{
    if (node->type != YAML_MAPPING_NODE ||
        node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1)
        return kw_config_fault(&r->teller, node->start_mark, "providers",
                               "wants one kind of provider an item");
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    const yaml_node_t *name = encryption_node(r, pair->key);
    const yaml_node_t *body = encryption_node(r, pair->value);
    const struct encryption_kind *kind = NULL;
    for (size_t i = 0; i < sizeof encryption_kinds / sizeof encryption_kinds[0]; i++)
        if (name->type == YAML_SCALAR_NODE &&
            kw_span_equal_str(kw_scalar(name), encryption_kinds[i].name))
            kind = &encryption_kinds[i];
    if (kind == NULL)
        return kw_config_fault(&r->teller, name->start_mark, "providers",
                               "neither identity, aescbc, aesgcm, secretbox nor kms");
    p->kind = kind->kind;
    if (p->kind == KW_ENCRYPTION_IDENTITY)
        return KW_OK;
    return p->kind == KW_ENCRYPTION_KMS_V2 ? encryption_read_kms(r, body, p)
                                           : encryption_read_names(r, body, p);
}

/* ---- rules ---- */

static kw_err encryption_read_resources(const struct encryption_reader *r,
                                        const yaml_node_t *node,
                                        struct kw_encryption_rule *rule)
{
    const yaml_node_t *list = NULL;
    kw_err e = encryption_list(r, node, "resources", &list);
    if (kw_failed(e) || list == NULL)
        return e;
    rule->resources = (char **)kw_new(encryption_length(list), sizeof *rule->resources);
    if (rule->resources == NULL)
        return encryption_no_memory();
    for (size_t i = 0; !kw_failed(e) && i < encryption_length(list); i++) {
        e = encryption_read_text(r, encryption_item(r, list, i), list, "resources[]",
                                 &rule->resources[i]);
        rule->resource_count += !kw_failed(e);
    }
    return e;
}

static kw_err encryption_read_rule(const struct encryption_reader *r,
                                   const yaml_node_t *node,
                                   struct kw_encryption_rule *rule)
{
    const yaml_node_t *list = NULL;
    kw_err e = encryption_read_resources(r, node, rule);
    if (!kw_failed(e))
        e = encryption_list(r, node, "providers", &list);
    if (kw_failed(e) || list == NULL)
        return e;
    rule->providers = kw_new(encryption_length(list), sizeof rule->providers[0]);
    if (rule->providers == NULL)
        return encryption_no_memory();
    for (size_t i = 0; !kw_failed(e) && i < encryption_length(list); i++) {
        rule->provider_count++; /* what is read of it is freed, too */
        e = encryption_read_provider(r, encryption_item(r, list, i), &rule->providers[i]);
    }
    return e;
}

static kw_err encryption_read_root(const struct encryption_reader *r,
                                   struct kw_encryption_config *config)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->doc), *list = NULL;
    const yaml_node_t *kind =
        root->type == YAML_MAPPING_NODE ? encryption_member(r, root, "kind") : NULL;
    if (kind == NULL || kind->type != YAML_SCALAR_NODE ||
        !kw_span_equal_str(kw_scalar(kind), "EncryptionConfiguration"))
        return kw_config_fault(&r->teller, (kind != NULL ? kind : root)->start_mark,
                               "kind", "wants EncryptionConfiguration");
    kw_err e = encryption_list(r, root, "resources", &list);
    if (kw_failed(e) || list == NULL)
        return e;
    config->rules = kw_new(encryption_length(list), sizeof config->rules[0]);
    if (config->rules == NULL)
        return encryption_no_memory();
    for (size_t i = 0; !kw_failed(e) && i < encryption_length(list); i++) {
        config->rule_count++;
        e = encryption_read_rule(r, encryption_item(r, list, i), &config->rules[i]);
    }
    return e;
}

/* ---- the file ---- */

static void encryption_wipe(yaml_document_t *doc)
{
    for (yaml_node_t *n = doc->nodes.start; n < doc->nodes.top; n++)
        if (n->type == YAML_SCALAR_NODE)
            kw_wipe(n->data.scalar.value, n->data.scalar.length);
}

kw_err kw_encryption_config_read(const char *path,
                                 struct kw_encryption_config *ret_config,
                                 struct kw_note *note)
{
    struct kw_note unread;
    struct kw_blob blob = {.ptr = NULL};
    struct kw_encryption_config config = {.rules = NULL};
    yaml_document_t doc;
    struct encryption_reader r = {{path, note != NULL ? note : &unread}, &doc};
    kw_err e = kw_file_read(path, KW_ENCRYPTION_CONFIG_MAX, &blob, r.teller.note);
    if (!kw_failed(e))
        e = kw_tree_load(kw_blob_peek(&blob), &r.teller, &doc);
    kw_blob_wipe(&blob);
    if (kw_failed(e))
        return e;
    e = encryption_read_root(&r, &config);
    encryption_wipe(&doc);
    yaml_document_delete(&doc);
    if (kw_failed(e))
        kw_encryption_config_free(&config);
    else
        *ret_config = config;
    return e;
}

static void encryption_free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        kw_free(texts[i]);
    kw_free((void *)texts);
}

void kw_encryption_config_free(struct kw_encryption_config *config)
{
    for (size_t i = 0; i < config->rule_count; i++) {
        struct kw_encryption_rule *rule = &config->rules[i];
        for (size_t k = 0; k < rule->provider_count; k++) {
            encryption_free_texts(rule->providers[k].names,
                                  rule->providers[k].name_count);
            kw_free(rule->providers[k].endpoint);
        }
        kw_free(rule->providers);
        encryption_free_texts(rule->resources, rule->resource_count);
    }
    kw_free(config->rules);
    *config = (struct kw_encryption_config){.rules = NULL};
}
