/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/policy.h>

#define MINUTE_NS (60 * KW_S_NS)
#define HOUR_NS (60 * MINUTE_NS)

/* 15 minutes, made at a time that is not zero. */
static struct kw_budget full(void)
{
    struct kw_budget b;
    kw_budget_init(&b, 15 * MINUTE_NS, 100 * KW_S_NS);
    return b;
}

static void tick_for(struct kw_budget *b, bool lost, int64_t ns)
{
    kw_budget_tick(b, lost, b->at_boot_ns + ns);
}

TEST(init__any__full)
{
    struct kw_budget b = full();
    CHECK(kw_budget_left(&b));
    CHECK(b.left_ns == 15 * MINUTE_NS);
}

TEST(init__nothing_allowed__nothing_left)
{
    struct kw_budget b;
    kw_budget_init(&b, 0, 0);
    CHECK(!kw_budget_left(&b));
    tick_for(&b, false, 24 * HOUR_NS);
    CHECK(!kw_budget_left(&b));
}

TEST(tick__lost_to_the_nanosecond__spent_exactly_then)
{
    struct kw_budget b = full();
    tick_for(&b, true, 15 * MINUTE_NS - 1);
    CHECK(kw_budget_left(&b));
    tick_for(&b, true, 1);
    CHECK(!kw_budget_left(&b));
}

TEST(tick__lost_for_longer_than_there_is__zero_not_below)
{
    struct kw_budget b = full();
    tick_for(&b, true, INT64_MAX - 200 * KW_S_NS);
    CHECK(b.left_ns == 0);
}

TEST(tick__an_hour_of_health__one_minute_back)
{
    struct kw_budget b = full();
    tick_for(&b, true, 20 * MINUTE_NS);
    tick_for(&b, false, HOUR_NS);
    CHECK(b.left_ns == MINUTE_NS);
}

TEST(tick__one_lucky_second__no_new_outage_to_speak_of)
{
    struct kw_budget b = full();
    tick_for(&b, true, 20 * MINUTE_NS);
    tick_for(&b, false, KW_S_NS);
    CHECK(b.left_ns <= KW_S_NS / 60);
    tick_for(&b, true, KW_S_NS);
    CHECK(!kw_budget_left(&b));
}

TEST(tick__days_of_health__never_above_max)
{
    struct kw_budget b = full();
    tick_for(&b, false, INT64_MAX - 200 * KW_S_NS);
    CHECK(b.left_ns == 15 * MINUTE_NS);
}

TEST(tick__very_often__refills_as_much_as_seldom)
{
    struct kw_budget often = full(), seldom = full();
    tick_for(&often, true, 15 * MINUTE_NS);
    tick_for(&seldom, true, 15 * MINUTE_NS);
    int64_t from = seldom.at_boot_ns;
    for (int64_t ns = 7; ns <= 60 * 700; ns += 7)
        kw_budget_tick(&often, false, from + ns);
    kw_budget_tick(&seldom, false, from + INT64_C(60) * 700);
    CHECK(often.left_ns == seldom.left_ns);
    CHECK(often.left_ns == 700);
}

TEST(tick__an_older_reading__nothing_changes)
{
    struct kw_budget b = full(), before = b;
    kw_budget_tick(&b, true, b.at_boot_ns - KW_S_NS);
    kw_budget_tick(&b, true, b.at_boot_ns);
    CHECK(b.left_ns == before.left_ns && b.at_boot_ns == before.at_boot_ns);
}

KW_CASES("provider/policy/budget", CASE(init__any__full),
         CASE(init__nothing_allowed__nothing_left),
         CASE(tick__lost_to_the_nanosecond__spent_exactly_then),
         CASE(tick__lost_for_longer_than_there_is__zero_not_below),
         CASE(tick__an_hour_of_health__one_minute_back),
         CASE(tick__one_lucky_second__no_new_outage_to_speak_of),
         CASE(tick__days_of_health__never_above_max),
         CASE(tick__very_often__refills_as_much_as_seldom),
         CASE(tick__an_older_reading__nothing_changes))
