/* SPDX-License-Identifier: Apache-2.0 */
/* 05: the HSM is lost and comes back, under both policies; one key is lost. */
#include "acts.h"
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct kw_client_reply in_secrets, in_bulk, other_in_bulk, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"

static int decrypt(struct kw_client *c, const struct kw_client_reply *sealed)
{
    kw_client_reply_wipe(&reply);
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed->ciphertext, sealed->ciphertext_len),
                               kw_span_str(sealed->key_id), UID, 10 * KW_S_NS, &reply));
    int status = reply.grpc_status;
    bool right = kw_span_equal(kw_secret_peek(&reply.plaintext), SEED);
    kw_secret_wipe(&reply.plaintext);
    CHECK(right == (status == GRPC_OK));
    return status;
}

static int encrypt(struct kw_client *c)
{
    CHECK_OK(kw_client_encrypt(c, SEED, UID, 10 * KW_S_NS, &reply));
    CHECK((reply.ciphertext_len > 0) == (reply.grpc_status == GRPC_OK));
    return reply.grpc_status;
}

static int status(struct kw_client *c)
{
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    CHECK((reply.key_id[0] != '\0') == (reply.grpc_status == GRPC_OK));
    return reply.grpc_status;
}

/* What clients are told says nothing of slots, paths or PINs. */
static void says_data_is_intact(void)
{
    CHECK_HAS(reply.message, "the data is intact");
    CHECK(strstr(reply.message, "/tmp") == NULL && strstr(reply.message, "CKR") == NULL);
}

struct cached {
    long secrets, bulk;
};
static struct cached cache_entries(struct instance *h)
{
    static char doc[65536];
    struct cached n;
    instance_status(h, doc, sizeof doc);
    char *first = strstr(doc, "\"cache\":{\"entries\":"), *second;
    CHECK(first != NULL &&
          (second = strstr(first + 1, "\"cache\":{\"entries\":")) != NULL);
    n.secrets = strtol(first + strlen("\"cache\":{\"entries\":"), NULL, 10);
    n.bulk = strtol(second + strlen("\"cache\":{\"entries\":"), NULL, 10);
    return n;
}

/* Looks again after each line of the log. */
static void await_forgotten(struct instance *h)
{
    for (;;) {
        size_t mark = instance_mark(h);
        struct cached n = cache_entries(h);
        if (n.secrets == 0 && n.bulk == 0)
            return;
        instance_await(h, mark, NULL, "event=", NULL);
    }
}

/* One seed of each class in its cache, another one of bulk that is not. */
static void fill(struct instance *h, struct kw_client *secrets, struct kw_client *bulk)
{
    instance_encrypt(secrets, SEED, &in_secrets);
    instance_encrypt(bulk, SEED, &in_bulk);
    instance_encrypt(bulk, SEED, &other_in_bulk);
    assert_int_equal(decrypt(secrets, &in_secrets), GRPC_OK);
    assert_int_equal(decrypt(bulk, &in_bulk), GRPC_OK);
    struct cached n = cache_entries(h);
    assert_int_equal(n.secrets, 1);
    assert_int_equal(n.bulk, 1);
}

TEST(lost__fail_closed__everything_unavailable_and_nothing_kept)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets),
                     *bulk = instance_client(&h, h.bulk);
    fill(&h, c, bulk);
    instance_lose(&h, 2);
    assert_int_equal(status(c), GRPC_UNAVAILABLE);
    says_data_is_intact();
    assert_int_equal(encrypt(c), GRPC_UNAVAILABLE);
    says_data_is_intact();
    assert_int_equal(decrypt(c, &in_secrets),
                     GRPC_UNAVAILABLE); /* though it was cached */
    says_data_is_intact();
    assert_int_equal(cache_entries(&h).secrets, 0);
    CHECK_HAS(instance_read_status(&h, 1), "lost");
    instance_find(&h);
    assert_int_equal(status(c), GRPC_OK);
    CHECK_STR(reply.key_id, in_secrets.key_id);
    assert_int_equal(decrypt(c, &in_secrets), GRPC_OK);
    instance_round_trip(c);
    instance_read_status(&h, 0);
    kw_client_close(c);
    kw_client_close(bulk);
    instance_destroy(&h);
}

