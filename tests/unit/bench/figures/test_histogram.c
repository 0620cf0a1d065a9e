/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "histogram.h"

static struct kw_histogram h;

static void fill(uint64_t from, uint64_t to)
{
    h = (struct kw_histogram){0};
    for (uint64_t v = from; v <= to; v++)
        kw_histogram_add(&h, v);
}

TEST(at__empty_or_99_beyond__nobody_knows)
{
    uint64_t v = 7;
    h = (struct kw_histogram){0};
    CHECK(!kw_histogram_at(&h, 500000, &v));
    fill(1, 9999); /* p99 has rank 9900: 99 lie beyond it */
    CHECK(!kw_histogram_at(&h, 990000, &v));
    CHECK(v == 7);
    fill(1, 10000);
    CHECK(kw_histogram_at(&h, 990000, &v));
    CHECK(v >= 9900 && v <= 9900 + 9900 / 128);
    fill(0, 249);                                       /* small values are exact */
    CHECK(kw_histogram_at(&h, 500000, &v) && v == 124); /* rank 125 from 0 on */
    CHECK(kw_histogram_at(&h, 600000, &v) && v == 149);
    CHECK(!kw_histogram_at(&h, 600001, &v)); /* rank 151 leaves 99 beyond it */
}

TEST(at__any_value__never_told_too_low_nor_1_128th_too_high)
{
    for (unsigned bit = 0; bit < KW_HISTOGRAM_BITS; bit++)
        for (int off = -1; off <= 1; off++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)(int64_t)off, v = 0;
            if (value >> KW_HISTOGRAM_BITS != 0)
                continue;
            h = (struct kw_histogram){0};
            for (int i = 0; i < 300; i++)
                kw_histogram_add(&h, i < 150 ? value : UINT64_C(1) << 39);
            CHECK(kw_histogram_at(&h, 500000, &v));
            CHECK(v >= value && v <= value + value / 128);
        }
}

TEST(add__longer_than_any__counts_and_max_stays_true)
{
    uint64_t v = 0, huge = UINT64_C(1) << 50;
    h = (struct kw_histogram){0};
    for (int i = 0; i < 1000; i++)
        kw_histogram_add(&h, huge);
    CHECK(h.count == 1000 && h.max == huge);
    CHECK(kw_histogram_at(&h, 500000, &v) && v == (UINT64_C(1) << 40) - 1);
}

TEST(top__every_bucket__its_own_largest_value)
{
    h = (struct kw_histogram){0};
    for (unsigned i = 0; i < KW_HISTOGRAM_BUCKETS; i++) {
        kw_histogram_add(&h, kw_histogram_top(i));
        CHECK(h.bucket[i] == 1 + (i > 0));
        kw_histogram_add(&h, kw_histogram_top(i) + 1);
        CHECK(i + 1 == KW_HISTOGRAM_BUCKETS || h.bucket[i + 1] == 1);
    }
}

KW_SUITE("bench/figures/histogram")
