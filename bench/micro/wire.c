/* SPDX-License-Identifier: Apache-2.0 */
/* The process wall: to another process and back over the real SOCK_SEQPACKET pair, to one
 * that answers what it was asked. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/wire.h>

#include "micro.h"

static uint8_t iv[12], aad[76], input[32 + KW_INNER_DIGEST];
static int to_echo;
static pid_t echo;
static uint64_t in_flight;

/* One job in, its answer out.  false at the end of file, or when anything is wrong. */
static bool answer_one(int fd)
{
    uint8_t in[KW_WIRE_MAX], out[KW_WIRE_MAX];
    struct kw_wire_job job;
    kw_dst dst = kw_dst_of(out, sizeof out);
    ssize_t n = recv(fd, in, sizeof in, 0);
    if (n <= 0 || kw_failed(kw_wire_decode_job(kw_span_of(in, (size_t)n), &job)))
        return false;
    const struct kw_wire_answer answer = {.id = job.id, .output = job.input};
    return !kw_failed(kw_wire_encode_answer(&answer, &dst)) &&
           send(fd, out, dst.len, MSG_NOSIGNAL) == (ssize_t)dst.len;
}

/* A fork is enough: this process has one thread, and the arena is not the child's. */
static bool wire_setup(int64_t argument)
{
    int ends[2];
    in_flight = (uint64_t)argument;
    kw_micro_fill(iv, sizeof iv, 1);
    kw_micro_fill(aad, sizeof aad, 2);
    kw_micro_fill(input, sizeof input, 3);
    to_echo = -1;
    echo = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    echo = fork();
    if (echo == 0) {
        close(ends[0]);
        while (answer_one(ends[1])) {
        }
        _exit(0);
    }
    close(ends[1]);
    to_echo = ends[0];
    return echo > 0;
}

static bool wire_teardown(uint64_t turns)
{
    (void)turns; /* each was looked at */
    if (to_echo >= 0)
        close(to_echo); /* the end of file ends it */
    while (echo > 0 && waitpid(echo, NULL, 0) < 0 && errno == EINTR) {
    }
    return true;
}

static bool send_job(uint64_t id)
{
    uint8_t message[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(message, sizeof message);
    const struct kw_wire_job job = {.id = id,
                                    .op = KW_WIRE_UNWRAP,
                                    .until_ns = INT64_MAX,
                                    .key_id =
                                        kw_span_str("kw1-1-0123456789abcdef01234567"),
                                    .iv = kw_span_of(iv, sizeof iv),
                                    .aad = kw_span_of(aad, sizeof aad),
                                    .input = kw_span_of(input, sizeof input)};
    return !kw_failed(kw_wire_encode_job(&job, &dst)) &&
           send(to_echo, message, dst.len, MSG_NOSIGNAL) == (ssize_t)dst.len;
}

static bool take_answer(uint64_t id)
{
    uint8_t message[KW_WIRE_MAX];
    struct kw_wire_answer answer;
    ssize_t n = recv(to_echo, message, sizeof message, 0);
    return n > 0 &&
           !kw_failed(kw_wire_decode_answer(kw_span_of(message, (size_t)n), &answer)) &&
           answer.id == id &&
           kw_span_equal(answer.output, kw_span_of(input, sizeof input));
}

/* As many jobs as the argument says go out, then their answers come back. */
static bool wire_round_trip(uint64_t n)
{
    bool good = true;
    for (uint64_t i = 0; good && i < in_flight; i++)
        good = send_job(1 + n * in_flight + i);
    for (uint64_t i = 0; good && i < in_flight; i++)
        good = take_answer(1 + n * in_flight + i);
    return good;
}

static const int64_t in_flights[] = {1, 8, KW_WIRE_JOBS_MAX};
const struct kw_micro_case kw_micro_wire[] = {
    {"wire/round_trip", wire_setup, wire_round_trip, wire_teardown, true, "in_flight",
     in_flights, 3},
    {.name = NULL},
};
