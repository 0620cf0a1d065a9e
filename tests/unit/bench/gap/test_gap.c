/* SPDX-License-Identifier: Apache-2.0 */
/* The real verb on plugins that are scripts which become one of ours. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gap.h"
#include "run.h"

static struct kw_run r;
static char dir[64], sock[80], script[80], log_path[80];
#define GAP(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "gap", sock, "--start", script,      \
                                     "--log", log_path, __VA_ARGS__, NULL})

/* A script whose last line is `becomes`, with the socket's path for %s. */
static void begin(const char *becomes)
{
    char text[512];
    snprintf(dir, sizeof dir, "/tmp/kw-gap-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(sock, sizeof sock, "%s/s", dir);
    snprintf(script, sizeof script, "%s/start", dir);
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    int len = snprintf(text, sizeof text, "#!/bin/sh\nS=%s B=%s\n%s\n", sock,
                       KEYWARD_BENCH, becomes);
    int fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    CHECK(fd >= 0 && write(fd, text, (size_t)len) == len);
    close(fd);
}

static void end(void)
{
    static const char *const names[] = {"s.lock", "s", "start", "log"};
    char path[128];
    CHECK(access(sock, F_OK) != 0); /* nobody is left who serves it */
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    CHECK(rmdir(dir) == 0);
}

static void bad_options__two_and_which(void **state)
{
    (void)state;
    begin("");
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "gap", sock, NULL});
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--start");
    GAP("--restarts", "0");
    CHECK(r.status == 2);
    GAP("--restarts", "65");
    CHECK(r.status == 2);
    end();
}

static void no_such_program__three_and_which(void **state)
{
    (void)state;
    begin("");
    CHECK(chmod(script, 0600) == 0);
    GAP("--json");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, script);
    CHECK_HAS(r.out, "\"partial\": true");
    CHECK_HAS(r.out, "\"fault\": \"/");
    end();
}

static void program_ends_at_once__three_and_its_status(void **state)
{
    (void)state;
    begin("echo it hurts; exit 7");
    GAP("--json");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "exit status 7 before it served");
    CHECK(access(log_path, F_OK) == 0);
    end();
}

/* One that makes a new key at each start loses what was sealed before. */
static void seed_of_before_refused__three_and_what_it_said(void **state)
{
    (void)state;
    begin("exec $B serve $S --work software");
    GAP("--json");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "refuses what it sealed before its restart; it said keyward: ");
    end();
}

static void never_serves__three_and_it_is_ended(void **state)
{
    (void)state;
    begin("exec tail -f /dev/null");
    GAP("--patience", "50ms");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "no good status");
    end();
}

static void restarts__as_many_as_asked_and_every_figure(void **state)
{
    (void)state;
    begin("exec $B echo $S");
    GAP("--restarts", "2", "--json");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"partial\": false");
    static const char *const names[] = {"stop_ms", "start_status_ms", "start_decrypt_ms",
                                        "gap_ms"};
    for (size_t i = 0; i < 4; i++) {
        unsigned times = 0;
        for (const char *at = r.out; (at = strstr(at, names[i])) != NULL; at++)
            times++;
        CHECK(times == 3); /* two restarts, and the middle of them */
    }
    GAP("--restarts", "1");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "without a good Decrypt");
    end();
}

/* The order of events is the same on the slowest machine. */
static void times__in_order(void **state)
{
    struct kw_gap_result result;
    struct kw_note note = {{0}};
    (void)state;
    begin("exec $B echo $S");
    const struct kw_gap_options o = {
        .socket = sock, .start = script, .restarts = 3, .patience_ns = 30 * KW_S_NS};
    CHECK_OK(kw_gap_run(&o, &result, &note));
    CHECK(result.count == 3);
    for (size_t i = 0; i < 3; i++) {
        const struct kw_gap *g = &result.gap[i];
        CHECK(g->stop_ms > 0 && g->start_status_ms > 0);
        CHECK(g->start_decrypt_ms >= g->start_status_ms);
        CHECK(g->gap_ms >= g->start_decrypt_ms);
    }
    end();
}

KW_CASES("bench/gap", CASE(bad_options__two_and_which),
         CASE(no_such_program__three_and_which),
         CASE(program_ends_at_once__three_and_its_status),
         CASE(seed_of_before_refused__three_and_what_it_said),
         CASE(never_serves__three_and_it_is_ended),
         CASE(restarts__as_many_as_asked_and_every_figure), CASE(times__in_order))
