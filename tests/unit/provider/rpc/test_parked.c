/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait in kms: cancel, deadline, many at once, the end of the process. */
#include "rpc_rig.h"

#include <fcntl.h>
#include <sched.h>

#define IN_TIME (30 * KW_S_NS)
#define STATUS "/v2.KeyManagementService/Status"
#define ENCRYPT "/v2.KeyManagementService/Encrypt"
#define DECRYPT "/v2.KeyManagementService/Decrypt"

enum { CANCELLED = 1, DEADLINE_EXCEEDED = 4, RESOURCE_EXHAUSTED = 8, UNAVAILABLE = 14 };

static const kw_span request = {(const uint8_t *)"\x0a\x01"
                                                 "c\x1a\x01k",
                                6};

static const struct h2raw_result *expect(struct h2raw *h, uint32_t stream,
                                         int grpc_status)
{
    const struct h2raw_result *r = h2raw_await(h, stream);
    CHECK(r != NULL);
    assert_int_equal(r->grpc_status, grpc_status);
    return r;
}

static struct kw_rpc_stats stats_of(struct rig *r)
{
    struct kw_rpc_stats stats;
    kw_rpc_stats(r->rpc, &stats);
    return stats;
}

TEST(decrypt__parked_then_finished__plaintext)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    CHECK(!kw_rpc_idle(r->rpc));
    kms_finish(r, KW_OK);
    const struct h2raw_result *res = expect(h, s, 0);
    assert_int_equal(res->body_len, 5 + 2 + 32);
    assert_memory_equal(res->body + 7, rig_seed, 32);
    h2raw_free(h);
    rig_free(r);
}

TEST(decrypt__parked_then_failed__status_and_text)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    kms_finish(r, kw_err_at(KW_CODE_HSM_DOWN, "test"));
    const struct h2raw_result *res = expect(h, s, UNAVAILABLE);
    CHECK_HAS(res->grpc_message, "temporary");
    assert_int_equal(res->body_len, 0);
    h2raw_free(h);
    rig_free(r);
}

/* kms may call done on the main thread before begin has returned on the rpc thread. */
TEST(encrypt__finished_elsewhere_inside_begin__one_reply)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    r->kms.finish_inside = true;
    for (int i = 0; i < 20; i++)
        expect(h, h2raw_call(h, ENCRYPT, request), 0);
    h2raw_free(h);
    rig_free(r);
}

TEST(reset__while_parked__kms_is_told)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    h2raw_reset(h, s);
    kms_await_cancelled(r, 1);
    kms_park(r, false);
    expect(h, h2raw_call(h, DECRYPT, request), 0);
    assert_int_equal(stats_of(r).cancelled, 1);
    h2raw_free(h);
    rig_free(r);
}

/* A quick one is not watched: the end of its client is seen when it is through. */
TEST(reset__finished_before_it_was_watched__kms_not_told_and_counted)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    h2raw_reset(h, s);
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0); /* so the reset was read */
    kms_finish(r, KW_OK);
    while (!kw_rpc_idle(r->rpc))
        sched_yield();
    assert_int_equal(stats_of(r).cancelled, 1);
    assert_int_equal(r->kms.cancelled, 0);
    h2raw_free(h);
    rig_free(r);
}

TEST(decrypt__watched_then_finished__plaintext)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t gone = h2raw_call(h, DECRYPT, request), s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 2);
    h2raw_reset(h, gone);
    kms_await_cancelled(r, 1); /* they are watched by now */
    kms_finish(r, KW_OK);
    assert_int_equal(expect(h, s, 0)->body_len, 5 + 2 + 32);
    assert_int_equal(stats_of(r).cancelled, 1);
    h2raw_free(h);
    rig_free(r);
}

/* The main thread finishes them while the rpc thread is about to watch them: whoever is
 * first, each has one reply, and its slot comes back. */
TEST(decrypt__finished_just_when_it_is_watched__one_reply_each)
{
    enum { ROUNDS = 7, CALLS = 200 }; /* no more than a connection's first window */
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t s[CALLS];
        for (int k = 0; k < CALLS; k++)
            s[k] = h2raw_call(h, DECRYPT, request);
        kms_await_parked(r, CALLS);
        r->now_ns += KW_S_NS; /* long enough */
        uint32_t wakes = h2raw_call(h, STATUS, (kw_span){0});
        for (int k = 0; k < i; k++)
            sched_yield();
        kms_finish(r, KW_OK);
        for (int k = 0; k < CALLS; k++)
            assert_int_equal(expect(h, s[k], 0)->body_len, 5 + 2 + 32);
        expect(h, wakes, 0);
    }
    while (!kw_rpc_idle(r->rpc))
        sched_yield();
    assert_int_equal(stats_of(r).cancelled, 0);
    h2raw_free(h);
    rig_free(r);
}

