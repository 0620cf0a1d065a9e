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
    kw_h2_flush(&c);
    CHECK(write(far, bytes, len) == (ssize_t)len);
    CHECK(kw_h2_read(&c, false));
    kw_h2_digest(&c, ended, NULL);
    kw_h2_flush(&c);
}
#define SAY(bytes) say((bytes), sizeof(bytes) - 1)

/* As kw_h2_open leaves it, on a pair instead of a path; `settings` is the frame's
 * payload. */
static void begin_with(const char *settings, size_t len)
{
    int ends[2];
    char frame[64] = {0};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    far = ends[1];
    ended_count = 0;
    CHECK_OK(kw_h2_begin(&c, ends[0], 4, NULL));
    frame[2] = (char)len;
    frame[3] = 4;
    kw_copy(frame + 9, sizeof frame - 9, kw_span_of(settings, len));
    say(frame, 9 + len);
    CHECK(c.has_settings && !c.over);
}

static void begin(void)
{
    begin_with("", 0);
}

static struct kw_h2_call *submit(void)
{
    return kw_h2_submit(&c, KW_STATUS, kw_span_str("x"));
}

static void end(void)
{
    kw_h2_close(&c);
    close(far);
}

TEST(close__never_opened__nothing)
{
    struct kw_h2 none = {0};
    kw_h2_close(&none);
    CHECK(none.fd == -1);
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
        begin();
        CHECK(submit() != NULL && kw_h2_busy(&c));
        for (size_t at = 0; at < sizeof all - 1; at += step)
            say(all + at, step);
        CHECK(ended_count == 1 && last.status == 0 && last.len == 5);
        CHECK(!kw_h2_busy(&c) && !c.over);
        end();
    }
}

TEST(reset__refused_stream__unavailable)
{
    begin();
    CHECK(submit() != NULL);
    SAY("\0\0\4\3\0\0\0\0\1\0\0\0\7");
    CHECK(ended_count == 1 && last.status == KW_GRPC_UNAVAILABLE);
    end();
}

TEST(another_http_status__as_grpc_maps_it)
{
    begin();
    CHECK(submit() != NULL);
    SAY("\0\0\1\1\5\0\0\0\1\x8d"); /* 404 and no more */
    CHECK(ended_count == 1 && last.status == 12);
    end();
}

TEST(headers_damaged_or_no_frame__over)
{
    begin();
    CHECK(submit() != NULL);
    SAY("\0\0\2\1\5\0\0\0\1\xff\x7f"); /* an index of a table that has none */
    CHECK(c.over && ended_count == 0);
    CHECK_HAS(c.fault, "no HTTP/2");
    end();
    begin();
    SAY("\xff\xff\xff\0\0\0\0\0\1");
    CHECK(c.over);
    end();
}

TEST(submit__calls_used_up_or_goaway__none)
{
    begin();
    struct kw_h2_call *first = submit();
    for (int i = 0; i < 3; i++)
        CHECK(submit() != NULL);
    CHECK(submit() == NULL);
    kw_h2_cancel(&c, first);
    CHECK(submit() != NULL);
    SAY("\0\0\x08\7\0\0\0\0\0\0\0\0\x0b\0\0\0\2");
    CHECK(c.draining && !c.over);
    CHECK(submit() == NULL);
    CHECK_HAS(c.fault, "GOAWAY, error 2");
    end();
}

TEST(submit__server_allows_fewer__no_more_than_those)
{
    begin_with("\0\3\0\0\0\2", 6); /* MAX_CONCURRENT_STREAMS 2 */
    CHECK(submit() != NULL && submit() != NULL);
    CHECK(submit() == NULL && !c.over);
    end();
}

/* What comes for a call that was given up belongs to nobody, the next one least of all.
 */
TEST(cancelled__late_reply__nobodys)
{
    begin();
    kw_h2_cancel(&c, submit());
    struct kw_h2_call *next = submit();
    CHECK(next != NULL && next->id == 3);
    SAY("\0\0\x10\1\5\0\0\0\1\x88" GRPC_STATUS("0"));
    CHECK(ended_count == 0 && next->status == -1 && !c.over);
    end();
}

TEST(body__longer_than_we_read__said)
{
    static char data[9 + 5000];
    begin();
    struct kw_h2_call *call = submit();
    SAY("\0\0\1\1\4\0\0\0\1\x88");
    data[1] = 5000 >> 8;
    data[2] = (char)(5000 & 0xff);
    data[8] = 1;
    say(data, sizeof data);
    CHECK(call->overlong && !c.over);
    end();
}

KW_CASES("bench/load/h2", CASE(close__never_opened__nothing),
         CASE(reply__whole_or_byte_by_byte__ends_the_call),
         CASE(reset__refused_stream__unavailable),
         CASE(another_http_status__as_grpc_maps_it),
         CASE(headers_damaged_or_no_frame__over),
         CASE(submit__calls_used_up_or_goaway__none),
         CASE(submit__server_allows_fewer__no_more_than_those),
         CASE(cancelled__late_reply__nobodys), CASE(body__longer_than_we_read__said))
