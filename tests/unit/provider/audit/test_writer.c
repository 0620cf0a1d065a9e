/* SPDX-License-Identifier: Apache-2.0 */
/* The committing thread, on a disk that hangs and fails when it is told to. */
#include "writers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

#include "check.h"
#include "logs.h"

TEST(call__told_when_it_is_on_the_disk)
{
    writers_begin(false);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    CHECK_OK(writers_calls[0].err);
    assert_int_equal(writers_calls[0].seq, 1);
    CHECK_HAS(
        writers_log(),
        "\"kind\":\"call\",\"method\":\"decrypt\",\"class\":\"secrets\",\"request\":"
        "\"" WRITERS_UUID "\",\"key_id\":\"" WRITERS_KEY
        "\",\"peer_uid\":0,\"peer_gid\":0,\"peer_pid\":4711,"
        "\"peer_start\":99,\"token\":\"195f\",\"source\":\"hsm\",\"code\":0,"
        "\"reason\":\"ok\",\"ckr\":0,\"took_us\":0,\"ciphertext\":\"ba7816bf8f01cfea\"");
    writers_end();
}

TEST(calls_that_come_while_the_disk_is_busy__one_commit)
{
    struct kw_audit_writer_stats stats;
    writers_begin(false);
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    for (unsigned i = 1; i <= 100; i++)
        CHECK(writers_put(i, KW_CODE_OK));
    CHECK(writers_told == 0 && !writers_ill());
    writers_disk_is(false, 0);
    writers_await_told(101);
    kw_audit_writer_stats(the_writer, &stats);
    assert_int_equal(stats.commits, 2);
    assert_int_equal(writers_calls[100].seq, 101);
    writers_end();
}

TEST(disk_hangs__late_is_told_and_nothing_more_is_taken)
{
    bool waits;
    writers_begin(false);
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK) && writers_put(1, KW_CODE_BAD_INPUT));
    writers_await_hang();
    kw_audit_writer_collect(the_writer);
    CHECK(writers_told == 0);
    atomic_fetch_add(&writers_now_ns, WRITERS_DEADLINE_NS + 1);
    CHECK(writers_ill());
    CHECK_CODE(the_door.ops->put(the_door.audit, &writers_calls[2].request, &waits),
               KW_CODE_AUDIT);
    kw_audit_writer_collect(the_writer);
    CHECK(writers_told == 2);
    CHECK_CODE(writers_calls[0].err, KW_CODE_DEADLINE);
    CHECK(writers_calls[0].seq == 0);
    writers_disk_is(false, 0);
    writers_end();
    CHECK(writers_calls[0].told == 1 && writers_calls[1].told == 1);
}

static bool still_waits(void)
{
    struct kw_audit_writer_stats stats;
    kw_audit_writer_stats(the_writer, &stats);
    return stats.waiting > 0;
}

static void hang_and_come_back(bool allow)
{
    struct kw_audit_writer_stats stats;
    writers_begin(allow);
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    CHECK(writers_put(1, KW_CODE_BAD_INPUT));
    atomic_fetch_add(&writers_now_ns, WRITERS_DEADLINE_NS + 1);
    kw_audit_writer_collect(the_writer);
    CHECK(writers_told == 2);
    writers_disk_is(false, 0);
    do {
        writers_await_round();
        kw_audit_writer_stats(the_writer, &stats);
    } while (stats.waiting > 0 || stats.records < 2);
    CHECK(!writers_ill());
}

static void comes_into_the_log(void)
{
    writers_disk_is(false, 0);
    writers_await_end();
}

static void does_not_come_into_the_log(void)
{
    writers_disk_is(false, EIO);
    writers_await_end();
}

/* The call is answered so; its record is good or fails, and what comes of that is there. */
static void late_and_answered_as(enum kw_code code, int error)
{
    writers_late_as = code;
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    atomic_fetch_add(&writers_now_ns, WRITERS_DEADLINE_NS + 1);
    kw_audit_writer_collect(the_writer);
    CHECK_CODE(writers_calls[0].err, KW_CODE_DEADLINE);
    writers_disk_is(false, error);
    if (error != 0)
        writers_await_failure();
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_rotate(the_writer); /* wakes it */
    do
        writers_await_round();
    while (writers_ill() || still_waits());
}

