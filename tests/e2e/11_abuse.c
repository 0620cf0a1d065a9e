/* SPDX-License-Identifier: Apache-2.0 */
/* 11: whoever may connect and behaves badly is refused or limited; another client goes on
 * being served all the time, memory stays bounded, nothing is left open. */
#include "instance.h"
#include "kmsraw.h"
#include "sanitized.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* The sanitizers' own memory counts too. */
enum { RESIDENT_MAX_MIB = KW_SANITIZED ? 1024 : 128 };

enum { OK = 0, INVALID_ARGUMENT = 3, RESOURCE_EXHAUSTED = 8, UNIMPLEMENTED = 12 };

/* ---- the client that behaves ---- */

struct scene {
    struct instance h;
    struct kw_client *client;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t grew;
    unsigned rounds;
    char failure[300];
    bool leaving;
    size_t descriptors;
};

/* Only counts and notes: a thread cannot fail the case. */
static bool is_good(struct scene *s, const char *method, kw_err e,
                    const struct kw_client_reply *reply)
{
    if (!kw_failed(e) && reply->grpc_status == OK)
        return true;
    pthread_mutex_lock(&s->mutex);
    snprintf(s->failure, sizeof s->failure, "%s: %s, gRPC status %d: %.200s", method,
             kw_code_name(e.code), reply->grpc_status, reply->message);
    pthread_mutex_unlock(&s->mutex);
    return false;
}

static bool one_round(struct scene *s)
{
    static struct kw_client_reply reply, sealed;
    static const char uid[] = "5f0a4f8e-9d43-4a3e-8a49-0c3d1d6a7b11";
    uint8_t seed[32];
    kw_random(seed, sizeof seed);
    kw_span clear = kw_span_of(seed, sizeof seed);
    const int64_t ns = 10 * KW_S_NS;
    kw_err e = kw_client_status(s->client, ns, &reply);
    if (!is_good(s, "Status", e, &reply))
        return false;
    e = kw_client_encrypt(s->client, clear, uid, ns, &sealed);
    if (!is_good(s, "Encrypt", e, &sealed))
        return false;
    e = kw_client_decrypt(s->client, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                          kw_span_str(sealed.key_id), uid, ns, &reply);
    if (!kw_failed(e) && reply.grpc_status == OK &&
        !kw_span_equal(kw_secret_peek(&reply.plaintext), clear))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "seed");
    bool good = is_good(s, "Decrypt", e, &reply);
    kw_client_reply_wipe(&reply);
    return good;
}

static void *be_served(void *ctx)
{
    struct scene *s = ctx;
    bool good = true;
    pthread_mutex_lock(&s->mutex);
    while (!s->leaving && good) {
        pthread_mutex_unlock(&s->mutex);
        good = one_round(s);
        pthread_mutex_lock(&s->mutex);
        s->rounds += good;
        pthread_cond_broadcast(&s->grew);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static void await_rounds(struct scene *s, unsigned more)
{
    pthread_mutex_lock(&s->mutex);
    for (unsigned want = s->rounds + more; s->rounds < want && s->failure[0] == '\0';)
        pthread_cond_wait(&s->grew, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    if (s->failure[0] != '\0')
        fail_msg("the client that behaves: %s", s->failure);
}

/* Of the daemon; 0 when this uid may not look. */
static size_t descriptors(const struct scene *s)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)s->h.daemon);
    DIR *d = opendir(path);
    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static unsigned memory_mib(const struct scene *s, const char *name)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->h.daemon);
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name) + 1, NULL, 10);
    fclose(f);
    CHECK(kib > 0);
    return (unsigned)(kib / 1024);
}

static void begin(struct scene *s)
{
    *s = (struct scene){.mutex = PTHREAD_MUTEX_INITIALIZER,
                        .grew = PTHREAD_COND_INITIALIZER};
    kw_test_arena(4 << 20);
    instance_build(&s->h, "  deadline: 2500ms\n  probe: {every: 1s, stale-after: 10s}\n");
    instance_up(&s->h);
    s->client = instance_client(&s->h, s->h.bulk);
    instance_round_trip(s->client);
    s->descriptors = descriptors(s);
    CHECK(pthread_create(&s->thread, NULL, be_served, s) == 0);
    await_rounds(s, 2);
}

