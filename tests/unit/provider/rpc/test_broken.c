/* SPDX-License-Identifier: Apache-2.0 */
/* What breaks the rules of gRPC, of HTTP/2 or of the messages: refused, kms never asked,
 * everybody else served. */
#include "rpc_rig.h"

#define IN_TIME (30 * KW_S_NS)
#define STATUS "/v2.KeyManagementService/Status"
#define ENCRYPT "/v2.KeyManagementService/Encrypt"
#define DECRYPT "/v2.KeyManagementService/Decrypt"

enum { INVALID_ARGUMENT = 3, RESOURCE_EXHAUSTED = 8, UNIMPLEMENTED = 12 };

static void expect(struct h2raw *h, uint32_t stream, int grpc_status)
{
    const struct h2raw_result *r = h2raw_await(h, stream);
    CHECK(r != NULL);
    if (r->grpc_status != grpc_status)
        fail_msg("status %d \"%s\", reset %d %u, expected %d", r->grpc_status,
                 r->grpc_message, r->reset, r->reset_code, grpc_status);
}

/* Whatever happened elsewhere, a new client is served. */
static void expect_served(struct rig *r)
{
    struct kw_client_reply reply;
    CHECK_OK(kw_client_status(r->client, IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    kw_client_reply_wipe(&reply);
}

TEST(unknown_method__many__each_unimplemented_at_once)
{
    static const char *const paths[] = {"/v2.KeyManagementService/Rotate", "/", "/x/y",
                                        "/v1beta1.KeyManagementService/Version",
                                        "/v2.KeyManagementService/Status/"};
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    struct kw_rpc_stats stats;
    for (int i = 0; i < 25; i++)
        expect(h, h2raw_call(h, paths[i % 5], (kw_span){0}), UNIMPLEMENTED);
    kw_rpc_stats(r->rpc, &stats);
    assert_int_equal(stats.unimplemented, 25);
    assert_int_equal(kms_begun(r), 0);
    h2raw_free(h);
    rig_free(r);
}

TEST(message__missing__invalid_argument)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_open(h, ENCRYPT, NULL);
    h2raw_data(h, s, (kw_span){0}, true);
    expect(h, s, INVALID_ARGUMENT);
    assert_int_equal(kms_begun(r), 0);
    expect_served(r);
    h2raw_free(h);
    rig_free(r);
}

TEST(message__empty__kms_decides)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    r->kms.answer = kw_err_at(KW_CODE_BAD_INPUT, "test");
    expect(h, h2raw_call(h, ENCRYPT, (kw_span){0}), INVALID_ARGUMENT);
    expect(h, h2raw_call(h, DECRYPT, (kw_span){0}), INVALID_ARGUMENT);
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    assert_int_equal(kms_begun(r), 3);
    h2raw_free(h);
    rig_free(r);
}

TEST(message__cut_short__an_error_and_kms_not_asked)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_open(h, ENCRYPT, NULL);
    h2raw_data(h, s, kw_span_of("\0\0\0\0\x64only ten b", 15), true);
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res != NULL && res->grpc_status != 0);
    assert_int_equal(kms_begun(r), 0);
    expect_served(r);
    h2raw_free(h);
    rig_free(r);
}

TEST(message__5_mib__resource_exhausted)
{
    static uint8_t big[5 << 20];
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    CHECK_OK(kw_client_raw(r->client, DECRYPT, kw_span_of(big, sizeof big), IN_TIME, NULL,
                           &reply));
    assert_int_equal(reply.grpc_status, RESOURCE_EXHAUSTED);
    assert_int_equal(kms_begun(r), 0);
    expect_served(r);
    rig_free(r);
}