/* The same, while their clients go away: each is counted once. */
TEST(reset__just_when_it_is_watched_and_finished__counted_once)
{
    enum { ROUNDS = 10, CALLS = 200 };
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t s[CALLS];
        for (int k = 0; k < CALLS; k++)
            s[k] = h2raw_call(h, DECRYPT, request);
        kms_await_parked(r, CALLS);
        r->now_ns += KW_S_NS;
        for (int k = 0; k < CALLS; k++)
            h2raw_reset(h, s[k]);
        expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0); /* so they were read */
        kms_finish(r, KW_OK);
        while (!kw_rpc_idle(r->rpc))
            sched_yield();
    }
    assert_int_equal(stats_of(r).cancelled, ROUNDS * CALLS);
    h2raw_free(h);
    rig_free(r);
}

/* The rpc thread hears that it was written when it comes to that; a full class may look for
 * connections that were never answered before. */
TEST(answered__client_has_it_and_the_rpc_thread_is_busy__counts_already)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    const int fd = r->adopted;
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    kms_stand(r);
    uint32_t status = h2raw_call(h, STATUS, (kw_span){0});
    kms_await_begun(r, 2);
    assert_int_equal(kw_rpc_answered(r->rpc, fd), 0);
    kms_finish(r, KW_OK);
    expect(h, s, 0);
    CHECK(kw_rpc_answered(r->rpc, fd) > 0);
    CHECK(kw_rpc_answered(r->rpc, fd) < r->now_ns); /* but not lately */
    kms_go_on(r);
    expect(h, status, 0);
    while (kw_rpc_answered(r->rpc, fd) != r->now_ns)
        sched_yield();
    h2raw_free(h);
    rig_free(r);
}

TEST(answered__first_reply_is_never_read__not_when_that_is_given_up)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    const int fd = r->adopted;
    struct h2raw *other = rig_raw(r, 1);
    h2raw_frame(h, 4, 0, 0, kw_span_of("\0\x04\0\0\0\0", 6)); /* no window */
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_begun(r, 1);
    expect(other, h2raw_call(other, STATUS, (kw_span){0}), 0);
    CHECK(kw_rpc_answered(r->rpc, fd) > 0);
    CHECK(kw_rpc_answered(r->rpc, fd) < r->now_ns);
    r->now_ns += 60 * KW_S_NS;
    expect(other, h2raw_call(other, STATUS, (kw_span){0}), 0);
    CHECK(h2raw_await(h, s) != NULL);
    while (kw_rpc_answered(r->rpc, fd) != 0)
        sched_yield();
    h2raw_free(h);
    h2raw_free(other);
    rig_free(r);
}

/* What nobody read is no answer, and what never became a call is none either. */
TEST(answered__reset_or_refused__no_answer)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    const int fd = r->adopted;
    h2raw_reset(h, h2raw_open(h, DECRYPT, NULL));
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    h2raw_reset(h, s);
    kms_await_cancelled(r, 1);
    while (!kw_rpc_idle(r->rpc))
        sched_yield();
    assert_int_equal(kw_rpc_answered(r->rpc, fd), 0);
    h2raw_free(h);
    rig_free(r);
}

TEST(hang_up__while_many_are_parked__kms_is_told_of_each)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    for (int i = 0; i < 40; i++)
        (void)h2raw_call(h, i % 2 ? DECRYPT : ENCRYPT, request);
    kms_await_parked(r, 40);
    h2raw_hang_up(h);
    kms_await_cancelled(r, 40);
    h2raw_free(h);
    rig_free(r);
}

TEST(deadline__passes_while_parked__client_and_kms_are_told)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_open(h, DECRYPT, "20m");
    h2raw_message(h, s, 0, request);
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res != NULL && (res->grpc_status == DEADLINE_EXCEEDED || res->reset));
    kms_await_cancelled(r, 1);
    h2raw_free(h);
    rig_free(r);
}

TEST(deadline__of_the_client__reaches_kms)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_open(h, DECRYPT, "600S");
    h2raw_message(h, s, 0, request);
    expect(h, s, 0);
    int64_t left = kms_seen(r).call.until.mono_ns - r->now_ns;
    CHECK(left > 500 * KW_S_NS && left <= 600 * KW_S_NS);
    expect(h, h2raw_call(h, DECRYPT, request), 0);
    CHECK(kms_seen(r).call.until.mono_ns == KW_NEVER.mono_ns);
    h2raw_free(h);
    rig_free(r);
}

