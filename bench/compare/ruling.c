/* SPDX-License-Identifier: Apache-2.0 */
#include "ruling.h"

#include <math.h>

#include <keyward/err.h>

static const double error_rate = 0.05;

const char *const kw_ruling_words[KW_RULINGS] = {"cannot tell", "same", "slower",
                                                 "faster"};

void kw_rule_interval(struct kw_ruled *j)
{
    double low = INFINITY, high = -INFINITY;
    KW_INVARIANT(j->way_count >= 1 && j->way_count <= KW_WAYS_MAX);
    for (size_t i = 0; i < j->way_count; i++) {
        double reach = kw_centre_reach(&j->way[i], error_rate);
        low = fmin(low, j->way[i].mean - reach);
        high = fmax(high, j->way[i].mean + reach);
    }
    j->mid = exp(j->way[0].mean);
    j->low = exp(low);
    j->high = exp(high);
}

/* Chance of so much in this direction were there no difference; the way that is less
 * sure counts. */
static double chance(const struct kw_ruled *j, double direction)
{
    double p = 0;
    for (size_t i = 0; i < j->way_count; i++) {
        struct kw_centre c = j->way[i];
        c.mean *= direction;
        p = fmax(p, kw_centre_above(&c, 0));
    }
    return p;
}

/* Holm: the smallest p counts `count` times, the next one time less, and none less than
 * one that was smaller. */
static void correct(double *p, size_t count)
{
    bool done[KW_RULED_MAX] = {false};
    double least = 0;
    for (size_t left = count; left > 0; left--) {
        size_t at = count;
        for (size_t i = 0; i < count; i++)
            if (!done[i] && (at == count || p[i] < p[at]))
                at = i;
        done[at] = true;
        least = fmax(least, fmin(1, p[at] * (double)left));
        p[at] = least;
    }
}

static enum kw_ruling verdict_of(const struct kw_ruled *j, double threshold)
{
    double above = 1 + threshold, below = 1 / above;
    if (j->low > above && j->slower_p <= error_rate)
        return KW_RULING_SLOWER;
    if (j->high < below && j->faster_p <= error_rate)
        return KW_RULING_FASTER;
    if (j->low >= below && j->high <= above)
        return KW_RULING_SAME;
    return KW_RULING_CANNOT_TELL;
}

void kw_rule(struct kw_ruled *const *judged, size_t count, double threshold)
{
    double slower[KW_RULED_MAX], faster[KW_RULED_MAX];
    KW_INVARIANT(count <= KW_RULED_MAX && threshold > 0);
    for (size_t i = 0; i < count; i++) {
        slower[i] = chance(judged[i], 1);
        faster[i] = chance(judged[i], -1);
    }
    correct(slower, count);
    correct(faster, count);
    for (size_t i = 0; i < count; i++) {
        judged[i]->slower_p = slower[i];
        judged[i]->faster_p = faster[i];
        kw_rule_interval(judged[i]);
        judged[i]->verdict = verdict_of(judged[i], threshold);
    }
}
