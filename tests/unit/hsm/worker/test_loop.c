/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <unistd.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_note note;
static int front;

static void begin(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
    fake_word(pair[1], KW_OK, "");
    CHECK_OK(kw_worker_start(w, &note));
    uint8_t buf[KW_WIRE_MAX];
    while (recv(front, buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
}

static void put(uint64_t id)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_job job = {.id = id,
                                    .op = KW_WIRE_WRAP,
                                    .until_ns = INT64_MAX,
                                    .key_id = kw_span_str(K2),
                                    .input = kw_span_str("input")};
    CHECK_OK(kw_wire_encode_job(&job, &dst));
    CHECK(send(front, buf, dst.len, 0) == (ssize_t)dst.len);
}

static bool get(struct kw_wire_answer *ret)
{
    static uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(front, buf, sizeof buf, MSG_DONTWAIT);
    return n > 0 && !kw_failed(kw_wire_decode_answer(kw_span_of(buf, (size_t)n), ret));
}

TEST(many_jobs_then_the_end__all_answered_in_order)
{
    struct kw_wire_answer a;
    begin();
    for (uint64_t id = 1; id <= 50; id++)
        put(id);
    shutdown(front, SHUT_WR);
    kw_worker_loop(w);
    for (uint64_t id = 1; id <= 50; id++)
        CHECK(get(&a) && a.id == id && !kw_failed(a.err));
    CHECK(!get(&a));
    fake_worker_end(w);
}

TEST(hsm_down__that_job_is_answered_and_no_other)
{
    struct kw_wire_answer a;
    begin();
    script(&fake.operation, 2, KW_CODE_OK, KW_CODE_HSM_DOWN);
    for (uint64_t id = 1; id <= 4; id++)
        put(id);
    kw_worker_loop(w); /* leaves by itself */
    CHECK(get(&a) && a.id == 1 && !kw_failed(a.err));
    CHECK(get(&a) && a.id == 2 && a.err.code == KW_CODE_HSM_DOWN);
    CHECK(!get(&a));
    CHECK(fake.operation.calls == 2);
    fake_worker_end(w);
}

/* A slow token's answer does not wait for the next operation, nor for the batch's end. */
static void first_answer_is_there(void)
{
    struct kw_wire_answer a;
    if (fake.operation.calls == 2)
        CHECK(get(&a) && a.id == 1);
}

TEST(slow_operation__answered_before_the_next_one)
{
    begin();
    fake.takes_ns = 2 * KW_MS_NS;
    fake.during = first_answer_is_there;
    put(1);
    put(2);
    shutdown(front, SHUT_WR);
    kw_worker_loop(w);
    CHECK(fake.operation.calls == 2);
    fake_worker_end(w);
}

/* ---- several sessions ------------------------------------------------------------- */

enum { SESSIONS = 8, JOBS = 64 };

static void begin_with(uint8_t sessions)
{
    struct kw_wire_ready ready = {0};
    uint8_t buf[KW_WIRE_MAX];
    ssize_t n;
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
    w->brief.sessions = sessions;
    fake_word(pair[1], KW_OK, "");
    CHECK_OK(kw_worker_start(w, &note));
    fake_prove_the_other(w);
    while ((n = recv(front, buf, sizeof buf, MSG_DONTWAIT)) > 0)
        if (kw_wire_kind_of(kw_span_of(buf, (size_t)n)) == KW_WIRE_READY)
            CHECK_OK(kw_wire_decode_ready(kw_span_of(buf, (size_t)n), &ready));
    CHECK(ready.sessions == w->session_count);
}

TEST(sessions__all_jobs_answered_once_in_any_order)
{
    struct kw_wire_answer a;
    bool seen[JOBS + 1] = {false};
    begin_with(SESSIONS);
    CHECK(w->session_count == SESSIONS && fake.prove.calls == 2);
    for (uint64_t id = 1; id <= JOBS; id++)
        put(id);
    shutdown(front, SHUT_WR);
    kw_worker_loop(w);
    for (size_t i = 0; i < JOBS; i++) {
        CHECK(get(&a) && !kw_failed(a.err) && a.id >= 1 && a.id <= JOBS && !seen[a.id]);
        seen[a.id] = true;
    }
    CHECK(!get(&a));
    /* Each opened the active version's check blob, and nothing was looked for again. */
    CHECK(fake.look.calls == SESSIONS && fake.prove.calls == 2);
    for (unsigned i = 0; i < SESSIONS; i++)
        CHECK(kw_page_job(w->page, i).id == 0);
    fake_worker_end(w);
}

TEST(sessions__one_at_its_end__nobody_begins_a_job)
{
    struct kw_wire_answer a;
    size_t answers = 0, down = 0;
    begin_with(SESSIONS);
    script(&fake.operation, 1, KW_CODE_HSM_DOWN);
    for (uint64_t id = 1; id <= JOBS; id++)
        put(id);
    kw_worker_loop(w); /* the front is there: it ends by itself */
    while (get(&a)) {
        answers++;
        down += a.err.code == KW_CODE_HSM_DOWN;
    }
    CHECK(down == 1 && answers == fake.operation.calls);
    fake_worker_end(w);
}

TEST(sessions__their_first_proof_finds_the_token_down__leaves)
{
    begin_with(SESSIONS);
    script(&fake.look, 8, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN,
           KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN,
           KW_CODE_HSM_DOWN);
    put(1);
    kw_worker_loop(w);
    CHECK(fake.operation.calls == 0 && w->at_end);
    fake_worker_end(w);
}

TEST(garbage_or_too_long_a_message__leaves)
{
    for (int i = 0; i < 2; i++) {
        uint8_t big[KW_WIRE_MAX + 1] = {0};
        begin();
        if (i == 0)
            CHECK(send(front, "garbage", 7, 0) == 7);
        else
            CHECK(send(front, big, sizeof big, 0) == sizeof big);
        put(1);
        kw_worker_loop(w);
        CHECK(fake.operation.calls == 0);
        fake_worker_end(w);
        kw_arena_close();
    }
}

TEST(front_gone__leaves)
{
    begin();
    put(1);
    close(front);
    kw_worker_loop(w);
    fake_worker_end(w);
}

KW_CASES("hsm/worker/loop", CASE(many_jobs_then_the_end__all_answered_in_order),
         CASE(hsm_down__that_job_is_answered_and_no_other),
         CASE(garbage_or_too_long_a_message__leaves), CASE(front_gone__leaves),
         CASE(slow_operation__answered_before_the_next_one),
         CASE(sessions__all_jobs_answered_once_in_any_order),
         CASE(sessions__one_at_its_end__nobody_begins_a_job),
         CASE(sessions__their_first_proof_finds_the_token_down__leaves))
