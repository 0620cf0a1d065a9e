/* SPDX-License-Identifier: Apache-2.0 */
/* What is withheld: a marker wherever a PIN could be, in every spelling, is in no output. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/config.h>

#include "support_redact.h"
#include "support_value.h"

#define PIN "hunter2-98765"

static struct kw_support_redacted redacted;
static struct kw_support_text shown;

static const char *redact(const char *yaml)
{
    static char text[65536];
    kw_support_text_init(&shown, sizeof text - 1);
    kw_support_redact(kw_span_str(yaml), &shown, &redacted);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    kw_support_text_wipe(&shown);
    return text;
}

/* The same text with CR LF at the end of each line. */
static void windows(const char *yaml, char *dst, size_t cap)
{
    size_t n = 0;
    for (; *yaml != '\0' && n + 2 < cap; yaml++) {
        if (*yaml == '\n')
            dst[n++] = '\r';
        dst[n++] = *yaml;
    }
    dst[n] = '\0';
}

static void hides(const char *yaml)
{
    char crlf[4096];
    const char *text = redact(yaml);
    if (strstr(text, "hunter2") != NULL || strstr(text, "98765") != NULL)
        fail_msg("of\n%s\nthis is shown:\n%s", yaml, text);
    windows(yaml, crlf, sizeof crlf);
    text = redact(crlf);
    if (strstr(text, "hunter2") != NULL || strstr(text, "98765") != NULL)
        fail_msg("with CR LF, of\n%s\nthis is shown:\n%s", yaml, text);
}

static void hides_all(const char *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hides(rows[i]);
}

#define TOKEN "hsm:\n  tokens:\n    - uri: \"pkcs11:token=x\"\n      "

TEST(redact__a_pin_where_none_belongs__not_shown)
{
    static const char *const rows[] = {
        TOKEN "pin: " PIN "\n",
        TOKEN "pin: \"" PIN "\"\n",
        TOKEN "pin: '" PIN "'\n",
        TOKEN "pin:\t" PIN "\n",
        TOKEN "pin:  " PIN "   # " PIN "\n",
        TOKEN "pin: file:" PIN "\n",
        TOKEN "pin: file:/" PIN "\n",
        TOKEN "pin: credential:" PIN "\n",
        TOKEN "pin: !!str " PIN "\n",
        TOKEN "pin: &a " PIN "\n",
        TOKEN "pin: [" PIN "]\n",
        TOKEN "pin: {file: " PIN "}\n",
        TOKEN "pin " PIN "\n",
        TOKEN "PIN: " PIN "\n",
        TOKEN "p\xc3\xafn: " PIN "\n",
        TOKEN "\"pin\": " PIN "\n",
        TOKEN "? pin\n      : " PIN "\n",
        TOKEN "user-pin: " PIN "\n",
        TOKEN "so_pin: " PIN "\n",
        TOKEN PIN ": 1\n",
        TOKEN "env: {PIN: " PIN "}\n",
        TOKEN "env:\n        PIN: " PIN "\n        level: debug\n",
        TOKEN "env:\n        domain: " PIN "\n",
        TOKEN "env:\n      - domain: " PIN "\n",
        TOKEN "# pin: " PIN "\n",
        "domain: demo # " PIN "\n",
        "#" PIN "\ndomain: demo\n",
        PIN "\n",
        "\t" PIN "\n",
        "- " PIN "\n",
        "--- " PIN "\n",
        "%TAG " PIN "\n",
        "{pin: " PIN ", domain: demo}\n",
        "log: {level: " PIN "}\n",
        "log: {level: debug, pin: " PIN "}\n",
        "log: {\"pin\": " PIN "}\n",
        "log: [" PIN "]\n",
        "log: " PIN "\n",
        "hsm: {tokens: [{pin: " PIN "}]}\n",
    };
    hides_all(rows, sizeof rows / sizeof rows[0]);
}

