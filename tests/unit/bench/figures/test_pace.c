/* SPDX-License-Identifier: Apache-2.0 */
/* When calls are meant to start, how fast they may follow each other, and when to stop. */
#include "check.h"

#include "pace.h"

#define MS KW_MS_NS

/* The server stood still for a second: every call that should have been made counts from
 * when it should have been. */
TEST(schedule__late__intended_times_stay)
{
    struct kw_schedule s = {.start_ns = 1000, .rate = 4};
    CHECK(kw_schedule_late(&s, 999) == 0 && kw_schedule_late(&s, 1000) == 1);
    CHECK(kw_schedule_late(&s, 1000 + KW_S_NS) == 5);
    for (; s.next < 5; s.next++)
        CHECK(kw_schedule_next_ns(&s) == 1000 + (int64_t)s.next * 250 * MS);
    CHECK(kw_schedule_next_ns(&s) > 1000 + KW_S_NS);
    CHECK(kw_schedule_late(&s, 1000 + KW_S_NS) == 0);
}

TEST(schedule__uneven_rate_for_hours__does_not_drift)
{
    struct kw_schedule s = {.start_ns = 5, .rate = 3, .next = 3 * 18000};
    CHECK(kw_schedule_next_ns(&s) == 5 + 18000 * KW_S_NS);
    s.next++;
    CHECK(kw_schedule_next_ns(&s) == 5 + 18000 * KW_S_NS + 333333333);
    s = (struct kw_schedule){.rate = 1000000};
    CHECK(kw_schedule_late(&s, 18000 * KW_S_NS) == UINT64_C(18000000001));
    s.next = UINT64_C(18000000000);
    CHECK(kw_schedule_next_ns(&s) == 18000 * KW_S_NS);
}

TEST(schedule__ramp__half_as_many_and_then_the_full_rate)
{
    static const struct {
        uint64_t call;
        int64_t at_ns;
    } due[] = {{0, 0}, {500, 2 * KW_S_NS}, {2000, 4 * KW_S_NS}, {3000, 5 * KW_S_NS}};
    struct kw_schedule s = {.start_ns = 7, .rate = 1000, .ramp_ns = 4 * KW_S_NS};
    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
        s.next = due[i].call;
        CHECK(kw_schedule_next_ns(&s) == 7 + due[i].at_ns);
        CHECK(kw_schedule_late(&s, 7 + due[i].at_ns) == 1);
    }
}

/* Half a millisecond too late is made up for; a standstill is not. */
TEST(pace__rate__gaps_and_no_burst_after_a_standstill)
{
    struct kw_pace p = kw_pace_begin(1000, 0, 0, 0);
    CHECK(p.next_ns == 0);
    kw_pace_took(&p, 0);
    CHECK(p.next_ns == MS);
    kw_pace_took(&p, 1500000);
    CHECK(p.next_ns == 2 * MS);
    kw_pace_took(&p, 60 * KW_S_NS);
    CHECK(p.next_ns == 60 * KW_S_NS);
    kw_pace_took(&p, 60 * KW_S_NS);
    CHECK(p.next_ns == 60 * KW_S_NS + MS);
    p = kw_pace_begin(0, 5, 0, 0); /* no limit */
    kw_pace_took(&p, 5);
    CHECK(p.next_ns == 5);
}

/* As fast as it goes: how many until then? */
static unsigned taken_until(struct kw_pace *p, int64_t until_ns)
{
    unsigned n = 0;
    for (; p->next_ns < until_ns; n++)
        kw_pace_took(p, p->next_ns);
    return n;
}

TEST(pace__ramp__grows_in_a_straight_line)
{
    struct kw_pace p = kw_pace_begin(1000, 0, 2 * KW_S_NS, 0);
    unsigned quarter = taken_until(&p, KW_S_NS), half = taken_until(&p, 2 * KW_S_NS);
    CHECK(quarter >= 248 && quarter <= 252 && half >= 745 && half <= 752);
    unsigned full = taken_until(&p, 3 * KW_S_NS);
    CHECK(full >= 999 && full <= 1001);
    p = kw_pace_begin(1000, 5, 10 * KW_S_NS, 0.1); /* from a tenth: that gap first */
    kw_pace_took(&p, 5);
    CHECK(p.next_ns > 9950000 && p.next_ns <= 10000005); /* the rate grows meanwhile */
    half = 1 + taken_until(&p, 5 * KW_S_NS);
    CHECK(half >= 1620 && half <= 1630); /* 5 s of 0.1 to 0.55 of the rate */
}

static uint32_t broken_by(struct kw_p99_window *w, int slow, int quick)
{
    for (int i = 0; i < slow; i++)
        kw_p99_window_add(w, 101);
    for (int i = 0; i < quick; i++)
        kw_p99_window_add(w, 100);
    return w->broken;
}

TEST(window__over_one_in_a_hundred_of_a_thousand__broken)
{
    struct kw_p99_window none = {0}, w = {.limit_ns = 100}, all = {.limit_ns = 100};
    CHECK(broken_by(&none, 5000, 0) == 0);
    CHECK(broken_by(&all, 999, 0) == 0 && broken_by(&all, 1, 0) == 1000);
    CHECK(broken_by(&w, 10, 990) == 0 && broken_by(&w, 10, 990) == 0);
    CHECK(broken_by(&w, 11, 989) == 11);
    CHECK(broken_by(&w, 500, 500) == 11); /* the first one is what is told */
}

KW_SUITE("bench/figures/pace")