TEST(status__700_parked_on_the_same_connection__answered)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t last = 0;
    kms_park(r, true);
    for (int i = 0; i < 700; i++)
        last = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 700);
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    CHECK(!h2raw_peek(h, last)->ended);
    kms_finish(r, KW_OK);
    for (uint32_t s = 1; s <= last; s += 2)
        expect(h, s, 0);
    h2raw_free(h);
    rig_free(r);
}

/* Of the rig's two classes each has a quarter for itself. */
enum { CLASS_MAX = KW_RPC_CALLS_MAX / 4 * 3 };

TEST(calls__2000_at_once__the_rest_refused_and_status_served)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t last = 0;
    size_t refused = 0;
    kms_park(r, true);
    for (int i = 0; i < 2000; i++)
        last = h2raw_call(h, DECRYPT, request);
    expect(h, last, RESOURCE_EXHAUSTED);
    kms_await_parked(r, CLASS_MAX);
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    assert_int_equal(stats_of(r).refused_busy, 2000 - CLASS_MAX);
    assert_int_equal(kms_refused(r), 2000 - CLASS_MAX);
    CHECK(kms_refusal(r).err.code == KW_CODE_BUSY);
    CHECK(kms_refusal(r).method == KW_METHOD_DECRYPT);
    kms_finish(r, KW_OK);
    for (uint32_t s = 1; s <= last; s += 2)
        refused += h2raw_await(h, s)->grpc_status == RESOURCE_EXHAUSTED;
    assert_int_equal(refused, 2000 - CLASS_MAX);
    CHECK(stats_of(r).open_max <= CLASS_MAX + 1);
    h2raw_free(h);
    rig_free(r);
}

TEST(calls__one_class_full__the_other_has_its_part)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0), *other = rig_raw(r, 1);
    uint32_t last = 0, first = 0;
    kms_park(r, true);
    for (int i = 0; i < 2000; i++)
        last = h2raw_call(h, DECRYPT, request);
    expect(h, last, RESOURCE_EXHAUSTED);
    for (unsigned i = 0; i <= KW_RPC_CALLS_MAX / 4; i++) {
        last = h2raw_call(other, DECRYPT, request);
        first = first == 0 ? last : first;
    }
    expect(other, last, RESOURCE_EXHAUSTED);
    kms_await_parked(r, KW_RPC_CALLS_MAX);
    kms_finish(r, KW_OK);
    expect(other, first, 0);
    /* What came back is lent again. */
    expect(h, 1, 0);
    kms_park(r, false);
    expect(other, h2raw_call(other, DECRYPT, request), 0);
    expect(h, h2raw_call(h, DECRYPT, request), 0);
    h2raw_free(h);
    h2raw_free(other);
    rig_free(r);
}

TEST(status__more_held_than_the_pool_has_room__refused_too)
{
    enum { ROOM = CLASS_MAX + 64 / 2 };
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t last = 0;
    r->kms.status_parks = true;
    for (int i = 0; i < ROOM + 1; i++)
        last = h2raw_call(h, STATUS, (kw_span){0});
    expect(h, last, RESOURCE_EXHAUSTED);
    kms_await_parked(r, ROOM);
    kms_finish(r, KW_OK);
    expect(h, 1, 0);
    h2raw_free(h);
    rig_free(r);
}

/* A client that sends and never reads keeps its slots only for a while. */
TEST(reply__never_read__given_up)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0), *other = rig_raw(r, 1);
    /* A stream window of 0: the reply's message can never go out. */
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    h2raw_frame(h, 4, 0, 0, kw_span_of("\0\x04\0\0\0\0", 6));
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_begun(r, 2);
    /* The rpc thread is through with what it began before it begins another. */
    expect(other, h2raw_call(other, STATUS, (kw_span){0}), 0);
    r->now_ns += 60 * KW_S_NS;
    expect(other, h2raw_call(other, STATUS, (kw_span){0}), 0);
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res != NULL && (res->reset || res->grpc_status == CANCELLED));
    h2raw_free(h);
    h2raw_free(other);
    rig_free(r);
}

TEST(shutdown__calls_parked__goaway_and_they_still_finish)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    uint32_t s = h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    kw_rpc_shutdown(r->rpc);
    kw_rpc_shutdown(r->rpc); /* twice is once */
    CHECK(!kw_rpc_idle(r->rpc));
    while (!h2raw_got_goaway(h))
        CHECK(h2raw_read(h));
    kms_finish(r, KW_OK);
    expect(h, s, 0);
    h2raw_free(h);
    rig_free(r);
}

