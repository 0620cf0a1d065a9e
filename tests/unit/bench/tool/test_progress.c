/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "tool.h"

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
    p = (struct kw_progress){
        .clock = &clock, .out = out, .terminal = terminal, .verb = "load"};
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

TEST(tell__terminal__one_line_drawn_again_and_taken_away)
{
    begin(true);
    tell_after(0, "measuring", 0, 4);
    tell_after(199, "measuring", 1, 4);
    tell_after(1, "measuring", 1, 4);
    kw_progress_end(&p);
    kw_progress_end(&p); /* there is no line any more */
    end();
    CHECK_STR(said, "\rmeasuring: 25 %, 1 s left\033[K\r\033[K");
}

/* Each stretch has its own pace; more than all is all. */
TEST(tell__no_terminal__a_line_every_few_seconds)
{
    begin(false);
    tell_after(0, "warm-up", 0, 10);
    tell_after(5000, "warm-up", 0, 10);
    tell_after(4000, "warm-up", 5, 10);
    tell_after(51000, "warm-up", 10, 10);
    tell_after(0, "measuring", 0, 1000);
    tell_after(10000, "measuring", 100, 1000);
    tell_after(10000, "measuring", 2, 1000);
    tell_after(10000, "measuring", 1001, 1000);
    end();
    CHECK_STR(said, "keyward-bench load: warm-up: 0 %\n"
                    "keyward-bench load: warm-up: 100 %, 0 s left\n"
                    "keyward-bench load: measuring: 10 %, 90 s left\n"
                    "keyward-bench load: measuring: 0 %, 9980 s left\n"
                    "keyward-bench load: measuring: 100 %, 0 s left\n");
}

KW_SUITE("bench/tool/progress")
