/* SPDX-License-Identifier: Apache-2.0 */
#include "centre.h"

#include <math.h>

#include <keyward/err.h>

#include "spread.h"
#include "student.h"

static size_t trimmed(size_t count)
{
    return count * 15 / 100;
}

static double mean_of(const double *v, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += v[i];
    return sum / (double)count;
}

/* Sum of squares about the mean, the ends pulled in to their inner neighbours. */
static double winsorized(double *sorted, size_t count, size_t cut)
{
    for (size_t i = 0; i < cut; i++) {
        sorted[i] = sorted[cut];
        sorted[count - 1 - i] = sorted[count - 1 - cut];
    }
    double mean = mean_of(sorted, count), sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (sorted[i] - mean) * (sorted[i] - mean);
    return sum;
}

bool kw_centre_of(const double *v, size_t count, struct kw_centre *ret_centre)
{
    double sorted[KW_ROUNDS_MAX];
    KW_INVARIANT(count <= KW_ROUNDS_MAX);
    if (count < KW_CENTRE_LEAST)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(v[i]))
            return false;
        sorted[i] = v[i];
    }
    kw_sort(sorted, count);
    size_t cut = trimmed(count), left = count - 2 * cut;
    double mean = mean_of(sorted + cut, left);
    double squares = winsorized(sorted, count, cut);
    *ret_centre = (struct kw_centre){
        mean, sqrt(squares / ((double)left * (double)(left - 1))), (double)(left - 1)};
    return true;
}

struct kw_centre kw_centre_between(struct kw_centre from, struct kw_centre to)
{
    double a = from.error * from.error, b = to.error * to.error;
    struct kw_centre c = {to.mean - from.mean, sqrt(a + b), from.freedom + to.freedom};
    if (c.error > 0) { /* by shares: the square of a small square is 0 */
        double share = a / (a + b), rest = 1 - share;
        c.freedom = 1 / (share * share / from.freedom + rest * rest / to.freedom);
    }
    return c;
}

double kw_centre_above(const struct kw_centre *c, double bound)
{
    double off = c->mean - bound;
    if (c->error > 0)
        return kw_student_above(off / c->error, c->freedom);
    if (off > 0)
        return 0;
    return off < 0 ? 1 : 0.5;
}

double kw_centre_reach(const struct kw_centre *c, double p)
{
    return c->error > 0 ? c->error * kw_student_at(p, c->freedom) : 0;
}
