/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "progress.h"

static struct kw_fake_clock fake;
static struct kw_clock clock;
static struct kw_progress p;
static char said[1024];

static void begin(bool terminal)
{
    memset(said, 0, sizeof said);
    fake = (struct kw_fake_clock){.now_ns = KW_S_NS};
    clock = kw_fake_clock(&fake);
    FILE *out = fmemopen(said, sizeof said - 1, "w");
    CHECK(out != NULL);
    kw_progress_begin(&p, &clock, out, terminal, "load");
}

static void tell_after(int64_t ms, const char *what, uint64_t done, uint64_t total)
{
    fake.now_ns += ms * KW_MS_NS;
    kw_progress_tell(&p, what, done, total);
}

static void end(void)
{
    CHECK(fclose(p.out) == 0);
}

TEST(tell__silent__nothing)
{
    struct kw_progress silent = {0};
    kw_progress_tell(&silent, "measuring", 1, 2);
    kw_progress_end(&silent);
    CHECK(silent.what == NULL);
}

TEST(tell__soon_over__no_word)
{
    begin(false);
    tell_after(0, "measuring", 0, 100);
    tell_after(4999, "measuring", 99, 100);
    kw_progress_end(&p);
    CHECK_STR(said, "");
    end();
}

TEST(tell__no_terminal__a_line_every_few_seconds)
{
    begin(false);
    tell_after(0, "measuring", 0, 100);
    tell_after(5000, "measuring", 50, 100);
    tell_after(4000, "measuring", 90, 100);
    tell_after(1000, "measuring", 100, 100);
    CHECK_STR(said, "keyward-bench load: measuring: 50 %, 5 s left\n"
                    "keyward-bench load: measuring: 100 %, 0 s left\n");
    end();
}

TEST(tell__terminal__one_line_drawn_again_and_taken_away)
{
    begin(true);
    tell_after(0, "measuring", 0, 4);
    tell_after(199, "measuring", 1, 4);
    CHECK_STR(said, "");
    tell_after(1, "measuring", 1, 4);
    CHECK_STR(said, "\rmeasuring: [#####...............] 25 %, 1 s left\033[K");
    kw_progress_end(&p);
    CHECK_HAS(said, "\033[K\r\033[K");
    size_t len = strlen(said);
    kw_progress_end(&p); /* there is no bar any more */
    CHECK(strlen(said) == len);
    end();
}

TEST(tell__nobody_knows_yet__no_time_left)
{
    begin(false);
    tell_after(0, "waiting", 0, 9);
    tell_after(5000, "waiting", 0, 9);
    tell_after(5000, "counting", 17, 0);
    CHECK_STR(said, "keyward-bench load: waiting: 0 %\n"
                    "keyward-bench load: counting: 17\n");
    end();
}

TEST(tell__another_stretch__its_own_pace)
{
    begin(false);
    tell_after(0, "warm-up", 0, 10);
    tell_after(60000, "warm-up", 10, 10);
    tell_after(0, "measuring", 0, 1000);
    tell_after(10000, "measuring", 100, 1000);
    tell_after(10000, "measuring", 2, 1000);
    tell_after(10000, "measuring", 1001, 1000); /* more than all is all */
    CHECK_STR(said, "keyward-bench load: warm-up: 100 %, 0 s left\n"
                    "keyward-bench load: measuring: 10 %, 1 min 30 s left\n"
                    "keyward-bench load: measuring: 0 %, 2 h 46 min left\n"
                    "keyward-bench load: measuring: 100 %, 0 s left\n");
    end();
}

KW_CASES("bench/tool/progress", CASE(tell__silent__nothing),
         CASE(tell__soon_over__no_word),
         CASE(tell__no_terminal__a_line_every_few_seconds),
         CASE(tell__terminal__one_line_drawn_again_and_taken_away),
         CASE(tell__nobody_knows_yet__no_time_left),
         CASE(tell__another_stretch__its_own_pace))