/* It was refused, and its record says that it was released. */
TEST(late_call_comes_into_the_log__withheld_follows)
{
    hang_and_come_back(false);
    CHECK(writers_put(2, KW_CODE_OK)); /* behind it */
    writers_await_told(3);
    writers_log();
    CHECK_HAS(writers_text,
              "\"kind\":\"withheld\",\"call\":1,\"code\":14,\"reason\":\"audit\"");
    CHECK(strstr(writers_text, "\"withheld\",\"call\":2") == NULL); /* its code stood */
    writers_end();
}

TEST(late_call_where_that_is_allowed__was_released)
{
    hang_and_come_back(true);
    CHECK(writers_put(2, KW_CODE_OK));
    writers_await_told(3);
    CHECK(strstr(writers_log(), "withheld") == NULL);
    writers_end();
}

/* Its client was gone, say. */
TEST(late_call_where_that_is_allowed_and_withheld__withheld_follows)
{
    writers_begin(true);
    late_and_answered_as(KW_CODE_BAD_INPUT, 0);
    CHECK_HAS(writers_log(),
              "\"kind\":\"withheld\",\"call\":1,\"code\":3,\"reason\":\"bad-input\"");
    writers_end();
}

/* It comes into the log before anybody knows what is answered. */
TEST(late_call_in_the_log_while_it_is_told_of__withheld_follows)
{
    writers_begin(true);
    writers_while_late = comes_into_the_log;
    late_and_answered_as(KW_CODE_BAD_INPUT, 0);
    CHECK_HAS(writers_log(),
              "\"kind\":\"withheld\",\"call\":1,\"code\":3,\"reason\":\"bad-input\"");
    writers_end();
}

TEST(commit_of_a_late_call_fails_while_it_is_told_of__counted_as_it_was_answered)
{
    writers_begin(true);
    writers_while_late = does_not_come_into_the_log;
    late_and_answered_as(KW_CODE_BAD_INPUT, EIO);
    CHECK_HAS(writers_log(), "\"code\":3,\"reason\":\"bad-input\",\"count\":1");
    writers_end();
}

TEST(commit_fails__told_and_the_numbers_come_first_when_the_disk_is_back)
{
    writers_begin(false);
    writers_disk_is(false, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    CHECK_CODE(writers_calls[0].err, KW_CODE_AUDIT);
    assert_int_equal(writers_calls[0].err.native, EIO);
    CHECK(writers_ill());
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_BAD_INPUT);
    do
        writers_await_round();
    while (writers_ill());
    CHECK(writers_put(1, KW_CODE_OK));
    writers_await_told(2);
    CHECK_OK(writers_calls[1].err);
    const char *first =
        strstr(writers_log(), "\"kind\":\"unrecorded\",\"method\":\"decrypt\","
                              "\"class\":\"secrets\",\"code\":3,"
                              "\"reason\":\"bad-input\",\"count\":1");
    const char *second =
        strstr(writers_text, "\"code\":14,\"reason\":\"audit\",\"count\":2");
    const char *call = strstr(writers_text, "\"kind\":\"call\"");
    CHECK(first != NULL && second != NULL && call != NULL);
    CHECK(first < call && second < call);
    writers_end();
}

TEST(commit_of_who_was_late_fails__counted_as_it_was_answered)
{
    writers_begin(false);
    writers_disk_is(true, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    atomic_fetch_add(&writers_now_ns, WRITERS_DEADLINE_NS + 1);
    kw_audit_writer_collect(the_writer);
    CHECK_CODE(writers_calls[0].err, KW_CODE_DEADLINE);
    writers_disk_is(false, EIO);
    writers_await_round();
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_rotate(the_writer); /* wakes it */
    do
        writers_await_round();
    while (writers_ill());
    CHECK_HAS(writers_log(), "\"code\":14,\"reason\":\"audit\",\"count\":1");
    writers_end();
}

TEST(change__survives_a_disk_that_fails)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("signal");
    writers_begin(false);
    writers_disk_is(false, ENOSPC);
    kw_audit_writer_event(the_writer, &r);
    writers_await_round();
    CHECK(writers_ill());
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_event(the_writer, &r);
    do
        writers_await_round();
    while (writers_ill());
    const char *first = strstr(writers_log(), "\"kind\":\"stop\"");
    CHECK(first != NULL && strstr(first + 1, "\"kind\":\"stop\"") != NULL);
    CHECK(strstr(writers_text, "unrecorded") == NULL);
    writers_end();
}

