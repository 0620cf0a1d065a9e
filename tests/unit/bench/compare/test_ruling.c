/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "ruling.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static struct kw_ruled ratio_of(double ratio, double error)
{
    return (struct kw_ruled){.way = {{log(ratio), error, 10}}, .way_count = 1};
}

static enum kw_ruling alone(double ratio, double error)
{
    struct kw_ruled j = ratio_of(ratio, error), *all[] = {&j};
    kw_rule(all, 1, 0.05);
    return j.verdict;
}

static void rule__none__nothing_done(void **state)
{
    (void)state;
    kw_rule(NULL, 0, 0.05);
}

static void rule__wide_interval__cannot_tell(void **state)
{
    (void)state;
    CHECK(alone(1.00, 0.10) == KW_RULING_CANNOT_TELL);
    CHECK(alone(1.20, 0.10) == KW_RULING_CANNOT_TELL);
    CHECK(alone(0.80, 0.20) == KW_RULING_CANNOT_TELL);
}

static void rule__across_the_threshold__cannot_tell(void **state)
{
    (void)state;
    CHECK(alone(1.05, 0.005) == KW_RULING_CANNOT_TELL);
    CHECK(alone(1 / 1.05, 0.005) == KW_RULING_CANNOT_TELL);
}

/* 2 % is there beyond doubt and is below the threshold. */
static void rule__real_and_small__same(void **state)
{
    (void)state;
    CHECK(alone(1.02, 0.001) == KW_RULING_SAME);
    CHECK(alone(0.98, 0.001) == KW_RULING_SAME);
}

static void rule__narrow__what_it_is(void **state)
{
    (void)state;
    CHECK(alone(1.20, 0.02) == KW_RULING_SLOWER);
    CHECK(alone(0.80, 0.02) == KW_RULING_FASTER);
    CHECK(alone(1.00, 0.02) == KW_RULING_SAME);
    CHECK(alone(1.30, 0) == KW_RULING_SLOWER);
    CHECK(alone(1.00, 0) == KW_RULING_SAME);
}

static void rule__other_threshold__other_verdict(void **state)
{
    (void)state;
    struct kw_ruled j = ratio_of(1.20, 0.02), *all[] = {&j};
    kw_rule(all, 1, 0.30);
    CHECK(j.verdict == KW_RULING_SAME);
    kw_rule(all, 1, 0.20);
    CHECK(j.verdict == KW_RULING_CANNOT_TELL);
}

static void interval__ends__each_with_five_per_cent(void **state)
{
    (void)state;
    struct kw_ruled j = ratio_of(1.10, 0.03);
    kw_rule_interval(&j);
    CHECK(near(j.mid, 1.10));
    CHECK(near(kw_centre_above(&j.way[0], log(j.low)), 0.05));
    CHECK(near(kw_centre_above(&j.way[0], log(j.high)), 0.95));
}

/* Holm by hand: 0.01 0.02 0.03 of three become 0.03, 0.04, 0.04. */
static void rule__three_together__corrected_by_holm(void **state)
{
    (void)state;
    struct kw_ruled j[3], *all[] = {&j[2], &j[0], &j[1]};
    for (int i = 0; i < 3; i++) {
        double wanted = 0.01 * (i + 1), low = 0, high = 1;
        for (int k = 0; k < 80; k++) { /* the mean that has this p alone */
            double middle = (low + high) / 2;
            struct kw_centre c = {middle, 0.1, 10};
            if (kw_centre_above(&c, 0) > wanted)
                low = middle;
            else
                high = middle;
        }
        j[i] = ratio_of(exp(low), 0.1);
    }
    kw_rule(all, 3, 0.05);
    CHECK(near(j[0].slower_p, 0.03) && near(j[1].slower_p, 0.04));
    CHECK(near(j[2].slower_p, 0.04));
    CHECK(j[0].faster_p > 0.999);
}

/* One that would be slower alone is not, as one of eight. */
static void rule__one_of_eight__wants_more(void **state)
{
    (void)state;
    struct kw_ruled j[8], *all[8];
    for (int i = 0; i < 8; i++) {
        j[i] = ratio_of(i == 3 ? 1.20 : 1.0, 0.072);
        all[i] = &j[i];
    }
    kw_rule(&all[3], 1, 0.05);
    CHECK(j[3].slower_p < 0.05 && j[3].low > 1.05);
    CHECK(j[3].verdict == KW_RULING_SLOWER);
    kw_rule(all, 8, 0.05);
    CHECK(j[3].verdict == KW_RULING_CANNOT_TELL);
}

static void rule__two_ways__only_what_both_say(void **state)
{
    (void)state;
    struct kw_ruled j = {.way = {{log(1.2), 0.01, 10}, {log(1.02), 0.01, 10}},
                         .way_count = 2};
    struct kw_ruled *all[] = {&j};
    kw_rule(all, 1, 0.05);
    CHECK(j.verdict == KW_RULING_CANNOT_TELL);
    CHECK(near(j.mid, 1.2) && j.low < 1.02 && j.high > 1.2);
    CHECK(near(j.slower_p, kw_centre_above(&j.way[1], 0))); /* the larger one */
    j.way[1].mean = log(1.15);
    kw_rule(all, 1, 0.05);
    CHECK(j.verdict == KW_RULING_SLOWER);
}

KW_CASES("bench/compare/ruling", CASE(rule__none__nothing_done),
         CASE(rule__wide_interval__cannot_tell),
         CASE(rule__across_the_threshold__cannot_tell), CASE(rule__real_and_small__same),
         CASE(rule__narrow__what_it_is), CASE(rule__other_threshold__other_verdict),
         CASE(interval__ends__each_with_five_per_cent),
         CASE(rule__three_together__corrected_by_holm),
         CASE(rule__one_of_eight__wants_more), CASE(rule__two_ways__only_what_both_say))
