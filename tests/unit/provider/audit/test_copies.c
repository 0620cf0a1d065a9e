/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the log's lines, to a socket as the machine's system log has one: what it took is
 * what stands in the log, in its order, and what it did not take is a number. */
#include "vectors.h"
#include "writers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static char dir[64], path[96];
static struct kw_audit_copies copies;

/* ---- who reads ------------------------------------------------------------------------ */

static int reader;
static char got[KW_AUDIT_LINE_MAX + 64];

static void reader_begin(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path)));
    reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(reader >= 0 && bind(reader, (const struct sockaddr *)&at, sizeof at) == 0);
}

/* As a system log that ends: its name stays. */
static void reader_end(void)
{
    if (reader >= 0)
        CHECK(close(reader) == 0);
    reader = -1;
}

/* What the next datagram says behind its head; NULL: there is none now. */
static const char *reader_has(int flags)
{
    char head[48];
    const ssize_t n = recv(reader, got, sizeof got - 1, flags);
    if (n < 0) {
        CHECK(errno == EAGAIN);
        return NULL;
    }
    got[n] = '\0';
    snprintf(head, sizeof head, "<86>keywardd-audit[%d]: ", (int)getpid());
    CHECK(strncmp(got, head, strlen(head)) == 0 && strchr(got, '\n') == NULL);
    return got + strlen(head);
}

static const char *reader_waits(void)
{
    struct pollfd p = {.fd = reader, .events = POLLIN};
    CHECK(poll(&p, 1, 30000) == 1);
    return reader_has(0);
}

static bool reader_has_nothing(void)
{
    return reader_has(MSG_DONTWAIT) == NULL;
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-copies-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/log", dir);
    reader_begin();
    kw_audit_copies_open(&copies, KW_AUDIT_COPY_ALL, path);
}

static void end(void)
{
    kw_audit_copies_close(&copies);
    reader_end();
    CHECK(unlink(path) == 0 || errno == ENOENT);
    CHECK(rmdir(dir) == 0);
}

/* ---- behind the committing thread ------------------------------------------------------- */

static void writer_begin(void)
{
    writers_copies = &copies;
    writers_begin(false);
    writers_copies = NULL;
}

/* All of the log came, in its order, and nothing else. */
static void reader_has_the_log(void)
{
    const char *line = writers_log();
    unsigned count = 0;
    for (; *line != '\0'; line += strcspn(line, "\n") + 1, count++) {
        const char *copy = reader_waits();
        CHECK(strlen(copy) == strcspn(line, "\n") &&
              strncmp(line, copy, strlen(copy)) == 0);
    }
    CHECK(count > 1);
    writers_end();
    CHECK(reader_has_nothing() && kw_audit_copies_dropped(&copies) == 0);
}

TEST(all__each_line_of_the_log_in_its_order)
{
    writer_begin();
    for (unsigned i = 0; i < 5; i++) {
        CHECK(writers_put(i, KW_CODE_OK));
        writers_await_told(i + 1);
    }
    kw_audit_writer_rotate(the_writer); /* the log says `file` by itself */
    CHECK(writers_put(5, KW_CODE_OK));
    writers_await_told(6);
    reader_has_the_log();
}

TEST(commit_fails__nothing_is_sent_until_it_is_in_the_log)
{
    writer_begin();
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    CHECK_HAS(reader_waits(), "\"kind\":\"genesis\"");
    CHECK_HAS(reader_waits(), "\"kind\":\"call\"");
    writers_disk_is(false, EIO);
    CHECK(writers_put(1, KW_CODE_OK));
    writers_await_told(2);
    CHECK_CODE(writers_calls[1].err, KW_CODE_AUDIT);
    atomic_fetch_add(&writers_now_ns, 2 * KW_S_NS);
    CHECK(writers_ill());
    writers_end(); /* tries once more, and fails; the thread has ended then */
    CHECK(reader_has_nothing() && kw_audit_copies_dropped(&copies) == 0);
}

TEST(disk_is_back__what_the_log_says_of_it_comes_too)
{
    writer_begin();
    writers_disk_is(false, EIO);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, 2 * KW_S_NS);
    while (writers_ill())
        writers_await_round();
    reader_has_the_log(); /* genesis, file, unsynced, unrecorded */
}

/* ---- alone ------------------------------------------------------------------------------ */

