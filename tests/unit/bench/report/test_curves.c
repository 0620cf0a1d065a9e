/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include <keyward/alloc.h>

#include "curves.h"

static struct kw_plot *plot(void)
{
    struct kw_plot *p = kw_new(1, sizeof *p);
    CHECK(p != NULL);
    p->x.scale = KW_SCALE_PERCENTILE;
    p->y.scale = KW_SCALE_LOG10;
    return p;
}

static void percentiles__a_hundred_calls__nothing_to_tell(void **state)
{
    (void)state;
    struct kw_count bucket[] = {{1000, 100}};
    struct kw_plot *p = plot();
    struct kw_series *s = kw_plot_series(p, "a");
    kw_curve_percentiles(&(struct kw_counts){bucket, 1}, p, s);
    CHECK(s->count == 0);
    kw_curve_percentiles(&(struct kw_counts){NULL, 0}, p, s);
    CHECK(s->count == 0);
    kw_free(p);
}

/* Of 10000 calls half take 1 µs, 90 % at most 2, 99 % at most 5, the rest 100 µs. */
static void percentiles__known_counts__known_points(void **state)
{
    (void)state;
    struct kw_count bucket[] = {{1000, 5000}, {2000, 4000}, {5000, 900}, {100000, 100}};
    static const struct kw_point want[] = {
        {.x = 1, .y = 1}, {.x = 2, .y = 1}, {.x = 10, .y = 2}, {.x = 100, .y = 5}};
    struct kw_plot *p = plot();
    struct kw_series *s = kw_plot_series(p, "a");
    kw_curve_percentiles(&(struct kw_counts){bucket, 4}, p, s);
    CHECK(s->count == 4); /* beyond 99 % there are only 100 calls */
    for (size_t i = 0; i < 4; i++)
        CHECK(fabs(s->point[i].x - want[i].x) < 1e-9 &&
              fabs(s->point[i].y - want[i].y) < 1e-9);
    kw_free(p);
}

static void percentiles__many_buckets__thinned_to_what_fits(void **state)
{
    enum { BUCKETS = 4000 };
    (void)state;
    struct kw_count *bucket = kw_new(BUCKETS, sizeof *bucket);
    struct kw_plot *p = plot();
    struct kw_series *s = kw_plot_series(p, "a");
    for (size_t i = 0; i < BUCKETS; i++)
        bucket[i] = (struct kw_count){1000 + i * 10, BUCKETS - i};
    kw_curve_percentiles(&(struct kw_counts){bucket, BUCKETS}, p, s);
    CHECK(s->count > 100 && s->count < KW_POINTS_MAX);
    for (size_t i = 1; i < s->count; i++)
        CHECK(s->point[i].x > s->point[i - 1].x && s->point[i].y >= s->point[i - 1].y);
    kw_free(bucket);
    kw_free(p);
}

static void knee__too_little_known__unknown(void **state)
{
    (void)state;
    double rate = -1;
    struct kw_offer one[] = {{100, 100, 5}};
    struct kw_offer holes[] = {{100, 100, 5}, {200, (double)NAN, 5}};
    CHECK(kw_curve_knee(one, 1, &rate) == KW_KNEE_UNKNOWN);
    CHECK(kw_curve_knee(holes, 2, &rate) == KW_KNEE_UNKNOWN);
    CHECK(kw_curve_knee(NULL, 0, &rate) == KW_KNEE_UNKNOWN);
    CHECK(rate < 0);
}

static void knee__goodput_falls_behind__last_rate_before(void **state)
{
    (void)state;
    double rate = 0;
    struct kw_offer o[] = {{400, 300, 5}, {100, 100, 5}, {300, 286, 5}, {200, 200, 5}};
    CHECK(kw_curve_knee(o, 4, &rate) == KW_KNEE_FOUND);
    CHECK(fabs(rate - 300) < 1e-9); /* 95.3 % of it came back */
    CHECK(fabs(o[0].rate - 100) < 1e-9);
}

static void knee__p99_runs_away__last_rate_before(void **state)
{
    (void)state;
    double rate = 0;
    struct kw_offer o[] = {{100, 100, 5}, {200, 200, 50}, {300, 300, 51}};
    CHECK(kw_curve_knee(o, 3, &rate) == KW_KNEE_FOUND);
    CHECK(fabs(rate - 200) < 1e-9);
}

static void knee__p99_not_known__goodput_alone_speaks(void **state)
{
    (void)state;
    double rate = 0;
    struct kw_offer o[] = {{100, 100, (double)NAN}, {200, 200, 9}, {300, 10, 9}};
    CHECK(kw_curve_knee(o, 3, &rate) == KW_KNEE_FOUND);
    CHECK(fabs(rate - 200) < 1e-9);
}

static void knee__all_or_none_served__above_or_below(void **state)
{
    (void)state;
    double rate = 0;
    struct kw_offer all[] = {{100, 100, 5}, {200, 199, 6}};
    struct kw_offer none[] = {{100, 50, 5}, {200, 50, 6}};
    CHECK(kw_curve_knee(all, 2, &rate) == KW_KNEE_ABOVE);
    CHECK(kw_curve_knee(none, 2, &rate) == KW_KNEE_BELOW);
}

KW_CASES("bench/report/curves", CASE(percentiles__a_hundred_calls__nothing_to_tell),
         CASE(percentiles__known_counts__known_points),
         CASE(percentiles__many_buckets__thinned_to_what_fits),
         CASE(knee__too_little_known__unknown),
         CASE(knee__goodput_falls_behind__last_rate_before),
         CASE(knee__p99_runs_away__last_rate_before),
         CASE(knee__p99_not_known__goodput_alone_speaks),
         CASE(knee__all_or_none_served__above_or_below))
