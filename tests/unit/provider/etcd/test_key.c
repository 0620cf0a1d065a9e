/* SPDX-License-Identifier: Apache-2.0 */
/* Which object a key is. */
#include <keyward/etcd_value.h>

#include <string.h>

#include "check.h"

TEST(key__outside_of_the_prefix_or_unnamed__none)
{
    static const char *const rows[] = {"",
                                       "/registry",
                                       "/registry/",
                                       "/registry/secrets",
                                       "/registry/secrets/",
                                       "/registr/secrets/a/b",
                                       "/registry2/secrets/a/b",
                                       "compact_rev_key",
                                       "/registry//x",
                                       "/registry/example.com/widgets",
                                       "/registry/services",
                                       "/registry/services/",
                                       "/registry/services//",
                                       "/registry/services/specs",
                                       "/registry/services/specs/"};
    struct kw_etcd_key k = {.name = {NULL, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(!kw_etcd_key_read(kw_span_str(rows[i]), kw_span_str("/registry"), &k));
    CHECK(k.name.len == 7);
}

TEST(key__each_form__its_parts)
{
    static const struct {
        const char *prefix, *key, *group, *resource, *name_space, *name, *plural,
            *api_group;
    } rows[] = {
        {"/registry", "/registry/secrets/default/demo", "", "secrets", "default", "demo",
         "secrets", ""},
        {"/registry", "/registry/namespaces/default", "", "namespaces", "", "default",
         "namespaces", ""},
        {"/registry", "/registry/minions/n1", "", "minions", "", "n1", "nodes", ""},
        {"/registry", "/registry/services/specs/a/b", "", "services/specs", "a", "b",
         "services", ""},
        {"/registry", "/registry/deployments/a/b", "", "deployments", "a", "b",
         "deployments", "apps"},
        {"/registry", "/registry/masterleases/10.0.0.1", "", "masterleases", "",
         "10.0.0.1", NULL, NULL},
        {"/registry", "/registry/example.com/widgets/a/b", "example.com", "widgets", "a",
         "b", NULL, NULL},
        {"/registry", "/registry/example.com/minions/a", "example.com", "minions", "",
         "a", NULL, NULL},
        {"/registry", "/registry/secrets/a/b/c", "", "secrets", "a", "b/c", "secrets",
         ""},
        {"/my/prefix", "/my/prefix/configmaps/a/b", "", "configmaps", "a", "b",
         "configmaps", ""},
        {"", "/secrets/a/b", "", "secrets", "a", "b", "secrets", ""},
    };
    struct kw_etcd_key k;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(
            kw_etcd_key_read(kw_span_str(rows[i].key), kw_span_str(rows[i].prefix), &k));
        CHECK(kw_span_equal_str(k.group, rows[i].group));
        CHECK(kw_span_equal_str(k.resource, rows[i].resource));
        CHECK(kw_span_equal_str(k.name_space, rows[i].name_space));
        CHECK(kw_span_equal_str(k.name, rows[i].name));
        CHECK((k.builtin == NULL) == (rows[i].plural == NULL));
        CHECK(k.builtin == NULL || (strcmp(k.builtin->plural, rows[i].plural) == 0 &&
                                    strcmp(k.builtin->group, rows[i].api_group) == 0));
    }
}

KW_SUITE("provider/etcd/key")
