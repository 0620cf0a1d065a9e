/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include <keyward/alloc.h>

#include "sample.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void new__no_memory__null(void **state)
{
    (void)state;
    kw_alloc_fail_from(0);
    CHECK(kw_results_new() == NULL);
    kw_alloc_fail_from(-1);
    kw_results_free(NULL);
}

static void name__anything_but_letters_digits_and_three_marks__refused(void **state)
{
    (void)state;
    CHECK(!kw_results_is_name(""));
    CHECK(!kw_results_is_name("a b"));
    CHECK(!kw_results_is_name("a,b"));
    CHECK(!kw_results_is_name("\xc3\xa4"));
    CHECK(!kw_results_is_name("a23456789012345678901234567890123456789012345678"));
    CHECK(kw_results_is_name("a2345678901234567890123456789012345678901234567"));
    CHECK(kw_results_is_name("p99.9_us-x"));
}

static void text__too_long_or_no_utf8__cut_between_characters_or_marked(void **state)
{
    (void)state;
    char dst[5];
    kw_results_text(dst, sizeof dst, "abc\xc3\xa4");
    CHECK_STR(dst, "abc");
    kw_results_text(dst, sizeof dst, "ab\xc3\xa4z");
    CHECK_STR(dst, "ab\xc3\xa4");
    kw_results_text(dst, sizeof dst, "a\xff\xc3");
    CHECK_STR(dst, "a??");
    kw_results_text(dst, sizeof dst, "");
    CHECK_STR(dst, "");
    char *copy = kw_results_text_dup("\xff long enough");
    CHECK_STR(copy, "? long enough");
    kw_free(copy);
}

static void figure_add__no_name_or_no_room__none(void **state)
{
    (void)state;
    struct kw_results *r = kw_results_new();
    char name[8];
    CHECK(r != NULL);
    CHECK(kw_results_figure_add(r, "a b") == KW_RESULTS_FIGURES);
    for (size_t i = 0; i < KW_RESULTS_FIGURES; i++) {
        snprintf(name, sizeof name, "f%zu", i);
        CHECK(kw_results_figure_add(r, name) == i);
        CHECK(kw_results_figure_add(r, name) == i);
    }
    CHECK(kw_results_figure_add(r, "one_more") == KW_RESULTS_FIGURES);
    CHECK(kw_results_figure(r, "f3") == 3);
    kw_results_free(r);
}

static void cell__unknown__null(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    CHECK(kw_results_cell(r, "wall") == NULL);
    CHECK(kw_results_cell(r, "wall-64") == &r->cell[1]);
    kw_results_free(r);
}

static void median__disturbed_and_unknown_rounds__left_out(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    double values[KW_ROUNDS_MAX];
    CHECK(kw_results_calm(r) == 2);
    CHECK(kw_results_series(r, &r->cell[2], 0, values) == 1);
    CHECK(near(values[0], 10));
    CHECK(near(kw_results_median(r, &r->cell[0], 0).mid, 10.5));
    CHECK(near(kw_results_median(r, &r->cell[0], KW_RESULTS_FIGURES).mid, 0));
    kw_results_free(r);
}

static void ratio__pairs_of_undisturbed_rounds__alone(void **state)
{
    (void)state;
    struct kw_results *r = sample_new();
    const struct kw_ratio wall = kw_results_ratio(r, &r->cell[1], &r->cell[0], 0);
    CHECK(near(wall.mid, sqrt(2.0 * 3.0)));
    CHECK(near(wall.low, 2) && near(wall.high, 3));
    const struct kw_ratio control = kw_results_ratio(r, &r->cell[2], &r->cell[0], 0);
    CHECK(near(control.mid, 1));
    kw_results_free(r);
}

KW_CASES("bench/results/results", CASE(new__no_memory__null),
         CASE(name__anything_but_letters_digits_and_three_marks__refused),
         CASE(text__too_long_or_no_utf8__cut_between_characters_or_marked),
         CASE(figure_add__no_name_or_no_room__none), CASE(cell__unknown__null),
         CASE(median__disturbed_and_unknown_rounds__left_out),
         CASE(ratio__pairs_of_undisturbed_rounds__alone))
