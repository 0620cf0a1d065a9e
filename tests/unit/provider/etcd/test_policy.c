/* SPDX-License-Identifier: Apache-2.0 */
/* May an object be stored so?  By the configuration, and without one. */
#include <keyward/etcd_policy.h>

#include <string.h>

#include "check.h"

#define LITERAL(text) kw_span_of(text, sizeof(text) - 1)
#define KMS_V2(name) "k8s:enc:kms:v2:" name ":\x0a\x01x\x12\x01k\x1a\x01s"

static char *kw_names[] = {(char[]){"kw"}};
static char *cbc_names[] = {(char[]){"new"}, (char[]){"old"}};
static struct kw_encryption_provider kw_then_cbc[] = {
    {KW_ENCRYPTION_KMS_V2, kw_names, 1, NULL},
    {KW_ENCRYPTION_AESCBC, cbc_names, 2, NULL},
    {KW_ENCRYPTION_IDENTITY, NULL, 0, NULL},
};
static struct kw_encryption_provider cbc_alone[] = {
    {KW_ENCRYPTION_AESCBC, cbc_names, 2, NULL}};
static struct kw_encryption_provider clear_then_kw[] = {
    {KW_ENCRYPTION_IDENTITY, NULL, 0, NULL}, {KW_ENCRYPTION_KMS_V2, kw_names, 1, NULL}};

static const char *judge(const struct kw_encryption_config *config, const char *key,
                         kw_span value)
{
    const struct kw_etcd_policy policy = {config};
    struct kw_etcd_key k;
    struct kw_stored s;
    CHECK(kw_etcd_key_read(kw_span_str(key), kw_span_str("/registry"), &k));
    kw_stored_read(value, NULL, 0, &s);
    return kw_etcd_policy_judge(&policy, &k, &s);
}

static void says(const struct kw_encryption_config *config, const char *key,
                 kw_span value, const char *want)
{
    const char *why = judge(config, key, value);
    CHECK((why == NULL) == (want == NULL));
    CHECK(kw_etcd_policy_is_unreadable(why) ==
          (why != NULL && (strstr(why, "reads it") || strstr(why, "cannot read"))));
    if (want != NULL)
        CHECK_HAS(why, want);
}

TEST(judge__without_a_configuration__secrets_alone)
{
    says(NULL, "/registry/secrets/a/b", LITERAL("k8s\0x"), "not encrypted");
    says(NULL, "/registry/secrets/a/b", LITERAL("{}"), "not encrypted");
    says(NULL, "/registry/secrets/a/b", LITERAL("\xd9\xd9\xf7"), "not encrypted");
    says(NULL, "/registry/secrets/a/b", LITERAL("password"), "cannot read it");
    says(NULL, "/registry/secrets/a/b", LITERAL("k8s:enc:kms:v9:x"), "cannot read it");
    says(NULL, "/registry/secrets/a/b", LITERAL(KMS_V2("kw")), NULL);
    says(NULL, "/registry/secrets/a/b", LITERAL("k8s:enc:aescbc:v1:k:"), NULL);
    says(NULL, "/registry/configmaps/a/b", LITERAL("k8s\0x"), NULL);
    says(NULL, "/registry/example.com/secrets/a/b", LITERAL("{}"), NULL);
}

TEST(judge__by_the_entry_of_the_resource__each_provider)
{
    char *secrets[] = {(char[]){"secrets"}};
    struct kw_encryption_rule rules[] = {{secrets, 1, kw_then_cbc, 3}};
    const struct kw_encryption_config c = {rules, 1};
    const char *key = "/registry/secrets/a/b";
    says(&c, key, LITERAL(KMS_V2("kw")), NULL);
    says(&c, key, LITERAL("k8s\0x"), "not encrypted");
    says(&c, key, LITERAL(KMS_V2("other")), "no provider");
    says(&c, key, LITERAL("k8s:enc:kms:v1:kw:"), "no provider");
    says(&c, key, LITERAL("k8s:enc:aescbc:v1:new:"), "not written by the first provider");
    says(&c, key, LITERAL("k8s:enc:aescbc:v1:lost:"), "no provider");
    says(&c, key, LITERAL("junk"), "no provider");
    says(&c, "/registry/configmaps/a/b", LITERAL("k8s\0x"), NULL);
    says(&c, "/registry/configmaps/a/b", LITERAL(KMS_V2("kw")), "nothing reads it");
}