TEST(message__over_8_kib_and_not__by_the_byte)
{
    static uint8_t bytes[KW_RPC_RECEIVE_MAX + 1] = {0x7a, 0xfd,
                                                    0x3f}; /* unknown field 15 */
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    kw_span most = kw_span_of(bytes, KW_RPC_RECEIVE_MAX);
    kw_span more = kw_span_of(bytes, KW_RPC_RECEIVE_MAX + 1);
    CHECK_OK(kw_client_raw(r->client, STATUS, most, IN_TIME, NULL, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_OK(kw_client_raw(r->client, STATUS, more, IN_TIME, NULL, &reply));
    assert_int_equal(reply.grpc_status, RESOURCE_EXHAUSTED);
    rig_free(r);
}

TEST(annotations__8_kib_of_empty_ones__invalid_argument)
{
    static uint8_t many[8192];
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    for (size_t i = 0; i < sizeof many; i += 2)
        many[i] = 0x22;
    CHECK_OK(kw_client_raw(r->client, DECRYPT, kw_span_of(many, sizeof many), IN_TIME,
                           NULL, &reply));
    assert_int_equal(reply.grpc_status, INVALID_ARGUMENT);
    assert_int_equal(kms_begun(r), 0);
    rig_free(r);
}

/* They would unpack to megabytes. */
TEST(annotations__64_kib_of_empty_ones__refused_by_size)
{
    static uint8_t many[65536];
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    for (size_t i = 0; i < sizeof many; i += 2)
        many[i] = 0x22;
    CHECK_OK(kw_client_raw(r->client, DECRYPT, kw_span_of(many, sizeof many), IN_TIME,
                           NULL, &reply));
    assert_int_equal(reply.grpc_status, RESOURCE_EXHAUSTED);
    assert_int_equal(kms_begun(r), 0);
    expect_served(r);
    rig_free(r);
}

TEST(annotation__one__kms_is_told)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    expect(h,
           h2raw_call(h, DECRYPT,
                      kw_span_str("\x0a\x01"
                                  "c\x22\x03\x0a\x01"
                                  "a")),
           0);
    CHECK(kms_seen(r).call.has_annotations);
    h2raw_free(h);
    rig_free(r);
}

TEST(message__garbage__invalid_argument_and_counted)
{
    static const struct {
        const char *path, *bytes;
        size_t len;
    } garbage[] = {
        {STATUS, "\xff\xff\xff\xff", 4},
        {ENCRYPT, "\x0a\x7f", 2},
        {ENCRYPT, "not a message at all", 20},
        {DECRYPT,
         "\x0a\x01"
         "c\x1a\x03k\0k",
         8},
        {DECRYPT, "\x1a\x02\xff\xfe", 4},
        {DECRYPT, "\x12\x01\x00", 3},
        {ENCRYPT, "\x12\x01\x80", 3},
    };
    enum { COUNT = sizeof garbage / sizeof garbage[0] };
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    struct kw_rpc_stats stats;
    for (size_t i = 0; i < COUNT; i++)
        expect(
            h,
            h2raw_call(h, garbage[i].path, kw_span_of(garbage[i].bytes, garbage[i].len)),
            INVALID_ARGUMENT);
    kw_rpc_stats(r->rpc, &stats);
    assert_int_equal(stats.malformed, COUNT);
    assert_int_equal(kms_refused(r), COUNT);
    const struct kw_request last = kms_refusal(r);
    CHECK(last.method == KW_METHOD_ENCRYPT && last.err.code == KW_CODE_BAD_INPUT);
    CHECK(last.peer.uid == 1000 && last.peer.gid == 1001 && last.peer.pid == 4242);
    CHECK(last.uid.len == 0 && last.seed.ptr == NULL && last.arrived_ns != 0);
    assert_int_equal(stats.open, 0);
    assert_int_equal(kms_begun(r), 0);
    h2raw_free(h);
    rig_free(r);
}

static const struct h2raw_header gzip_call[] = {
    {":method", "POST"},       {":scheme", "http"},
    {":path", ENCRYPT},        {":authority", "localhost"},
    {"te", "trailers"},        {"content-type", "application/grpc"},
    {"grpc-encoding", "gzip"},
};

TEST(message__gzip__unimplemented_and_never_inflated)
{
    /* gzip of {1: "hello"} */
    static const char gz[] =
        "\x1f\x8b\x08\0\0\0\0\0\0\x03\xe3\x62\xcd\x48\xcd\xc9\xc9\x07\0"
        "\x1f\x4d\x4c\x1b\x07\0\0\0";
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_headers(h, gzip_call, 7, false);
    h2raw_message(h, s, 1, kw_span_of(gz, sizeof gz - 1));
    expect(h, s, UNIMPLEMENTED);
    assert_int_equal(kms_begun(r), 0);
    /* Announced, not used: allowed. */
    s = h2raw_headers(h, gzip_call, 7, false);
    h2raw_message(h, s, 0,
                  kw_span_str("\x0a\x01"
                              "p"));
    expect(h, s, 0);
    h2raw_free(h);
    rig_free(r);
}

/* gRPC core lets it pass as it is; what matters is that nothing inflates it. */
TEST(message__compressed_flag_without_encoding__taken_as_it_is)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_open(h, ENCRYPT, NULL);
    h2raw_message(h, s, 1,
                  kw_span_str("\x0a\x01"
                              "p"));
    expect(h, s, 0);
    CHECK(kms_seen(r).len == 1 && kms_seen(r).bytes[0] == 'p');
    h2raw_free(h);
    rig_free(r);
}

