/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: peers, the wire scan, gRPC's log. */
#include "check.h"

#include "corelog.h"
#include "connection_peers.h"
#include "slices.h"
#include "text.h"

TEST(peers__unknown_number_or_name__not_found)
{
    struct kw_peers peers;
    struct kw_peer p = {1, 2, 3, 4};
    static const char *const names[] = {
        "",        "fd:",   "fd:8", "unix:",          "fd:7x",
        "fd:-1",   "fd: 7", "xd:7", "ipv4:1.2.3.4:5", "fd:99999999999999999999",
        "fd:16384"};
    CHECK_OK(kw_peers_init(&peers));
    CHECK_OK(kw_peers_put(&peers, 7, 0, &p));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(kw_peers_find(&peers, names[i], 0) == NULL);
    kw_peers_wipe(&peers);
}

TEST(peers__number_beyond_the_table__busy)
{
    struct kw_peers peers;
    struct kw_peer p = {0};
    CHECK_OK(kw_peers_init(&peers));
    CHECK_CODE(kw_peers_put(&peers, KW_RPC_FDS_MAX, 0, &p), KW_CODE_BUSY);
    CHECK_CODE(kw_peers_put(&peers, -1, 0, &p), KW_CODE_BUSY);
    CHECK_OK(kw_peers_put(&peers, KW_RPC_FDS_MAX - 1, 0, &p));
    CHECK(kw_peers_find(&peers, "fd:16383", 0) != NULL);
    kw_peers_wipe(&peers);
}

TEST(peers__number_used_again__the_new_owner)
{
    struct kw_peers peers;
    struct kw_peer old = {1, 1, 1, 1}, new = {2, 2, 2, 2};
    CHECK_OK(kw_peers_init(&peers));
    CHECK_OK(kw_peers_put(&peers, 9, 0, &old));
    atomic_store(&kw_peers_find(&peers, "fd:9", 0)->answered_ns, 77);
    assert_int_equal(kw_peers_answered(&peers, 9), 77);
    CHECK_OK(kw_peers_put(&peers, 9, 1, &new));
    const struct kw_peer_entry *found = kw_peers_find(&peers, "fd:9", 1);
    CHECK(found != NULL && found->peer.uid == 2);
    CHECK(kw_peers_find(&peers, "fd:9", 0) == NULL); /* a late call of the old class */
    assert_int_equal(kw_peers_answered(&peers, 9), 0);
    assert_int_equal(kw_peers_answered(&peers, -1), 0);
    assert_int_equal(kw_peers_answered(&peers, KW_RPC_FDS_MAX), 0);
    kw_peers_wipe(&peers);
}

TEST(strings__field_not_asked_for__may_hold_anything)
{
    CHECK(kw_wire_strings_are_text(kw_span_of("\x0a\x02\xff\x00", 4), 1u << 2));
    CHECK(!kw_wire_strings_are_text(kw_span_of("\x0a\x02\xff\x00", 4), 1u << 1));
    CHECK(kw_wire_strings_are_text((kw_span){0}, 1u << 2));
}

TEST(strings__ill_formed__false)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x80", 1},                                              /* endless key        */
        {"\x08", 1},                                              /* no varint          */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* too long a one */
        {"\x09\x01", 2},                                          /* 64 bits, cut       */
        {"\x0d\x01", 2},                                          /* 32 bits, cut       */
        {"\x0a\x02"
         "a",
         3},                                                  /* bytes, cut         */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* 2^64 - 1 bytes     */
        {"\x0f", 1},                                          /* wire type 7        */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!kw_wire_strings_are_text(kw_span_of(bad[i].bytes, bad[i].len), 0));
}

TEST(core_log__header_values__dropped)
{
    kw_span s = kw_core_log_safe("Error parsing metadata: error=x key=k value=SECRET");
    CHECK(kw_span_equal_str(s, "Error parsing metadata: error"));
    CHECK(kw_span_equal_str(kw_core_log_safe("bad path \"/v2/SECRET\""), "bad path "));
    CHECK(kw_span_equal_str(kw_core_log_safe("{\"a\":1}"), ""));
    CHECK(kw_span_equal_str(kw_core_log_safe("line one\nSECRET"), "line one"));
}

static int drops;

/* What gRPC would give back to the heap now. */
static void on_drop(void *p)
{
    static const uint8_t zero[40];
    assert_memory_equal(p, zero, sizeof zero);
    drops++;
}

static grpc_byte_buffer *message_of(uint8_t *a, uint8_t *b)
{
    grpc_slice two[] = {grpc_slice_new_with_user_data(a, 40, on_drop, a),
                        grpc_slice_new_with_user_data(b, 40, on_drop, b)};
    memset(a, 'a', 40);
    memset(b, 'b', 40);
    grpc_byte_buffer *m = grpc_raw_byte_buffer_create(two, 2);
    grpc_slice_unref(two[0]);
    grpc_slice_unref(two[1]);
    return m;
}

TEST(message__wiped__zero_when_grpc_drops_it)
{
    uint8_t a[40], b[40];
    kw_message_wipe(message_of(a, b));
    assert_int_equal(drops, 2);
    kw_message_wipe(NULL);
}

TEST(message__in_two_slices__joined_when_there_is_room)
{
    uint8_t a[40], b[40], room[80];
    kw_span span = {0};
    grpc_byte_buffer *m = message_of(a, b);
    CHECK(!kw_message_peek(m, kw_dst_of(room, 79), &span));
    CHECK(span.ptr == NULL);
    CHECK(kw_message_peek(m, kw_dst_of(room, 80), &span));
    CHECK(span.len == 80 && span.ptr[39] == 'a' && span.ptr[40] == 'b');
    m->data.raw.compression = GRPC_COMPRESS_GZIP;
    CHECK(!kw_message_peek(m, kw_dst_of(room, 80), &span));
    kw_message_wipe(m);
}

KW_CASES("provider/rpc/parts", CASE(peers__unknown_number_or_name__not_found),
         CASE(peers__number_beyond_the_table__busy),
         CASE(peers__number_used_again__the_new_owner),
         CASE(strings__field_not_asked_for__may_hold_anything),
         CASE(strings__ill_formed__false), CASE(core_log__header_values__dropped),
         CASE(message__wiped__zero_when_grpc_drops_it),
         CASE(message__in_two_slices__joined_when_there_is_room))
