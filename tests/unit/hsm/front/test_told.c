/* SPDX-License-Identifier: Apache-2.0 */
/* What the log is told of versions when there is more to tell than it takes in a second. */
#include "stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

enum { MANY = KW_VERSIONS_MAX, TICKS = 10 };
static struct stage s;
static int log_fd[2];
static unsigned lines[MANY + 1], all; /* of each version, and all of them */

/* Counts the lines that were written since, by version. */
static void read_log(const char *event)
{
    static char text[65536];
    ssize_t n = read(log_fd[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    for (char *rest, *l = strtok_r(text, "\n", &rest); l != NULL;
         l = strtok_r(NULL, "\n", &rest)) {
        const char *id = strstr(l, "key_id=kw1-");
        unsigned v;
        if (strstr(l, event) == NULL || id == NULL ||
            sscanf(id, "key_id=kw1-%u-", &v) != 1)
            continue;
        CHECK(v >= 1 && v <= MANY && strstr(l, "dropped_before") == NULL);
        lines[v]++;
        all++;
    }
}

static void forget_lines(void)
{
    memset(lines, 0, sizeof lines);
    all = 0;
}

static void begin_with_two(void)
{
    stage_begin(&s);
    CHECK(pipe2(log_fd, O_CLOEXEC | O_NONBLOCK) == 0);
    kw_log_setup(log_fd[1], KW_LOG_INFO, KW_LOG_LOGFMT, &s.clock);
    stage_open(&s);
    start_two(&s);
}

/* 64 versions, of which a worker said that all are good. */
static void begin(void)
{
    begin_with_two();
    forget_lines();
    read_log("event=key-verdict"); /* of the two versions of before */
    stage_use_many(&s, MANY);
    fake_ready(&s, 2);
}

static void end(void)
{
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, NULL);
    close(log_fd[0]);
    close(log_fd[1]);
    stage_end(&s);
}

/* Each has one line, and nothing more comes. */
static void each_told_once(const char *event)
{
    for (int i = 0; i < TICKS; i++) {
        stage_pass(&s, KW_S_NS / 2);
        fake_canaries(&s, 2);
        read_log(event);
    }
    for (unsigned v = 1; v <= MANY; v++)
        if (lines[v] != 1)
            fail_msg("version %u has %u lines", v, lines[v]);
}

TEST(versions__64_good_at_once__each_has_one_line)
{
    begin();
    read_log("event=key-verdict");
    CHECK(all > 0 && all < MANY); /* there is more than goes into one second */
    each_told_once("event=key-verdict");
    end();
}

TEST(versions__64_turn_bad_at_once__each_has_one_line)
{
    static const kw_err bad = {KW_CODE_KEY_BAD, 0, "key attributes"};
    begin();
    each_told_once("event=key-verdict");
    forget_lines();
    unsigned changes = s.changes;
    kw_lock_take(&s.lock);
    for (uint32_t n = 1; n <= MANY; n++) {
        struct kw_gen_result result = {
            .err = bad, .reason = "seen", .looked = true, .findings = KW_WIRE_EXPOSED};
        kw_front_judge(s.front->tokens[0].workers[2],
                       kw_gen_at(s.front->serving->tokens, n), &result);
    }
    kw_lock_give(&s.lock);
    for (int i = 0; i < TICKS; i++) { /* no canary changes anything */
        stage_pass(&s, KW_S_NS / 2);
        read_log("event=key-verdict");
    }
    for (unsigned v = 1; v <= MANY; v++)
        CHECK(lines[v] == 1);
    CHECK(s.changes == changes + 1); /* the rest of the news is not new to others */
    end();
}

/* Lines of this event that a reload brings; its first worker says that all are good. */
static unsigned told_by_a_reload(const char *event)
{
    read_log(event);
    forget_lines();
    stage_use_next(&s);
    stage_pass(&s, 0);
    fake_ready(&s, 2);
    for (int i = 0; i < TICKS; i++) {
        stage_pass(&s, KW_S_NS / 2);
        fake_canaries(&s, 2);
        read_log(event);
    }
    return all;
}

TEST(reload__verdicts_that_the_log_has__no_line)
{
    begin_with_two();
    assert_int_equal(told_by_a_reload("event=key-verdict"), 1);
    assert_int_equal(lines[3], 1); /* it is new */
    end();
}

/* The log has that there is a duplicate; the new keyring's first worker finds none. */
TEST(reload__takes_back_what_was_found__told)
{
    begin_with_two();
    kw_lock_take(&s.lock);
    struct kw_gen_result result = {.looked = true, .findings = KW_WIRE_DUPLICATE};
    kw_front_judge(s.front->tokens[0].workers[0], kw_gen_at(s.front->serving->tokens, 1),
                   &result);
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    assert_int_equal(told_by_a_reload("event=key-finding"), 1);
    assert_int_equal(lines[1], 1);
    end();
}

KW_CASES("hsm/front/told", CASE(versions__64_good_at_once__each_has_one_line),
         CASE(versions__64_turn_bad_at_once__each_has_one_line),
         CASE(reload__verdicts_that_the_log_has__no_line),
         CASE(reload__takes_back_what_was_found__told))
