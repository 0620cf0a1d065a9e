/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include <keyward/config.h>

#include "node_layout.h"

static char text[16 * 1024];

static const char *written(void (*write)(const struct kw_layout *, FILE *),
                           const struct kw_layout *l)
{
    FILE *out = fmemopen(text, sizeof text, "w");
    CHECK(out != NULL);
    write(l, out);
    fclose(out);
    return text;
}

TEST(folder_not_absolute_or_not_plain__bad_input)
{
    static const char *const bad[] = {"relative", "/with space", "/quote\"",    "/colon:",
                                      "/hash#",   "/new\nline",  "/back\\slash"};
    struct kw_layout l = {.base = "untouched"};
    struct kw_note note = {{0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_CODE(kw_layout_make(bad[i], &l, &note), KW_CODE_BAD_INPUT);
    CHECK_STR(l.base, "untouched");
}

TEST(folder_too_deep_for_a_socket__bad_input_names_the_limit)
{
    char deep[KW_SOCKET_PATH_MAX];
    struct kw_layout l;
    struct kw_note note = {{0}};
    memset(deep, 'x', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    CHECK_CODE(kw_layout_make(deep, &l, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "107");
}

TEST(no_folder__the_systems_places)
{
    struct kw_layout l;
    CHECK_OK(kw_layout_make(NULL, &l, NULL));
    CHECK_STR(l.config, "/etc/keyward/keyward.yaml");
    CHECK_STR(l.state, "/var/lib/keyward");
    CHECK_STR(l.audit, "/var/log/keyward");
    CHECK_STR(l.secrets, "/run/keyward/secrets.sock");
}

TEST(encryption_configuration__as_kube_apiserver_wants_it)
{
    struct kw_layout l;
    CHECK_OK(kw_layout_make(NULL, &l, NULL));
    const char *t = written(kw_layout_write_encryption, &l);
    const char *body = strstr(t, "apiVersion: apiserver");
    CHECK(body != NULL);
    CHECK_STR(body, "apiVersion: apiserver.config.k8s.io/v1\n"
                    "kind: EncryptionConfiguration\n"
                    "resources:\n"
                    "  - resources:\n"
                    "      - secrets\n"
                    "    providers:\n"
                    "      - kms:\n"
                    "          apiVersion: v2\n"
                    "          name: keyward-secrets\n"
                    "          endpoint: unix:///run/keyward/secrets.sock\n"
                    "          timeout: 3s\n"
                    "      - identity: {}\n"
                    "  - resources:\n"
                    "      - configmaps\n"
                    "    providers:\n"
                    "      - kms:\n"
                    "          apiVersion: v2\n"
                    "          name: keyward-bulk\n"
                    "          endpoint: unix:///run/keyward/bulk.sock\n"
                    "          timeout: 3s\n"
                    "      - identity: {}\n");
}

static struct kw_config *config_of(const struct kw_first_config *first)
{
    struct kw_layout l;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    CHECK_OK(kw_layout_make("/srv/keyward", &l, NULL));
    FILE *out = fmemopen(text, sizeof text, "w");
    CHECK(out != NULL);
    kw_layout_write_config(&l, first, out);
    fclose(out);
    if (kw_failed(kw_config_parse(kw_span_str(text), "test", SIZE_MAX, &config, &note)))
        fail_msg("%s", note.text);
    return config;
}

TEST(first_configuration__the_parser_takes_it)
{
    char name[] = "ChrystokiConfigurationPath", value[] = "/etc/a \"b\", {c}: \\d #e";
    char other[] = "CKNFAST_LOADSHARING", one[] = "1";
    const struct kw_config_var env[] = {{name, value}, {other, one}};
    const struct kw_first_config first = {.domain = "demo",
                                          .module = "/usr/lib/hsm.so",
                                          .uri = "pkcs11:token=slot-1",
                                          .production = true,
                                          .env = env,
                                          .env_count = 2};
    struct kw_config *c = config_of(&first);
    CHECK_STR(c->domain, "demo");
    CHECK(c->production);
    CHECK(c->token_count == 1 && c->tokens[0].env_count == 2);
    CHECK_STR(c->tokens[0].env[0].name, name);
    CHECK_STR(c->tokens[0].env[0].value, value);
    CHECK_STR(c->tokens[0].env[1].value, one);
    CHECK_STR(c->tokens[0].module, "/usr/lib/hsm.so");
    CHECK_STR(c->tokens[0].uri, "pkcs11:token=slot-1");
    CHECK(c->class_count == 2);
    CHECK_STR(c->classes[0].name, "secrets");
    CHECK(c->classes[0].on_loss == KW_ON_LOSS_FAIL_CLOSED);
    CHECK(c->classes[0].uid_count == 1 && c->classes[0].uids[0] == 0);
    CHECK_STR(c->classes[1].name, "bulk");
    CHECK(c->classes[1].on_loss == KW_ON_LOSS_SERVE_CACHED);
    kw_config_free(c);
}

TEST(first_configuration_of_a_soft_token__test_and_its_own_conf)
{
    char name[] = "OTHER", value[] = "x";
    const struct kw_config_var env = {name, value};
    const struct kw_first_config first = {.domain = "demo",
                                          .module = "/usr/lib/s.so",
                                          .uri = "pkcs11:token=keyward",
                                          .softhsm = true,
                                          .peer = 1000,
                                          .env = &env,
                                          .env_count = 1};
    struct kw_config *c = config_of(&first);
    CHECK(!c->production);
    CHECK(c->tokens[0].env_count == 2);
    CHECK_STR(c->tokens[0].env[1].name, "OTHER");
    CHECK_STR(c->tokens[0].env[0].name, "SOFTHSM2_CONF");
    CHECK_STR(c->tokens[0].env[0].value, "/srv/keyward/softhsm2.conf");
    CHECK(c->classes[0].uid_count == 2 && c->classes[0].uids[1] == 1000);
    kw_config_free(c);
}

TEST(uri__what_rfc_7512_reserves_is_encoded)
{
    char uri[64];
    CHECK(kw_layout_uri("keyward", NULL, uri, sizeof uri));
    CHECK_STR(uri, "pkcs11:token=keyward");
    CHECK(kw_layout_uri("My Token;/?", "00-1a", uri, sizeof uri));
    CHECK_STR(uri, "pkcs11:token=My%20Token%3B%2F%3F;serial=00-1a");
    CHECK(!kw_layout_uri("keyward", NULL, uri, 20));
    CHECK(kw_layout_uri("keyward", NULL, uri, 21));
    CHECK(!kw_layout_uri("keyward", "1", uri, 29));
}

KW_CASES("provider/cli/layout", CASE(uri__what_rfc_7512_reserves_is_encoded),
         CASE(folder_not_absolute_or_not_plain__bad_input),
         CASE(folder_too_deep_for_a_socket__bad_input_names_the_limit),
         CASE(no_folder__the_systems_places),
         CASE(encryption_configuration__as_kube_apiserver_wants_it),
         CASE(first_configuration__the_parser_takes_it),
         CASE(first_configuration_of_a_soft_token__test_and_its_own_conf))
