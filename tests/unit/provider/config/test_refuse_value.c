/* SPDX-License-Identifier: Apache-2.0 */
/* Each row's own refusals. */
#include "config_sample.h"

#include <stdio.h>

TEST(value__wrong_type__refused_with_the_right_one)
{
    static const struct change cases[] = {
        {1, "domain: [demo]", "1:9: domain: is a list", "text"},
        {1, "domain: {a: b}", "1:9: domain: is a mapping", NULL},
        {6, "log: warn", "6:6: log: is a single value; allowed: mapping", NULL},
        {6, "log: [warn]", "6:6: log: is a list; allowed: mapping", NULL},
        {8, "  deadline: {}", "8:13: hsm.deadline: is a mapping",
         "duration 100ms..2999ms"},
        {17, "      env: [A]", "17:12: hsm.tokens[0].env: is a list",
         "mapping of NAME: text"},
        {17, "      env: {A: [x]}", "17:16: hsm.tokens[0].env: is a list", "printable"},
        {17, "      env: {[A]: x}", "17:13: hsm.tokens[0].env: is a list", "[A-Za-z_]"},
        {18, "      workers: \"2\"", "18:16: hsm.tokens[0].workers: is quoted text",
         "1..16"},
        {18, "      workers: two", "18:16: hsm.tokens[0].workers: is not a number", NULL},
        {18, "      workers: 2.0", "18:16: hsm.tokens[0].workers: is not a number", NULL},
        {18, "      workers: -1", "18:16: hsm.tokens[0].workers: is not a number", NULL},
        {18, "      workers: 02", "18:16: hsm.tokens[0].workers: is not a number", NULL},
        {18, "      workers: 0x2", "18:16: hsm.tokens[0].workers: is not a number", NULL},
        {22, "    accept-scopes: old",
         "22:20: classes[0].accept-scopes: is a single value", "list of 0..16"},
        {22, "    accept-scopes: [[old]]", "22:21: classes[0].accept-scopes: is a list",
         NULL},
        {25, "    peers: [0]", "25:12: classes[0].peers: is a list", NULL},
        {25, "    peers: {uids: 0}", "25:19: classes[0].peers.uids: is a single value",
         "list of 0..32, each a number"},
        {25, "    peers: {uids: [root]}", "25:20: classes[0].peers.uids: is not a number",
         NULL},
        {28, "  - bulk\n  - name: bulk", "28:5: classes[1]: is a single value",
         "mapping"},
    };
    CHECK_REFUSED(cases);
}

