/* SPDX-License-Identifier: Apache-2.0 */
/* 19: an allowed peer that takes all it can get leaves the others, and the daemon itself,
 * what they need. */
#include "acts.h"
#include "kmsraw.h"
#include "sanitized.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/resource.h>

static void may_open(void *count)
{
    const struct rlimit few = {*(const rlim_t *)count, *(const rlim_t *)count};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        _exit(100);
}

TEST(descriptors__too_few__not_started_and_why)
{
    struct instance h;
    rlim_t count = 256;
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    h.in_child = may_open;
    h.in_child_ctx = &count;
    instance_start(&h, NULL);
    instance_await(&h, 0, NULL, "keywardd: 256 descriptors are too few",
                   "LimitNOFILE=", NULL);
    assert_int_equal(instance_wait_end(&h), 1);
    instance_destroy(&h);
}

/* Each of the connections has made a call, so none makes room for another one. */
TEST(connections__so_many_as_there_are_descriptors__workers_are_started)
{
    enum { COUNT = 150 };
    struct instance h;
    struct h2raw *raw[COUNT];
    pid_t workers[2];
    rlim_t count = 280;
    unsigned served = 0;
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    h.in_child = may_open;
    h.in_child_ctx = &count;
    instance_up(&h);
    instance_await_workers(&h, 2);
    for (int i = 0; i < COUNT; i++) {
        raw[i] = kmsraw_open(i % 2 == 0 ? h.secrets : h.bulk);
        served += h2raw_await(raw[i], kmsraw_status(raw[i])) != NULL;
    }
    print_message("  of %d connections %u were served\n", COUNT, served);
    CHECK(served == 12);
    instance_await(&h, 0, NULL, "event=descriptors-few", "limit=280", NULL);
    size_t mark = instance_mark(&h);
    CHECK(instance_workers(&h, workers, 2) == 2);
    CHECK(kill(workers[0], SIGKILL) == 0);
    mark = instance_await(&h, mark, NULL, "event=worker-ended", NULL);
    instance_await(&h, mark, NULL, "event=worker-ready", NULL);
    assert_int_equal(instance_count(&h, 0, "event=worker-not-started"), 0);
    assert_int_equal(instance_count(&h, 0, "event=connection-no-descriptor"), 0);
    for (int i = 0; i < COUNT; i++)
        h2raw_free(raw[i]);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* As many as one uid may have; each has begun well and says no more. */
TEST(connections__silent__a_newcomer_is_served_and_who_has_called_stays)
{
    enum { PER_UID = 64 };
    struct instance h;
    struct h2raw *silent[PER_UID - 1];
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    instance_up(&h);
    struct h2raw *first = kmsraw_open(h.secrets);
    assert_int_equal(kmsraw_outcome(first, kmsraw_status(first)), 0);
    for (int i = 0; i < PER_UID - 1; i++)
        silent[i] = kmsraw_open(h.secrets);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    instance_await(&h, 0, NULL, "event=connection-ended", "class=secrets", NULL);
    assert_int_equal(instance_count(&h, 0, "event=connection-limit"), 0);
    h2raw_await_close(silent[0]);
    assert_int_equal(kmsraw_outcome(first, kmsraw_status(first)), 0);
    kw_client_close(c);
    for (int i = 0; i < PER_UID - 1; i++)
        h2raw_free(silent[i]);
    h2raw_free(first);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* ---- memory ---- */

/* A sanitizer's own memory would have to be told apart, and the daemon's limit is another
 * one there. */
enum { MEASURED = !KW_SANITIZED };

/* Of the daemon. */
static unsigned memory_mib(const struct instance *h, const char *name)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)h->daemon);
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name) + 1, NULL, 10);
    fclose(f);
    CHECK(kib > 0);
    return (unsigned)(kib / 1024);
}

static void put_frame(kw_dst *d, uint8_t type, uint8_t flags, uint32_t stream, kw_span p)
{
    CHECK(kw_dst_put_u8(d, (uint8_t)(p.len >> 16)) &&
          kw_dst_put_u16(d, (uint16_t)p.len) && kw_dst_put_u8(d, type) &&
          kw_dst_put_u8(d, flags) && kw_dst_put_u32(d, stream) && kw_dst_put(d, p));
}

static void put_header(kw_dst *d, const char *name, const char *value)
{
    kw_span n = kw_span_str(name), v = kw_span_str(value);
    CHECK(kw_dst_put_u8(d, 0) && kw_dst_put_u8(d, (uint8_t)n.len) && kw_dst_put(d, n) &&
          kw_dst_put_u8(d, (uint8_t)v.len) && kw_dst_put(d, v));
}

