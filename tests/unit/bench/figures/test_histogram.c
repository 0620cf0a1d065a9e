/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "histogram.h"

static struct kw_histogram h;

static void fill(uint64_t from, uint64_t to, uint64_t step)
{
    kw_histogram_clear(&h);
    for (uint64_t v = from; v <= to; v += step)
        kw_histogram_add(&h, v);
}

TEST(at__empty__nobody_knows)
{
    uint64_t v = 7;
    kw_histogram_clear(&h);
    CHECK(!kw_histogram_at(&h, 500000, &v));
    CHECK(v == 7);
}

TEST(at__99_beyond__nobody_knows)
{
    uint64_t v = 7;
    fill(1, 9999, 1); /* p99 has rank 9900: 99 lie beyond it */
    CHECK(!kw_histogram_at(&h, 990000, &v));
    CHECK(v == 7);
}

TEST(at__100_beyond__told)
{
    uint64_t v = 0;
    fill(1, 10000, 1);
    CHECK(kw_histogram_at(&h, 990000, &v));
    CHECK(v >= 9900 && v <= 9900 + 9900 / 128);
}

TEST(at__small_values__exact)
{
    uint64_t v = 0;
    fill(0, 249, 1);
    CHECK(kw_histogram_at(&h, 500000, &v));
    CHECK(v == 124); /* rank 125 of 250 values that begin at 0 */
    CHECK(kw_histogram_at(&h, 600000, &v));
    CHECK(v == 149);
}

TEST(at__any_value__never_told_too_low_nor_1_128th_too_high)
{
    for (unsigned bit = 0; bit < KW_HISTOGRAM_BITS; bit++)
        for (int off = -1; off <= 1; off++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)(int64_t)off, v = 0;
            if (value >> KW_HISTOGRAM_BITS != 0)
                continue;
            kw_histogram_clear(&h);
            for (int i = 0; i < 300; i++)
                kw_histogram_add(&h, i < 150 ? value : UINT64_C(1) << 39);
            CHECK(kw_histogram_at(&h, 500000, &v));
            CHECK(v >= value && v <= value + value / 128);
        }
}

TEST(add__longer_than_any__counts_and_max_stays_true)
{
    uint64_t v = 0, huge = UINT64_C(1) << 50;
    kw_histogram_clear(&h);
    for (int i = 0; i < 1000; i++)
        kw_histogram_add(&h, huge);
    CHECK(h.count == 1000 && h.max == huge);
    CHECK(kw_histogram_at(&h, 500000, &v));
    CHECK(v == (UINT64_C(1) << 40) - 1);
}

TEST(at__two_peaks__the_rank_decides)
{
    uint64_t v = 0;
    kw_histogram_clear(&h);
    for (int i = 0; i < 1000; i++)
        kw_histogram_add(&h, i < 900 ? 10 : 200);
    CHECK(kw_histogram_at(&h, 900000, &v) && v == 10);
    CHECK(!kw_histogram_at(&h, 900001, &v)); /* rank 901 leaves 99 beyond it */
}

TEST(top__every_bucket__its_own_largest_value)
{
    for (unsigned i = 0; i < KW_HISTOGRAM_BUCKETS; i++) {
        kw_histogram_clear(&h);
        kw_histogram_add(&h, kw_histogram_top(i));
        CHECK(h.bucket[i] == 1);
        kw_histogram_clear(&h);
        kw_histogram_add(&h, kw_histogram_top(i) + 1);
        CHECK(i + 1 == KW_HISTOGRAM_BUCKETS || h.bucket[i + 1] == 1);
    }
}

KW_CASES("bench/figures/histogram", CASE(at__empty__nobody_knows),
         CASE(at__99_beyond__nobody_knows), CASE(at__100_beyond__told),
         CASE(at__small_values__exact),
         CASE(at__any_value__never_told_too_low_nor_1_128th_too_high),
         CASE(add__longer_than_any__counts_and_max_stays_true),
         CASE(at__two_peaks__the_rank_decides),
         CASE(top__every_bucket__its_own_largest_value))