TEST(value__nothing__refused)
{
    static const struct change cases[] = {
        {1, "domain:", "1:8: domain: has no value", NULL},
        {1, "domain: \"\"", "1:9: domain: has no value", NULL},
        {1, "domain: ~", "1:9: domain: has no value", NULL},
        {1, "domain: null", "1:9: domain: has no value", NULL},
        {8, "  deadline:", "8:12: hsm.deadline: has no value", NULL},
        {6, "log:", "6:5: log: is a single value; allowed: mapping", NULL},
        {22, "    accept-scopes: [~]", "22:21: classes[0].accept-scopes: has no value",
         NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(names__outside_their_alphabet__refused)
{
    static const struct change cases[] = {
        {1, "domain: Demo", "1:9: domain: has a character that is not allowed",
         "[a-z0-9.-]"},
        {1, "domain: a_b", "1:9: domain: has a character", NULL},
        {1, "domain: .a", "1:9: domain: begins or ends", NULL},
        {1, "domain: a-", "1:9: domain: begins or ends", NULL},
        {1, "domain: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg",
         "1:9: domain: is too long", "1..64"},
        {20, "  - name: se.crets", "20:11: classes[0].name: has a character",
         "[a-z0-9-]"},
        {21, "    scope: Secrets", "21:12: classes[0].scope: has a character", NULL},
        {21, "    scope: -secrets", "21:12: classes[0].scope: begins or ends", NULL},
        {21, "    scope: aaaaaaaaaabbbbbbbbbbccccccccccddd",
         "21:12: classes[0].scope: is too long", "1..32"},
        {22, "    accept-scopes: [old, o/d]",
         "22:26: classes[0].accept-scopes: has a character", NULL},
        {17, "      env: {hsm-conf: x}",
         "17:13: hsm.tokens[0].env: is no name of a variable", "[A-Za-z_][A-Za-z0-9_]*"},
        {17, "      env: {9A: x}", "17:13: hsm.tokens[0].env: is no name of a variable",
         NULL},
        {17, "      env: {\"\": x}", "17:13: hsm.tokens[0].env: is no name of a variable",
         NULL},
        {17, "      env: {\"A=B\": x}", "17:13: hsm.tokens[0].env: is no name", NULL},
        {17, "      env: {A: \"x\\n\"}", "17:16: hsm.tokens[0].env: has a character",
         NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(paths__not_one_plain_spelling__refused)
{
    static const struct change cases[] = {
        {3, "keyring: keyring.json", "3:10: keyring: is not absolute", "absolute path"},
        {3, "keyring: ./keyring.json", "3:10: keyring: is not absolute", NULL},
        {4, "state: /var//lib", "4:8: state: has an empty part", NULL},
        {4, "state: /var/lib/", "4:8: state: has an empty part", NULL},
        {4, "state: /", "4:8: state: has an empty part", NULL},
        {4, "state: /var/./lib", "4:8: state: has an empty part, . or ..", NULL},
        {4, "state: /var/lib/..", "4:8: state: has an empty part, . or ..", NULL},
        {4, "state: \"/var/l\xc3\xa4\"", "4:8: state: has a character",
         "printable ASCII"},
        {15, "      module: libsofthsm2.so",
         "15:15: hsm.tokens[0].module: is not absolute", NULL},
        {5, "status: status.sock", "5:9: status: is not absolute", NULL},
        {23, "    socket: unix:///run/a.sock",
         "23:13: classes[0].socket: is not absolute", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(socket__longer_than_the_kernel_takes__refused)
{
    char with[256];
    struct change cases[] = {
        {23, with, "23:13: classes[0].socket: is too long", "at most 107 bytes"}};
    snprintf(with, sizeof with, "    socket: /%0*d", 107, 0);
    CHECK_REFUSED(cases);
    snprintf(with, sizeof with, "    socket: /%0*d", 106, 0);
    kw_config_free(sample_accept(23, with));
}

TEST(path__longer_than_any_path__refused)
{
    char with[1200];
    struct change cases[] = {{3, with, "3:10: keyring: is too long", NULL}};
    snprintf(with, sizeof with, "keyring: /%0*d", 1023, 0);
    CHECK_REFUSED(cases);
    snprintf(with, sizeof with, "keyring: /%0*d", 1022, 0);
    kw_config_free(sample_accept(3, with));
}

TEST(times__out_of_range__refused)
{
    static const struct change cases[] = {
        {8, "  deadline: 3s", "8:13: hsm.deadline: is out of range", "100ms..2999ms"},
        {8, "  deadline: 99ms", "8:13: hsm.deadline: is out of range", NULL},
        {8, "  deadline: 1.5s", "8:13: hsm.deadline: is not a duration", NULL},
        {8, "  deadline: 1500", "8:13: hsm.deadline: is not a duration", NULL},
        {8, "  deadline: 1 s", "8:13: hsm.deadline: is not a duration", NULL},
        {8, "  deadline: -1s", "8:13: hsm.deadline: is not a duration", NULL},
        {8, "  deadline: 99999999999999999999h", "8:13: hsm.deadline: is not a duration",
         NULL},
        {9, "  patience: 999ms", "9:13: hsm.patience: is out of range", "1s..5m"},
        {9, "  patience: 301s", "9:13: hsm.patience: is out of range", NULL},
        {10, "  suspect: 999ms", "10:12: hsm.suspect: is out of range", "1s..10m"},
        {10, "  suspect: 11m", "10:12: hsm.suspect: is out of range", NULL},
        {11, "  recover: 601s", "11:12: hsm.recover: is out of range", "0s..10m"},
        {12, "  probe: {every: 999ms}", "12:18: hsm.probe.every: is out of range",
         "1s..10m"},
        {12, "  probe: {every: 11m}", "12:18: hsm.probe.every: is out of range", NULL},
        {12, "  probe: {stale-after: 1s}",
         "12:24: hsm.probe.stale-after: is out of range", "2s..1h"},
        {32, "    max-outage: 0s", "32:17: classes[1].max-outage: is out of range",
         "1s..24h"},
        {32, "    max-outage: 25h", "32:17: classes[1].max-outage: is out of range",
         NULL},
        {33, "    cache: {ttl: 25h}", "33:18: classes[1].cache.ttl: is out of range",
         "0s..24h"},
    };
    CHECK_REFUSED(cases);
}

TEST(numbers__out_of_range__refused)
{
    static const struct change cases[] = {
        {18, "      workers: 0", "18:16: hsm.tokens[0].workers: is out of range",
         "1..16"},
        {18, "      workers: 17", "18:16: hsm.tokens[0].workers: is out of range", NULL},
        {25, "    peers: {uids: [4294967295]}",
         "25:20: classes[0].peers.uids: is out of range", "0..4294967294"},
        {25, "    peers: {gids: [1, 4294967296]}",
         "25:23: classes[0].peers.gids: is out of range", NULL},
        {33, "    cache: {entries: 1000001}",
         "33:22: classes[1].cache.entries: is out of range", "0..1000000"},
        {33, "    cache: {entries: 99999999999999999999}",
         "33:22: classes[1].cache.entries: is not a number", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(choices__none_of_them__refused)
{
    static const struct change cases[] = {
        {2, "environment: prod", "2:14: environment: is none of the choices",
         "test|production"},
        {2, "environment: test|production", "2:14: environment: is none of the choices",
         NULL},
        {6, "log: {level: trace}", "6:14: log.level: is none of the choices",
         "debug|info|warn|error"},
        {6, "log: {format: text}", "6:15: log.format: is none of the choices",
         "logfmt|json"},
        {26, "    on-hsm-loss: fail-open",
         "26:18: classes[0].on-hsm-loss: is none of the", "fail-closed|serve-cached"},
        {26, "    on-hsm-loss: fail", "26:18: classes[0].on-hsm-loss: is none of the",
         NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(mode__open_or_no_mode__refused)
{
    static const struct change cases[] = {
        {24, "    mode: 0666", "24:11: classes[0].mode: lets others in", "0660"},
        {24, "    mode: 0604", "24:11: classes[0].mode: lets others in", NULL},
        {24, "    mode: 0661", "24:11: classes[0].mode: lets others in", NULL},
        {24, "    mode: 0700", "24:11: classes[0].mode: has an execute bit", NULL},
        {24, "    mode: 0670", "24:11: classes[0].mode: has an execute bit", NULL},
        {24, "    mode: 0060", "24:11: classes[0].mode: does not let its owner", NULL},
        {24, "    mode: 0400", "24:11: classes[0].mode: does not let its owner", NULL},
        {24, "    mode: 660", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: 432", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: 0o660", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: 1660", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: 0680", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: 00660", "24:11: classes[0].mode: is not a mode", NULL},
        {24, "    mode: rw-rw----", "24:11: classes[0].mode: is not a mode", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(uri__malformed_or_more_than_a_token__refused)
{
    static const struct change cases[] = {
        {14, "    - uri: token=a",
         "14:12: hsm.tokens[0].uri: does not begin with pkcs11:", NULL},
        {14, "    - uri: PKCS11:token=a", "14:12: hsm.tokens[0].uri: does not begin",
         NULL},
        {14, "    - uri: \"pkcs11:token=a b\"",
         "14:12: hsm.tokens[0].uri: has a character", "%XX"},
        {14, "    - uri: pkcs11:token=a?module-path=/x.so",
         "14:12: hsm.tokens[0].uri: names a module", "under module"},
        {14, "    - uri: pkcs11:token=a?module-name=x",
         "14:12: hsm.tokens[0].uri: names a mod", NULL},
        {14, "    - uri: pkcs11:token=a?pin-source=file:/p",
         "14:12: hsm.tokens[0].uri: holds a", NULL},
    };
    CHECK_REFUSED(cases);
}

/* Whatever is wrong with it, a PIN in the file is never repeated in the message. */
TEST(pin__inline__refused_and_not_told)
{
    static const struct change cases[] = {
        {16, "      pin: 918273", "16:12: hsm.tokens[0].pin: does not say where",
         "file:/"},
        {16, "      pin: \"918273\"", "16:12: hsm.tokens[0].pin: does not say where",
         NULL},
        {16, "      pin: \"|cat 918273\"", "16:12: hsm.tokens[0].pin: does not say",
         NULL},
        {16, "      pin: env:918273", "16:12: hsm.tokens[0].pin: does not say", NULL},
        {16, "      pin: file:918273", "16:12: hsm.tokens[0].pin: is not absolute", NULL},
        {16, "      pin: 'file:'", "16:12: hsm.tokens[0].pin: names no file", NULL},
        {16, "      pin: file:/a/../918273",
         "16:12: hsm.tokens[0].pin: has an empty part", NULL},
        {16, "      pin: 'credential:'", "16:12: hsm.tokens[0].pin: names no credential",
         NULL},
        {16, "      pin: credential:../918273", "16:12: hsm.tokens[0].pin: names no cred",
         NULL},
        {16, "      pin: credential:918/273", "16:12: hsm.tokens[0].pin: names no cred",
         NULL},
        {16, "      pin: [918273]", "16:12: hsm.tokens[0].pin: is a list", NULL},
        {14, "    - uri: pkcs11:token=a?pin-value=918273",
         "14:12: hsm.tokens[0].uri: holds a PIN", "under pin"},
        {14, "    - uri: pkcs11:pin-value=918273;token=a",
         "14:12: hsm.tokens[0].uri: holds a", NULL},
        {14, "    - uri: pkcs11:token=a?PIN-VALUE=918273",
         "14:12: hsm.tokens[0].uri: holds a", NULL},
    };
    char text[SAMPLE_MAX];
    CHECK_REFUSED(cases);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kw_config *config = NULL;
        struct kw_note note = {{0}};
        sample_with(&cases[i], text);
        CHECK_CODE(kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note),
                   KW_CODE_BAD_INPUT);
        CHECK(strstr(note.text, "918273") == NULL);
    }
}

TEST(lists__too_long_or_twice__refused_at_the_item)
{
    static const struct change cases[] = {
        {22, "    accept-scopes: [a1, b1, a1]",
         "22:29: classes[0].accept-scopes: is there twice", NULL},
        {22,
         "    accept-scopes: [a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2, b3, b4, b5, "
         "b6, b7, "
         "b8]",
         "22:85: classes[0].accept-scopes: is too long", "0..16"},
        {25, "    peers: {uids: [5, 6, 5]}",
         "25:26: classes[0].peers.uids: is there twice", NULL},
        {13, "  tokens: []\nx:", "13:11: hsm.tokens: is too short", "1..4"},
    };
    CHECK_REFUSED(cases);
}

TEST(lists__more_than_their_arrays__refused_at_the_first_too_many)
{
    char text[SAMPLE_MAX];
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    int n = snprintf(text, sizeof text, "%s", sample_text);
    for (int i = 2; i <= 16; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "  - {name: n%d}\n", i);
    CHECK_CODE(kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note),
               KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:48:5: classes: is too long; allowed: list of 1..16");
    n = snprintf(text, sizeof text, "hsm: {tokens: [{env: {V0: x");
    for (int i = 1; i <= 32; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, ",\n V%d: x", i);
    snprintf(text + n, sizeof text - (size_t)n, "}}]}\n");
    CHECK_CODE(kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note),
               KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:33:2: hsm.tokens[0].env: is too long");
}

KW_CASES("provider/config/refuse_value",
         CASE(value__wrong_type__refused_with_the_right_one),
         CASE(value__nothing__refused), CASE(names__outside_their_alphabet__refused),
         CASE(paths__not_one_plain_spelling__refused),
         CASE(socket__longer_than_the_kernel_takes__refused),
         CASE(path__longer_than_any_path__refused), CASE(times__out_of_range__refused),
         CASE(numbers__out_of_range__refused), CASE(choices__none_of_them__refused),
         CASE(mode__open_or_no_mode__refused),
         CASE(uri__malformed_or_more_than_a_token__refused),
         CASE(pin__inline__refused_and_not_told),
         CASE(lists__too_long_or_twice__refused_at_the_item),
         CASE(lists__more_than_their_arrays__refused_at_the_first_too_many))
