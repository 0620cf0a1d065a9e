/* SPDX-License-Identifier: Apache-2.0 */
/* How fast calls may follow each other, and when to stop: pace and window. */
#include "check.h"

#include "pace.h"

TEST(pace__no_rate__always)
{
    struct kw_pace p = {0};
    for (int i = 0; i < 3; i++) {
        CHECK(kw_pace_may(&p, 0));
        kw_pace_took(&p, 0);
    }
}

TEST(pace__rate__a_gap_between_two)
{
    struct kw_pace p = kw_pace_begin(1000, 5, 0, 0);
    CHECK(!kw_pace_may(&p, 4));
    CHECK(kw_pace_may(&p, 5));
    kw_pace_took(&p, 5);
    CHECK(!kw_pace_may(&p, 1000004));
    CHECK(kw_pace_may(&p, 1000005));
}

/* Half a millisecond too late is made up for; a standstill is not. */
TEST(pace__after_a_standstill__no_burst)
{
    struct kw_pace p = kw_pace_begin(1000, 0, 0, 0);
    kw_pace_took(&p, 0);
    kw_pace_took(&p, 1500000);
    CHECK(p.next_ns == 2000000);
    kw_pace_took(&p, 60 * KW_S_NS);
    CHECK(p.next_ns == 60 * KW_S_NS);
    kw_pace_took(&p, 60 * KW_S_NS);
    CHECK(p.next_ns == 60 * KW_S_NS + 1000000);
}

/* As fast as it goes: how many until then? */
static unsigned taken_until(struct kw_pace *p, int64_t until_ns)
{
    unsigned n = 0;
    for (; p->next_ns < until_ns; n++)
        kw_pace_took(p, p->next_ns);
    return n;
}

TEST(pace__ramp__half_as_many_and_then_the_full_rate)
{
    struct kw_pace p = kw_pace_begin(1000, 0, 2 * KW_S_NS, 0);
    unsigned quarter = taken_until(&p, KW_S_NS), half = taken_until(&p, 2 * KW_S_NS);
    CHECK(quarter >= 248 && quarter <= 252);
    CHECK(half >= 745 && half <= 752);
    unsigned full = taken_until(&p, 3 * KW_S_NS);
    CHECK(full >= 999 && full <= 1001);
}

TEST(pace__ramp_from_a_tenth__that_gap_first)
{
    struct kw_pace p = kw_pace_begin(1000, 5, 10 * KW_S_NS, 0.1);
    kw_pace_took(&p, 5);
    CHECK(p.next_ns > 9950000 && p.next_ns <= 10000005); /* the rate grows meanwhile */
    p.next_ns = 5;
    unsigned half = taken_until(&p, 5 * KW_S_NS), all = taken_until(&p, 10 * KW_S_NS);
    CHECK(half >= 1620 && half <= 1630); /* 5 s of 0.1 to 0.55 of the rate */
    CHECK(all >= 3870 && all <= 3880);
}

TEST(window__no_limit__never_broken)
{
    struct kw_p99_window w = {0};
    for (int i = 0; i < 5000; i++)
        kw_p99_window_add(&w, INT64_MAX);
    CHECK(w.broken == 0);
}

static void add(struct kw_p99_window *w, int slow, int quick)
{
    for (int i = 0; i < slow; i++)
        kw_p99_window_add(w, 101);
    for (int i = 0; i < quick; i++)
        kw_p99_window_add(w, 100);
}

TEST(window__too_few_samples__not_judged)
{
    struct kw_p99_window w = {.limit_ns = 100};
    add(&w, 999, 0);
    CHECK(w.broken == 0);
    add(&w, 1, 0);
    CHECK(w.broken == 1000);
}

TEST(window__one_in_a_hundred__still_good)
{
    struct kw_p99_window w = {.limit_ns = 100};
    add(&w, 10, 990);
    add(&w, 10, 990);
    CHECK(w.broken == 0);
    add(&w, 11, 989);
    CHECK(w.broken == 11);
    add(&w, 500, 500); /* the first one is what is told */
    CHECK(w.broken == 11);
}

KW_CASES("bench/figures/pace", CASE(pace__no_rate__always),
         CASE(pace__rate__a_gap_between_two), CASE(pace__after_a_standstill__no_burst),
         CASE(pace__ramp__half_as_many_and_then_the_full_rate),
         CASE(pace__ramp_from_a_tenth__that_gap_first),
         CASE(window__no_limit__never_broken), CASE(window__too_few_samples__not_judged),
         CASE(window__one_in_a_hundred__still_good))
