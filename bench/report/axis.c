/* SPDX-License-Identifier: Apache-2.0 */
#include "axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <keyward/err.h>

/* ---- numbers -------------------------------------------------------------------------
 */

/* Thousands by commas, for a whole number of up to fifteen digits. */
static void grouped(char text[KW_NUMBER_MAX], double v)
{
    char plain[KW_NUMBER_MAX];
    int n = snprintf(plain, sizeof plain, "%.0f", fabs(v));
    size_t at = 0;
    if (v < 0)
        text[at++] = '-';
    for (int i = 0; i < n && at + 2 < KW_NUMBER_MAX; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = '\0';
}

/* Three digits, no exponent, no zeros at the end of a fraction. */
static void digits(char text[KW_NUMBER_MAX], double v)
{
    double size = fabs(v);
    if (size >= 999.5 && size < 1e15) {
        grouped(text, v);
        return;
    }
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
    if (size >= 1e15 || (size > 0 && size < 0.001))
        snprintf(text, KW_NUMBER_MAX, "%.2g", v);
    else
        snprintf(text, KW_NUMBER_MAX, "%.*f", decimals, v);
    if (strchr(text, '.') == NULL || strchr(text, 'e') != NULL)
        return;
    size_t len = strlen(text);
    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

static void time_text(char text[KW_NUMBER_MAX], double us)
{
    double size = fabs(us);
    char number[KW_NUMBER_MAX];
    const char *unit = "µs";
    if (!(size > 0)) {
        snprintf(text, KW_NUMBER_MAX, "0"); /* of whatever */
        return;
    }
    if (size >= 999.5e3) {
        us /= 1e6;
        unit = "s";
    } else if (size >= 999.5) {
        us /= 1e3;
        unit = "ms";
    } else if (size < 0.9995) {
        us *= 1e3;
        unit = "ns";
    }
    digits(number, us);
    snprintf(text, KW_NUMBER_MAX, "%.24s\u00a0%s", number, unit);
}

void kw_number_text(char text[KW_NUMBER_MAX], double v, enum kw_unit unit)
{
    char number[KW_NUMBER_MAX];
    if (!isfinite(v)) {
        snprintf(text, KW_NUMBER_MAX, "–");
        return;
    }
    switch (unit) {
    case KW_UNIT_COUNT: digits(text, v); return;
    case KW_UNIT_US: time_text(text, v); return;
    case KW_UNIT_MS: time_text(text, v * 1000); return;
    case KW_UNIT_PERCENT:
        digits(number, v * 100);
        snprintf(text, KW_NUMBER_MAX, "%.24s\u00a0%%", number);
        return;
    case KW_UNIT_RATIO:
        /* Two decimals near 1, so that a column of them reads as a column. */
        if (fabs(v) < 9.995)
            snprintf(number, sizeof number, "%.2f", v);
        else
            digits(number, v);
        snprintf(text, KW_NUMBER_MAX, "%.24s×", number);
        return;
    }
}

/* ---- ranges and ticks ----------------------------------------------------------------
 */

static void tick_add(struct kw_axis *a, double at)
{
    if (a->tick_count >= KW_TICKS_MAX)
        return;
    struct kw_tick *t = &a->tick[a->tick_count++];
    t->at = at;
    kw_number_text(t->text, at, a->unit);
}

/* 1, 2 or 5 times a power of ten, so that `span` has four to eight of them. */
static double step_of(double span)
{
    double raw = span / 5, power = pow(10, floor(log10(raw))), part = raw / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void fit_linear(struct kw_axis *a, double least, double most)
{
    if (least > 0)
        least = 0;
    if (!(most - least > 1e-9))
        most = least + 1;
    double step = step_of(most - least);
    double first = floor(least / step), last = ceil(most / step - 1e-9);
    a->low = first * step;
    a->high = last * step;
    for (int i = 0; i <= (int)(last - first); i++)
        tick_add(a, (first + i) * step);
}

/* Ticks at powers of two, thinned to what fits; a little air at both ends. */
static void fit_log2(struct kw_axis *a, double least, double most)
{
    int first = (int)floor(log2(least) + 1e-9), last = (int)ceil(log2(most) - 1e-9);
    int step = last >= first ? (last - first) / 8 + 1 : 1;
    a->low = least / 1.12;
    a->high = most * 1.12;
    for (int k = first; k <= last; k += step)
        if (exp2(k) >= a->low && exp2(k) <= a->high)
            tick_add(a, exp2(k));
}

/* From a 1, 2 or 5 below to one above; over more than two decades ticks at tens only. */
static void fit_log10(struct kw_axis *a, double least, double most)
{
    static const double part[] = {1, 2, 5};
    int first = (int)floor(log10(least) + 1e-9), last = (int)floor(log10(most) - 1e-9);
    a->low = pow(10, first);
    a->high = pow(10, last + 1);
    bool dense = most / least < 100;
    for (int k = 1; k < 3; k++) {
        if (least >= part[k] * pow(10, first) * (1 - 1e-9))
            a->low = part[k] * pow(10, first);
        if (most <= part[3 - k] * pow(10, last) * (1 + 1e-9))
            a->high = part[3 - k] * pow(10, last);
    }
    if (!(a->high > a->low))
        a->high = a->low * 2;
    for (int k = first; k <= last + 1; k++)
        for (int i = 0; i < (dense ? 3 : 1); i++) {
            double at = part[i] * pow(10, k);
            if (at >= a->low * (1 - 1e-9) && at <= a->high * (1 + 1e-9))
                tick_add(a, at);
        }
}

static void fit_percentile(struct kw_axis *a, double most)
{
    static const struct {
        double at;
        const char *text;
    } known[] = {{1, "0\u00a0%"},        {2, "50\u00a0%"},       {10, "90\u00a0%"},
                 {100, "99\u00a0%"},     {1000, "99.9\u00a0%"},  {1e4, "99.99\u00a0%"},
                 {1e5, "99.999\u00a0%"}, {1e6, "99.9999\u00a0%"}};
    a->low = 1;
    a->high = most > 2 ? most : 2;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].at > a->high * 1.001)
            break;
        struct kw_tick *t = &a->tick[a->tick_count++];
        t->at = known[i].at;
        snprintf(t->text, sizeof t->text, "%s", known[i].text);
    }
}