/* The abuse is over: its connections are closed here. */
/* No line of the log holds `text`. */
static void check_none(struct scene *s, const char *text)
{
    const char *line;
    if (instance_count(&s->h, 0, text) == 0)
        return;
    instance_await(&s->h, 0, &line, text, NULL);
    fail_msg("in the log: %s", line);
}

/* A new client of the same class: as soon as gRPC core has given up the calls of the
 * connections that were closed. */
static void serve_newcomer(struct scene *s)
{
    static struct kw_client_reply reply;
    struct kw_client *c = instance_client(&s->h, s->h.secrets);
    do
        CHECK_OK(
            kw_client_encrypt(c, kw_span_str("a seed"), "uid", 10 * KW_S_NS, &reply));
    while (reply.grpc_status == RESOURCE_EXHAUSTED);
    instance_round_trip(c);
    kw_client_close(c);
}

static void end(struct scene *s, const char *what)
{
    await_rounds(s, 2);
    serve_newcomer(s);
    while (descriptors(s) > s->descriptors)
        await_rounds(s, 1);
    await_rounds(s, 1);
    pthread_mutex_lock(&s->mutex);
    s->leaving = true;
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    kw_client_close(s->client);
    check_none(s, "event=worker-ended");
    check_none(s, "to=suspect");
    unsigned peak = memory_mib(s, "VmHWM");
    print_message("  %s: resident %u MiB, at most %u MiB\n", what, memory_mib(s, "VmRSS"),
                  peak);
    CHECK(peak <= RESIDENT_MAX_MIB);
    assert_int_equal(instance_stop(&s->h), 0);
    instance_destroy(&s->h);
}

/* ---- messages ---- */

static void expect(struct h2raw *h, uint32_t stream, int status)
{
    int got = kmsraw_outcome(h, stream);
    if (got != status)
        fail_msg("gRPC status %d \"%s\", expected %d", got,
                 h2raw_peek(h, stream)->grpc_message, status);
}

TEST(message__garbage__invalid_argument)
{
    static const char *const paths[] = {KMSRAW_STATUS, KMSRAW_ENCRYPT, KMSRAW_DECRYPT};
    static struct scene s;
    uint8_t noise[600];
    begin(&s);
    struct h2raw *h = kmsraw_open(s.h.secrets);
    for (unsigned i = 0; i < 300; i++) {
        kw_random(noise, sizeof noise);
        noise[0] = 0xff; /* no field begins like this */
        expect(h, h2raw_call(h, paths[i % 3], kw_span_of(noise, 2 * i + 1)),
               INVALID_ARGUMENT);
    }
    h2raw_free(h);
    end(&s, "garbage");
}

/* A gzip member by hand (RFC 1951, 3.2.6): a zero byte, then "the last byte 258 times"
 * as often as it fits; some 160 times as large when inflated. */
static size_t make_bomb(uint8_t *dst, size_t cap)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    kw_copy(dst, cap, kw_span_of(head, sizeof head));
    size_t bit = 8 * sizeof head;
    static const char start[] = "110"       /* last block, fixed codes (low bit first) */
                                "00110000"; /* the literal 0 */
    static const char again[] = "1100010100000"; /* length 258, distance 1 */
    memset(dst + sizeof head, 0, cap - sizeof head);
    for (const char *code = start; bit + 16 < 8 * cap; code = again)
        for (const char *c = code; *c != '\0'; c++, bit++)
            dst[bit / 8] |= (uint8_t)((*c - '0') << bit % 8);
    return cap;
}

TEST(message__compressed_bomb__unimplemented_and_never_inflated)
{
    static const struct h2raw_header headers[] = {
        {":method", "POST"},       {":scheme", "http"},
        {":path", KMSRAW_ENCRYPT}, {":authority", "localhost"},
        {"te", "trailers"},        {"content-type", "application/grpc"},
        {"grpc-encoding", "gzip"},
    };
    static struct scene s;
    uint8_t bomb[8000];
    begin(&s);
    kw_span bytes = kw_span_of(bomb, make_bomb(bomb, sizeof bomb));
    struct h2raw *h = kmsraw_open(s.h.secrets);
    for (int i = 0; i < 100; i++) {
        uint32_t stream = h2raw_headers(h, headers, 7, false);
        h2raw_message(h, stream, 1, bytes);
        expect(h, stream, UNIMPLEMENTED);
    }
    h2raw_free(h);
    end(&s, "compressed bombs");
}

