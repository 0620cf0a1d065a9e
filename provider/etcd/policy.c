/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/etcd_policy.h>

#include <string.h>

/* ---- which entry counts ---- */

enum policy_match { POLICY_NO, POLICY_PERHAPS, POLICY_YES };

/* What kube-apiserver itself keeps beside the objects, past every provider. */
static bool policy_is_bookkeeping(const struct kw_etcd_key *key)
{
    static const char *const paths[] = {"masterleases", "peerserverleases", "ranges"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (key->group.len == 0 && kw_span_equal_str(key->resource, paths[i]))
            return true;
    return false;
}

static enum policy_match policy_match_group(const char *group,
                                            const struct kw_etcd_key *key)
{
    if (key->group.len > 0)
        return kw_span_equal_str(key->group, group) ? POLICY_YES : POLICY_NO;
    if (key->builtin == NULL)
        return POLICY_PERHAPS;
    return strcmp(key->builtin->group, group) == 0 ? POLICY_YES : POLICY_NO;
}

/* "plural", "plural.group", "*.group", "*." (built in, without a group), "*.*" */
static enum policy_match policy_match(const char *item, const struct kw_etcd_key *key)
{
    const char *dot = strchr(item, '.');
    const char *group = dot != NULL ? dot + 1 : "";
    const kw_span plural =
        kw_span_of(item, dot != NULL ? (size_t)(dot - item) : strlen(item));
    const kw_span called =
        key->builtin != NULL ? kw_span_str(key->builtin->plural) : key->resource;
    if (kw_span_equal_str(plural, "*")) {
        if (policy_is_bookkeeping(key))
            return POLICY_NO;
        return strcmp(group, "*") == 0 ? POLICY_YES : policy_match_group(group, key);
    }
    return kw_span_equal(plural, called) ? policy_match_group(group, key) : POLICY_NO;
}

static bool policy_encrypts(const struct kw_encryption_rule *rule)
{
    return rule->providers[0].kind != KW_ENCRYPTION_IDENTITY;
}

const struct kw_encryption_rule *kw_etcd_policy_rule(const struct kw_etcd_policy *policy,
                                                     const struct kw_etcd_key *key)
{
    const struct kw_encryption_config *c = policy->config;
    for (size_t i = 0; c != NULL && i < c->rule_count; i++)
        for (size_t k = 0; k < c->rules[i].resource_count; k++) {
            const enum policy_match match = policy_match(c->rules[i].resources[k], key);
            if (match == POLICY_YES ||
                (match == POLICY_PERHAPS && policy_encrypts(&c->rules[i])))
                return &c->rules[i];
        }
    return NULL;
}

/* ---- what it says ---- */

static const char policy_no_provider[] = "no provider of the configuration reads it";
static const char policy_not_encrypted_there[] =
    "the configuration does not encrypt such resources, so nothing reads it";
static const char policy_unreadable[] = "kube-apiserver cannot read it";

bool kw_etcd_policy_is_unreadable(const char *why)
{
    return why == policy_no_provider || why == policy_not_encrypted_there ||
           why == policy_unreadable;
}

static bool policy_has_kind(const struct kw_encryption_provider *p,
                            const struct kw_stored *stored)
{
    switch (p->kind) {
    case KW_ENCRYPTION_IDENTITY: return kw_stored_is_plain(stored->kind);
    case KW_ENCRYPTION_AESCBC: return stored->kind == KW_STORED_AESCBC;
    case KW_ENCRYPTION_AESGCM: return stored->kind == KW_STORED_AESGCM;
    case KW_ENCRYPTION_SECRETBOX: return stored->kind == KW_STORED_SECRETBOX;
    case KW_ENCRYPTION_KMS_V1: return stored->kind == KW_STORED_KMS_V1;
    case KW_ENCRYPTION_KMS_V2: return stored->kind == KW_STORED_KMS_V2;
    }
    return false;
}

/* The place of the name among the provider's; its count when it has none such. */
static size_t policy_name_place(const struct kw_encryption_provider *p, kw_span name)
{
    size_t i = 0;
    while (i < p->name_count && !kw_span_equal_str(name, p->names[i]))
        i++;
    return i;
}

/* The first provider that reads it, and whether with the key that it writes with. */
static const struct kw_encryption_provider *policy_reader(
    const struct kw_encryption_rule *rule, const struct kw_stored *stored,
    bool *ret_by_first_key)
{
    for (size_t i = 0; i < rule->provider_count; i++) {
        const struct kw_encryption_provider *p = &rule->providers[i];
        const size_t place = policy_name_place(p, stored->name);
        if (policy_has_kind(p, stored) &&
            (p->kind == KW_ENCRYPTION_IDENTITY || place < p->name_count)) {
            *ret_by_first_key = place == 0;
            return p;
        }
    }
    return NULL;
}

static const char *policy_judge_by_rule(const struct kw_encryption_rule *rule,
                                        const struct kw_stored *stored)
{
    bool by_first_key = false;
    const struct kw_encryption_provider *p = policy_reader(rule, stored, &by_first_key);
    if (policy_encrypts(rule) && kw_stored_is_plain(stored->kind))
        return "it is not encrypted";
    if (p == NULL)
        return policy_no_provider;
    if (p != &rule->providers[0])
        return "it was not written by the first provider";
    return p->kind == KW_ENCRYPTION_IDENTITY || by_first_key
               ? NULL
               : "it was not written with the first key";
}

const char *kw_etcd_policy_judge(const struct kw_etcd_policy *policy,
                                 const struct kw_etcd_key *key,
                                 const struct kw_stored *stored)
{
    const struct kw_encryption_rule *rule = kw_etcd_policy_rule(policy, key);
    const bool is_secret =
        key->group.len == 0 && kw_span_equal_str(key->resource, "secrets");
    if (policy_is_bookkeeping(key))
        return NULL;
    if (rule != NULL)
        return policy_judge_by_rule(rule, stored);
    if (policy->config != NULL)
        return kw_stored_is_plain(stored->kind) || stored->kind == KW_STORED_OTHER
                   ? NULL
                   : policy_not_encrypted_there;
    if (is_secret && kw_stored_is_plain(stored->kind))
        return "it is not encrypted";
    return is_secret &&
                   (stored->kind == KW_STORED_UNKNOWN || stored->kind == KW_STORED_OTHER)
               ? policy_unreadable
               : NULL;
}
