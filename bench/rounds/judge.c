/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

static const double slow_pulse = 1.15, quiet_pulse = 1.05, quiet_noise = 0.05,
                    worst_noise = 0.25;
static const char rule[] =
    "a round is disturbed when at least a tenth of its pulses took "
    "more than 1.15 of the median of all pulses of the run";

/* Of all the run's pulses. */
struct pulses {
    double median;
    double high; /* 95 % are at most so many medians */
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static kw_err read_pulses(const struct kw_results *r, struct pulses *ret_pulses)
{
    const size_t all = r->rounds * r->cell_count;
    double *sorted = kw_new(all + 1, sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "judge");
    for (size_t n = 0; n < r->rounds; n++)
        for (size_t i = 0; i < r->cell_count; i++)
            if (!isnan(r->pulse_ns[n][i]))
                sorted[count++] = r->pulse_ns[n][i];
    qsort(sorted, count, sizeof *sorted, by_size);
    *ret_pulses = (struct pulses){0, 0};
    if (count > 0 && sorted[count / 2] > 0) {
        ret_pulses->median = sorted[count / 2];
        ret_pulses->high = sorted[(count * 95 - 1) / 100] / ret_pulses->median;
    }
    kw_free(sorted);
    return KW_OK;
}

/* Rule 1. */
static void judge_round(struct kw_results *r, size_t n, double median)
{
    size_t slow = 0;
    double worst = 0;
    for (size_t i = 0; i < r->cell_count; i++) {
        slow += r->pulse_ns[n][i] > slow_pulse * median ? 1 : 0;
        worst = fmax(worst, r->pulse_ns[n][i]);
    }
    r->disturbed[n] = slow > 0 && slow * 10 >= r->cell_count;
    r->why[n][0] = '\0';
    if (r->disturbed[n])
        snprintf(r->why[n], sizeof r->why[n],
                 "%zu of %zu pulses over 1.15 of the median, the worst %.2f", slow,
                 r->cell_count, worst / median);
}

static const struct kw_results_cell *control_of(const struct kw_results *r)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (r->cell[i].control)
            return &r->cell[i];
    return NULL;
}

static void judge_noise(struct kw_results *r)
{
    const struct kw_results_cell *base = kw_results_cell(r, r->control),
                                 *control = control_of(r);
    for (size_t k = 0; k < r->figure_count; k++)
        r->noise[k] = base != NULL && control != NULL
                          ? kw_results_ratio(r, control, base, k)
                          : (struct kw_ratio){0};
}

/* How far the control's interval reaches away from 1; HUGE_VAL: nobody knows. */
static double noise_of(const struct kw_results *r)
{
    static const char *const names[] = {"cpu_us", "calls_per_s"};
    for (size_t i = 0; i < 2; i++) {
        const size_t k = kw_results_figure(r, names[i]);
        if (k < KW_RESULTS_FIGURES && r->noise[k].mid > 0)
            return fmax(r->noise[k].high - 1, 1 - r->noise[k].low);
    }
    return HUGE_VAL;
}

/* Rules 2 to 4. */
static const char *verdict_of(const struct kw_results *r, const struct pulses *p,
                              double noise)
{
    const size_t disturbed = r->rounds - kw_results_calm(r);
    const bool known = noise < HUGE_VAL;
    if (disturbed * 2 >= r->rounds || (known && noise > worst_noise))
        return "unusable";
    if (r->rounds >= KW_JUDGE_LEAST && disturbed * 8 <= r->rounds &&
        p->high <= quiet_pulse && noise <= quiet_noise)
        return "quiet";
    return "restless";
}

static void judge_quiet(struct kw_results *r, const struct pulses *p)
{
    char control[48] = "not known";
    if (r->rounds == 0) {
        (void)kw_copy_str(r->quiet, sizeof r->quiet, kw_span_str("unusable"));
        (void)kw_copy_str(r->quiet_words, sizeof r->quiet_words,
                          kw_span_str("no round is whole"));
        return;
    }
    const double noise = noise_of(r);
    const size_t disturbed = r->rounds - kw_results_calm(r);
    (void)kw_copy_str(r->quiet, sizeof r->quiet, kw_span_str(verdict_of(r, p, noise)));
    if (noise < HUGE_VAL)
        snprintf(control, sizeof control, "within %.1f %% of its twin", 100 * noise);
    snprintf(r->quiet_words, sizeof r->quiet_words,
             "%zu of %zu rounds disturbed, 95 %% of the pulses within %.1f %% of their "
             "median, the control %s%s",
             disturbed, r->rounds, p->high > 1 ? 100 * (p->high - 1) : 0.0, control,
             r->rounds < KW_JUDGE_LEAST ? "; fewer than 6 rounds cannot be called quiet"
                                        : "");
}

kw_err kw_judge(struct kw_results *r)
{
    struct pulses p;
    kw_err e = read_pulses(r, &p);
    if (kw_failed(e))
        return e;
    (void)kw_copy_str(r->pulse_rule, sizeof r->pulse_rule, kw_span_str(rule));
    for (size_t n = 0; n < r->rounds; n++)
        judge_round(r, n, p.median);
    judge_noise(r);
    judge_quiet(r, &p);
    return KW_OK;
}

/* Rounds in which both are known and nothing was disturbed. */
static size_t pairs_of(const struct kw_results *r, const struct kw_results_cell *a,
                       const struct kw_results_cell *b, size_t figure)
{
    size_t pairs = 0;
    for (size_t n = 0; n < r->rounds; n++)
        if (!r->disturbed[n] && a->figure[figure][n] > 0 && b->figure[figure][n] > 0)
            pairs++;
    return pairs;
}

double kw_judge_width(const struct kw_results *r)
{
    const struct kw_results_cell *base = kw_results_cell(r, r->base);
    const size_t cpu = kw_results_figure(r, "cpu_us");
    double most = 0;
    for (size_t i = 0; i < r->cell_count; i++) {
        const struct kw_results_cell *c = &r->cell[i];
        if (!c->primary || c == base)
            continue;
        if (base == NULL || cpu == KW_RESULTS_FIGURES ||
            pairs_of(r, c, base, cpu) < KW_JUDGE_LEAST)
            return HUGE_VAL;
        most = fmax(most, kw_ratio_reach(kw_results_ratio(r, c, base, cpu)));
    }
    return most;
}
