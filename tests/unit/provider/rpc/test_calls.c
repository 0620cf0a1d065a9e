/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of a call through rpc that a decent client sees. */
#include "rpc_rig.h"

#include <signal.h>

#include <keyward/alloc.h>

#include "rpc_request.h"
#include "server.h"

#define IN_TIME (30 * KW_S_NS)

static const char key_id[] = "kw1-1-0123456789abcdef01234567";

static struct kw_kms kms; /* never asked */
static const struct kw_rpc_options unasked = {
    .kms = &kms, .class_count = 2, .clock = &kw_clock_system};

TEST(new__arena_too_small__no_memory)
{
    struct kw_rpc *rpc = NULL;
    kw_test_arena(65536);
    CHECK_CODE(kw_rpc_new(&unasked, &rpc), KW_CODE_NO_MEMORY);
    CHECK(rpc == NULL);
}

TEST(new__any_allocation_fails__no_memory_and_nothing_left)
{
    struct kw_rpc *rpc = NULL;
    kw_err e = {KW_CODE_NO_MEMORY, 0, NULL};
    long n = 0;
    kw_rpc_process_init();
    kw_test_arena(kw_rpc_bytes());
    for (; e.code == KW_CODE_NO_MEMORY; n++) {
        kw_alloc_fail_from(n);
        e = kw_rpc_new(&unasked, &rpc);
        kw_alloc_fail_from(-1);
    }
    CHECK_OK(e);
    CHECK(n > 3);
    kw_rpc_free(rpc);
    kw_rpc_free(NULL);
}

TEST(new__no_kms_or_no_class__bug)
{
    const struct kw_rpc_options o = {.class_count = 1, .clock = &kw_clock_system};
    const struct kw_rpc_options none = {.kms = &kms, .clock = &kw_clock_system};
    struct kw_rpc *rpc = NULL;
    CHECK_CODE(kw_rpc_new(&o, &rpc), KW_CODE_BUG);
    CHECK_CODE(kw_rpc_new(&none, &rpc), KW_CODE_BUG);
}

/* kw_rpc_bytes is what the daemon locks for it: every call at once must fit. */
TEST(bytes__every_slot_with_the_largest_seed__fits)
{
    static struct kw_secret seeds[KW_RPC_SLOTS];
    struct kw_rpc *rpc = NULL;
    kw_rpc_process_init();
    kw_test_arena(kw_rpc_bytes());
    CHECK_OK(kw_rpc_new(&unasked, &rpc));
    for (size_t i = 0; i < KW_RPC_SLOTS; i++)
        CHECK_OK(kw_secret_init(&seeds[i], KW_SEED_MAX));
    for (size_t i = 0; i < KW_RPC_SLOTS; i++)
        kw_secret_wipe(&seeds[i]);
    kw_rpc_free(rpc);
}