TEST(lost__serve_cached__same_key_id_and_cached_seeds_only)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.bulk),
                     *secrets = instance_client(&h, h.secrets);
    fill(&h, secrets, c);
    instance_lose(&h, 2);
    assert_int_equal(status(c), GRPC_OK);
    CHECK_STR(reply.healthz, "ok");
    CHECK_STR(reply.key_id, in_bulk.key_id);
    assert_int_equal(decrypt(c, &in_bulk), GRPC_OK);
    assert_int_equal(decrypt(c, &other_in_bulk), GRPC_UNAVAILABLE);
    says_data_is_intact();
    assert_int_equal(encrypt(c), GRPC_UNAVAILABLE);
    assert_int_equal(cache_entries(&h).bulk, 1);
    instance_find(&h);
    assert_int_equal(status(c), GRPC_OK);
    CHECK_STR(reply.key_id, in_bulk.key_id);
    assert_int_equal(decrypt(c, &other_in_bulk), GRPC_OK);
    instance_round_trip(c);
    kw_client_close(c);
    kw_client_close(secrets);
    instance_destroy(&h);
}

TEST(lost__serve_cached_and_budget_spent__as_fail_closed)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_edit(&h, "    max-outage: 15m\n", "    max-outage: 1s\n");
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.bulk),
                     *secrets = instance_client(&h, h.secrets);
    fill(&h, secrets, c);
    instance_lose(&h, 2);
    await_forgotten(&h);
    assert_int_equal(status(c), GRPC_UNAVAILABLE);
    assert_int_equal(decrypt(c, &in_bulk), GRPC_UNAVAILABLE);
    assert_int_equal(cache_entries(&h).bulk, 0);
    kw_client_close(c);
    kw_client_close(secrets);
    instance_destroy(&h);
}

TEST(lost__under_load__unavailable_then_all_is_well_again)
{
    struct load_counts during, after;
    INSTANCE_AND_ARENA(h, NULL);
    instance_edit(&h, "{level: debug}", "{level: info}");
    instance_up(&h);
    struct load *load = load_start(h.secrets, 3);
    load_await(load, 20);
    instance_lose(&h, 2);
    instance_find(&h);
    load_await(load, 20);
    load_stop(load, &during);
    load_judge(&during, LOAD_MAY(GRPC_UNAVAILABLE) | LOAD_MAY(GRPC_DEADLINE_EXCEEDED));
    CHECK(during.by_status[GRPC_UNAVAILABLE] > 0);
    load = load_start(h.secrets, 3);
    load_await(load, 20);
    load_stop(load, &after);
    load_judge(&after, 0);
    instance_destroy(&h);
}

/* Version 1's object is gone from the token; 2 is active. */
TEST(one_key_lost__only_its_decrypts_fail)
{
    static struct kw_client_reply under_2;
    INSTANCE_AND_ARENA(h, NULL);
    char *object = instance_key_object(&h);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &in_secrets);
    instance_rotate(&h, "2");
    instance_encrypt(c, SEED, &under_2);
    instance_await_workers(&h, 2); /* one that is just logging in is not killed */
    size_t mark = instance_mark(&h);
    instance_object_away(&h, object);
    instance_signal_workers(&h, SIGKILL); /* this library sees it only when it starts */
    /* A retired key is asked for seldom: who needs it finds out. */
    assert_int_equal(decrypt(c, &in_secrets), GRPC_UNAVAILABLE);
    mark = instance_await(&h, mark, NULL, "event=key-verdict", in_secrets.key_id,
                          "verdict=key-bad", NULL);
    says_data_is_intact();
    assert_int_equal(status(c), GRPC_OK);
    CHECK_STR(reply.key_id, under_2.key_id);
    assert_int_equal(decrypt(c, &under_2), GRPC_OK);
    instance_round_trip(c);
    CHECK_HAS(instance_read_status(&h, 1), "version 1 (active) is key-bad");
    instance_object_back(&h, object);
    instance_await_workers(&h, 2);
    instance_signal_workers(&h, SIGKILL);
    instance_await(&h, mark, NULL, "event=key-verdict", in_secrets.key_id, "verdict=ok",
                   NULL);
    assert_int_equal(decrypt(c, &in_secrets), GRPC_OK);
    kw_client_close(c);
    free(object);
    instance_destroy(&h);
}

