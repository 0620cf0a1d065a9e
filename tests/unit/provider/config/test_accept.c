/* SPDX-License-Identifier: Apache-2.0 */
#include "config_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/alloc.h>

TEST(parse__memory_out_at_any_call__no_memory_and_output_untouched)
{
    for (long n = 0;; n++) {
        struct kw_config *config = NULL;
        struct kw_note note = {{0}};
        kw_alloc_fail_from(n);
        kw_err e =
            kw_config_parse(kw_span_str(sample_text), "c.yaml", SIZE_MAX, &config, &note);
        kw_alloc_fail_from(-1);
        if (!kw_failed(e)) {
            CHECK(n > 15);
            kw_config_free(config);
            return;
        }
        CHECK_CODE(e, KW_CODE_NO_MEMORY);
        CHECK(config == NULL);
    }
}

/* Two modules may each have a token of the same label. */
TEST(tokens__several__each_with_a_name_of_its_own__and_locked_memory)
{
    struct kw_config *one = sample_accept(7, "hsm:");
    struct kw_config *c = sample_accept(
        18,
        "    - {uri: 'pkcs11:token=my%20token', module: /other.so, pin: credential:p}\n"
        "    - {uri: 'pkcs11:token=b', module: /usr/lib/hsm.so, pin: credential:p}\n"
        "  order: spread");
    CHECK(c->token_count == 3 && c->order == KW_TOKENS_SPREAD);
    CHECK_STR(c->tokens[0].name, "my token");
    CHECK_STR(c->tokens[1].name, "token-2");
    CHECK_STR(c->tokens[2].name, "b");
    CHECK(one->order == KW_TOKENS_PRIORITY);
    CHECK(kw_config_locked(c) == kw_config_locked(one) + (size_t)2 * KW_TOKEN_LOCKED);
    kw_config_free(one);
    kw_config_free(c);
}

TEST(load__no_such_file__missing)
{
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    CHECK_CODE(kw_config_load("/nonexistent/c.yaml", SIZE_MAX, &config, &note),
               KW_CODE_MISSING);
    CHECK_HAS(note.text, "/nonexistent/c.yaml");
    CHECK(config == NULL);
}

TEST(load__a_file__as_its_bytes)
{
    char path[] = "/tmp/keyward-config-XXXXXX";
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    size_t len = strlen(sample_text);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, sample_text, len) == (ssize_t)len);
    kw_err good = kw_config_load(path, SIZE_MAX, &config, &note);
    CHECK(write(fd, "x: y\n", 5) == 5);
    struct kw_config *other = NULL;
    kw_err bad = kw_config_load(path, SIZE_MAX, &other, &note);
    close(fd);
    unlink(path);
    CHECK_OK(good);
    CHECK_STR(config->domain, "demo");
    kw_config_free(config);
    CHECK_CODE(bad, KW_CODE_BAD_INPUT);
    CHECK(strncmp(note.text, path, strlen(path)) == 0);
    CHECK_HAS(note.text, ":34:1: x: unknown key");
}

TEST(parse__everything_said__as_said)
{
    struct kw_config *c = sample_accept(1, "domain: demo");
    CHECK(!c->production && c->log_level == KW_LOG_WARN && c->log_format == KW_LOG_JSON);
    CHECK_STR(c->keyring, "/etc/keyward/keyring.json");
    CHECK_STR(c->state, "/var/lib/keyward");
    CHECK_STR(c->status, "/run/keyward/status.sock");
    CHECK(c->deadline_ns == 1200 * KW_MS_NS && c->patience_ns == 9 * KW_S_NS);
    CHECK(c->suspect_ns == 8 * KW_S_NS && c->recover_ns == 7 * KW_S_NS);
    CHECK(c->probe_every_ns == 5 * KW_S_NS && c->stale_after_ns == 20 * KW_S_NS);
    CHECK(c->token_count == 1 && c->class_count == 2);
    CHECK_STR(c->tokens[0].uri, "pkcs11:token=my%20token");
    CHECK_STR(c->tokens[0].module, "/usr/lib/hsm.so");
    CHECK_STR(c->tokens[0].pin, "file:/etc/keyward/pin");
    CHECK_STR(c->tokens[0].name, "my token");
    CHECK(c->tokens[0].env_count == 1 && c->tokens[0].workers == 3);
    CHECK_STR(c->tokens[0].env[0].name, "HSM_CONF");
    CHECK_STR(c->tokens[0].env[0].value, "/etc/hsm.conf");
    kw_config_free(c);
}