void kw_axis_fit(struct kw_axis *a, double least, double most)
{
    a->tick_count = 0;
    KW_INVARIANT(isfinite(least) && isfinite(most) && least <= most);
    KW_INVARIANT(a->scale == KW_SCALE_LINEAR || least > 0);
    switch (a->scale) {
    case KW_SCALE_LINEAR: fit_linear(a, least, most); return;
    case KW_SCALE_LOG2: fit_log2(a, least, most); return;
    case KW_SCALE_LOG10: fit_log10(a, least, most); return;
    case KW_SCALE_PERCENTILE: fit_percentile(a, most); return;
    }
}

double kw_axis_place(const struct kw_axis *a, double v)
{
    if (a->scale == KW_SCALE_LINEAR)
        return (v - a->low) / (a->high - a->low);
    return log(v / a->low) / log(a->high / a->low);
}

/* ---- labels --------------------------------------------------------------------------
 */

/* Insertion sort of positions: there are at most a dozen. */
static void order(const double *place, size_t count, size_t *by)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = i;
        for (; k > 0 && place[by[k - 1]] > place[i]; k--)
            by[k] = by[k - 1];
        by[k] = i;
    }
}

void kw_spread_out(double *place, size_t count, double gap)
{
    enum { MOST = 64 };
    size_t by[MOST];
    KW_INVARIANT(count <= MOST);
    if (count == 0)
        return;
    if (gap * (double)(count - 1) > 1)
        gap = 1 / (double)(count - 1);
    order(place, count, by);
    /* Up from the bottom, then down from the top: what was far enough stays. */
    double floor_at = 0;
    for (size_t i = 0; i < count; i++) {
        if (place[by[i]] < floor_at)
            place[by[i]] = floor_at;
        floor_at = place[by[i]] + gap;
    }
    double ceiling = 1;
    for (size_t i = count; i-- > 0;) {
        if (place[by[i]] > ceiling)
            place[by[i]] = ceiling;
        ceiling = place[by[i]] - gap;
    }
}
