/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/latency.h>

TEST(at__each_bound__in_it_and_one_more_in_the_next)
{
    for (size_t i = 0; i < KW_LATENCY_BOUNDS; i++) {
        const int64_t bound = KW_LATENCY_FIRST_NS << i;
        CHECK(kw_latency_at(bound) == i);
        CHECK(kw_latency_at(bound + 1) == i + 1);
    }
    CHECK(kw_latency_at(INT64_MAX) == KW_LATENCY_BOUNDS);
}

TEST(at__nothing_and_less__the_first)
{
    CHECK(kw_latency_at(0) == 0 && kw_latency_at(1) == 0 && kw_latency_at(-1) == 0);
    CHECK(kw_latency_at(INT64_MIN) == 0);
}

TEST(add__counts_and_sums_but_nothing_negative)
{
    struct kw_latency l = {{0}, 0};
    kw_latency_add(&l, 100000);
    kw_latency_add(&l, 100001);
    kw_latency_add(&l, -5);
    CHECK(l.count[0] == 2 && l.count[1] == 1 && l.sum_ns == 200001);
}

KW_SUITE("hsm/base/latency")