TEST(judge__second_key_of_the_first_provider__not_the_first_key)
{
    char *secrets[] = {(char[]){"secrets"}};
    struct kw_encryption_rule rules[] = {{secrets, 1, cbc_alone, 1}};
    const struct kw_encryption_config c = {rules, 1};
    says(&c, "/registry/secrets/a/b", LITERAL("k8s:enc:aescbc:v1:new:"), NULL);
    says(&c, "/registry/secrets/a/b", LITERAL("k8s:enc:aescbc:v1:old:"), "the first key");
}

TEST(judge__identity_first__clear_and_not_what_is_encrypted)
{
    char *secrets[] = {(char[]){"secrets"}};
    struct kw_encryption_rule rules[] = {{secrets, 1, clear_then_kw, 2}};
    const struct kw_encryption_config c = {rules, 1};
    says(&c, "/registry/secrets/a/b", LITERAL("k8s\0x"), NULL);
    says(&c, "/registry/secrets/a/b", LITERAL(KMS_V2("kw")), "the first provider");
}

/* Which of one item's resources are meant: encrypted, so clear is refused. */
static bool names(const char *item, const char *key)
{
    char text[64];
    char *items[] = {text};
    CHECK(kw_copy_str(text, sizeof text, kw_span_str(item)));
    struct kw_encryption_rule rules[] = {{items, 1, kw_then_cbc, 1}};
    const struct kw_encryption_config c = {rules, 1};
    return judge(&c, key, LITERAL("k8s\0x")) != NULL;
}

TEST(rule__each_way_to_name_resources__those_and_no_others)
{
    static const struct {
        const char *item;
        bool secrets, nodes, deployments, widgets, unknown, lease;
    } rows[] = {
        {"secrets", true, false, false, false, false, false},
        {"nodes", false, true, false, false, false, false},
        {"minions", false, false, false, false, false, false},
        {"deployments.apps", false, false, true, false, false, false},
        {"deployments", false, false, false, false, false, false},
        {"widgets.example.com", false, false, false, true, false, false},
        {"widgets.example.org", false, false, false, false, false, false},
        {"*.example.com", false, false, false, true, true, false},
        {"*.apps", false, false, true, false, true, false},
        {"*.", true, true, false, false, true, false},
        {"*.*", true, true, true, true, true, false},
        {"novelties.apps", false, false, false, false, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *item = rows[i].item;
        CHECK(names(item, "/registry/secrets/a/b") == rows[i].secrets);
        CHECK(names(item, "/registry/minions/a") == rows[i].nodes);
        CHECK(names(item, "/registry/deployments/a/b") == rows[i].deployments);
        CHECK(names(item, "/registry/example.com/widgets/a/b") == rows[i].widgets);
        CHECK(names(item, "/registry/novelties/a/b") == rows[i].unknown);
        CHECK(names(item, "/registry/masterleases/10.0.0.1") == rows[i].lease);
    }
}

TEST(rule__two_entries_name_it__the_first_one_counts)
{
    char *events[] = {(char[]){"events"}}, *all[] = {(char[]){"*.*"}};
    struct kw_encryption_rule rules[] = {{events, 1, clear_then_kw, 1},
                                         {all, 1, kw_then_cbc, 1}};
    const struct kw_encryption_config c = {rules, 2};
    says(&c, "/registry/events/a/b", LITERAL("k8s\0x"), NULL);
    says(&c, "/registry/secrets/a/b", LITERAL("k8s\0x"), "not encrypted");
}

TEST(rule__clear_for_a_group_that_may_not_be_its__encrypted_by_the_next)
{
    char *apps[] = {(char[]){"*.apps"}}, *all[] = {(char[]){"*.*"}};
    struct kw_encryption_rule rules[] = {{apps, 1, clear_then_kw, 1},
                                         {all, 1, kw_then_cbc, 1}};
    const struct kw_encryption_config c = {rules, 2};
    says(&c, "/registry/deployments/a/b", LITERAL("k8s\0x"), NULL);
    says(&c, "/registry/novelties/a/b", LITERAL("k8s\0x"), "not encrypted");
}

KW_SUITE("provider/etcd/policy")
