/* SPDX-License-Identifier: Apache-2.0 */
/* The channel against a socket pair; the test is the worker. */
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"

static struct kw_channel channel;
static struct kw_receiver receiver;
static int worker;

static void begin(void)
{
    int pair[2];
    kw_test_arena(1 << 18);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    worker = pair[1];
    CHECK_OK(kw_channel_init(&channel, pair[0]));
    CHECK_OK(kw_receiver_init(&receiver));
}

static void end(void)
{
    kw_channel_wipe(&channel);
    kw_receiver_wipe(&receiver);
    close(worker);
}

TEST(init__no_locked_memory__descriptor_closed)
{
    int pair[2];
    kw_test_arena(1 << 12);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK_CODE(kw_channel_init(&channel, pair[0]), KW_CODE_NO_MEMORY);
    CHECK(fcntl(pair[0], F_GETFD) == -1);
    kw_channel_wipe(&channel); /* closes nothing */
    CHECK(fcntl(pair[1], F_GETFD) != -1);
    close(pair[1]);
}

static bool load(uint64_t id, enum kw_wire_op op)
{
    struct kw_wire_job j = {.id = id, .op = op, .n = 1};
    if (op != KW_WIRE_CANARY)
        j = (struct kw_wire_job){.id = id,
                                 .op = op,
                                 .key_id = kw_span_str("k"),
                                 .input = kw_span_str("input")};
    return kw_channel_load(&channel, &j, KW_COUNT_UNWRAP, 5, KW_WIRE_JOBS_MAX);
}

static unsigned backs;
static uint64_t last_back;
static void back(void *ctx, const struct kw_channel_entry *e)
{
    (void)ctx;
    backs++;
    last_back = e->wire_id;
}

TEST(load__jobs_up_to_the_limit__canaries_still_fit)
{
    begin();
    for (uint64_t id = 1; id <= KW_WIRE_JOBS_MAX; id++)
        CHECK(load(id, KW_WIRE_UNWRAP));
    CHECK(!load(99, KW_WIRE_UNWRAP) && !load(99, KW_WIRE_CANARY)); /* to be sent first */
    channel.loaded = 0;
    CHECK(!load(99, KW_WIRE_UNWRAP));
    for (uint64_t id = 100; id < 104; id++)
        CHECK(load(id, KW_WIRE_CANARY));
    end();
}

TEST(send__worker_reads_what_was_loaded__in_order)
{
    uint8_t buf[KW_WIRE_MAX];
    struct kw_wire_job job;
    begin();
    load(7, KW_WIRE_WRAP);
    load(8, KW_WIRE_CANARY);
    CHECK(kw_channel_send(&channel) == 2);
    kw_channel_settle(&channel, 2, back, NULL);
    for (uint64_t id = 7; id <= 8; id++) {
        ssize_t n = recv(worker, buf, sizeof buf, 0);
        CHECK(n > 0);
        CHECK_OK(kw_wire_decode_job(kw_span_of(buf, (size_t)n), &job));
        CHECK(job.id == id);
    }
    CHECK(channel.count == 2 && channel.loaded == 0);
    for (size_t i = 0; i < channel.out.len; i++)
        CHECK(channel.out.ptr[i] == 0); /* wiped */
    end();
}

TEST(send__worker_gone__everything_comes_back_newest_first)
{
    begin();
    close(worker);
    load(7, KW_WIRE_WRAP);
    load(8, KW_WIRE_WRAP);
    backs = 0;
    size_t sent = kw_channel_send(&channel);
    CHECK(sent == 0);
    kw_channel_settle(&channel, sent, back, NULL);
    CHECK(backs == 2 && last_back == 7 && channel.count == 0);
    worker = dup(0);
    end();
}

/* No worker of ours sends an empty message: what comes behind one is not taken for the end,
 * and does not stay where it was read to. */
TEST(read__empty_message_in_the_middle__broken_and_wiped)
{
    begin();
    CHECK(send(worker, "one", 3, 0) == 3 && send(worker, "", 0, 0) == 0 &&
          send(worker, "secret", 6, 0) == 6);
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_BROKEN);
    for (size_t i = 0; i < receiver.buf.len; i++)
        CHECK(receiver.buf.ptr[i] == 0);
    end();
}