TEST(change_that_is_no_record__counted)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("A \"reason\"");
    writers_begin(false);
    kw_audit_writer_event(the_writer, &r);
    writers_await_round();
    CHECK_HAS(writers_log(), "\"kind\":\"unrecorded\",\"method\":null,\"class\":null,"
                             "\"code\":null,\"reason\":null,\"count\":1");
    writers_end();
}

TEST(queue__full__refused_and_nothing_lost_of_it)
{
    bool waits;
    unsigned i = 1;
    writers_begin(false);
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    for (; i <= KW_AUDIT_WAITING_MAX; i++)
        CHECK(writers_put(i, KW_CODE_OK));
    writers_calls[i].request = writers_calls[0].request;
    CHECK_CODE(the_door.ops->put(the_door.audit, &writers_calls[i].request, &waits),
               KW_CODE_AUDIT);
    writers_disk_is(false, 0);
    writers_await_told(i);
    assert_int_equal(writers_calls[i - 1].seq, i);
    writers_end();
}

TEST(rotate__a_new_file_begins)
{
    writers_begin(false);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    kw_audit_writer_rotate(the_writer);
    CHECK(writers_put(1, KW_CODE_OK));
    writers_await_told(2);
    CHECK_HAS(writers_log(), "\"kind\":\"file\"");
    writers_end();
}

TEST(rotate__memory_is_out__a_new_file_begins_when_it_is_back)
{
    writers_begin(false);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    kw_alloc_fail_once(0);
    kw_audit_writer_rotate(the_writer);
    writers_await_round();
    CHECK(writers_ill());
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    do
        writers_await_round();
    while (writers_ill());
    CHECK_HAS(writers_log(), "\"kind\":\"file\"");
    writers_end();
}

/* ---- between the look at whether it may and the queue ---- */

static void refused_for(void (*meanwhile)(void))
{
    bool waits = false;
    writers_begin(false);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    writers_meanwhile = meanwhile;
    writers_calls[1].request = writers_calls[0].request;
    CHECK_CODE(the_door.ops->put(the_door.audit, &writers_calls[1].request, &waits),
               KW_CODE_AUDIT);
    CHECK(writers_meanwhile == NULL);
    writers_end();
    CHECK(writers_calls[1].told == 0);
}

static void main_thread_gives_up(void)
{
    kw_audit_writer_abandon(the_writer);
}

TEST(call_comes_while_the_main_thread_gives_up__is_not_left_waiting)
{
    refused_for(main_thread_gives_up);
}

static void commit_fails(void)
{
    writers_disk_is(false, EIO);
    kw_audit_writer_rotate(the_writer);
    while (!writers_ill())
        writers_await_round();
    writers_disk_is(false, 0);
}

TEST(call_comes_while_a_commit_fails__is_not_left_waiting)
{
    refused_for(commit_fails);
}

TEST(stop__after_a_failure__the_numbers_are_on_record_still)
{
    writers_begin(false);
    writers_disk_is(false, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    writers_disk_is(false, 0);
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    CHECK_HAS(writers_log(), "\"kind\":\"unrecorded\"");
    writers_remove();
}

TEST(stop__disk_is_full__last_words_have_the_room_that_was_kept)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("signal");
    writers_begin(false);
    assert_int_equal(logs_size("audit.reserve"), KW_AUDIT_RESERVE);
    writers_disk_is_full(ENOSPC);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_event(the_writer, &r);
    writers_await_round();
    CHECK(writers_ill() && logs_there_is("audit.reserve")); /* not for that */
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    CHECK(!logs_there_is("audit.reserve"));
    CHECK_HAS(writers_log(), "\"kind\":\"unrecorded\"");
    CHECK_HAS(writers_text, "\"kind\":\"stop\"");
    logs_reopen();
    assert_int_equal(logs_size("audit.reserve"), -1); /* no room yet */
    writers_remove();
}

static unsigned said_tampered;

static void see_tampered(void *ctx, const char *event, const struct kw_field *fields)
{
    (void)ctx;
    (void)fields;
    said_tampered += strcmp(event, "audit-tampered") == 0;
}

