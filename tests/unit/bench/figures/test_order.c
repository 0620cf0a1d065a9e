/* SPDX-License-Identifier: Apache-2.0 */
/* What decides which call comes next: draw, deck and zipf. */
#include "check.h"

#include "order.h"

TEST(draw__known_seed__known_numbers)
{
    uint64_t s = 1234567;
    CHECK(kw_draw(&s) == UINT64_C(6457827717110365317));
    CHECK(kw_draw(&s) == UINT64_C(3203168211198807973));
    CHECK(kw_draw(&s) == UINT64_C(9817491932198370423));
}

TEST(draw__below__every_number_and_no_other)
{
    uint64_t s = 0;
    unsigned seen[3] = {0};
    for (int i = 0; i < 300; i++)
        seen[kw_draw_below(&s, 3)]++;
    CHECK(seen[0] > 50 && seen[1] > 50 && seen[2] > 50);
    for (int i = 0; i < 300; i++)
        CHECK(kw_draw_below(&s, 1) == 0);
    for (int i = 0; i < 300; i++) {
        double unit = kw_draw_unit(&s);
        CHECK(unit >= 0 && unit < 1);
    }
}

/* Counts `passes` whole decks. */
static void count(struct kw_deck *d, size_t passes, unsigned seen[3])
{
    seen[0] = seen[1] = seen[2] = 0;
    for (size_t i = 0; i < passes * d->count; i++)
        seen[kw_deck_next(d)]++;
}

TEST(deck__every_pass__exactly_the_weights)
{
    const uint32_t weight[3] = {5, 5, 90};
    unsigned seen[3];
    struct kw_deck d;
    kw_deck_init(&d, weight, 3, 7);
    CHECK(d.count == 20); /* 1, 1 and 18 */
    for (int pass = 0; pass < 10; pass++) {
        count(&d, 1, seen);
        CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 18);
    }
}

TEST(deck__one_kind__only_that)
{
    const uint32_t weight[3] = {0, 1000, 0};
    struct kw_deck d;
    kw_deck_init(&d, weight, 3, 7);
    CHECK(d.count == 1);
    for (int i = 0; i < 10; i++)
        CHECK(kw_deck_next(&d) == 1);
}

TEST(deck__seed__the_same_again_and_another_differs)
{
    const uint32_t weight[3] = {499, 501, 0};
    struct kw_deck a, b, c;
    unsigned differ = 0, moved = 0;
    uint8_t first[1000];
    kw_deck_init(&a, weight, 3, 1);
    kw_deck_init(&b, weight, 3, 1);
    kw_deck_init(&c, weight, 3, 2);
    CHECK(a.count == 1000);
    for (size_t i = 0; i < 1000; i++) {
        first[i] = (uint8_t)kw_deck_next(&a);
        CHECK(first[i] == kw_deck_next(&b));
        differ += first[i] != kw_deck_next(&c);
    }
    CHECK(differ > 100);
    for (size_t i = 0; i < 1000; i++) /* the second pass is another order */
        moved += first[i] != kw_deck_next(&a);
    CHECK(moved > 100);
}

TEST(zipf__exponent_one__the_harmonic_shares)
{
    struct kw_zipf z;
    CHECK_OK(kw_zipf_init(&z, 4, 1)); /* 12, 6, 4 and 3 of 25 */
    CHECK(kw_zipf_at(&z, 0) == 0 && kw_zipf_at(&z, 0.4799) == 0);
    CHECK(kw_zipf_at(&z, 0.4801) == 1 && kw_zipf_at(&z, 0.7199) == 1);
    CHECK(kw_zipf_at(&z, 0.7201) == 2 && kw_zipf_at(&z, 0.8799) == 2);
    CHECK(kw_zipf_at(&z, 0.8801) == 3 && kw_zipf_at(&z, 0x1.fffffffffffffp-1) == 3);
    kw_zipf_wipe(&z);
}

TEST(zipf__exponent_zero__all_alike)
{
    struct kw_zipf z;
    CHECK_OK(kw_zipf_init(&z, 8, 0));
    for (size_t i = 0; i < 8; i++)
        CHECK(kw_zipf_at(&z, (double)i / 8) == i);
    kw_zipf_wipe(&z);
}

TEST(zipf__one_thing__always_that)
{
    struct kw_zipf z;
    CHECK_OK(kw_zipf_init(&z, 1, 0.99));
    CHECK(kw_zipf_at(&z, 0) == 0 && kw_zipf_at(&z, 0x1.fffffffffffffp-1) == 0);
    kw_zipf_wipe(&z);
    kw_zipf_wipe(&z);
}

/* The sum of k^-0.99 for k up to 1000 is 7.7289532173. */
TEST(zipf__a_thousand__drawn_as_often_as_they_should)
{
    enum { DRAWN = 100000 };
    struct kw_zipf z;
    uint64_t s = 1;
    unsigned seen[1000] = {0};
    CHECK_OK(kw_zipf_init(&z, 1000, 0.99));
    CHECK(z.sum[0] > 0.129383 && z.sum[0] < 0.129385);
    CHECK(z.sum[999] == 1);
    for (int i = 0; i < DRAWN; i++)
        seen[kw_zipf_at(&z, kw_draw_unit(&s))]++;
    CHECK(seen[0] > 12600 && seen[0] < 13300); /* 12938 +- 3 sigma */
    CHECK(seen[9] > 1180 && seen[9] < 1470);   /* 1324 */
    CHECK(seen[999] < 40);                     /* 14   */
    kw_zipf_wipe(&z);
}

KW_CASES("bench/figures/order", CASE(draw__known_seed__known_numbers),
         CASE(draw__below__every_number_and_no_other),
         CASE(deck__every_pass__exactly_the_weights), CASE(deck__one_kind__only_that),
         CASE(deck__seed__the_same_again_and_another_differs),
         CASE(zipf__exponent_one__the_harmonic_shares),
         CASE(zipf__exponent_zero__all_alike), CASE(zipf__one_thing__always_that),
         CASE(zipf__a_thousand__drawn_as_often_as_they_should))
