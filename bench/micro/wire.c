/* SPDX-License-Identifier: Apache-2.0 */
/* The process wall: its messages, and the way to another process and back over the real
 * SOCK_SEQPACKET pair, to one that answers what it was asked. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/wire.h>

#include "micro.h"

enum { INNER = 32 + KW_INNER_DIGEST, AAD = 76, IV = 12 };

static struct fixture {
    uint8_t iv[IV], aad[AAD], input[INNER];
    struct kw_wire_job job;
    int socket;
    pid_t echo;
} f;

static bool wire_setup(struct kw_micro *m)
{
    (void)m; /* it cannot fail */
    kw_micro_fill(f.iv, IV, 1);
    kw_micro_fill(f.aad, AAD, 2);
    kw_micro_fill(f.input, INNER, 3);
    f.job = (struct kw_wire_job){.id = 1,
                                 .op = KW_WIRE_UNWRAP,
                                 .until_ns = INT64_MAX,
                                 .key_id = kw_span_str("kw1-1-0123456789abcdef01234567"),
                                 .iv = kw_span_of(f.iv, IV),
                                 .aad = kw_span_of(f.aad, AAD),
                                 .input = kw_span_of(f.input, INNER)};
    return true;
}

static void put_job(struct kw_micro *m)
{
    uint8_t message[KW_WIRE_MAX];
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        kw_dst dst = kw_dst_of(message, sizeof message);
        e = kw_wire_encode_job(&f.job, &dst);
        kw_micro_keep(message);
    }
}

static void get_job(struct kw_micro *m)
{
    uint8_t message[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(message, sizeof message);
    struct kw_wire_job job;
    kw_err e = kw_wire_encode_job(&f.job, &dst);
    if (kw_micro_failed(m, e))
        return;
    KW_MICRO_EACH(m, e)
    {
        e = kw_wire_decode_job(kw_dst_span(&dst), &job);
        kw_micro_keep(&job);
    }
}

/* ---- the other process ------------------------------------------------------------- */

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
static bool setup_echo(struct kw_micro *m)
{
    int ends[2];
    (void)wire_setup(m);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        kw_micro_fail(m, "no socket pair");
        return false;
    }
    f.echo = fork();
    if (f.echo == 0) {
        close(ends[0]);
        while (answer_one(ends[1])) {
        }
        _exit(0);
    }
    close(ends[1]);
    f.socket = ends[0];
    if (f.echo > 0)
        return true;
    close(ends[0]);
    kw_micro_fail(m, "no process");
    return false;
}

static void teardown_echo(void)
{
    close(f.socket); /* the end of file ends it */
    while (waitpid(f.echo, NULL, 0) < 0 && errno == EINTR) {
    }
}

static bool send_job(uint64_t id)
{
    uint8_t message[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(message, sizeof message);
    f.job.id = id;
    return !kw_failed(kw_wire_encode_job(&f.job, &dst)) &&
           send(f.socket, message, dst.len, MSG_NOSIGNAL) == (ssize_t)dst.len;
}

static bool take_answer(uint64_t id)
{
    uint8_t message[KW_WIRE_MAX];
    struct kw_wire_answer answer;
    ssize_t n = recv(f.socket, message, sizeof message, 0);
    return n > 0 &&
           !kw_failed(kw_wire_decode_answer(kw_span_of(message, (size_t)n), &answer)) &&
           answer.id == id && kw_span_equal(answer.output, kw_span_of(f.input, INNER));
}

/* One turn: as many jobs as the argument says go out, then their answers come back. */
static void wire_round_trip(struct kw_micro *m)
{
    uint64_t in_flight = (uint64_t)kw_micro_argument(m), id = 1;
    bool good = true;
    while (good && kw_micro_next(m)) {
        for (uint64_t i = 0; good && i < in_flight; i++)
            good = send_job(id + i);
        for (uint64_t i = 0; good && i < in_flight; i++)
            good = take_answer(id + i);
        id += in_flight;
    }
    if (!good)
        kw_micro_fail(m, "a job did not come back as it went");
    kw_micro_items(m, (int64_t)(id - 1));
}

static const int64_t in_flights[] = {1, 8, KW_WIRE_JOBS_MAX};
const struct kw_micro_case kw_micro_wire[] = {
    {"wire/put_job", wire_setup, put_job},
    {"wire/get_job", wire_setup, get_job},
    {"wire/round_trip", setup_echo, wire_round_trip, teardown_echo, true, "in_flight",
     in_flights, 3},
    {.name = NULL},
};