TEST(message__too_large__resource_exhausted)
{
    static struct scene s;
    static uint8_t big[5 << 20];
    struct kw_client_reply reply;
    begin(&s);
    struct kw_client *c = instance_client(&s.h, s.h.secrets);
    const size_t sizes[] = {sizeof big, 65536, 8193};
    for (size_t i = 0; i < 12; i++) {
        /* Of the smaller ones, each pair of bytes is one empty annotation. */
        size_t size = sizes[i % 3];
        for (size_t at = 0; at < size; at += 2)
            big[at] = i % 3 == 0 ? 0 : 0x22;
        CHECK_OK(kw_client_raw(c, KMSRAW_DECRYPT, kw_span_of(big, size), 10 * KW_S_NS,
                               NULL, &reply));
        assert_int_equal(reply.grpc_status, RESOURCE_EXHAUSTED);
    }
    for (size_t at = 0; at < 8192; at += 2)
        big[at] = 0x22;
    CHECK_OK(kw_client_raw(c, KMSRAW_DECRYPT, kw_span_of(big, 8192), 10 * KW_S_NS, NULL,
                           &reply));
    assert_int_equal(reply.grpc_status, INVALID_ARGUMENT);
    kw_client_close(c);
    end(&s, "messages of 5 MiB, 64 KiB of empty annotations");
}

TEST(call__unknown_method_or_no_authority__refused)
{
    static const struct h2raw_header no_authority[] = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", KMSRAW_STATUS},
        {"te", "trailers"},
        {"content-type", "application/grpc"},
    };
    static struct scene s;
    begin(&s);
    struct h2raw *h = kmsraw_open(s.h.secrets);
    for (int i = 0; i < 100; i++) {
        expect(h, h2raw_call(h, "/v1beta1.KeyManagementService/Version", (kw_span){0}),
               UNIMPLEMENTED);
        uint32_t stream = h2raw_headers(h, no_authority, 5, false);
        h2raw_message(h, stream, 0, (kw_span){0});
        CHECK(kmsraw_outcome(h, stream) != OK);
    }
    expect(h, kmsraw_status(h), OK);
    h2raw_free(h);
    end(&s, "unknown methods, no :authority");
}

/* ---- connections ---- */

