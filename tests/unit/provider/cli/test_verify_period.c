/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit verify --period, on the golden logs. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "run.h"

#define DAY "2026-11-28T00:00:00.000000Z"
#define START "2026-11-28T12:00:01.000000Z"
#define STOP "2026-11-28T12:00:05.000000Z"
#define RUN "2026-11-28T12:00:01Z..2026-11-28T12:00:05Z"
#define MARKED_RUN "2026-11-28T12:00:05Z..2026-11-28T12:00:09Z"
#define FROM_MIDNIGHT "2026-11-28..2026-11-28T12:00:05Z"

static const char audit_pem[] = KW_VECTORS "/audit.pem",
                  signed_log[] = KW_VECTORS "/audit-signed.jsonl",
                  gap_log[] = KW_VECTORS "/audit-gap.jsonl",
                  first[] = KW_VECTORS "/audit-genesis.jsonl",
                  later[] = KW_VECTORS "/audit-later.jsonl";

static struct kw_run r;

#define VERIFY(...)                                                                      \
    kw_run(&r, (const char *const[]){KEYWARD, "audit", "verify", __VA_ARGS__, NULL})

TEST(period_that_is_none__wrong_usage)
{
    VERIFY("--period", "2026-11-28", signed_log);
    assert_int_equal(r.status, 2);
    CHECK_HAS(r.err, "--period 2026-11-28: it wants FROM..TO, two days or times of UTC");
    VERIFY("--period", "2026-11-29..2026-11-28", signed_log);
    assert_int_equal(r.status, 2);
}

TEST(log_begins_within_the_period__incomplete_and_the_gap_is_told)
{
    VERIFY("--period", FROM_MIDNIGHT, signed_log);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "incomplete, not anchored\n");
    CHECK_HAS(r.out,
              "period     " DAY " to " STOP ": not covered, 1 gaps of 43201 s in all\n");
    CHECK_HAS(r.out, "\nseconds    running 4, absent 43201\n");
    CHECK_HAS(r.out, "\nabsent     " DAY " to " START ": a gap\n");
    CHECK_HAS(r.out, "\nrunning    " START " to " STOP "\n");
}

TEST(run_fills_the_period__sound)
{
    VERIFY("--period", RUN, signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "sound, not anchored\n");
    CHECK_HAS(r.out, "2026-11-28T12:00:05.000000Z: covered\nseconds    running 4\n");
    VERIFY("--period", RUN, "--key", audit_pem, signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "seconds    signed 4\n");
}

TEST(period_behind_a_last_stop__covered_and_what_that_hangs_on_is_said)
{
    VERIFY("--period", "2026-12-01..2027-01-01", "--key", audit_pem, signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "seconds    stopped 2678400\n");
    CHECK_HAS(r.out,
              "stopped    at its end, as no record is behind the last stop: a later");
}

TEST(stretch_is_signed_with_what_came_later__a_gap_with_the_key_alone)
{
    VERIFY("--period", RUN, gap_log);
    assert_int_equal(r.status, 0);
    VERIFY("--period", RUN, "--key", audit_pem, gap_log);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "seconds    signed 1, unsigned 3\n");
}

TEST(document__intervals_and_sums)
{
    VERIFY("--json", "--period", RUN, "--key", audit_pem, gap_log);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "\"covered\": false");
    CHECK_HAS(r.out, "      \"from\": \"2026-11-28T12:00:01.000000Z\",\n"
                     "      \"to\": \"2026-11-28T12:00:04.000000Z\",\n"
                     "      \"kind\": \"unsigned\",\n"
                     "      \"gap\": true\n");
    CHECK_HAS(r.out, "\"unsigned\": 3");
    CHECK_HAS(r.out, "\"gap_seconds\": 3");
    VERIFY("--json", signed_log);
    CHECK(strstr(r.out, "covered") == NULL);
}

/* Of a log that tells of itself that something is missing, and whose clock went back. */
TEST(marks__gaps)
{
    VERIFY("--period", MARKED_RUN, first, later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "absent     2026-11-28T12:00:05.000000Z to ");
    CHECK_HAS(r.out, "clock      set back ");
}

TEST(broken_log__nothing_is_said_of_the_period)
{
    VERIFY("--period", RUN, first, first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "period     nothing is said of it, as the log is broken\n");
    VERIFY("--json", "--period", RUN, first, first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "\"covered\": false");
    CHECK(strstr(r.out, "coverage") == NULL);
}

/* Record 5 is the stop of the signed log; record 3 is a checkpoint. */
static void anchored_with(const char *log, unsigned long seq, int status,
                          const char *seconds)
{
    char path[] = "/tmp/keyward-period-XXXXXX", line[128];
    struct kw_blob all = {0};
    CHECK_OK(kw_file_read(log, 1 << 16, &all, NULL));
    const char *at = (const char *)all.ptr;
    for (unsigned long i = 0; i <= seq; i++)
        at = strchr(at, '\n') + 1;
    snprintf(line, sizeof line, "%lu:%.64s\n", seq, at - 67);
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) &&
          close(fd) == 0);
    VERIFY("--period", RUN, "--anchors", path, log);
    assert_int_equal(r.status, status);
    CHECK_HAS(r.out, seconds);
    CHECK(unlink(path) == 0);
    kw_blob_wipe(&all);
}

TEST(anchors__what_is_behind_the_last_that_agrees_is_a_gap)
{
    anchored_with(signed_log, 5, 0, ": covered\nseconds    anchored 4\n");
    anchored_with(signed_log, 3, 4, "seconds    anchored 2, running 2\n");
}

KW_SUITE("provider/cli/verify_period")