TEST(parse__classes__as_said)
{
    struct kw_config *c = sample_accept(1, "domain: demo");
    const struct kw_config_class *a = &c->classes[0], *b = &c->classes[1];
    CHECK_STR(a->name, "secrets");
    CHECK_STR(a->scope, "sec");
    CHECK_STR(a->socket, "/run/keyward/secrets.sock");
    CHECK(a->accept_count == 2 && a->mode == 0600);
    CHECK_STR(a->accept_scopes[1], "older");
    CHECK(a->uid_count == 2 && a->uids[0] == 0 && a->uids[1] == 1000);
    CHECK(a->gid_count == 1 && a->gids[0] == 7);
    CHECK(a->on_loss == KW_ON_LOSS_FAIL_CLOSED && a->max_outage_ns == 0);
    CHECK(a->cache_entries == 100 && a->cache_ttl_ns == 300 * KW_S_NS);
    CHECK_STR(b->name, "bulk");
    CHECK(b->on_loss == KW_ON_LOSS_SERVE_CACHED && b->max_outage_ns == 900 * KW_S_NS);
    CHECK(b->cache_entries == 4096 && b->cache_ttl_ns == 3600 * KW_S_NS);
    kw_config_free(c);
}

static const char least[] = "environment: production\n"
                            "domain: a\n"
                            "hsm: {tokens: [{uri: 'pkcs11:serial=1', module: /m.so,\n"
                            "                pin: credential:hsm.pin_1}]}\n"
                            "classes: [{name: n, scope: s, socket: /s.sock}]\n";

TEST(parse__the_least__documented_defaults)
{
    struct kw_config *c = sample_accept(0, least);
    const struct kw_config_class *k = &c->classes[0];
    CHECK(c->production && c->log_level == KW_LOG_INFO && c->log_format == KW_LOG_LOGFMT);
    CHECK_STR(c->keyring, "/etc/keyward/keyring.json");
    CHECK_STR(c->state, "/var/lib/keyward");
    CHECK_STR(c->status, "/run/keyward/status.sock");
    CHECK(c->deadline_ns == 1500 * KW_MS_NS && c->patience_ns == 10 * KW_S_NS);
    CHECK(c->suspect_ns == 10 * KW_S_NS && c->recover_ns == 10 * KW_S_NS);
    CHECK(c->probe_every_ns == 10 * KW_S_NS && c->stale_after_ns == 30 * KW_S_NS);
    CHECK(c->tokens[0].workers == 2 && c->tokens[0].env_count == 0);
    CHECK(k->mode == 0660 && k->accept_count == 0);
    CHECK(k->uid_count == 1 && k->uids[0] == 0 && k->gid_count == 0);
    CHECK(k->on_loss == KW_ON_LOSS_FAIL_CLOSED && k->max_outage_ns == 0);
    CHECK(k->cache_entries == 1024 && k->cache_ttl_ns == 600 * KW_S_NS);
    CHECK(kw_config_locked(c) == KW_CALLS_LOCKED + 1024 * 256);
    kw_config_free(c);
}

TEST(parse__connections__what_descriptors_there_are_shared_out)
{
    struct kw_config *c = sample_accept(0, least);
    const size_t want = kw_config_descriptors(c), besides = KW_FDS_STANDING + KW_FDS_KEPT;
    assert_int_equal(kw_config_connections(c, 0), 0);
    assert_int_equal(kw_config_connections(c, besides + 1), 0);
    assert_int_equal(kw_config_connections(c, besides + 2), 1);
    assert_int_equal(kw_config_connections(c, want - 1), KW_CONNECTIONS_MAX - 1);
    assert_int_equal(kw_config_connections(c, want), KW_CONNECTIONS_MAX);
    assert_int_equal(kw_config_connections(c, SIZE_MAX), KW_CONNECTIONS_MAX);
    c->class_count = 3; /* as if there were so many */
    assert_int_equal(kw_config_connections(c, besides + 64), 10);
    c->class_count = 1;
    kw_config_free(c);
}