TEST(redact__a_pin_in_a_uri__not_shown)
{
    static const char *const rows[] = {"pkcs11:token=x?pin-value=" PIN,
                                       "pkcs11:token=x;pin-value=" PIN,
                                       "pkcs11:?pin-value=" PIN,
                                       "pkcs11:pin-value=" PIN ";token=x",
                                       "pkcs11:token=x?pin-source=file:/" PIN,
                                       "pkcs11:token=x;x-pin=" PIN,
                                       "pkcs11:token=x&pin-value=" PIN,
                                       "pkcs11:token=x pin-value=" PIN,
                                       "pkcs11:PIN-VALUE=" PIN,
                                       "PKCS11:token=" PIN,
                                       "pkcs11:token=x%3fpin-value=" PIN,
                                       "pkcs11:token=x%3Fpin-value%3D" PIN,
                                       "pkcs11:token=x%3bPIN-VALUE%3d" PIN,
                                       "https://u:" PIN "@h/",
                                       "pkcs11:object=" PIN,
                                       "pkcs11:" PIN};
    char yaml[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(yaml, sizeof yaml, "hsm:\n  tokens:\n    - uri: \"%s\"\n", rows[i]);
        hides(yaml);
        snprintf(yaml, sizeof yaml, "hsm:\n  tokens:\n    - uri: %s\n", rows[i]);
        hides(yaml);
    }
}

TEST(redact__what_goes_on_for_lines__not_shown_to_its_end)
{
    static const char *const rows[] = {
        TOKEN "pin: |\n        level: debug\n        name: " PIN "\n",
        TOKEN "pin: >-\n\n        name: " PIN "\n",
        TOKEN "pin: |2\n          name: " PIN "\n",
        TOKEN "pin:\n        name: " PIN "\n",
        TOKEN "pin:\n        - name: " PIN "\n",
        TOKEN "pin:\n      - name: " PIN "\n",
        TOKEN "pin: abc\n        name: " PIN "\n",
        TOKEN "pin: \"abc\n      name: " PIN "\"\n",
        TOKEN "pin: 'abc\nname: " PIN "'\n",
        TOKEN "pin: [abc,\nname: " PIN "]\n",
        TOKEN "pin: {a: b,\nname: " PIN "}\n",
        TOKEN "pin: \"abc \\\"\nname: " PIN "\"\n",
        TOKEN "pin: it's\nname: " PIN "\n",
        TOKEN "foo: |\n        name: " PIN "\n",
        TOKEN "foo:\n      - name: " PIN "\n",
        TOKEN "\"foo\": |\n name: " PIN "\n",
        TOKEN "foo bar: |\n        name: " PIN "\n",
        "domain: \"demo\nname: " PIN "\"\n",
        "domain: demo\n  name: " PIN "\n",
        "domain: |\n  name: " PIN "\n",
        "domain:\n  name: " PIN "\n",
        "accept-scopes:\n  - name: " PIN "\n",
        "accept-scopes:\n- name: " PIN "\n",
        "- |\n name: " PIN "\n",
        "&a\nname: " PIN "\n",
        "x: a\rname: " PIN "\n",
        "x: \xc2\x85name: " PIN "\nname: " PIN "\n",
        "x: \xe2\x80\xa8name: " PIN "\nname: " PIN "\n",
        "*a :\nname: " PIN "\n",
        /* A comment ends where a line of YAML does. */
        "log:\n#\rpin: |\n name: " PIN "\n",
        "log:\n# \xc2\x85pin: |\n name: " PIN "\n",
        "log:\n# \xe2\x80\xa8pin: |\n name: " PIN "\n",
        "log:\n# \xe2\x80\xa9pin: |\n name: " PIN "\n",
        /* What is withheld anyway begins something that is not as deep. */
        "env:\n  A: \"b\nname: " PIN "\n\"\n",
        "env:\n  - [b,\nname: " PIN "\n]\n",
        "env:\n  - A.b: 'b\nname: " PIN "\n'\n",
        "hsm:\n    env:\n      a\xe2\x80\xa8pin:\n  name: " PIN "\n",
        /* What looks closed, and is open: a quote inside of a word is none. */
        "pin: [it's, 'abc]\nname: " PIN "\n']\n",
        "pin: [a ', ' ]\nname: " PIN "\n']\n",
        "pin: {a:' , ' }\nname: " PIN "\n'}\n",
        "pin: [''' ]\nname: " PIN "\n']\n",
        "pin: !t' 'abc\nname: " PIN "\n'\n",
        "pin: !t] [\nname: " PIN "\n]\n",
        "pin: [a,#]\nname: " PIN "\n]\n",
        "pin: ['a'#]\nname: " PIN "\n]\n",
    };
    hides_all(rows, sizeof rows / sizeof rows[0]);
}