TEST(connection__http_1__closed_and_said)
{
    static struct scene s;
    begin(&s);
    size_t mark = instance_mark(&s.h);
    for (int i = 0; i < 50; i++) {
        struct h2raw *h = h2raw_new_silent(kmsraw_connect(s.h.secrets));
        h2raw_bytes(h, kw_span_str("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        h2raw_await_close(h);
        h2raw_free(h);
    }
    instance_await(&s.h, mark, NULL, "event=connection-refused", "does not speak HTTP/2",
                   NULL);
    end(&s, "HTTP/1");
}

TEST(connections__silent__closed_after_a_while)
{
    enum { COUNT = 60 };
    static struct scene s;
    struct h2raw *h[COUNT];
    begin(&s);
    size_t mark = instance_mark(&s.h);
    for (int i = 0; i < COUNT; i++) {
        h[i] = h2raw_new_silent(kmsraw_connect(s.h.secrets));
        if (i % 2 == 0) /* half a preface is as good as none */
            h2raw_bytes(h[i], kw_span_str("PRI * HTTP/2.0\r\n\r\n"));
    }
    for (int i = 0; i < COUNT; i++) {
        h2raw_await_close(h[i]);
        h2raw_free(h[i]);
    }
    instance_await(&s.h, mark, NULL, "event=connection-refused", "no preface in time",
                   NULL);
    end(&s, "silent connections");
}

/* Whoever had a call answered stays; the oldest others make room for newer ones. */
TEST(connections__500__so_many_as_allowed_and_the_other_socket_open)
{
    enum { COUNT = 500, PER_UID = 64 };
    static struct scene s;
    struct h2raw *h[COUNT];
    bool served[COUNT];
    unsigned open = 0;
    begin(&s);
    size_t mark = instance_mark(&s.h);
    for (int i = 0; i < COUNT; i++)
        h[i] = kmsraw_open(s.h.secrets);
    for (int i = 0; i < COUNT; i++)
        served[i] = h2raw_await(h[i], kmsraw_status(h[i])) != NULL;
    for (int i = 0; i < COUNT; i++) /* none comes any more that wants room */
        open += served[i] && h2raw_await(h[i], kmsraw_status(h[i])) != NULL;
    assert_int_equal(open, PER_UID);
    instance_await(&s.h, mark, NULL, "event=connection-ended", "class=secrets", NULL);
    struct kw_client *c = instance_client(&s.h, s.h.bulk);
    instance_round_trip(c);
    kw_client_close(c);
    for (int i = 0; i < COUNT; i++)
        h2raw_free(h[i]);
    end(&s, "500 connections");
}

/* ---- calls ---- */

TEST(calls__2000_at_once__each_answered_or_refused)
{
    enum { COUNT = 2000 };
    static struct scene s;
    static uint32_t stream[COUNT];
    unsigned good = 0;
    uint8_t
        seed[16]; /* small: 2,000 messages fit the window that a connection begins with */
    begin(&s);
    struct h2raw *h = kmsraw_open(s.h.secrets);
    for (int i = 0; i < COUNT; i++) {
        kw_random(seed, sizeof seed);
        stream[i] = kmsraw_encrypt(h, kw_span_of(seed, sizeof seed), NULL);
    }
    for (int i = 0; i < COUNT; i++) {
        int status = kmsraw_outcome(h, stream[i]);
        if (status != OK && status != RESOURCE_EXHAUSTED)
            fail_msg("call %d: gRPC status %d \"%s\"", i, status,
                     h2raw_peek(h, stream[i])->grpc_message);
        good += status == OK;
    }
    print_message("  of %d calls at once %u succeeded\n", COUNT, good);
    CHECK(good > 0);
    expect(h, kmsraw_status(h), OK);
    h2raw_free(h);
    end(&s, "2,000 calls at once");
}

/* Such calls have no deadline and cost gRPC core some 11 KiB each; a connection may have
 * 4,096 of them. */
TEST(calls__begun_and_never_sent__others_are_served)
{
    enum { COUNT = 4000 };
    static struct scene s;
    begin(&s);
    struct h2raw *h = kmsraw_open(s.h.secrets);
    for (int n = 0; n < COUNT; n++)
        h2raw_open(h, KMSRAW_ENCRYPT, NULL);
    expect(h, kmsraw_status(h), OK);
    h2raw_free(h);
    end(&s, "4,000 calls without a message");
}

TEST(replies__never_read__others_are_served)
{
    static struct scene s;
    enum { COUNT = 1500 };
    begin(&s);
    struct h2raw *h = h2raw_new(kmsraw_connect(s.h.secrets));
    for (int i = 0; i < COUNT; i++)
        kmsraw_status(h);
    await_rounds(&s, 20);
    h2raw_hang_up(h); /* without having read a byte */
    h2raw_free(h);
    end(&s, "replies that nobody reads");
}

/* gRPC core ends a connection when it has written what it was writing, and not before. */
TEST(stop__replies_never_read__ends_all_the_same)
{
    enum { COUNT = 1000 };
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct h2raw *mute = kmsraw_open(h.secrets), *other = kmsraw_open(h.secrets);
    for (int i = 0; i < COUNT; i++)
        kmsraw_status(mute);
    expect(other, kmsraw_status(other), OK);
    assert_int_equal(instance_stop(&h), 0);
    h2raw_free(mute);
    h2raw_free(other);
    instance_destroy(&h);
}

KW_CASES("11-abuse", CASE(stop__replies_never_read__ends_all_the_same),
         CASE(message__garbage__invalid_argument),
         CASE(message__compressed_bomb__unimplemented_and_never_inflated),
         CASE(message__too_large__resource_exhausted),
         CASE(call__unknown_method_or_no_authority__refused),
         CASE(connection__http_1__closed_and_said),
         CASE(connections__silent__closed_after_a_while),
         CASE(connections__500__so_many_as_allowed_and_the_other_socket_open),
         CASE(calls__2000_at_once__each_answered_or_refused),
         CASE(calls__begun_and_never_sent__others_are_served),
         CASE(replies__never_read__others_are_served))
