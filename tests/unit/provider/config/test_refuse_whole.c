/* SPDX-License-Identifier: Apache-2.0 */
/* What no setting can say alone. */
#include "config_sample.h"

#include <stdio.h>

TEST(times__stale_before_the_next_probe__refused)
{
    static const struct change cases[] = {
        {12, "  probe: {every: 5s, stale-after: 5s}",
         "12:35: hsm.probe.stale-after: ", "longer than"},
        {12, "  probe: {stale-after: 10s}", "12:24: hsm.probe.stale-after: ", NULL},
        {12, "  probe: {every: 30s}", "12:18: hsm.probe.every: ", NULL},
    };
    CHECK_REFUSED(cases);
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(audit__without_its_folder_or_longer_than_a_client_waits__refused)
{
    static const struct change cases[] = {
        {6, "audit: {on-failure: deny}", "6:8: audit.dir: is missing", NULL},
        {6, "audit: {}", "6:8: audit.dir: is missing", NULL},
        {6, "audit: {dir: /a, deadline: 1550ms}", "6:28: audit.deadline: kube-apiserver",
         "below 2750ms"},
        {6, "audit: {dir: /a, key: {label: audit}}", "6:23: audit.key.sha256: is missing",
         NULL},
        {6, "audit: {dir: /a, key: {sha256: " HASH "}}",
         "6:23: audit.key.label: is missing", NULL},
        {6, "audit: {dir: /a, key: {label: kw1-1, sha256: " HASH "}}",
         "6:31: audit.key.label: is that of a key-encryption key", NULL},
        {6, "audit: {dir: /a, key: {label: 1a, sha256: " HASH "}}",
         "6:31: audit.key.label: does not begin with a letter", NULL},
        {6, "audit: {dir: /a, key: {label: a b, sha256: " HASH "}}",
         "6:31: audit.key.label: has a character that is not allowed", NULL},
        {6, "audit: {dir: /a, key: {label: a, sha256: 00}}",
         "6:42: audit.key.sha256: is not of that form", "64 lower-case digits"},
        {6, "audit: {key: {label: a, sha256: " HASH "}}", "6:8: audit.dir: is missing",
         NULL},
        {6, "audit: {dir: /a, copies: some}",
         "6:26: audit.copies: is none of the choices", "none|checkpoints|all"},
        {6, "audit: {dir: /a, copies-to: log}", "6:29: audit.copies-to: is not absolute",
         "at most 107 bytes"},
        {6, "audit: {dir: /a, deadline: 9ms}", "6:28: audit.deadline: is out of range",
         "10ms..2s"},
    };
    CHECK_REFUSED(cases);
}

TEST(tokens__one_of_them_twice__refused)
{
    static const struct change cases[] = {
        {18,
         "    - {uri: 'pkcs11:token=my%20token', module: /usr/lib/hsm.so, "
         "pin: credential:p, env: {HSM_CONF: /etc/hsm.conf}}",
         "18:13: hsm.tokens[1].uri: is with this module", "a token of its own"},
    };
    CHECK_REFUSED(cases);
}

TEST(classes__sharing_a_name_scope_or_socket__refused)
{
    static const struct change cases[] = {
        {28, "  - name: secrets", "28:11: classes[1].name: is that of classes[0]", NULL},
        {29, "    scope: sec", "29:12: classes[1].scope: is that of classes[0]", NULL},
        {30, "    socket: /run/keyward/secrets.sock",
         "30:13: classes[1].socket: is that of classes[0]", NULL},
        {30, "    socket: /run/keyward/status.sock",
         "30:13: classes[1].socket: is the status socket", NULL},
        {5, "status: /run/keyward/secrets.sock",
         "23:13: classes[0].socket: is the status socket", NULL},
        {22, "    accept-scopes: [old, sec]",
         "22:20: classes[0].accept-scopes: holds the class's own scope", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(peers__nobody__refused)
{
    static const struct change cases[] = {
        {25, "    peers: {uids: []}",
         "25:19: classes[0].peers.uids: nobody could connect", "at least one"},
        {25, "    peers: {gids: [], uids: []}", "25:29: classes[0].peers.uids: nobody",
         NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(peers__who_stands_for_all_without_a_name__refused)
{
    static const struct change cases[] = {
        {25, "    peers: {uids: [0, 65534]}", "25:19: classes[0].peers.uids: has 65534",
         "one user's"},
        {25, "    peers: {uids: [0], gids: [65534]}",
         "25:30: classes[0].peers.gids: has 65534", NULL},
    };
    CHECK_REFUSED(cases);
}

TEST(outage__policy_and_budget_apart__refused)
{
    static const struct change cases[] = {
        {32, "", "31:18: classes[1].on-hsm-loss: serve-cached needs max-outage", NULL},
        {31, "", "31:17: classes[1].max-outage: means nothing under fail-closed", NULL},
        {31, "    on-hsm-loss: fail-closed",
         "32:17: classes[1].max-outage: means nothing", "serve-cached"},
    };
    CHECK_REFUSED(cases);
}

/* The sample's caches hold 100 and 4096 entries. */
#define FIRST ((size_t)KW_CALLS_LOCKED + 100 * 256)
#define BOTH (FIRST + 4096 * 256)

static kw_err parse_within(unsigned line, const char *with, size_t locked_max,
                           struct kw_note *note)
{
    char text[SAMPLE_MAX];
    struct change c = {.line = line, .with = with};
    struct kw_config *config = NULL;
    sample_with(&c, text);
    kw_err e = kw_config_parse(kw_span_str(text), "c.yaml", locked_max, &config, note);
    if (!kw_failed(e))
        CHECK(kw_config_locked(config) <= locked_max);
    kw_config_free(config);
    return e;
}

TEST(caches__larger_than_locked_memory__refused_at_the_first_that_does_not_fit)
{
    static const char same[] = "domain: demo";
    struct kw_note note = {{0}};
    CHECK_CODE(parse_within(1, same, BOTH - 1, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:33:22: classes[1].cache.entries: ");
    CHECK_HAS(note.text, "LimitMEMLOCK=");
    CHECK_CODE(parse_within(1, same, FIRST, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:33:22: classes[1].cache.entries: ");
    CHECK_CODE(parse_within(1, same, FIRST - 1, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:27:22: classes[0].cache.entries: ");
    CHECK_CODE(parse_within(27, "    mode: 0600", 0, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:27:5: classes[0].mode: is there twice");
    CHECK_CODE(parse_within(27, "", 0, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "c.yaml:20:5: classes[0].cache.entries: ");
}

TEST(caches__that_just_fit_or_are_off__accepted)
{
    struct kw_note note = {{0}};
    CHECK_OK(parse_within(1, "domain: demo", BOTH, &note));
    CHECK_OK(parse_within(33, "    cache: {entries: 4096, ttl: 0s}", FIRST, &note));
    CHECK_OK(parse_within(33, "    cache: {entries: 0}", FIRST, &note));
}

KW_CASES("provider/config/refuse_whole",
         CASE(times__stale_before_the_next_probe__refused),
         CASE(audit__without_its_folder_or_longer_than_a_client_waits__refused),
         CASE(tokens__one_of_them_twice__refused),
         CASE(classes__sharing_a_name_scope_or_socket__refused),
         CASE(peers__nobody__refused),
         CASE(peers__who_stands_for_all_without_a_name__refused),
         CASE(outage__policy_and_budget_apart__refused),
         CASE(caches__larger_than_locked_memory__refused_at_the_first_that_does_not_fit),
         CASE(caches__that_just_fit_or_are_off__accepted))
