/* SPDX-License-Identifier: Apache-2.0 */
/* What the rounds say: the machine's mood first, then medians, ratios and the noise. */
#include <stdio.h>

#include "judge.h"
#include "rounds.h"

enum { COLUMNS = 8, COMPARED = 4 };

/* In this order, as far as some cell has them; then whatever else there is. */
static const char *const wanted[] = {"calls_per_s", "p50_us",    "p99_us",
                                     "cpu_us",      "server_us", "workers_us",
                                     "switches",    "client_us"};

static size_t columns_of(const struct kw_results *r, size_t columns[COLUMNS])
{
    bool taken[KW_RESULTS_FIGURES] = {false};
    size_t count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const size_t k = kw_results_figure(r, wanted[i]);
        if (k < KW_RESULTS_FIGURES) {
            columns[count++] = k;
            taken[k] = true;
        }
    }
    for (size_t k = 0; k < r->figure_count && count < COLUMNS; k++)
        if (!taken[k])
            columns[count++] = k;
    return count;
}

/* "12.34 ±2.1%": how far the interval reaches from its middle. */
static void median_text(char *dst, size_t cap, const struct kw_results *r,
                        const struct kw_results_cell *c, size_t figure)
{
    double values[KW_ROUNDS_MAX];
    const size_t known = kw_results_series(r, c, figure, values);
    const struct kw_ratio x = kw_median_of(values, known);
    if (known > 0 && !(x.mid > 0))
        snprintf(dst, cap, "%.2f", x.mid);
    else if (known > 0)
        snprintf(dst, cap, x.mid >= 10000 ? "%.0f ±%.1f%%" : "%.2f ±%.1f%%", x.mid,
                 100 * kw_ratio_reach(x));
    else
        snprintf(dst, cap, "-");
}

static void ratio_text(char *dst, size_t cap, const struct kw_ratio *x)
{
    if (x->mid > 0)
        snprintf(dst, cap, "%.3f (%.3f-%.3f)", x->mid, x->low, x->high);
    else
        snprintf(dst, cap, "-");
}

/* ± is two bytes and one column. */
static void print_right(const char *text, int width)
{
    int bytes = 0;
    for (const char *at = text; *at != '\0'; at++)
        bytes += ((unsigned char)*at & 0xc0u) == 0x80u ? 1 : 0;
    printf(" %*s", width + bytes, text);
}

static void medians(const struct kw_results *r, const size_t *columns, size_t count)
{
    char text[64];
    printf("%-20s", "medians");
    for (size_t k = 0; k < count; k++)
        print_right(r->figure[columns[k]], 17);
    putchar('\n');
    for (size_t i = 0; i < r->cell_count; i++) {
        printf("%-19s%c", r->cell[i].name, r->cell[i].primary ? '*' : ' ');
        for (size_t k = 0; k < count; k++) {
            median_text(text, sizeof text, r, &r->cell[i], columns[k]);
            print_right(text, 17);
        }
        putchar('\n');
    }
}

static void ratios(const struct kw_results *r, const size_t *columns, size_t count)
{
    char text[64], title[80];
    count = count < COMPARED ? count : COMPARED;
    snprintf(title, sizeof title, "ratio to %s", r->base);
    printf("\n%-20s", title);
    for (size_t k = 0; k < count; k++)
        print_right(r->figure[columns[k]], 21);
    putchar('\n');
    for (size_t i = 1; i < r->cell_count; i++) {
        printf("%-20s", r->cell[i].name);
        for (size_t k = 0; k < count; k++) {
            const struct kw_ratio x =
                kw_results_ratio(r, &r->cell[i], &r->cell[0], columns[k]);
            ratio_text(text, sizeof text, &x);
            print_right(text, 21);
        }
        putchar('\n');
    }
}

static void noise(const struct kw_results *r, const size_t *columns, size_t count)
{
    printf("\nnoise floor (%s once more, as the control):", r->control);
    for (size_t k = 0; k < count && k < COMPARED; k++) {
        const struct kw_ratio *x = &r->noise[columns[k]];
        if (x->mid > 0)
            printf(" %s %.3f-%.3f", r->figure[columns[k]], x->low, x->high);
    }
    puts("; what lies within is no difference");
}

static void troubles(const struct kw_results *r)
{
    for (size_t n = 0; n < r->rounds; n++)
        if (r->disturbed[n])
            printf("round %zu left out: %s\n", n, r->why[n]);
    for (size_t i = 0; i < r->cell_count; i++)
        if (r->cell[i].failures > 0)
            printf("%s failed in %llu of %zu rounds; %s\n", r->cell[i].name,
                   (unsigned long long)r->cell[i].failures, r->rounds,
                   r->cell[i].failure);
}

void kw_rounds_table(const struct kw_rounds *rounds)
{
    const struct kw_results *r = rounds->results;
    size_t columns[COLUMNS], count = columns_of(r, columns);
    printf("%s: %s\n", r->quiet, r->quiet_words);
    printf("layout %s: %s\n", r->layout.name, r->layout.words);
    if (r->partial)
        printf("PARTIAL: %zu rounds: %s\n", r->rounds, r->fault);
    else if (r->fault[0] != '\0')
        printf("%s\n", r->fault);
    putchar('\n');
    if (r->rounds == 0)
        return;
    medians(r, columns, count);
    ratios(r, columns, count);
    noise(r, columns, count);
    troubles(r);
    printf(
        "medians and their 95 %% intervals (bootstrap) over %zu of %zu rounds, %.0f s\n",
        kw_results_calm(r), r->rounds, r->elapsed_s);
}
