/* SPDX-License-Identifier: Apache-2.0 */
#include "config_sample.h"

#include <stdio.h>

#include <keyward/file.h>

#define TEXT_MAX 32768

/* What is printed of a configuration, or the description of the table. */
static void print_to(char dst[TEXT_MAX], const struct kw_config *config)
{
    memset(dst, 0, TEXT_MAX);
    FILE *out = fmemopen(dst, TEXT_MAX - 1, "w");
    CHECK(out != NULL);
    if (config != NULL)
        kw_config_print(config, out);
    else
        kw_config_describe(out);
    CHECK(fclose(out) == 0);
    CHECK(strlen(dst) < TEXT_MAX - 2);
}

static const char least[] = "domain: a\n"
                            "environment: test\n"
                            "hsm:\n"
                            "  patience: 90000ms\n"
                            "  tokens:\n"
                            "  - {uri: 'pkcs11:token=a', module: '/a b\"\\.so', "
                            "pin: file:/p, env: {B: x, A: ''}}\n"
                            "classes:\n"
                            "- {name: n, scope: s, socket: /s, cache: {ttl: 120s},\n"
                            "   peers: {gids: [3, 4]}, accept-scopes: [x, y]}\n";

static const char least_printed[] = "domain: \"a\"\n"
                                    "environment: test\n"
                                    "keyring: \"/etc/keyward/keyring.json\"  # default\n"
                                    "state: \"/var/lib/keyward\"  # default\n"
                                    "status: \"/run/keyward/status.sock\"  # default\n"
                                    "log:\n"
                                    "  level: info  # default\n"
                                    "  format: logfmt  # default\n"
                                    "hsm:\n"
                                    "  deadline: 1500ms  # default\n"
                                    "  patience: 90s\n"
                                    "  suspect: 10s  # default\n"
                                    "  recover: 10s  # default\n"
                                    "  probe:\n"
                                    "    every: 10s  # default\n"
                                    "    stale-after: 30s  # default\n"
                                    "  order: priority  # default\n"
                                    "  tokens:\n"
                                    "    - uri: \"pkcs11:token=a\"\n"
                                    "      module: \"/a b\\\"\\\\.so\"\n"
                                    "      pin: \"file:/p\"\n"
                                    "      env:\n"
                                    "        B: \"x\"\n"
                                    "        A: \"\"\n"
                                    "      workers: 2  # default\n"
                                    "      sessions: 0  # default\n"
                                    "classes:\n"
                                    "  - name: \"n\"\n"
                                    "    scope: \"s\"\n"
                                    "    accept-scopes: [\"x\", \"y\"]\n"
                                    "    socket: \"/s\"\n"
                                    "    mode: 0660  # default\n"
                                    "    peers:\n"
                                    "      uids: [0]  # default\n"
                                    "      gids: [3, 4]\n"
                                    "    on-hsm-loss: fail-closed  # default\n"
                                    "    cache:\n"
                                    "      entries: 1024  # default\n"
                                    "      ttl: 2m\n";

