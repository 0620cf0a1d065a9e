/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the daemon's events go on record: never with a peer's text, never without end, and
 * whoever says something at the end finds nothing that was freed. */
#include "daemon_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/log.h>

#include "check.h"

#define H32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static atomic_int_fast64_t now_ns = 1000 * KW_S_NS;

static int64_t events_now(void *self)
{
    (void)self;
    return atomic_load(&now_ns);
}
static const struct kw_clock a_clock = {events_now, events_now, events_now, NULL};

static char dir[64], text[1 << 20];
static struct kw_audit_writer *writer;

static unsigned zero_code(enum kw_code code)
{
    (void)code;
    return 0;
}

static void open_writer(void)
{
    static const char *const names[] = {"secrets"};
    struct kw_audit_log *log = NULL;
    struct kw_audit_log_options o = {
        .dir = dir, .clock = &a_clock, .disk = &kw_audit_disk_system};
    o.genesis[KW_AUDIT_GENESIS_NODE] = kw_audit_text("node-1");
    o.genesis[KW_AUDIT_GENESIS_BOOT] = kw_audit_text("unknown");
    o.genesis[KW_AUDIT_GENESIS_MACHINE] = KW_AUDIT_NULL;
    o.genesis[KW_AUDIT_GENESIS_VERSION] = kw_audit_text("0.1.0");
    o.genesis[KW_AUDIT_GENESIS_CONFIGURATION] = kw_audit_text(H32);
    o.genesis[KW_AUDIT_GENESIS_KEYRING] = KW_AUDIT_NULL;
    CHECK_OK(kw_audit_log_open(&o, &log, NULL));
    const struct kw_audit_writer_options w = {.log = log,
                                              .clock = &a_clock,
                                              .class_names = names,
                                              .class_count = 1,
                                              .deadline_ns = KW_S_NS,
                                              .grpc_code = zero_code};
    CHECK_OK(kw_audit_writer_new(&w, &writer));
    kw_audit_events_begin(writer, &a_clock);
}

static void close_writer(void)
{
    kw_audit_events_end();
    CHECK(kw_audit_writer_stop(writer, 30 * KW_S_NS));
    writer = NULL;
}

static void begin(void)
{
    kw_log_setup(STDERR_FILENO, KW_LOG_ERROR, KW_LOG_LOGFMT, &a_clock);
    snprintf(dir, sizeof dir, "/tmp/keyward-events-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    kw_audit_events_tap();
    open_writer();
}

static const char *end(void)
{
    char path[96];
    struct kw_blob b = {0};
    close_writer();
    snprintf(path, sizeof path, "%s/audit.jsonl", dir);
    CHECK_OK(kw_file_read(path, sizeof text - 1, &b, NULL));
    kw_dst dst = kw_dst_of(text, sizeof text - 1);
    CHECK(kw_dst_put(&dst, kw_blob_peek(&b)));
    text[b.len] = '\0';
    kw_blob_wipe(&b);
    CHECK(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/audit.lock", dir);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    kw_log_tap(NULL, NULL);
    return text;
}

static unsigned times(const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

TEST(audit_events__a_flood_of_one__ten_and_a_number)
{
    begin();
    for (int i = 0; i < 1000; i++)
        kw_log(KW_LOG_WARN, "peer-refused", KW_STR("class", "secrets"), KW_INT("uid", 7),
               KW_INT("pid", i));
    kw_log_bare(KW_LOG_WARN, "token-out");
    kw_log_bare(KW_LOG_WARN, "no-change");
    end();
    assert_int_equal(times("\"event\":\"peer-refused\""), 11);
    assert_int_equal(times("\"count\":990,\"why\":\"reason=as many more\""), 1);
    assert_int_equal(times("\"event\":\"token-out\""), 1);
    assert_int_equal(times("no-change"), 0);
}

/* A peer's text is marked as such where it is logged; what else is foreign cannot leave its
 * place. */
TEST(audit_events__foreign_text__not_there_or_harmless)
{
    begin();
    kw_log(KW_LOG_ERROR, "alarm", KW_STR("what", "wrong-answer"),
           KW_PEER("uid", kw_span_str("a peer says")));
    kw_log(KW_LOG_ERROR, "keyring-rejected",
           KW_STR("reason", "\"}\n{\"kind\":\"stop\\\x7f"));
    kw_log(KW_LOG_ERROR, "token-state", KW_STR("token", "a \"token\"\n"));
    end();
    assert_int_equal(times("a peer says"), 0);
    assert_int_equal(times("\n"), 4); /* genesis, two events, a number */
    assert_int_equal(times("\"why\":\"reason='}?{'kind':'stop??\""), 1);
    assert_int_equal(times("\"kind\":\"unrecorded\""), 1); /* no such name */
}

static atomic_bool ends;
static atomic_uint said;

static void *say(void *ctx)
{
    (void)ctx;
    while (!atomic_load(&ends)) {
        kw_log(KW_LOG_INFO, "worker-started", KW_INT("pid", 1));
        atomic_fetch_add(&said, 1);
    }
    return NULL;
}

TEST(audit_events__said_while_it_begins_and_ends__nothing_freed_is_found)
{
    pthread_t thread;
    begin();
    atomic_store(&ends, false);
    CHECK(pthread_create(&thread, NULL, say, NULL) == 0);
    for (unsigned i = 0; i < 30; i++) {
        atomic_fetch_add(&now_ns, KW_S_NS);
        close_writer();
        open_writer();
    }
    for (unsigned before = atomic_load(&said); atomic_load(&said) < before + 2;)
        sched_yield(); /* so one began while there is a writer, and ended */
    atomic_store(&ends, true);
    CHECK(pthread_join(thread, NULL) == 0);
    end();
    CHECK(times("\"event\":\"worker-started\"") >= 1);
}

KW_SUITE("provider/daemon/audit-events")
