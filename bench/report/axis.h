/* SPDX-License-Identifier: Apache-2.0 */
/* axis - the range of a plot's side, its ticks, and numbers as people read them
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_AXIS_H
#define KEYWARD_BENCH_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum kw_scale {
    KW_SCALE_LINEAR,     /* from 0                                             */
    KW_SCALE_LOG2,       /* how many: 1 2 4 8 …                                */
    KW_SCALE_LOG10,      /* values above 0                                     */
    KW_SCALE_PERCENTILE, /* of x = 1 / (1 - share): 1 is 0 %, 100 is 99 %      */
};

enum kw_unit {
    KW_UNIT_COUNT,   /* 12,500                        */
    KW_UNIT_US,      /* microseconds: 1.2 ms, 300 µs  */
    KW_UNIT_MS,      /* milliseconds, told as those   */
    KW_UNIT_PERCENT, /* of a share: 0.25 is 25 %      */
    KW_UNIT_RATIO,   /* 1.23×                         */
};

enum { KW_TICKS_MAX = 16, KW_NUMBER_MAX = 32 };

struct kw_tick {
    double at;
    char text[KW_NUMBER_MAX];
};

struct kw_axis {
    const char *label; /* literal */
    enum kw_scale scale;
    enum kw_unit unit;
    double low, high; /* set by kw_axis_fit */
    struct kw_tick tick[KW_TICKS_MAX];
    size_t tick_count;
};

/* Makes room for values from least to most and sets the ticks.  On scales that know no 0
 * both must be above it.  Neither is beyond 1e15. */
void kw_axis_fit(struct kw_axis *a, double least, double most);

/* Where v lies between low (0) and high (1). */
double kw_axis_place(const struct kw_axis *a, double v);

/* A number with its unit, to about three digits. */
void kw_number_text(char text[KW_NUMBER_MAX], double v, enum kw_unit unit);

/* Moves places (0..1, any order) as little as it takes for neighbours to be `gap` apart
 * and all of them within 0..1; when there is no room for that the gap is smaller. */
void kw_spread_out(double *place, size_t count, double gap);

#endif
