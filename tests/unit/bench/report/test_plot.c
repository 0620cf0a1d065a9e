/* SPDX-License-Identifier: Apache-2.0 */
/* gnuplot for real: it must be there, what it is given must stay words. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "plot.h"
#include "whisker.h"

static struct kw_plot *fresh(void)
{
    struct kw_plot *p = kw_new(1, sizeof *p);
    CHECK(p != NULL);
    p->id = "test";
    p->x.label = "x";
    p->y.label = "y";
    return p;
}

static void with_one_line(struct kw_plot *p, const char *name)
{
    struct kw_series *s = kw_plot_series(p, name);
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 2, .low = 1, .high = 3});
    kw_plot_point(p, s, (struct kw_point){.x = 2, .y = 4});
}

static void point__not_finite_or_unknown_to_the_scale__left_out(void **state)
{
    (void)state;
    struct kw_plot *p = fresh();
    p->y.scale = KW_SCALE_LOG10;
    struct kw_series *s = kw_plot_series(p, "a");
    kw_plot_point(p, s, (struct kw_point){.x = (double)NAN, .y = 1});
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = HUGE_VAL});
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 0});
    kw_plot_point(p, s, (struct kw_point){.x = -1e300, .y = 1});
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 1e-300});
    CHECK(s->count == 0 && kw_plot_points(p) == 0);
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 5, .low = 0, .high = 9});
    CHECK(s->count == 1 && !(s->point[0].high > s->point[0].low));
    for (int i = 0; i < 2 * KW_POINTS_MAX; i++)
        kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 5});
    CHECK(s->count == KW_POINTS_MAX);
    kw_free(p);
}

static void series__all_colors_used__null(void **state)
{
    (void)state;
    struct kw_plot *p = fresh();
    for (int i = 0; i < KW_SERIES_MAX; i++)
        CHECK(kw_plot_series(p, "a") != NULL);
    CHECK(kw_plot_series(p, "a") == NULL);
    kw_free(p);
}

static void draw__no_gnuplot_in_path__missing_and_what_to_install(void **state)
{
    struct kw_html page = {0};
    struct kw_note note = {{0}};
    (void)state;
    struct kw_plot *p = fresh();
    with_one_line(p, "a");
    kw_html_raw(&page, "kept");
    CHECK(setenv("PATH", "/nonexistent", 1) == 0);
    CHECK_CODE(kw_plot_draw(p, "caption", &page, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, "gnuplot");
    CHECK_HAS(note.text, "it is not in PATH");
    CHECK_HAS(note.text, "apt-get install gnuplot-nox");
    CHECK_STR(page.text, "kept");
    kw_html_wipe(&page);
    kw_free(p);
}

static void run__script_that_fails__its_own_words(void **state)
{
    struct kw_html svg = {0};
    struct kw_note note = {{0}};
    (void)state;
    CHECK_CODE(kw_gnuplot_run(kw_span_str("set no_such_thing\n"), &svg, &note),
               KW_CODE_IO);
    CHECK_HAS(note.text, "gnuplot ended with exit status");
    CHECK_HAS(note.text, "Unrecognized option");
    CHECK(svg.text == NULL);
}

static void draw__hostile_names__words_in_the_picture(void **state)
{
    static const char *const names[] = {"a'b\"c",   "`touch kw-was-here`",
                                        "$HOME @x", "%s%d{/Bold x}_y^z",
                                        "<b>&amp;", "a\\nb\n\x01"};
    static const char *const want[] = {"a&#39;b&quot;c",     "`touch kw-was-here`",
                                       "$HOME @x",           "%s%d{/Bold x}_y^z",
                                       "&lt;b&gt;&amp;amp;", "a\\nb<"};
    struct kw_html page = {0};
    struct kw_note note = {{0}};
    (void)state;
    struct kw_plot *p = fresh();
    for (size_t i = 0; i < 6; i++)
        with_one_line(p, names[i]);
    p->mark[p->mark_count++] = (struct kw_mark){.x = 1.5, .label = "it's `id` %f"};
    kw_err e = kw_plot_draw(p, "<caption>", &page, &note);
    if (kw_failed(e))
        fail_msg("%s", note.text);
    for (size_t i = 0; i < 6; i++)
        CHECK_HAS(page.text, want[i]);
    CHECK_HAS(page.text, "it&#39;s `id` %f");
    CHECK_HAS(page.text, "&lt;caption&gt;");
    CHECK(access("kw-was-here", F_OK) != 0);
    kw_html_wipe(&page);
    kw_free(p);
}

static void draw__logarithmic__ticks_at_both_ends(void **state)
{
    struct kw_html page = {0};
    (void)state;
    struct kw_plot *p = fresh();
    p->y = (struct kw_axis){.label = "y", .scale = KW_SCALE_LOG10, .unit = KW_UNIT_US};
    struct kw_series *s = kw_plot_series(p, "a");
    kw_plot_point(p, s, (struct kw_point){.x = 1, .y = 103});
    kw_plot_point(p, s, (struct kw_point){.x = 2, .y = 272});
    CHECK_OK(kw_plot_draw(p, "caption", &page, NULL));
    CHECK_HAS(page.text, "100\u00a0µs");
    CHECK_HAS(page.text, "500\u00a0µs");
    kw_html_wipe(&page);
    kw_free(p);
}

static void draw__twice_in_a_page__no_name_twice(void **state)
{
    struct kw_html page = {0};
    (void)state;
    struct kw_plot *p = fresh();
    with_one_line(p, "a");
    for (p->number = 0; p->number < 2; p->number++)
        CHECK_OK(kw_plot_draw(p, "caption", &page, NULL));
    CHECK_HAS(page.text, "id=\"test-0-gpDot\"");
    CHECK_HAS(page.text, "id=\"test-1-gpDot\"");
    const char *first = strstr(page.text, "id=\"test-0-gpDot\"");
    CHECK(strstr(first + 1, "id=\"test-0-gpDot\"") == NULL);
    CHECK(strstr(page.text, "rgb(") == NULL); /* every colour is a class */
    kw_html_wipe(&page);
    kw_free(p);
}