TEST(parse__token_label__is_the_tokens_name)
{
    static const struct {
        const char *uri, *name;
    } cases[] = {
        {"pkcs11:token=a", "a"},
        {"pkcs11:serial=1;token=a%2Fb?x-k=token%3dz", "a/b"},
        {"pkcs11:serial=1", "token-1"},
        {"pkcs11:", "token-1"},
        {"pkcs11:token=", "token-1"},
        {"pkcs11:token=a%00b", "token-1"},
        {"pkcs11:token=a%0ab", "token-1"},
        {"pkcs11:token=a%4", "token-1"},
        {"pkcs11:token=a%zz", "token-1"},
        {"pkcs11:serial=1?token=q", "token-1"},
        {"pkcs11:token=12345678901234567890123456789012",
         "12345678901234567890123456789012"},
        {"pkcs11:token=123456789012345678901234567890123", "token-1"},
    };
    char with[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(with, sizeof with, "    - uri: '%s'", cases[i].uri);
        struct kw_config *c = sample_accept(14, with);
        CHECK_STR(c->tokens[0].name, cases[i].name);
        kw_config_free(c);
    }
}

TEST(parse__at_the_ends_of_ranges__accepted)
{
    static const struct {
        unsigned line;
        const char *with;
    } cases[] = {
        {8, "  deadline: 100ms"},
        {8, "  deadline: 2999ms"},
        {11, "  recover: 0s"},
        {11, "  recover: 10m"},
        {12, "  probe: {every: 1s, stale-after: 2s}"},
        {17, "      env: {}"},
        {17, "      env: {ChrystokiConfigurationPath: /etc/luna}"},
        {17, "      env: {_A9: \"\", B: 'a \"quoted\" \\ value'}"},
        {18, "      workers: 1"},
        {18, "      workers: 16"},
        {22, "    accept-scopes: []"},
        {22, "    accept-scopes: [bulk]"}, /* another class's: a resource that moved */
        {24, "    mode: \"0640\""},
        {25, "    peers: {uids: [], gids: [4294967294]}"},
        {28, "  - name: 123"},
        {33, "    cache: {entries: 1000000, ttl: 24h}"},
        {33, "    cache: {entries: 0, ttl: 0s}"},
        {33, "    cache: {} # \xc3\xa4 in a comment\n..."},
        {1, "\xef\xbb\xbf"
            "domain: demo"},
        {1, "---\r\n\"domain\": 'demo'\r"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        kw_config_free(sample_accept(cases[i].line, cases[i].with));
}

TEST(free__null__nothing)
{
    kw_config_free(NULL);
}

/* At a reload each worker of each token has one beside it, with three descriptors. */
TEST(parse__descriptors__kept_back_for_the_workers_of_all_tokens)
{
    struct kw_config *c = sample_accept(0, least);
    const size_t one = kw_config_descriptors(c);
    assert_int_equal(kw_config_descriptors_kept(c), KW_FDS_KEPT);
    for (c->token_count = 2; c->token_count <= KW_TOKENS_MAX; c->token_count++) {
        size_t more = 2 * 3 * KW_WORKERS_MAX * (c->token_count - 1);
        c->tokens[c->token_count - 1].workers = KW_WORKERS_MAX;
        assert_int_equal(kw_config_descriptors_kept(c), KW_FDS_KEPT + more);
        assert_int_equal(kw_config_descriptors(c), one + more);
        assert_int_equal(kw_config_connections(c, one + more), KW_CONNECTIONS_MAX);
        assert_int_equal(kw_config_connections(c, one), KW_CONNECTIONS_MAX - more / 2);
    }
    c->token_count = 1;
    kw_config_free(c);
}

KW_CASES("provider/config/accept",
         CASE(parse__descriptors__kept_back_for_the_workers_of_all_tokens),
         CASE(parse__connections__what_descriptors_there_are_shared_out),
         CASE(parse__memory_out_at_any_call__no_memory_and_output_untouched),
         CASE(tokens__several__each_with_a_name_of_its_own__and_locked_memory),
         CASE(load__no_such_file__missing), CASE(load__a_file__as_its_bytes),
         CASE(parse__everything_said__as_said), CASE(parse__classes__as_said),
         CASE(parse__the_least__documented_defaults),
         CASE(parse__token_label__is_the_tokens_name),
         CASE(parse__at_the_ends_of_ranges__accepted), CASE(free__null__nothing))
