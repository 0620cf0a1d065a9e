/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include <keyward/clock.h>

#include "probe_progress.h"

static struct kw_fake_clock fake;
static struct kw_clock ticking;
static struct kw_probe_progress p;
static char *said;
static size_t len;

static FILE *begin(void)
{
    FILE *out = open_memstream(&said, &len);
    CHECK(out != NULL);
    ticking = kw_fake_clock(&fake);
    kw_probe_progress_begin(&p, out, &ticking);
    return out;
}

static void end(FILE *out)
{
    CHECK(fclose(out) == 0);
    free(said);
}

TEST(no_terminal__nothing)
{
    ticking = kw_fake_clock(&fake);
    kw_probe_progress_begin(&p, NULL, &ticking);
    kw_probe_progress_step(&p, "Status", 1, 1);
    fake.now_ns += 10 * KW_S_NS;
    kw_probe_progress_tick(&p);
    kw_probe_progress_clear(&p);
    CHECK(p.width == 0);
}

TEST(first_second__nothing_and_nothing_to_take_away)
{
    FILE *out = begin();
    kw_probe_progress_tick(&p); /* before any call */
    for (size_t i = 1; i <= 9; i++) {
        kw_probe_progress_step(&p, "Encrypt", i, 9);
        fake.now_ns += KW_S_NS / 10;
        kw_probe_progress_tick(&p);
    }
    kw_probe_progress_clear(&p);
    CHECK(fflush(out) == 0 && len == 0);
    end(out);
}

TEST(long_wait__one_line_anew_each_second)
{
    FILE *out = begin();
    kw_probe_progress_step(&p, "Status", 1, 1);
    for (int quarter = 1; quarter <= 9; quarter++) {
        fake.now_ns += KW_S_NS / 4;
        kw_probe_progress_tick(&p);
    }
    CHECK_STR(said, "\rStatus, 1 s\rStatus, 2 s");
    kw_probe_progress_clear(&p);
    CHECK_STR(said, "\rStatus, 1 s\rStatus, 2 s\r           \r");
    end(out);
}

TEST(shorter_line__nothing_of_the_longer_one_stays)
{
    FILE *out = begin();
    kw_probe_progress_step(&p, "Encrypt", 1, 100);
    fake.now_ns += KW_S_NS;
    kw_probe_progress_step(&p, "Encrypt", 100, 100);
    fake.now_ns += KW_S_NS;
    kw_probe_progress_step(&p, "Status", 1, 1);
    CHECK_STR(said, "\rEncrypt 100 of 100, 1 s\rStatus, 0 s            ");
    end(out);
}

KW_CASES("provider/cli/probe_progress", CASE(no_terminal__nothing),
         CASE(first_second__nothing_and_nothing_to_take_away),
         CASE(long_wait__one_line_anew_each_second),
         CASE(shorter_line__nothing_of_the_longer_one_stays))