static kw_span request_headers(void)
{
    static uint8_t block[512];
    kw_dst d = kw_dst_of(block, sizeof block);
    put_header(&d, ":method", "POST");
    put_header(&d, ":scheme", "http");
    put_header(&d, ":path", KMSRAW_ENCRYPT);
    put_header(&d, ":authority", "localhost");
    put_header(&d, "content-type", "application/grpc");
    put_header(&d, "te", "trailers");
    return kw_dst_span(&d);
}

enum { HEADERS = 1, RST_STREAM = 3, CONTINUATION = 9, END_HEADERS = 4 };

/* Reads whatever comes until the end, so that the flood never waits for us. */
static void *drain(void *fd)
{
    static char bytes[65536];
    while (recv(*(int *)fd, bytes, sizeof bytes, 0) > 0)
        continue;
    return NULL;
}

/* Calls, each begun and reset at once. */
static void flood_resets(const char *path, unsigned count)
{
    static uint8_t batch[65536];
    pthread_t reader;
    kw_span headers = request_headers();
    int fd = kmsraw_connect(path);
    struct h2raw *h = h2raw_new(fd);
    CHECK(pthread_create(&reader, NULL, drain, &fd) == 0);
    for (uint32_t stream = 1; count > 0;) {
        kw_dst d = kw_dst_of(batch, sizeof batch);
        for (; count > 0 && d.len + 1024 < sizeof batch; count--, stream += 2) {
            put_frame(&d, HEADERS, END_HEADERS, stream, headers);
            put_frame(&d, RST_STREAM, 0, stream, kw_span_of("\0\0\0\x08", 4));
        }
        h2raw_bytes(h, kw_dst_span(&d));
    }
    h2raw_hang_up(h);
    pthread_join(reader, NULL);
    h2raw_free(h);
}

/* Headers of one call, without an end. */
static void flood_headers(struct h2raw *h, unsigned mib)
{
    static uint8_t block[16384], frame[9 + sizeof block];
    kw_dst b = kw_dst_of(block, sizeof block), f = kw_dst_of(frame, sizeof frame);
    while (b.len + 128 < sizeof block)
        put_header(&b, "x-padding", "0123456789012345678901234567890123456789");
    put_frame(&f, CONTINUATION, 0, 1, kw_dst_span(&b));
    h2raw_frame(h, HEADERS, 0, 1, request_headers());
    for (unsigned i = 0; i < mib * 64; i++)
        h2raw_bytes(h, kw_dst_span(&f));
}

/* The daemon begins with some 30 MiB and may grow by 256; what malloc keeps under that
 * stays. */
enum { UNDER_MIB = 320 };

/* A client of the other socket. */
static void be_served(struct kw_client *other)
{
    static struct kw_client_reply reply;
    CHECK_OK(kw_client_status(other, 30 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, 0);
}

static struct kw_client *begin_measured(struct instance *h)
{
    kw_test_arena(1 << 20);
    instance_build(h, NULL);
    instance_up(h);
    struct kw_client *other = instance_client(h, h->bulk);
    be_served(other);
    return other;
}

static void end_measured(struct instance *h, struct kw_client *other, unsigned most_mib)
{
    do
        be_served(other);
    while (MEASURED && memory_mib(h, "VmRSS") > UNDER_MIB);
    unsigned peak = memory_mib(h, "VmHWM");
    print_message("  resident %u MiB, at most %u MiB\n", memory_mib(h, "VmRSS"), peak);
    CHECK(!MEASURED || peak <= most_mib);
    kw_client_close(other);
    assert_int_equal(instance_stop(h), 0);
    instance_destroy(h);
}

TEST(headers__without_end__ended_and_the_memory_comes_back)
{
    struct instance h;
    struct kw_client *other = begin_measured(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    flood_headers(raw, MEASURED ? 1500 : 20);
    if (MEASURED) {
        h2raw_await_close(raw);
        instance_await(&h, 0, NULL, "event=memory-flood", "ended=1 kept=1", NULL);
    }
    h2raw_free(raw);
    end_measured(&h, other, 1024);
}

/* Whether the daemon keeps up is a matter of luck; so several times. */
TEST(resets__without_end__the_memory_comes_back)
{
    struct instance h;
    struct kw_client *other = begin_measured(&h);
    for (int i = 0; i < 4; i++) {
        flood_resets(h.secrets, MEASURED ? 71000 : 1000);
        be_served(other);
    }
    end_measured(&h, other, 800);
}

KW_CASES("19-flood", CASE(descriptors__too_few__not_started_and_why),
         CASE(headers__without_end__ended_and_the_memory_comes_back),
         CASE(resets__without_end__the_memory_comes_back),
         CASE(connections__silent__a_newcomer_is_served_and_who_has_called_stays),
         CASE(connections__so_many_as_there_are_descriptors__workers_are_started))
