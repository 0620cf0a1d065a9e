/* SPDX-License-Identifier: Apache-2.0 */
/* A connection against bytes that we choose. */
#include "check.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "h2.h"

static struct kw_h2 c;
static int far;
static unsigned ended_count;
static int ended_status;
static uint32_t ended_len;

static void ended(void *ctx, struct kw_h2 *h2, struct kw_stream *s)
{
    (void)ctx;
    (void)h2;
    ended_count++;
    ended_status = s->status;
    ended_len = s->len;
}

/* As kw_h2_open leaves it, on a pair instead of a path. */
static void begin(void)
{
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    c = (struct kw_h2){.fd = ends[0],
                       .window = 65535,
                       .stream_window = 65535,
                       .streams_max = 4,
                       .streams_given = 4,
                       .next_id = 1,
                       .has_settings = true};
    far = ends[1];
    c.out = kw_new(1, KW_OUT_BYTES);
    c.in = kw_new(1, KW_IN_BYTES);
    c.streams = kw_new(4, sizeof c.streams[0]);
    CHECK(c.out != NULL && c.in != NULL && c.streams != NULL);
    CHECK(nghttp2_hd_inflate_new(&c.inflater) == 0);
    for (unsigned i = 0; i < 4; i++)
        c.free[c.free_count++] = (uint16_t)i;
    for (unsigned i = 0; i < 1024; i++)
        c.where[i] = UINT16_MAX;
    ended_count = 0;
}

static void end(void)
{
    kw_h2_close(&c);
    close(far);
}

static void say(const char *bytes, size_t len)
{
    CHECK(write(far, bytes, len) == (ssize_t)len);
    CHECK(kw_h2_read(&c, false));
    kw_h2_digest(&c, ended, NULL);
}
#define SAY(bytes) say((bytes), sizeof(bytes) - 1)

static void close__never_opened__nothing(void **state)
{
    (void)state;
    struct kw_h2 none = {0};
    kw_h2_close(&none);
    CHECK(none.fd == -1);
}

/* Without indexing, new name, plain: RFC 7541 6.2.2. */
#define GRPC_STATUS(digit) "\x00\x0bgrpc-status\x01" digit

static void reply__whole__ends_the_call(void **state)
{
    (void)state;
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    SAY("\0\0\1\1\4\0\0\0\1\x88");                /* HEADERS: 200 */
    SAY("\0\0\5\0\0\0\0\0\1\0\0\0\0\0");          /* DATA        */
    SAY("\0\0\x0f\1\5\0\0\0\1" GRPC_STATUS("0")); /* trailers    */
    CHECK(ended_count == 1 && ended_status == 0 && ended_len == 5);
    CHECK(c.free_count == 4);
    end();
}

static void reply__byte_by_byte__the_same(void **state)
{
    (void)state;
    static const char all[] = "\0\0\1\1\4\0\0\0\1\x88\0\0\5\0\0\0\0\0\1\0\0\0\0\0"
                              "\0\0\x0f\1\5\0\0\0\1" GRPC_STATUS("0");
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    for (size_t i = 0; i < sizeof all - 1; i++)
        say(all + i, 1);
    CHECK(ended_count == 1 && ended_status == 0 && ended_len == 5);
    end();
}

static void reply__head_in_two_frames__the_same(void **state)
{
    (void)state;
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    SAY("\0\0\2\1\1\0\0\0\1\x00\x0b"); /* END_STREAM, no END_HEADERS */
    CHECK(ended_count == 0);
    SAY("\0\0\x0d\x09\4\0\0\0\1grpc-status\x01"
        "9");
    CHECK(ended_count == 1 && ended_status == 9);
    end();
}

static void reset__refused_stream__unavailable(void **state)
{
    (void)state;
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    SAY("\0\0\4\3\0\0\0\0\1\0\0\0\7");
    CHECK(ended_count == 1 && ended_status == 14);
    end();
}

static void headers__damaged__over(void **state)
{
    (void)state;
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    SAY("\0\0\2\1\5\0\0\0\1\xff\x7f"); /* an index of a table that has none */
    CHECK(c.over && ended_count == 0);
    CHECK_HAS(c.fault, "damaged");
    end();
}

static void frame__too_long__over(void **state)
{
    (void)state;
    begin();
    SAY("HTTP/1.1 400 Bad Request\r\n");
    CHECK(c.over);
    CHECK_HAS(c.fault, "no HTTP/2");
    end();
}

static void ping__answered_with_its_bytes(void **state)
{
    (void)state;
    char got[17];
    begin();
    SAY("\0\0\x08\6\0\0\0\0\0"
        "abcdefgh");
    kw_h2_flush(&c);
    CHECK(read(far, got, sizeof got) == 17);
    CHECK(kw_span_equal(kw_span_of(got, 17), kw_span_of("\0\0\x08\6\1\0\0\0\0"
                                                        "abcdefgh",
                                                        17)));
    end();
}

static void submit__window_used_up__waits_for_more(void **state)
{
    (void)state;
    static uint8_t big[40000];
    begin();
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_of(big, sizeof big)) != NULL);
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_of(big, sizeof big)) == NULL);
    SAY("\0\0\4\x08\0\0\0\0\0\0\0\xff\xff"); /* WINDOW_UPDATE of the connection */
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_of(big, sizeof big)) != NULL);
    end();
}

static void submit__streams_used_up_or_goaway__none(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 4; i++)
        CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) != NULL);
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) == NULL);
    kw_h2_cancel(&c, &c.streams[0]);
    SAY("\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\2");
    CHECK(c.draining && !c.over);
    CHECK(kw_h2_submit(&c, KW_STATUS, kw_span_str("x")) == NULL);
    CHECK_HAS(c.fault, "GOAWAY, error 2");
    end();
}

/* One call hangs while a thousand others come and go: its number stays its own. */
static void submit__one_hangs__numbers_never_clash(void **state)
{
    (void)state;
    begin();
    struct kw_stream *first = kw_h2_submit(&c, KW_STATUS, kw_span_str("x"));
    CHECK(first != NULL && first->id == 1);
    for (int i = 0; i < 3000; i++) {
        struct kw_stream *s = kw_h2_submit(&c, KW_STATUS, kw_span_str(""));
        CHECK(s != NULL && s != first && ((s->id >> 1) & 1023) != 0);
        c.out_len = c.out_at = 0;
        kw_h2_free_stream(&c, s);
    }
    CHECK(kw_h2_find(&c, 1) == first);
    end();
}

static void body__longer_than_we_read__said(void **state)
{
    (void)state;
    static char data[9 + 5000];
    begin();
    struct kw_stream *s = kw_h2_submit(&c, KW_STATUS, kw_span_str("x"));
    CHECK(s != NULL);
    data[1] = 5000 >> 8;
    data[2] = (char)(5000 & 0xff);
    data[8] = 1;
    say(data, sizeof data);
    CHECK(s->overlong && !c.over);
    end();
}

KW_CASES("bench/load/h2", CASE(close__never_opened__nothing),
         CASE(reply__whole__ends_the_call), CASE(reply__byte_by_byte__the_same),
         CASE(reply__head_in_two_frames__the_same),
         CASE(reset__refused_stream__unavailable), CASE(headers__damaged__over),
         CASE(frame__too_long__over), CASE(ping__answered_with_its_bytes),
         CASE(submit__window_used_up__waits_for_more),
         CASE(submit__streams_used_up_or_goaway__none),
         CASE(submit__one_hangs__numbers_never_clash),
         CASE(body__longer_than_we_read__said))