TEST(process_init__broken_pipe__ignored)
{
    struct sigaction now;
    kw_rpc_process_init();
    CHECK(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
}

TEST(status__kms_says_ok__v2_ok_and_key_id)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    CHECK_OK(kw_client_status(r->client, IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_STR(reply.version, "v2");
    CHECK_STR(reply.healthz, "ok");
    CHECK_STR(reply.key_id, key_id);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

TEST(encrypt__finished_in_begin__ciphertext_and_key_id)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    CHECK_OK(
        kw_client_encrypt(r->client, kw_span_of(rig_seed, 32), "uid-1", IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_STR(reply.key_id, key_id);
    assert_int_equal(reply.ciphertext_len, 32);
    assert_int_equal(reply.ciphertext[0], rig_seed[0] ^ 0xff);
    assert_int_equal(reply.annotation_count, 0);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

/* gRPC hands each frame's bytes over as a slice of its own. */
TEST(encrypt__a_byte_a_frame__whole_and_wiped)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint8_t m[5 + 2 + 32] = {0, 0, 0, 0, 34, 0x0a, 32};
    static const uint8_t zero[KW_RPC_RECEIVE_MAX];
    memcpy(m + 7, rig_seed, 32);
    uint32_t s = h2raw_open(h, "/v2.KeyManagementService/Encrypt", NULL);
    for (size_t i = 0; i < sizeof m; i++)
        h2raw_data(h, s, kw_span_of(m + i, 1), i == sizeof m - 1);
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res != NULL && res->grpc_status == 0);
    struct kms_seen seen = kms_seen(r);
    CHECK(seen.len == 32 && memcmp(seen.bytes, rig_seed, 32) == 0);
    assert_memory_equal(r->rpc->flat.ptr, zero, sizeof zero);
    assert_memory_equal(r->rpc->block.bytes.ptr, zero, sizeof zero);
    h2raw_free(h);
    rig_free(r);
}

TEST(decrypt__finished_in_begin__plaintext)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    CHECK_OK(kw_client_decrypt(r->client, kw_span_str("sealed"), kw_span_str(key_id),
                               "uid-2", IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), kw_span_of(rig_seed, 32)));
    CHECK(kms_seen(r).len == 6 && memcmp(kms_seen(r).bytes, "sealed", 6) == 0);
    assert_int_equal(kms_seen(r).call.key_id.len, strlen(key_id));
    assert_int_equal(kms_seen(r).call.uid.len, 5);
    assert_int_equal(kms_seen(r).call.peer.pid, 4242);
    assert_int_equal(kms_seen(r).call.peer.pid_start, 77);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

/* Looks into the room: idle, so nobody writes there. */
TEST(decrypt__reply_dropped__no_plaintext_in_any_slot)
{
    static const uint8_t zero[KW_REPLY_SECRET_MAX];
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    for (int i = 0; i < 5; i++) {
        CHECK_OK(kw_client_decrypt(r->client, kw_span_str("sealed"), kw_span_str(key_id),
                                   "u", IN_TIME, &reply));
        kw_client_reply_wipe(&reply);
    }
    struct kw_rpc_stats stats;
    do
        kw_rpc_stats(r->rpc, &stats);
    while (stats.open > 0);
    assert_int_equal(stats.calls, 5);
    for (size_t i = 0; i < KW_RPC_SLOTS; i++)
        assert_memory_equal(r->rpc->pool.slots[i].secret_reply, zero, sizeof zero);
    rig_free(r);
}

static void *call_often(void *self)
{
    struct rig *r = self;
    struct kw_client_reply reply;
    for (uint8_t i = 0; i < 50; i++) {
        const uint8_t seed[32] = {i, 1, 2, 3};
        kw_err e = kw_client_decrypt(r->client, kw_span_of(seed, 32), kw_span_str(key_id),
                                     "u", IN_TIME, &reply);
        KW_INVARIANT(!kw_failed(e) && reply.grpc_status == 0);
        KW_INVARIANT(
            kw_span_equal(kw_secret_peek(&reply.plaintext), kw_span_of(seed, 32)));
        kw_client_reply_wipe(&reply);
    }
    return NULL;
}

TEST(client__many_threads__each_its_own_answer)
{
    enum { THREADS = 6 };
    struct rig *r = rig_new_echo();
    pthread_t threads[THREADS];
    struct kw_rpc_stats stats;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, call_often, r) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    kw_rpc_stats(r->rpc, &stats);
    assert_int_equal(stats.calls, THREADS * 50);
    rig_free(r);
}

/* Any answer counts; each connection has its own. */
TEST(answered__status_or_an_error__its_connection_alone)
{
    struct rig *r = rig_new();
    struct h2raw *other = rig_raw(r, 0);
    const int other_fd = r->adopted;
    struct h2raw *h = rig_raw(r, 0);
    const int fd = r->adopted;
    assert_int_equal(kw_rpc_answered(r->rpc, fd), 0);
    while (kw_rpc_answered(r->rpc, fd) != r->now_ns)
        CHECK(h2raw_await(h, h2raw_call(h, "/v2.KeyManagementService/Status",
                                        (kw_span){0})) != NULL);
    r->now_ns += KW_S_NS;
    r->kms.answer = kw_err_at(KW_CODE_HSM_DOWN, "test");
    while (kw_rpc_answered(r->rpc, fd) != r->now_ns)
        CHECK(h2raw_await(h, h2raw_call(h, "/v2.KeyManagementService/Encrypt",
                                        kw_span_str("\x0a\x01s"))) != NULL);
    assert_int_equal(kw_rpc_answered(r->rpc, other_fd), 0);
    h2raw_free(h);
    h2raw_free(other);
    rig_free(r);
}

TEST(beats__idle__still_grow)
{
    struct rig *r = rig_new();
    uint64_t before = kw_rpc_beats(r->rpc);
    while (kw_rpc_beats(r->rpc) == before)
        sched_yield();
    rig_free(r);
}

KW_CASES("provider/rpc/calls", CASE(new__arena_too_small__no_memory),
         CASE(new__any_allocation_fails__no_memory_and_nothing_left),
         CASE(new__no_kms_or_no_class__bug), CASE(process_init__broken_pipe__ignored),
         CASE(bytes__every_slot_with_the_largest_seed__fits),
         CASE(status__kms_says_ok__v2_ok_and_key_id),
         CASE(encrypt__finished_in_begin__ciphertext_and_key_id),
         CASE(encrypt__a_byte_a_frame__whole_and_wiped),
         CASE(decrypt__finished_in_begin__plaintext),
         CASE(decrypt__reply_dropped__no_plaintext_in_any_slot),
         CASE(client__many_threads__each_its_own_answer),
         CASE(answered__status_or_an_error__its_connection_alone),
         CASE(beats__idle__still_grow))