static void send_line(const char *line)
{
    kw_audit_copies_send(&copies, kw_span_str(line));
}

TEST(checkpoints__these_and_their_signatures_alone)
{
    static char whole[VECTORS * KW_AUDIT_LINE_MAX];
    const kw_span *lines = vectors();
    kw_dst dst = kw_dst_of(whole, sizeof whole);
    for (size_t i = 0; i < VECTORS; i++)
        CHECK(kw_dst_put(&dst, lines[i]) && kw_dst_put_u8(&dst, '\n'));
    kw_audit_copies_close(&copies);
    kw_audit_copies_open(&copies, KW_AUDIT_COPY_CHECKPOINTS, path);
    kw_audit_copies_send(&copies, kw_dst_span(&dst));
    for (size_t i = VECTORS - 2; i < VECTORS; i++)
        CHECK(kw_span_equal(kw_span_str(reader_waits()), lines[i]));
    CHECK(reader_has_nothing() && kw_audit_copies_dropped(&copies) == 0);
}

TEST(none__nothing)
{
    kw_audit_copies_close(&copies);
    kw_audit_copies_open(&copies, KW_AUDIT_COPY_NONE, path);
    send_line("a\nb\n");
    CHECK(reader_has_nothing() && kw_audit_copies_dropped(&copies) == 0);
}

/* The reader is this thread too: who waits for room would wait for ever. */
TEST(queue_is_full__the_rest_is_counted_and_nobody_waits)
{
    enum { LINES = 5000 };
    char line[16];
    unsigned took = 0;
    int why = 0;
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "%u\n", i);
        send_line(line);
    }
    for (const char *copy; (copy = reader_has(MSG_DONTWAIT)) != NULL; took++)
        CHECK(strtoul(copy, NULL, 10) == took);
    CHECK(took > 0 && took < LINES);
    assert_int_equal(kw_audit_copies_dropped(&copies), LINES - took);
    assert_int_equal(kw_audit_copies_due(&copies, 1, false, &why), LINES - took);
    CHECK(why == EAGAIN);
    send_line("again\n");
    CHECK_STR(reader_waits(), "again");
}

TEST(socket_is_gone__counted_and_the_next_one_gets_what_comes_later)
{
    int why = 0;
    reader_end();
    send_line("a\nb\n");
    CHECK(kw_audit_copies_due(&copies, 1, true, &why) == 2 && why == ECONNREFUSED);
    CHECK(unlink(path) == 0);
    send_line("c\n");
    CHECK(kw_audit_copies_due(&copies, 2, true, &why) == 1 && why == ENOENT);
    reader_begin();
    send_line("d\n");
    CHECK_STR(reader_waits(), "d");
    assert_int_equal(kw_audit_copies_dropped(&copies), 3);
}

TEST(no_descriptor__counted)
{
    struct rlimit limit;
    int why = 0;
    kw_audit_copies_close(&copies);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const struct rlimit none = {0, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    kw_audit_copies_open(&copies, KW_AUDIT_COPY_ALL, path);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    send_line("a\n");
    CHECK(kw_audit_copies_due(&copies, 1, false, &why) == 1 && why == EMFILE);
}

/* ---- when it is told -------------------------------------------------------------------- */

static int64_t minutes;

static uint64_t due_after(int64_t more)
{
    int why;
    minutes += more;
    return kw_audit_copies_due(&copies, minutes * 60 * KW_S_NS, false, &why);
}

/* One is dropped after each telling, as the next checkpoint is. */
TEST(dropped__told_at_once_and_then_less_and_less_often_until_it_is_over)
{
    static const int64_t each[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    int why;
    reader_end();
    minutes = 100;
    CHECK(due_after(0) == 0);
    send_line("a\n");
    CHECK(due_after(0) == 1 && due_after(1) == 0);
    minutes--;
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        send_line("a\nb\n");
        CHECK(due_after(each[i] - 1) == 0);
        CHECK(due_after(1) == 2);
    }
    send_line("a\n");
    CHECK(due_after(1) == 0);
    assert_int_equal(kw_audit_copies_due(&copies, minutes * 60 * KW_S_NS, true, &why), 1);
    CHECK(due_after(120) == 0); /* over */
    send_line("a\n");
    CHECK(due_after(0) == 1);
    send_line("a\n");
    CHECK(due_after(1) == 1);
}

KW_SUITE_AROUND("provider/audit/copies", begin, end)
