/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "pace.h"

static void take__no_limit__at_once(void **state)
{
    (void)state;
    struct kw_pace p;
    kw_pace_init(&p, 0, 0, 4, 1000, 0);
    CHECK(kw_pace_take(&p, 1234) == 1234);
    CHECK(kw_pace_take(&p, 1234) == 1234);
}

static void take__a_rate__its_gap(void **state)
{
    (void)state;
    struct kw_pace p;
    kw_pace_init(&p, 1000, 0, 1, 0, 0);
    CHECK(kw_pace_take(&p, 0) == 0);
    CHECK(kw_pace_take(&p, 1) == KW_MS_NS);
    CHECK(kw_pace_take(&p, KW_MS_NS + 1) == 2 * KW_MS_NS);
}

/* A limit is no schedule: nothing is made up for. */
static void take__after_a_standstill__no_burst(void **state)
{
    (void)state;
    struct kw_pace p;
    kw_pace_init(&p, 1000, 0, 1, 0, 0);
    CHECK(kw_pace_take(&p, 0) == 0);
    CHECK(kw_pace_take(&p, KW_S_NS) == KW_S_NS);
    CHECK(kw_pace_take(&p, KW_S_NS) == KW_S_NS + KW_MS_NS);
}

static void take__lanes__share_and_alternate(void **state)
{
    (void)state;
    struct kw_pace a, b;
    kw_pace_init(&a, 1000, 0, 2, 0, 0);
    kw_pace_init(&b, 1000, 1, 2, 0, 0);
    CHECK(kw_pace_take(&a, 0) == 0);
    CHECK(kw_pace_take(&b, 0) == KW_MS_NS);
    CHECK(kw_pace_take(&a, 0) == 2 * KW_MS_NS);
    CHECK(kw_pace_take(&b, 0) == 3 * KW_MS_NS);
}

static void take__ramp__a_tenth_at_first_and_all_after(void **state)
{
    (void)state;
    struct kw_pace p;
    kw_pace_init(&p, 1000, 0, 1, KW_S_NS, 10 * KW_S_NS);
    CHECK(kw_pace_take(&p, KW_S_NS) == KW_S_NS);
    CHECK(kw_pace_take(&p, KW_S_NS) == KW_S_NS + 10 * KW_MS_NS);
    int64_t half = 6 * KW_S_NS; /* 0.1 + 0.9 / 2 of the rate */
    CHECK(kw_pace_take(&p, half) == half);
    int64_t gap = kw_pace_take(&p, half) - half;
    CHECK(gap > 1815 * KW_MS_NS / 1000 && gap < 1821 * KW_MS_NS / 1000);
    int64_t over = 11 * KW_S_NS;
    CHECK(kw_pace_take(&p, over) == over);
    CHECK(kw_pace_take(&p, over) == over + KW_MS_NS);
}

KW_CASES("bench/token/pace", CASE(take__no_limit__at_once), CASE(take__a_rate__its_gap),
         CASE(take__after_a_standstill__no_burst), CASE(take__lanes__share_and_alternate),
         CASE(take__ramp__a_tenth_at_first_and_all_after))
