/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "schedule.h"

TEST(take__before_its_time__refused)
{
    struct kw_schedule s = {1000, 10, 0};
    int64_t at = 7;
    CHECK(!kw_schedule_take(&s, 999, &at));
    CHECK(at == 7 && s.next == 0);
}

TEST(take__first__due_at_the_start)
{
    struct kw_schedule s = {1000, 10, 0};
    int64_t at = 0;
    CHECK(kw_schedule_take(&s, 1000, &at));
    CHECK(at == 1000);
    CHECK(kw_schedule_next_ns(&s) == 1000 + 100000000);
    CHECK(!kw_schedule_take(&s, 1001, &at));
}

/* The server stood still for a second: every call that should have been made counts from
 * when it should have been. */
TEST(take__late__intended_times_stay)
{
    struct kw_schedule s = {0, 4, 0};
    int64_t at = 0, now = KW_S_NS;
    CHECK(kw_schedule_late(&s, now) == 5);
    for (int64_t k = 0; k < 5; k++) {
        CHECK(kw_schedule_take(&s, now, &at));
        CHECK(at == k * 250000000);
    }
    CHECK(!kw_schedule_take(&s, now, &at));
    CHECK(kw_schedule_late(&s, now) == 0);
}

TEST(next__uneven_rate__does_not_drift)
{
    struct kw_schedule s = {5, 3, UINT64_C(3000000000)};
    CHECK(kw_schedule_next_ns(&s) == 5 + INT64_C(1000000000) * KW_S_NS);
    s.next++;
    CHECK(kw_schedule_next_ns(&s) == 5 + INT64_C(1000000000) * KW_S_NS + 333333333);
}

TEST(late__before_the_start__none)
{
    struct kw_schedule s = {1000, 1000000, 0};
    CHECK(kw_schedule_late(&s, 0) == 0);
    CHECK(kw_schedule_late(&s, 1000) == 1);
}

TEST(next__ramp__half_as_many_and_then_the_full_rate)
{
    struct kw_schedule s = {.start_ns = 7, .rate = 1000, .ramp_ns = 4 * KW_S_NS};
    CHECK(kw_schedule_next_ns(&s) == 7);
    s.next = 500; /* a quarter of the ramp's 2000 calls takes half of its time */
    CHECK(kw_schedule_next_ns(&s) == 7 + 2 * KW_S_NS);
    s.next = 2000;
    CHECK(kw_schedule_next_ns(&s) == 7 + 4 * KW_S_NS);
    s.next = 3000;
    CHECK(kw_schedule_next_ns(&s) == 7 + 5 * KW_S_NS);
}

TEST(late__ramp__counted_by_the_same_curve)
{
    struct kw_schedule s = {.start_ns = 7, .rate = 1000, .ramp_ns = 4 * KW_S_NS};
    int64_t at = 0;
    CHECK(kw_schedule_late(&s, 7) == 1);
    CHECK(kw_schedule_late(&s, 7 + 2 * KW_S_NS) == 501);
    CHECK(kw_schedule_late(&s, 7 + 5 * KW_S_NS) == 3001);
    for (unsigned taken = 0; taken < 501; taken++)
        CHECK(kw_schedule_take(&s, 7 + 2 * KW_S_NS, &at));
    CHECK(!kw_schedule_take(&s, 7 + 2 * KW_S_NS, &at));
}

KW_CASES("bench/figures/schedule", CASE(take__before_its_time__refused),
         CASE(take__first__due_at_the_start), CASE(take__late__intended_times_stay),
         CASE(next__uneven_rate__does_not_drift), CASE(late__before_the_start__none),
         CASE(next__ramp__half_as_many_and_then_the_full_rate),
         CASE(late__ramp__counted_by_the_same_curve))