TEST(print__defaults__marked_and_every_value_effective)
{
    static char out[TEXT_MAX];
    struct kw_config *c = sample_accept(0, least);
    print_to(out, c);
    CHECK_STR(out, least_printed);
    kw_config_free(c);
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What the file does not have is not printed as if it were there. */
TEST(print__audit__all_of_it_or_nothing)
{
    static char out[TEXT_MAX], again[TEXT_MAX];
    struct kw_config *c = sample_accept(6, "audit: {dir: /a, on-failure: allow}");
    CHECK(c->audit_on_failure == KW_AUDIT_ALLOW && c->audit_durability == KW_AUDIT_SYNC);
    assert_int_equal(c->audit_deadline_ns, 250 * KW_MS_NS);
    print_to(out, c);
    CHECK_HAS(out, "audit:\n  dir: \"/a\"\n  durability: sync  # default\n"
                   "  on-failure: allow\n  deadline: 250ms  # default\n"
                   "  rotate: 67108864  # default\n"
                   "  copies: checkpoints  # default\n"
                   "  copies-to: \"/dev/log\"  # default\nclasses:\n");
    kw_config_free(c);
    c = sample_accept(0, out);
    print_to(again, c);
    CHECK_HAS(again, "  deadline: 250ms\n");
    kw_config_free(c);
    c = sample_accept(6, "audit: {dir: /a, key: {label: Audit-1.x, sha256: " HASH "}}");
    CHECK_STR(c->audit_key_label, "Audit-1.x");
    CHECK_STR(c->audit_key_sha256, HASH);
    print_to(out, c);
    CHECK_HAS(out,
              "  key:\n    label: \"Audit-1.x\"\n    sha256: \"" HASH "\"\nclasses:\n");
    kw_config_free(c);
    c = sample_accept(6, "audit: {dir: /a, copies: all, copies-to: /run/log}");
    CHECK(c->audit_copies == KW_COPIES_ALL);
    CHECK_STR(c->audit_copies_to, "/run/log");
    kw_config_free(c);
    c = sample_accept(1, "domain: demo");
    CHECK(c->audit_dir == NULL && c->audit_key_label == NULL);
    CHECK(c->audit_copies == KW_COPIES_NONE && c->audit_copies_to == NULL);
    print_to(out, c);
    CHECK(strstr(out, "audit") == NULL);
    kw_config_free(c);
}

TEST(print__the_sample__loads_again_to_the_same)
{
    static char first[TEXT_MAX], second[TEXT_MAX], third[TEXT_MAX];
    struct kw_config *c = sample_accept(1, "domain: demo");
    print_to(first, c);
    struct kw_config *again = sample_accept(0, first);
    print_to(second, again);
    struct kw_config *once_more = sample_accept(0, second);
    print_to(third, once_more);
    /* What was a default is written now; nothing else differs. */
    CHECK_STR(second, third);
    CHECK_HAS(first, "  # default\n");
    CHECK(strstr(second, "# default") == NULL);
    kw_config_free(c);
    kw_config_free(again);
    kw_config_free(once_more);
}

static const char *const keys[] = {"domain",
                                   "environment",
                                   "keyring",
                                   "state",
                                   "status",
                                   "log.level",
                                   "log.format",
                                   "hsm.deadline",
                                   "hsm.patience",
                                   "hsm.suspect",
                                   "hsm.recover",
                                   "hsm.probe.every",
                                   "hsm.probe.stale-after",
                                   "hsm.order",
                                   "hsm.tokens",
                                   "hsm.tokens[].uri",
                                   "hsm.tokens[].module",
                                   "hsm.tokens[].pin",
                                   "hsm.tokens[].env",
                                   "hsm.tokens[].workers",
                                   "hsm.tokens[].sessions",
                                   "classes",
                                   "classes[].name",
                                   "classes[].scope",
                                   "classes[].accept-scopes",
                                   "classes[].socket",
                                   "classes[].mode",
                                   "classes[].peers.uids",
                                   "classes[].peers.gids",
                                   "classes[].on-hsm-loss",
                                   "classes[].max-outage",
                                   "classes[].cache.entries",
                                   "classes[].cache.ttl"};

TEST(describe__every_key__with_type_default_and_help)
{
    static char text[TEXT_MAX];
    char line[80];
    print_to(text, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(line, sizeof line, "\n%s\n    ", keys[i]);
        CHECK(i == 0 || strstr(text, line) != NULL);
    }
    CHECK(strncmp(text, "domain\n", 7) == 0);
    CHECK_HAS(text,
              "hsm.deadline\n    duration 100ms..2999ms; default 1500ms\n    Of a call");
    CHECK_HAS(text, "environment\n    test|production; required\n");
}

/* The manual is written from the table: all of it stands there, word for word. */
TEST(manual__every_line_of_the_table__is_in_it)
{
    static char text[4 * TEXT_MAX], table[TEXT_MAX];
    struct kw_blob manual = {0};
    struct kw_note note = {{0}};
    char *rest = table, *line;
    CHECK_OK(kw_file_read(DOCS "/CONFIGURATION.md", sizeof text - 1, &manual, &note));
    CHECK(kw_copy_str(text, sizeof text, kw_blob_peek(&manual)));
    kw_blob_wipe(&manual);
    print_to(table, NULL);
    while ((line = strsep(&rest, "\n")) != NULL)
        if (strstr(text, line) == NULL)
            fail_msg("docs/CONFIGURATION.md does not have: %s", line);
}

KW_CASES("provider/config/print", CASE(print__defaults__marked_and_every_value_effective),
         CASE(print__audit__all_of_it_or_nothing),
         CASE(print__the_sample__loads_again_to_the_same),
         CASE(describe__every_key__with_type_default_and_help),
         CASE(manual__every_line_of_the_table__is_in_it))