TEST(file_is_not_as_it_was_left__said_once_for_each_time)
{
    said_tampered = 0;
    writers_begin(false);
    kw_log_tap(see_tampered, NULL);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(writers_put(i, KW_CODE_OK));
        writers_await_told(i + 1);
        if (i < 2)
            logs_append("audit.jsonl", "{}\n");
    }
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    kw_log_tap(NULL, NULL);
    assert_int_equal(said_tampered, 2);
    writers_remove();
}

static bool said_unfinished;

static void see_unfinished(void *ctx, const char *event, const struct kw_field *fields)
{
    (void)ctx;
    (void)fields;
    said_unfinished |= strcmp(event, "audit-unfinished") == 0;
}

static void a_change(const char *reason)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text(reason);
    kw_audit_writer_event(the_writer, &r);
}

TEST(stop__disk_is_full_for_long__counts_and_the_newest_changes_have_the_room)
{
    said_unfinished = false;
    writers_begin(true);
    kw_log_tap(see_unfinished, NULL);
    writers_disk_is_full(EDQUOT);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_OK);
    for (unsigned i = 0; i < 2000; i++) /* more than has room, and than one batch */
        a_change("failure");
    a_change("signal");
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    kw_log_tap(NULL, NULL);
    CHECK(!said_unfinished);
    CHECK_HAS(writers_log(), "\"code\":0,\"reason\":\"ok\",\"count\":1");
    CHECK_HAS(writers_text, "\"reason\":\"signal\"");
    unsigned long told = 0;
    for (const char *at = writers_text; (at = strstr(at, "\"failure\"")) != NULL; at++)
        told++;
    const char *missed = strstr(writers_text, "\"reason\":null,\"count\":");
    CHECK(missed != NULL && told > 0);
    told += strtoul(missed + strlen("\"reason\":null,\"count\":"), NULL, 10);
    assert_int_equal(told, 2000); /* each by itself, or in their number */
    writers_remove();
}

TEST(stop__disk_fails_still__said)
{
    said_unfinished = false;
    writers_begin(false);
    kw_log_tap(see_unfinished, NULL);
    writers_disk_is(false, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    the_door.ops->missed(the_door.audit, &writers_calls[0].request, KW_CODE_AUDIT);
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    kw_log_tap(NULL, NULL);
    CHECK(said_unfinished);
    writers_disk_is(false, 0);
    writers_remove();
}

static void begin_where_it_is_time_to_remember(void)
{
    writers_are_lazy = true;
    writers_begin(false);
    writers_are_lazy = false;
    atomic_fetch_add(&writers_now_ns, 60 * KW_S_NS);
}

/* A commit asks no disk, but this does. */
TEST(remembering_hangs__ill_as_when_a_commit_does)
{
    bool waits = false;
    begin_where_it_is_time_to_remember();
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    writers_await_hang();
    CHECK(!writers_ill());
    atomic_fetch_add(&writers_now_ns, WRITERS_DEADLINE_NS + 1);
    CHECK(writers_ill());
    writers_calls[1].request = writers_calls[0].request;
    CHECK_CODE(the_door.ops->put(the_door.audit, &writers_calls[1].request, &waits),
               KW_CODE_AUDIT);
    writers_disk_is(false, 0);
    writers_end();
}

/* That who waited was told of its record cannot be taken back. */
TEST(remembering_fails__a_new_file_says_what_may_be_lost)
{
    begin_where_it_is_time_to_remember();
    writers_disk_is(false, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    CHECK_OK(writers_calls[0].err);
    writers_await_failure();
    writers_disk_is(false, 0);
    CHECK(writers_put(1, KW_CODE_OK));
    writers_await_told(2);
    CHECK_HAS(writers_log(), "\"kind\":\"unsynced\",\"bytes\":");
    writers_end();
}

TEST(stop__disk_hangs__ends_after_its_grace)
{
    static struct kw_audit_writer *left; /* with its thread */
    writers_begin(false);
    writers_disk_is(true, 0);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_hang();
    kw_audit_writer_abandon(the_writer);
    CHECK_CODE(writers_calls[0].err, KW_CODE_DEADLINE);
    CHECK(!kw_audit_writer_stop(the_writer, 1));
    left = the_writer;
    CHECK(left != NULL);
    writers_remove();
}

KW_SUITE("provider/audit/writer")