TEST(headers__no_authority__refused_and_the_connection_lives)
{
    static const struct h2raw_header list[] = {
        {":method", "POST"}, {":scheme", "http"},
        {":path", STATUS},   {"content-type", "application/grpc"},
        {"te", "trailers"},
    };
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    uint32_t s = h2raw_headers(h, list, 5, false);
    h2raw_message(h, s, 0, (kw_span){0});
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res != NULL && res->grpc_status > 0);
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    assert_int_equal(kms_begun(r), 1);
    h2raw_free(h);
    rig_free(r);
}

TEST(headers__every_authority_of_kube_apiserver__served)
{
    static const char *const names[] = {"localhost", "/var/run/kms.sock",
                                        "%2Fvar%2Frun%2Fkms.sock", ""};
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    for (size_t i = 0; i < 4; i++) {
        const struct h2raw_header list[] = {
            {":method", "POST"}, {":scheme", "http"},
            {":path", STATUS},   {":authority", names[i]},
            {"te", "trailers"},  {"content-type", "application/grpc"},
        };
        uint32_t s = h2raw_headers(h, list, 6, false);
        h2raw_message(h, s, 0, (kw_span){0});
        expect(h, s, 0);
    }
    h2raw_free(h);
    rig_free(r);
}

TEST(headers__not_grpc__never_served)
{
    static const struct h2raw_header list[][5] = {
        {{":method", "GET"},
         {":scheme", "http"},
         {":path", STATUS},
         {":authority", "x"},
         {"content-type", "application/grpc"}},
        {{":method", "POST"},
         {":scheme", "http"},
         {":path", STATUS},
         {":authority", "x"},
         {"content-type", "text/html"}},
        {{":method", "POST"},
         {":scheme", "http"},
         {"x", "no path"},
         {":authority", "x"},
         {"content-type", "application/grpc"}},
    };
    struct rig *r = rig_new();
    for (size_t i = 0; i < 3; i++) {
        struct h2raw *h = rig_raw(r, 0);
        uint32_t s = h2raw_headers(h, list[i], 5, false);
        h2raw_message(h, s, 0, (kw_span){0});
        const struct h2raw_result *res = h2raw_await(h, s);
        if (i != 1) /* core takes any content-type for gRPC */
            CHECK(res == NULL || res->grpc_status != 0);
        h2raw_free(h);
    }
    expect_served(r);
    rig_free(r);
}

