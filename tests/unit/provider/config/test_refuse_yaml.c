/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong before any setting is looked at, and keys. */
#include "config_sample.h"

#include <stdio.h>

TEST(yaml__not_a_plain_single_document__refused_there)
{
    static const struct change cases[] = {
        {0, "", "1:1: yaml: the file is empty", NULL},
        {0, "# nothing\n", "1:1: yaml: the file is empty", NULL},
        {0, "- a\n", "1:1: document: is a list", "mapping"},
        {0, "domain\n", "1:1: document: is a single value", "mapping"},
        {33, "    cache: {}\n---\ndomain: x", "34:1: yaml: a second document", NULL},
        {33, "    cache: {}\n...\n---\n...", "35:1: yaml: a second document", NULL},
        {1, "domain: &d demo", "1:9: yaml: anchors", NULL},
        {29, "    scope: *d", "29:12: yaml: aliases", NULL},
        {1, "domain: !!str demo", "1:9: yaml: tags", NULL},
        {1, "domain: !x demo", "1:9: yaml: tags", NULL},
        {25, "    peers: !!map {uids: [1]}", "25:12: yaml: tags", NULL},
        {22, "    accept-scopes: &a [old]", "22:20: yaml: anchors", NULL},
        {1, "%YAML 1.1\n---\ndomain: demo", "1:1: yaml: directives", NULL},
        {1, "%TAG ! tag:x,2000:\n---\ndomain: demo", "1:1: yaml: directives", NULL},
        {1, "domain: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "1:24: yaml: nested too deeply",
         NULL},
        {1, "domain: {a: b", "2:12: yaml: ", NULL},
        {2, "\tenvironment: test", "2:1: yaml: ", NULL},
        {33, "    cache: {ttl: \"5m}", "34:1: yaml: ", NULL},
        {2, "environment: te\x01st", "2:16: yaml: control characters are not allowed",
         NULL},
        {2, "environment: \xc3\xa4 \x02", "2:16: yaml: control characters", NULL},
        {2, "environment: \xc3(", "2:15: yaml: ", "UTF-8"},
        {1,
         "\xef\xbb\xbf"
         "domain: [a]",
         "1:9: domain: is a list", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(yaml__a_nul__refused_there)
{
    static const char raw[] = "domain: demo\nenvironment: te\0st\n";
    static const struct change escaped[] = {
        {1, "domain: \"de\\0mo\"", "1:9: domain: has a character that is not allowed",
         NULL},
        {1, "\"dom\\0ain\": demo", "1:1: dom?ain: unknown key", NULL},
        {17, "      env: {A: \"x\\0\"}", "17:16: hsm.tokens[0].env: has a character",
         NULL},
        {27, "    cache: {ttl: \"5m\\0\"}",
         "27:18: classes[0].cache.ttl: is not a duration", NULL},
    };
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    CHECK_CODE(kw_config_parse(kw_span_of(raw, sizeof raw - 1), "c.yaml", SIZE_MAX,
                               &config, &note),
               KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:2:16: yaml: ");
    CHECK_REFUSED(escaped);
}

TEST(yaml__larger_than_the_limit__refused_unread)
{
    static uint8_t big[KW_CONFIG_MAX + 1];
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    memset(big, ' ', sizeof big);
    CHECK_CODE(
        kw_config_parse(kw_span_of(big, sizeof big), "c.yaml", SIZE_MAX, &config, &note),
        KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:1:1: yaml: the file has over 262144 bytes");
    CHECK(config == NULL);
}

TEST(key__unknown__refused_with_what_was_meant_or_is_known)
{
    static const struct change cases[] = {
        {1, "domian: demo", "1:1: domian: unknown key; did you mean domain?", NULL},
        {3, "keyrin: /a", "3:1: keyrin: unknown key; did you mean keyring?", NULL},
        {3, "keyrings: /a", "3:1: keyrings: unknown key; did you mean keyring?", NULL},
        {3, "kexring: /a", "3:1: kexring: unknown key; did you mean keyring?", NULL},
        {19, "class:", "19:1: class: unknown key; allowed: domain, ",
         "hsm, audit, classes"},
        {8, "  timeout: 1s", "8:3: timeout: unknown key; allowed in hsm: deadline, ",
         NULL},
        {12, "  probe: {evry: 5s}", "12:11: evry: unknown key; did you mean every?",
         NULL},
        {12, "  probe: {xxxx: 5s}",
         "12:11: xxxx: unknown key; allowed in hsm.probe: every, ", NULL},
        {16, "      pin-value: 1234",
         "16:7: pin-value: unknown key; allowed in hsm.tokens[0]", NULL},
        {30, "    sockets: /a", "30:5: sockets: unknown key; did you mean socket?", NULL},
        {30, "    port: 1", "30:5: port: unknown key; allowed in classes[1]: name, ",
         NULL},
        {27, "    cache: {size: 1}",
         "27:13: size: unknown key; allowed in classes[0].cache", NULL},
        {1, "Domain: demo", "1:1: Domain: unknown key; did you mean domain?", NULL},
        {1, "<<: demo", "1:1: <<: unknown key", NULL},
        {1, "\"a\\tb\\e\": demo", "1:1: a?b?: unknown key", NULL},
        {1, "\"\": demo", "1:1: : unknown key", NULL},
        {1, "? [a, b]\n: demo", "1:3: document: has a key that is no text", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(key__unknown_with_a_pin__the_value_is_not_told)
{
    char text[SAMPLE_MAX];
    struct change c = {.line = 16, .with = "      pinn: 918273"};
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    sample_with(&c, text);
    CHECK_CODE(kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note),
               KW_CODE_BAD_INPUT);
    CHECK(strstr(note.text, "918273") == NULL);
}

TEST(key__twice__refused_at_the_second)
{
    static const struct change cases[] = {
        {2, "environment: test\ndomain: demo", "3:1: domain: is there twice", "line 1"},
        {7, "hsm: {}\nhsm:", "7:6: hsm.tokens: is missing", NULL},
        {9, "  deadline: 1s", "9:3: hsm.deadline: is there twice", "line 8"},
        {10, "  suspect: 8s\n  probe: {}", "13:3: hsm.probe: is there twice", "line 11"},
        {12, "  probe: {every: 5s, every: 6s}", "12:22: hsm.probe.every: is there twice",
         NULL},
        {18, "      uri: pkcs11:token=a", "18:7: hsm.tokens[0].uri: is there twice",
         "line 14"},
        {17, "      env: {A: x, B: y, A: z}",
         "17:25: hsm.tokens[0].env: has this name twice", NULL},
        {31, "    name: other", "31:5: classes[1].name: is there twice", "line 28"},
        {27, "    cache: {ttl: 5m, ttl: 5m}",
         "27:22: classes[0].cache.ttl: is there twice", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(key__missing__refused_where_its_mapping_begins)
{
    static const struct change cases[] = {
        {0, "environment: test\n", "1:1: domain: is missing", "1..64 of"},
        {0, "{}\n", "1:1: domain: is missing", NULL},
        {0, "\n# c\ndomain: demo\n", "3:1: environment: is missing", "test|production"},
        {0, "domain: d\nenvironment: test\n", "1:1: hsm.tokens: is missing",
         "list of 1..4"},
        {14, "    - {}\n    -", "14:7: hsm.tokens[0].uri: is missing", NULL},
        {15, "", "14:7: hsm.tokens[0].module: is missing", NULL},
        {16, "", "14:7: hsm.tokens[0].pin: is missing", "credential:"},
        {20, "  - {}\n  - name: x", "20:5: classes[0].name: is missing", NULL},
        {21, "", "20:5: classes[0].scope: is missing", NULL},
        {30, "", "28:5: classes[1].socket: is missing", NULL},
    };
    CHECK_REFUSED(cases);
}

KW_CASES("provider/config/refuse_yaml",
         CASE(yaml__not_a_plain_single_document__refused_there),
         CASE(yaml__a_nul__refused_there),
         CASE(yaml__larger_than_the_limit__refused_unread),
         CASE(key__unknown__refused_with_what_was_meant_or_is_known),
         CASE(key__unknown_with_a_pin__the_value_is_not_told),
         CASE(key__twice__refused_at_the_second),
         CASE(key__missing__refused_where_its_mapping_begins))