TEST(read__end_behind_messages__they_count)
{
    begin();
    CHECK(send(worker, "one", 3, 0) == 3);
    CHECK(shutdown(worker, SHUT_WR) == 0);
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_SOME && receiver.count == 1);
    kw_receiver_clear(&receiver);
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_END);
    end();
}

TEST(answers__in_any_order__each_once)
{
    begin();
    for (uint64_t id = 7; id < 10; id++)
        load(id, id == 8 ? KW_WIRE_CANARY : KW_WIRE_WRAP);
    CHECK(kw_channel_find(&channel, 6) == NULL);
    CHECK(kw_channel_find(&channel, 9)->want_len == 5);
    kw_channel_drop(&channel, kw_channel_find(&channel, 8));
    CHECK(kw_channel_find(&channel, 8) == NULL);
    CHECK(channel.count == 2 && channel.canaries == 0);
    CHECK(kw_channel_at(&channel, 0)->wire_id == 7);
    CHECK(kw_channel_at(&channel, 1)->wire_id == 9);
    CHECK(kw_channel_at(&channel, 2) == NULL);
    end();
}

/* Its places are used again, and never two at once. */
TEST(answers__of_many_rounds__places_are_not_lost)
{
    uint64_t next = 1;
    begin();
    while (next <= 20 * KW_CHANNEL_MAX) {
        while (channel.count < KW_CHANNEL_MAX && channel.loaded < KW_CHANNEL_LOAD)
            CHECK(load(next++, KW_WIRE_CANARY));
        channel.loaded = 0;
        while (channel.count > KW_CHANNEL_MAX / 3)
            kw_channel_drop(&channel, kw_channel_at(&channel, next * 7 % channel.count));
        for (size_t i = 1; i < channel.count; i++)
            CHECK(kw_channel_at(&channel, i - 1)->wire_id <
                  kw_channel_at(&channel, i)->wire_id);
    }
    end();
}

/* The ids can be guessed: it may answer what the kernel did not take. */
TEST(answers__to_what_was_not_sent__the_rest_comes_back)
{
    begin();
    close(worker);
    load(7, KW_WIRE_WRAP);
    load(8, KW_WIRE_WRAP);
    backs = 0;
    CHECK(kw_channel_send(&channel) == 0);
    kw_channel_drop(&channel, kw_channel_find(&channel, 8));
    kw_channel_settle(&channel, 0, back, NULL);
    CHECK(backs == 1 && last_back == 7 && channel.count == 0);
    worker = dup(0);
    end();
}

TEST(receive__nothing_there__empty)
{
    begin();
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_EMPTY);
    end();
}

TEST(receive__worker_died_with_unread_jobs__answers_first_then_the_end)
{
    begin();
    load(7, KW_WIRE_WRAP);
    CHECK(kw_channel_send(&channel) == 1);
    CHECK(send(worker, "answer", 6, 0) == 6);
    close(worker); /* the kernel says ECONNRESET, once */
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_SOME);
    CHECK(receiver.count == 1 && kw_span_equal_str(receiver.messages[0], "answer"));
    kw_receiver_clear(&receiver);
    CHECK(receiver.buf.ptr[0] == 0);
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_END);
    worker = dup(0);
    end();
}

TEST(receive__too_long_a_message__broken_and_wiped)
{
    uint8_t big[KW_WIRE_MAX + 1] = {1};
    begin();
    CHECK(send(worker, "before", 6, 0) == 6);
    CHECK(send(worker, big, sizeof big, 0) == sizeof big);
    CHECK(send(worker, "behind", 6, 0) == 6);
    CHECK(kw_receiver_read(&receiver, channel.fd) == KW_READ_BROKEN);
    for (size_t i = 0; i < receiver.buf.len; i++)
        CHECK(receiver.buf.ptr[i] == 0);
    end();
}

KW_CASES("hsm/front/channel", CASE(init__no_locked_memory__descriptor_closed),
         CASE(load__jobs_up_to_the_limit__canaries_still_fit),
         CASE(send__worker_reads_what_was_loaded__in_order),
         CASE(send__worker_gone__everything_comes_back_newest_first),
         CASE(answers__in_any_order__each_once),
         CASE(answers__of_many_rounds__places_are_not_lost),
         CASE(answers__to_what_was_not_sent__the_rest_comes_back),
         CASE(receive__nothing_there__empty),
         CASE(receive__worker_died_with_unread_jobs__answers_first_then_the_end),
         CASE(receive__too_long_a_message__broken_and_wiped))
