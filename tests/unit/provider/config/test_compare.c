/* SPDX-License-Identifier: Apache-2.0 */
#include "config_sample.h"

#include <stdio.h>

static void add(void *ctx, const char *path)
{
    char *names = ctx;
    size_t len = strlen(names);
    snprintf(names + len, SAMPLE_MAX - len, "%s ", path);
}

/* What the sample and a configuration have not in common, in both directions. */
static void differs(struct kw_config *with, const char *names)
{
    char forth[SAMPLE_MAX] = "", back[SAMPLE_MAX] = "";
    struct kw_config *sample = sample_accept(1, "domain: demo");
    kw_config_compare(sample, with, add, forth);
    kw_config_compare(with, sample, add, back);
    CHECK_STR(forth, names);
    CHECK_STR(back, names);
    kw_config_free(sample);
    kw_config_free(with);
}

TEST(compare__one_value_of_each_kind__named_with_its_place)
{
    static const struct {
        unsigned line;
        const char *with, *names;
    } rows[] = {
        {1, "domain: other", "domain "},
        {2, "environment: production", "environment "},
        {6, "log: {level: info, format: logfmt}", "log.level log.format "},
        {6, "log: {level: warn, format: json}\naudit: {dir: /a}", "audit "},
        {12, "  probe: {every: 5s, stale-after: 21s}", "hsm.probe.stale-after "},
        {14, "    - uri: \"pkcs11:token=other\"", "hsm.tokens[0].uri "},
        {16, "      pin: credential:pin", "hsm.tokens[0].pin "},
        {17, "      env: {HSM_CONF: /etc/hsm2.conf}", "hsm.tokens[0].env "},
        {17, "      env: {HSM_CONFIG: /etc/hsm.conf}", "hsm.tokens[0].env "},
        {17, "      env: {HSM_CONF: /etc/hsm.conf, A: b}", "hsm.tokens[0].env "},
        {17, "", "hsm.tokens[0].env "},
        {18, "      workers: 2", "hsm.tokens[0].workers "},
        {22, "    accept-scopes: [old, oldest]", "classes[0].accept-scopes "},
        {24, "    mode: 0660", "classes[0].mode "},
        {25, "    peers: {uids: [0, 1001], gids: [7, 8]}",
         "classes[0].peers.uids classes[0].peers.gids "},
        {27, "    cache: {entries: 100}", "classes[0].cache.ttl "},
        {31, "", "classes[1].on-hsm-loss classes[1].max-outage "},
        {33, "    cache: {entries: 4097, ttl: 1h}", "classes[1].cache.entries "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[SAMPLE_MAX];
        const struct change c = {.line = rows[i].line, .with = rows[i].with};
        sample_with(&c, text);
        char *outage = strstr(text, "    max-outage"); /* only with serve-cached */
        if (rows[i].line == 31)
            memmove(outage, outage + strlen("    max-outage: 15m\n"),
                    strlen(outage + strlen("    max-outage: 15m\n")) + 1);
        differs(sample_accept(0, text), rows[i].names);
    }
}

TEST(compare__an_item_more__the_list_itself_and_what_both_have)
{
    differs(sample_accept(18, "      workers: 1\n"
                              "    - {uri: 'pkcs11:token=b', module: /m, pin: file:/p}"),
            "hsm.tokens hsm.tokens[0].workers ");
    differs(sample_accept(33, "    cache: {entries: 4096, ttl: 1h}\n"
                              "  - {name: third, scope: third, socket: /s}"),
            "classes ");
}

TEST(compare__other_words_for_the_same__nothing)
{
    differs(sample_accept(8, "  deadline: 1200ms\n  order: priority"), "");
    differs(sample_accept(18, "      workers: 3\n      sessions: 0"), "");
    differs(sample_accept(27, "    cache: {ttl: 300s, entries: 100}"), "");
}

TEST(compare__variables_in_another_order__nothing)
{
    char names[SAMPLE_MAX] = "";
    struct kw_config *a = sample_accept(17, "      env: {A: x, B: y}");
    struct kw_config *b = sample_accept(17, "      env: {B: y, A: x}");
    kw_config_compare(a, b, add, names);
    CHECK_STR(names, "");
    kw_config_free(a);
    kw_config_free(b);
}

KW_CASES("provider/config/compare",
         CASE(compare__one_value_of_each_kind__named_with_its_place),
         CASE(compare__an_item_more__the_list_itself_and_what_both_have),
         CASE(compare__other_words_for_the_same__nothing),
         CASE(compare__variables_in_another_order__nothing))
