/* SPDX-License-Identifier: Apache-2.0 */
#include "spread.h"

#include <math.h>
#include <stdlib.h>

#include <keyward/err.h>

#include "draw.h"

enum { DRAWS = 2000 };

double kw_ratio_reach(struct kw_ratio x)
{
    return x.mid > 0 ? fmax(x.high / x.mid - 1, 1 - x.low / x.mid) : HUGE_VAL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void kw_sort(double *v, size_t count)
{
    qsort(v, count, sizeof v[0], by_size);
}

static double middle(const double *sorted, size_t count)
{
    if (count == 0)
        return 0;
    if (count % 2 == 1)
        return sorted[count / 2];
    return (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double kw_median(const double *v, size_t count)
{
    double sorted[KW_ROUNDS_MAX];
    KW_INVARIANT(count <= KW_ROUNDS_MAX);
    for (size_t i = 0; i < count; i++)
        sorted[i] = v[i];
    kw_sort(sorted, count);
    return middle(sorted, count);
}

static double redrawn(const double *v, size_t count, uint64_t *state)
{
    double again[KW_ROUNDS_MAX];
    for (size_t i = 0; i < count; i++)
        again[i] = v[kw_draw(state) % count];
    return kw_median(again, count);
}

/* The middle of v[0..count) and where 95 % of the redrawn middles lie. */
static struct kw_ratio drawn(const double *v, size_t count)
{
    double medians[DRAWS];
    uint64_t state = 1;
    if (count == 0)
        return (struct kw_ratio){0};
    for (size_t i = 0; i < DRAWS; i++)
        medians[i] = redrawn(v, count, &state);
    kw_sort(medians, DRAWS);
    return (struct kw_ratio){kw_median(v, count), medians[DRAWS / 40],
                             medians[DRAWS - 1 - DRAWS / 40]};
}

struct kw_ratio kw_median_of(const double *v, size_t count)
{
    double known[KW_ROUNDS_MAX];
    size_t n = 0;
    KW_INVARIANT(count <= KW_ROUNDS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!isnan(v[i]))
            known[n++] = v[i];
    return drawn(known, n);
}

struct kw_ratio kw_ratio_of(const double *upper, const double *lower, size_t count)
{
    double logs[KW_ROUNDS_MAX];
    size_t n = 0;
    KW_INVARIANT(count <= KW_ROUNDS_MAX);
    for (size_t i = 0; i < count; i++)
        if (upper[i] > 0 && lower[i] > 0)
            logs[n++] = log(upper[i] / lower[i]);
    if (n == 0)
        return (struct kw_ratio){0};
    const struct kw_ratio x = drawn(logs, n);
    return (struct kw_ratio){exp(x.mid), exp(x.low), exp(x.high)};
}