static void fault_about(struct instance *h, const char *before, const char *key_id,
                        const char *after)
{
    char control[160];
    snprintf(control, sizeof control, "%s%s%s\n", before, key_id, after);
    instance_fault_set(h, control);
}

/* The active version's object says, while it is in use, that it may leave the token. */
TEST(one_key_exposed__ends_everywhere_and_the_rest_serves)
{
    static struct kw_client_reply under_2;
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets),
                     *bulk = instance_client(&h, h.bulk);
    instance_encrypt(c, SEED, &in_secrets);
    instance_rotate(&h, "2");
    instance_encrypt(c, SEED, &under_2);
    instance_encrypt(bulk, SEED, &in_bulk);
    assert_int_equal(decrypt(c, &under_2), GRPC_OK); /* and is in memory now */
    assert_int_equal(decrypt(bulk, &in_bulk), GRPC_OK);
    size_t mark = instance_mark(&h);
    fault_about(&h, "fake=0x162:1\nfakefor=", under_2.key_id, "");
    instance_await(&h, mark, NULL, "event=key-verdict", under_2.key_id, "verdict=key-bad",
                   NULL);
    for (int i = 0; i < 4; i++) { /* whichever worker would be asked */
        assert_int_equal(status(c), GRPC_UNAVAILABLE);
        says_data_is_intact();
        assert_int_equal(encrypt(c), GRPC_UNAVAILABLE);
        assert_int_equal(decrypt(c, &under_2), GRPC_UNAVAILABLE);
        says_data_is_intact();
        assert_int_equal(status(bulk), GRPC_UNAVAILABLE); /* serve-cached or not */
        assert_int_equal(decrypt(bulk, &in_bulk), GRPC_UNAVAILABLE);
        assert_int_equal(decrypt(c, &in_secrets), GRPC_OK);
    }
    const char *text = instance_read_status(&h, 1);
    CHECK_HAS(text, "version 2 (accepted) is key-bad");
    CHECK_HAS(text, "version 2, found at the token: exposed");
    assert_int_equal(instance_count(&h, mark, "event=hsm-state"), 0);
    mark = instance_mark(&h);
    instance_fault_set(&h, "");
    instance_await(&h, mark, NULL, "event=key-verdict", under_2.key_id, "verdict=ok",
                   NULL);
    assert_int_equal(status(c), GRPC_OK);
    assert_int_equal(decrypt(c, &under_2), GRPC_OK);
    instance_read_status(&h, 0);
    kw_client_close(c);
    kw_client_close(bulk);
    instance_destroy(&h);
}

TEST(duplicate_label__served_and_status_is_one)
{
    static struct kw_client_reply under_2;
    char other[64];
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &in_secrets);
    instance_rotate(&h, "2");
    instance_encrypt(c, SEED, &under_2);
    size_t mark = instance_mark(&h);
    snprintf(other, sizeof other, ":%s", in_secrets.key_id);
    fault_about(&h, "twin=", under_2.key_id, other);
    instance_await(&h, mark, NULL, "event=key-finding", under_2.key_id,
                   "found=duplicate-label", NULL);
    instance_await_workers(&h, 2);
    mark = instance_mark(&h);
    instance_signal_workers(&h, SIGKILL); /* new ones take the right one of the two */
    instance_await(&h, mark, NULL, "event=worker-ready", NULL);
    assert_int_equal(status(c), GRPC_OK);
    CHECK_STR(reply.key_id, under_2.key_id);
    assert_int_equal(decrypt(c, &under_2), GRPC_OK);
    instance_round_trip(c);
    CHECK_HAS(instance_read_status(&h, 1),
              "version 2, found at the token: duplicate-label");
    mark = instance_mark(&h);
    instance_fault_set(&h, "");
    instance_await(&h, mark, NULL, "event=key-finding", under_2.key_id, "found=\"\"",
                   NULL);
    instance_read_status(&h, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

KW_CASES("05-outage", CASE(lost__fail_closed__everything_unavailable_and_nothing_kept),
         CASE(lost__serve_cached__same_key_id_and_cached_seeds_only),
         CASE(lost__serve_cached_and_budget_spent__as_fail_closed),
         CASE(lost__under_load__unavailable_then_all_is_well_again),
         CASE(one_key_lost__only_its_decrypts_fail),
         CASE(one_key_exposed__ends_everywhere_and_the_rest_serves),
         CASE(duplicate_label__served_and_status_is_one))