TEST(redact__a_line_too_long_or_with_a_nul__the_rest_is_not_shown)
{
    static char yaml[8192];
    const char nul[] = "domain: d\0emo\nname: " PIN "\n";
    char text[512] = "";
    snprintf(yaml, sizeof yaml, "domain: %04000d\nname: " PIN "\n", 7);
    hides(yaml);
    kw_support_text_init(&shown, sizeof text - 1);
    kw_support_redact(kw_span_of(nul, sizeof nul - 1), &shown, &redacted);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    CHECK(strstr(text, PIN) == NULL);
    CHECK_HAS(text, "nothing is shown from here on");
    kw_support_text_wipe(&shown);
}

TEST(redact__a_good_configuration__all_but_pin_env_and_comments)
{
    const char *text =
        redact("# all of it\n"
               "domain: demo    # never changes\n"
               "environment: test\n"
               "keyring: /etc/keyward/keyring.json\n"
               "log: {level: debug}\n"
               "hsm:\n"
               "  deadline: 1500ms\n"
               "  probe: {every: 1s, stale-after: 10s}\n"
               "  tokens:\n"
               "    - uri: \"pkcs11:token=key%20ward;serial=12ab?pin-value=" PIN "\"\n"
               "      module: /usr/lib/p11.so\n"
               "      pin: file:/etc/keyward/pin\n"
               "      env: {A: b}\n"
               "      workers: 2\n"
               "    - uri: pkcs11:token=b\n"
               "      env:\n"
               "        A: \"b c\"\n"
               "      pin: credential:pin\n"
               "classes:\n"
               "- name: secrets\n"
               "  mode: 0660\n"
               "  accept-scopes: [a, \"b\"]\n"
               "  peers: {uids: [0, 1], gids: []}\n");
    CHECK_STR(text, "domain: demo\n"
                    "environment: test\n"
                    "keyring: /etc/keyward/keyring.json\n"
                    "log: {level: debug}\n"
                    "hsm:\n"
                    "  deadline: 1500ms\n"
                    "  probe: {every: 1s, stale-after: 10s}\n"
                    "  tokens:\n"
                    "    - uri: pkcs11:token=key%20ward;serial=12ab?[redacted]\n"
                    "      module: /usr/lib/p11.so\n"
                    "      pin: file:[redacted]\n"
                    "      env: [redacted]\n"
                    "      workers: 2\n"
                    "    - uri: pkcs11:token=b\n"
                    "      env: [redacted]\n"
                    "      pin: credential:[redacted]\n"
                    "classes:\n"
                    "- name: secrets\n"
                    "  mode: 0660\n"
                    "  accept-scopes: [a, b]\n"
                    "  peers: {uids: [0, 1], gids: []}\n");
    CHECK_STR(redacted.keyring, "/etc/keyward/keyring.json");
    CHECK(redacted.module_count == 1);
    CHECK_STR(redacted.modules[0], "/usr/lib/p11.so");
    CHECK(redacted.withheld == 2 && redacted.dropped == 1 && redacted.comments == 1);
}