TEST(free__calls_parked__cancelled_and_answered)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0), *other = rig_raw(r, 1);
    kms_park(r, true);
    for (int i = 0; i < 20; i++) {
        (void)h2raw_call(h, DECRYPT, request);
        (void)h2raw_call(other, ENCRYPT, request);
    }
    kms_await_parked(r, 40);
    struct kw_kms *kms = &r->kms;
    rig_free_rpc(r);
    assert_int_equal(kms->cancelled, 40);
    h2raw_await_close(h);
    h2raw_await_close(other);
    h2raw_free(h);
    h2raw_free(other);
    rig_free(r);
}

/* gRPC core aborts when a request was posted while its server shut down. */
TEST(free__while_the_thread_is_still_posting__ends)
{
    kw_rpc_process_init();
    kw_test_arena(kw_rpc_bytes());
    static struct kw_kms kms; /* never asked */
    struct kw_rpc_options o = {.kms = &kms, .class_count = 2, .clock = &kw_clock_system};
    for (unsigned i = 0; i < 50; i++) {
        struct kw_rpc *rpc = NULL;
        CHECK_OK(kw_rpc_new(&o, &rpc));
        kw_rpc_free(rpc);
    }
}

/* connection_peers.h rests on this: the number of a connection with a call is not used again. */
TEST(hang_up__call_still_there__number_still_taken)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    kms_park(r, true);
    r->kms.watched = r->adopted;
    (void)h2raw_call(h, DECRYPT, request);
    kms_await_parked(r, 1);
    h2raw_hang_up(h);
    kms_await_cancelled(r, 1);
    CHECK(r->kms.watched_open);
    while (fcntl(r->adopted, F_GETFD) != -1) /* and free once the call is */
        sched_yield();
    h2raw_free(h);
    rig_free(r);
}

TEST(adopt__after_shutdown__closed)
{
    struct rig *r = rig_new();
    kw_rpc_shutdown(r->rpc);
    struct h2raw *h = rig_raw_refused(r, 0, KW_CODE_CANCELLED);
    h2raw_await_close(h);
    h2raw_free(h);
    rig_free(r);
}

TEST(adopt__no_such_class__closed)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw_refused(r, 2, KW_CODE_BUG);
    h2raw_await_close(h);
    h2raw_free(h);
    rig_free(r);
}

/* More hours than fit into nanoseconds. */
TEST(deadline__hundreds_of_years__never)
{
    static const char *const timeouts[] = {"2562048H", "3000000H", "99999999H"};
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        uint32_t s = h2raw_open(h, STATUS, timeouts[i]);
        h2raw_message(h, s, 0, (kw_span){0});
        expect(h, s, 0);
        CHECK(kms_seen(r).call.until.mono_ns == KW_NEVER.mono_ns);
    }
    h2raw_free(h);
    rig_free(r);
}

KW_CASES("provider/rpc/parked", CASE(deadline__hundreds_of_years__never),
         CASE(decrypt__parked_then_finished__plaintext),
         CASE(decrypt__parked_then_failed__status_and_text),
         CASE(encrypt__finished_elsewhere_inside_begin__one_reply),
         CASE(reset__while_parked__kms_is_told),
         CASE(reset__finished_before_it_was_watched__kms_not_told_and_counted),
         CASE(decrypt__watched_then_finished__plaintext),
         CASE(answered__client_has_it_and_the_rpc_thread_is_busy__counts_already),
         CASE(answered__first_reply_is_never_read__not_when_that_is_given_up),
         CASE(answered__reset_or_refused__no_answer),
         CASE(hang_up__while_many_are_parked__kms_is_told_of_each),
         CASE(deadline__passes_while_parked__client_and_kms_are_told),
         CASE(deadline__of_the_client__reaches_kms),
         CASE(status__700_parked_on_the_same_connection__answered),
         CASE(calls__2000_at_once__the_rest_refused_and_status_served),
         CASE(calls__one_class_full__the_other_has_its_part),
         CASE(status__more_held_than_the_pool_has_room__refused_too),
         CASE(reply__never_read__given_up),
         CASE(shutdown__calls_parked__goaway_and_they_still_finish),
         CASE(free__calls_parked__cancelled_and_answered),
         CASE(free__while_the_thread_is_still_posting__ends),
         CASE(hang_up__call_still_there__number_still_taken),
         CASE(adopt__after_shutdown__closed), CASE(adopt__no_such_class__closed))
