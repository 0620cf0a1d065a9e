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
    CHECK_OK(kw_worker_loop(w));
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
    CHECK_OK(kw_worker_loop(w)); /* leaves by itself */
    CHECK(get(&a) && a.id == 1 && !kw_failed(a.err));
    CHECK(get(&a) && a.id == 2 && a.err.code == KW_CODE_HSM_DOWN);
    CHECK(!get(&a));
    CHECK(fake.operation.calls == 2);
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
        CHECK_OK(kw_worker_loop(w));
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
    CHECK_OK(kw_worker_loop(w));
    fake_worker_end(w);
}

KW_CASES("hsm/worker/loop", CASE(many_jobs_then_the_end__all_answered_in_order),
         CASE(hsm_down__that_job_is_answered_and_no_other),
         CASE(garbage_or_too_long_a_message__leaves), CASE(front_gone__leaves))