static void whiskers__some_unknown__the_known_rows(void **state)
{
    static const struct kw_whisker rows[] = {
        {"first", {1.5, 1.4, 1.6}, 0}, {"gone", {0}, 0}, {"last", {0.5, 0.5, 0.5}, 7}};
    struct kw_html page = {0};
    struct kw_note note = {{0}};
    (void)state;
    struct kw_plot *p = fresh();
    kw_err e = kw_whiskers_draw(p, rows, 3, (struct kw_ratio){1, 0.98, 1.03}, "caption",
                                &page, &note);
    if (kw_failed(e))
        fail_msg("%s", note.text);
    CHECK_HAS(page.text, "first<");
    CHECK_HAS(page.text, "last<");
    CHECK(strstr(page.text, "gone") == NULL);
    CHECK_HAS(page.text, "f-grid"); /* the band of the noise */
    kw_html_wipe(&page);
    CHECK_OK(kw_whiskers_draw(p, rows + 1, 1, (struct kw_ratio){0}, "c", &page, &note));
    CHECK(page.len == 0);
    kw_free(p);
}

KW_CASES("bench/report/plot", CASE(point__not_finite_or_unknown_to_the_scale__left_out),
         CASE(series__all_colors_used__null),
         CASE(draw__no_gnuplot_in_path__missing_and_what_to_install),
         CASE(run__script_that_fails__its_own_words),
         CASE(draw__hostile_names__words_in_the_picture),
         CASE(draw__logarithmic__ticks_at_both_ends),
         CASE(draw__twice_in_a_page__no_name_twice),
         CASE(whiskers__some_unknown__the_known_rows))