/* A key that is new in the configuration is shown once it is in the table. */
TEST(kinds__every_key_of_the_configuration__known_and_defaults_the_same)
{
    static char all[65536];
    FILE *f = fmemopen(all, sizeof all - 1, "w");
    CHECK(f != NULL);
    kw_config_describe(f);
    CHECK(fclose(f) == 0);
    (void)redact("");
    const char *const places[] = {redacted.keyring, redacted.state, redacted.status};
    for (size_t i = 0; i < 3; i++) {
        char standard[KW_PATH_MAX + 16];
        snprintf(standard, sizeof standard, "; default %s\n", places[i]);
        CHECK_HAS(all, standard);
    }
    CHECK_STR(redacted.audit, "");
    char *rest = all, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] == ' ' || line[0] == '\0')
            continue;
        const char *dot = strrchr(line, '.');
        const char *key = dot != NULL ? dot + 1 : line;
        if (kw_support_kind_of(kw_span_str(key)) == KW_SUPPORT_UNKNOWN)
            fail_msg("'%s' of %s is not in support_value.c", key, line);
    }
}

/* ---- elsewhere ---- */

TEST(scrub__withheld_words__gone_from_every_other_text)
{
    char text[512] = "";
    (void)redact("domain: demo\nfoo: \"two words; and " PIN
                 "\"\nenv: {A: keyward, B: abc}\n"
                 "pin: file:/etc/pin\n");
    kw_support_text_init(&shown, sizeof text - 1);
    CHECK(
        kw_support_scrub(&redacted.words,
                         kw_span_str("keyward demo: '" PIN "', words of foo; x" PIN "y"),
                         &shown) == 3);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    CHECK_STR(text, "keyward demo: '[redacted]', [redacted] of foo; x[redacted]y");
    kw_support_text_wipe(&shown);
}

/* Of a URI and of a PIN's place a part is shown; the others are withheld as any value is. */
TEST(scrub__what_is_withheld_of_a_value__gone_from_every_other_text)
{
    char text[512] = "";
    (void)redact("uri: \"pkcs11:token=label;object=hidden?pin-value=" PIN "\"\n"
                 "pin: file:/etc/" PIN "\n");
    kw_support_text_init(&shown, sizeof text - 1);
    (void)kw_support_scrub(&redacted.words,
                           kw_span_str("label hidden: '" PIN "', /etc/" PIN
                                       ": no such file; token, pin-value, pkcs11"),
                           &shown);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    CHECK_STR(text, "label [redacted]: '[redacted]', [redacted]: no such file; token, "
                    "pin-value, pkcs11");
    kw_support_text_wipe(&shown);
}

TEST(words__more_than_can_be_kept__said)
{
    static char yaml[65536];
    size_t n = (size_t)snprintf(yaml, sizeof yaml, "foo: [");
    for (int i = 0; i < KW_SUPPORT_WORDS_MAX + 1; i++)
        n += (size_t)snprintf(yaml + n, sizeof yaml - n, "\nword%d", i);
    (void)redact(yaml);
    CHECK(redacted.words.are_too_many);
    (void)redact("domain: demo\n");
    CHECK(!redacted.words.are_too_many);
}

KW_CASES("provider/cli/support", CASE(redact__a_pin_where_none_belongs__not_shown),
         CASE(redact__a_pin_in_a_uri__not_shown),
         CASE(redact__what_goes_on_for_lines__not_shown_to_its_end),
         CASE(redact__a_line_too_long_or_with_a_nul__the_rest_is_not_shown),
         CASE(redact__a_good_configuration__all_but_pin_env_and_comments),
         CASE(kinds__every_key_of_the_configuration__known_and_defaults_the_same),
         CASE(scrub__withheld_words__gone_from_every_other_text),
         CASE(scrub__what_is_withheld_of_a_value__gone_from_every_other_text),
         CASE(words__more_than_can_be_kept__said))