TEST(headers__13_kib__refused)
{
    static char value[13001];
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    memset(value, 'v', sizeof value - 1);
    const struct h2raw_header list[] = {
        {":method", "POST"}, {":scheme", "http"}, {":path", STATUS},
        {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"},
        {"x-big", value},
    };
    /* The limit holds from the moment that the client acknowledged our settings. */
    expect(h, h2raw_call(h, STATUS, (kw_span){0}), 0);
    uint32_t s = h2raw_headers(h, list, 7, false);
    h2raw_message(h, s, 0, (kw_span){0});
    const struct h2raw_result *res = h2raw_await(h, s);
    CHECK(res == NULL || res->grpc_status != 0);
    assert_int_equal(kms_begun(r), 1);
    expect_served(r);
    h2raw_free(h);
    rig_free(r);
}

/* Each ends the connection that sent it, or nothing at all; never more than that. */
TEST(frames__out_of_order__others_are_served)
{
    static const struct {
        uint8_t type, flags;
        uint32_t stream;
        const char *payload;
        size_t len;
    } wrong[] = {
        {1, 4, 0, "\x88", 1},             /* HEADERS on stream 0            */
        {1, 4, 1, "\xff\xff\xff\xff", 4}, /* HEADERS that are no HPACK      */
        {4, 0, 0, "\0\x01", 2},           /* SETTINGS of a wrong length     */
        {6, 0, 0, "short", 5},            /* PING of a wrong length         */
        {9, 4, 1, "\x88", 1},             /* CONTINUATION without HEADERS   */
        {8, 0, 0, "\0\0\0\0", 4},         /* WINDOW_UPDATE by nothing       */
    };
    struct rig *r = rig_new();
    struct h2raw *good = rig_raw(r, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct h2raw *h = rig_raw(r, 0);
        h2raw_frame(h, wrong[i].type, wrong[i].flags, wrong[i].stream,
                    kw_span_of(wrong[i].payload, wrong[i].len));
        (void)h2raw_await(h, h2raw_call(h, STATUS, (kw_span){0}));
        h2raw_free(h);
        expect(good, h2raw_call(good, STATUS, (kw_span){0}), 0);
    }
    h2raw_free(good);
    rig_free(r);
}

TEST(bytes__random__others_are_served)
{
    uint8_t noise[4096];
    struct rig *r = rig_new();
    for (unsigned round = 0; round < 8; round++) {
        struct h2raw *h = rig_raw(r, 0);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)((i * 2654435761u + round * 40503u) >> 7);
        h2raw_bytes(h, kw_span_of(noise, sizeof noise));
        h2raw_await_close(h);
        h2raw_free(h);
    }
    expect_served(r);
    rig_free(r);
}

TEST(connection__dies_in_the_middle__nothing_is_left)
{
    struct rig *r = rig_new();
    struct h2raw *h = rig_raw(r, 0);
    struct kw_rpc_stats stats;
    uint32_t s = h2raw_open(h, ENCRYPT, NULL);
    h2raw_data(h, s, kw_span_of("\0\0\0\0\x64", 5), false);
    h2raw_hang_up(h);
    h2raw_free(h);
    expect_served(r);
    kw_rpc_stats(r->rpc, &stats);
    CHECK(kms_begun(r) == 1);
    rig_free(r);
}

KW_CASES("provider/rpc/broken", CASE(unknown_method__many__each_unimplemented_at_once),
         CASE(message__missing__invalid_argument), CASE(message__empty__kms_decides),
         CASE(message__cut_short__an_error_and_kms_not_asked),
         CASE(message__5_mib__resource_exhausted),
         CASE(message__over_8_kib_and_not__by_the_byte),
         CASE(annotations__8_kib_of_empty_ones__invalid_argument),
         CASE(annotations__64_kib_of_empty_ones__refused_by_size),
         CASE(annotation__one__kms_is_told),
         CASE(message__garbage__invalid_argument_and_counted),
         CASE(message__gzip__unimplemented_and_never_inflated),
         CASE(message__compressed_flag_without_encoding__taken_as_it_is),
         CASE(headers__no_authority__refused_and_the_connection_lives),
         CASE(headers__every_authority_of_kube_apiserver__served),
         CASE(headers__not_grpc__never_served), CASE(headers__13_kib__refused),
         CASE(frames__out_of_order__others_are_served),
         CASE(bytes__random__others_are_served),
         CASE(connection__dies_in_the_middle__nothing_is_left))
