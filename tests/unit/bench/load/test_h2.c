/* SPDX-License-Identifier: Apache-2.0 */
/* A connection against bytes that we choose. */
#include "check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "h2.h"

static struct kw_h2 c;
static int far;
static struct kw_h2_call last; /* as it was when it ended */
static unsigned ended_count;

static void ended(void *ctx, struct kw_h2 *h2, struct kw_h2_call *call)
{
    (void)ctx;
    (void)h2;
    ended_count++;
    last = *call;
}

static void say(const char *bytes, size_t len)
{
    int64_t now_ns = 0;
    CHECK(write(far, bytes, len) == (ssize_t)len);
    kw_h2_wait(&c, 1, 0, &now_ns);
    kw_h2_flush(&c);
}
#define SAY(bytes) say((bytes), sizeof(bytes) - 1)

/* As kw_h2_open leaves it, on a pair instead of a path. */
static void begin(void)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    far = ends[1];
    ended_count = 0;
    CHECK_OK(kw_h2_begin(&c, &(struct kw_h2_setup){.calls = 4}, ends[0]));
    c.ended = ended;
    kw_h2_flush(&c);
    SAY("\0\0\0\4\0\0\0\0\0"); /* SETTINGS */
    CHECK(c.has_settings && !c.over);
}

static void end(void)
{
    kw_h2_close(&c);
    close(far);
}

/* So many calls more. */
static struct kw_h2_call *submit(unsigned count)
{
    struct kw_h2_call *call = NULL;
    for (unsigned i = 0; i < count; i++)
        CHECK((call = kw_h2_submit(&c, KW_STATUS, kw_span_str("x"))) != NULL);
    return call;
}

/* And none behind them. */
static bool takes_more(void)
{
    return kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL;
}

/* Without indexing, new name, plain: RFC 7541 6.2.2. */
#define GRPC_STATUS(digit) "\x00\x0bgrpc-status\x01" digit

TEST(reply__whole_or_byte_by_byte__ends_the_call)
{
    static const char all[] = "\0\0\1\1\4\0\0\0\1\x88"                 /* HEADERS: 200 */
                              "\0\0\5\0\0\0\0\0\1\0\0\0\0\0"           /* DATA         */
                              "\0\0\x0f\1\5\0\0\0\1" GRPC_STATUS("0"); /* trailers */
    for (int whole = 0; whole < 2; whole++) {
        const size_t step = whole ? sizeof all - 1 : 1;
        CHECK(submit(1) != NULL && c.free_count < c.setup.calls);
        for (size_t at = 0; at < sizeof all - 1; at += step)
            say(all + at, step);
        CHECK(ended_count == 1 && last.status == 0 && last.len == 5);
        CHECK(c.free_count == c.setup.calls && !c.over);
        end();
        begin();
    }
}

/* Headers are ours: the first request teaches the server, the others are indexes. */
TEST(requests__sent_together__headers_and_body_of_each_in_turn)
{
    static const char known[] = "\x83\x86\xc2\xc1\xc0\xbf\xbe"; /* RFC 7541, 2.3.3 */
    uint8_t sent[4096];
    CHECK(read(far, sent, sizeof sent) > 24); /* the preface and what belongs to it */
    submit(2);
    kw_h2_flush(&c);
    const ssize_t n = read(far, sent, sizeof sent);
    const size_t first = 9u + sent[2], body = 9 + 1;
    CHECK(n == (ssize_t)(first + body + 9 + 7 + body) && sent[3] == 1);
    CHECK(memmem(sent, first, "/v2.KeyManagementService/Status", 31) != NULL);
    CHECK(sent[first + 3] == 0 && sent[first + 9] == 'x');
    CHECK(sent[first + body + 2] == 7 && sent[first + body + 3] == 1);
    CHECK(memcmp(sent + first + body + 9, known, 7) == 0);
}

TEST(reset_or_another_http_status__as_grpc_maps_them)
{
    submit(3);
    SAY("\0\0\4\3\0\0\0\0\1\0\0\0\7"); /* REFUSED_STREAM */
    CHECK(ended_count == 1 && last.status == KW_GRPC_UNAVAILABLE);
    SAY("\0\0\4\3\0\0\0\0\3\0\0\0\2"); /* INTERNAL_ERROR */
    CHECK(ended_count == 2 && last.status == 13);
    SAY("\0\0\1\1\5\0\0\0\5\x8d"); /* 404 and no more */
    CHECK(ended_count == 3 && last.status == KW_GRPC_UNIMPLEMENTED);
}

TEST(headers_damaged_or_no_frame__over)
{
    submit(1);
    SAY("\0\0\2\1\5\0\0\0\1\xff\x7f"); /* an index of a table that has none */
    CHECK(c.over && ended_count == 0);
    CHECK_HAS(c.fault, "no HTTP/2");
    end();
    begin();
    SAY("\xff\xff\xff\0\0\0\0\0\1");
    CHECK(c.over);
}

TEST(submit__calls_used_up_or_goaway__none)
{
    struct kw_h2_call *call = submit(4);
    CHECK(!takes_more());
    kw_h2_cancel(&c, call);
    submit(1);
    SAY("\0\0\x08\7\0\0\0\0\0\0\0\0\x0b\0\0\0\2");
    CHECK(c.draining && !c.over && !takes_more());
    CHECK_HAS(c.fault, "GOAWAY, error 2");
}

TEST(submit__server_allows_fewer__no_more_than_those)
{
    SAY("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\2"); /* MAX_CONCURRENT_STREAMS */
    submit(2);
    CHECK(!takes_more() && !c.over);
}

/* What comes for a call that was given up belongs to nobody, the next one least of all. */
TEST(cancelled__late_reply__nobodys)
{
    kw_h2_cancel(&c, submit(1));
    const struct kw_h2_call *next = submit(1);
    CHECK(next->id == 3);
    SAY("\0\0\x10\1\5\0\0\0\1\x88" GRPC_STATUS("0"));
    CHECK(ended_count == 0 && next->status == -1 && !c.over);
}

TEST(body__longer_than_we_read__said)
{
    static char data[9 + 5000] = {0, 5000 >> 8, (char)(5000 & 0xff), [8] = 1};
    const struct kw_h2_call *call = submit(1);
    SAY("\0\0\1\1\4\0\0\0\1\x88");
    say(data, sizeof data);
    CHECK(call->overlong && !c.over);
}

KW_SUITE_AROUND("bench/load/h2", begin, end)
