/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"

#include <math.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

struct kw_results *kw_results_new(void)
{
    struct kw_results *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return NULL;
    for (size_t i = 0; i < KW_RESULTS_CELLS; i++)
        for (size_t k = 0; k < KW_RESULTS_FIGURES; k++)
            for (size_t n = 0; n < KW_ROUNDS_MAX; n++)
                r->cell[i].figure[k][n] = NAN;
    return r;
}

void kw_results_free(struct kw_results *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < KW_RESULTS_CELLS; i++) {
        kw_free(r->cell[i].command);
        kw_counts_wipe(&r->cell[i].histogram);
    }
    kw_free(r->command);
    kw_free(r);
}

static bool plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

bool kw_results_is_name(const char *text)
{
    const kw_span s = kw_span_str(text);
    return s.len > 0 && s.len < KW_RESULTS_NAME && kw_span_all(s, plain);
}

void kw_results_text(char *dst, size_t cap, const char *text)
{
    (void)kw_copy_printable(dst, cap, kw_span_str(text));
}

char *kw_results_text_dup(const char *text)
{
    char *copy = kw_strdup(kw_span_str(text));
    if (copy != NULL)
        (void)kw_copy_printable(copy, strlen(copy) + 1, kw_span_str(copy));
    return copy;
}

size_t kw_results_figure(const struct kw_results *r, const char *name)
{
    for (size_t i = 0; i < r->figure_count; i++)
        if (strcmp(r->figure[i], name) == 0)
            return i;
    return KW_RESULTS_FIGURES;
}

size_t kw_results_figure_add(struct kw_results *r, const char *name)
{
    size_t at = kw_results_figure(r, name);
    if (at < KW_RESULTS_FIGURES || r->figure_count == KW_RESULTS_FIGURES ||
        !kw_results_is_name(name))
        return at;
    at = r->figure_count++;
    (void)kw_copy_str(r->figure[at], sizeof r->figure[at], kw_span_str(name));
    return at;
}

const struct kw_results_cell *kw_results_cell(const struct kw_results *r,
                                              const char *name)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (strcmp(r->cell[i].name, name) == 0)
            return &r->cell[i];
    return NULL;
}

size_t kw_results_calm(const struct kw_results *r)
{
    size_t calm = 0;
    for (size_t n = 0; n < r->rounds; n++)
        calm += r->disturbed[n] ? 0 : 1;
    return calm;
}

/* All undisturbed rounds, known or not, so that two cells' values stay pairs. */
static size_t calm_rounds(const struct kw_results *r, const struct kw_results_cell *c,
                          size_t figure, double values[KW_ROUNDS_MAX])
{
    size_t count = 0;
    for (size_t n = 0; figure < KW_RESULTS_FIGURES && n < r->rounds; n++)
        if (!r->disturbed[n])
            values[count++] = c->figure[figure][n];
    return count;
}

size_t kw_results_series(const struct kw_results *r, const struct kw_results_cell *c,
                         size_t figure, double ret_values[KW_ROUNDS_MAX])
{
    double all[KW_ROUNDS_MAX];
    size_t count = calm_rounds(r, c, figure, all), known = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(all[i]))
            ret_values[known++] = all[i];
    return known;
}

struct kw_ratio kw_results_median(const struct kw_results *r,
                                  const struct kw_results_cell *c, size_t figure)
{
    double values[KW_ROUNDS_MAX];
    return kw_median_of(values, kw_results_series(r, c, figure, values));
}

struct kw_ratio kw_results_ratio(const struct kw_results *r,
                                 const struct kw_results_cell *upper,
                                 const struct kw_results_cell *lower, size_t figure)
{
    double above[KW_ROUNDS_MAX], below[KW_ROUNDS_MAX];
    size_t count = calm_rounds(r, upper, figure, above);
    (void)calm_rounds(r, lower, figure, below);
    return kw_ratio_of(above, below, count);
}
