/* SPDX-License-Identifier: Apache-2.0 */
/* What the rounds say: medians, ratios to the first configuration, and the noise. */
#include <stdio.h>

#include "rounds.h"

static const enum kw_figure compared[] = {KW_FIGURE_RATE, KW_FIGURE_P50, KW_FIGURE_P99,
                                          KW_FIGURE_CPU};
enum { COMPARED = sizeof compared / sizeof compared[0] };

static struct kw_ratio ratio(const struct kw_rounds *r, size_t i, enum kw_figure figure)
{
    return kw_ratio_of(r->configuration[i].figure[figure],
                       r->configuration[0].figure[figure], r->done);
}

static void medians(const struct kw_rounds *r)
{
    printf("%-16s", "medians");
    for (size_t k = 0; k < KW_FIGURES; k++)
        printf(" %11s", kw_figure_names[k]);
    putchar('\n');
    for (size_t i = 0; i < r->configuration_count; i++) {
        printf("%-16s", r->configuration[i].name);
        for (size_t k = 0; k < KW_FIGURES; k++) {
            double m = kw_median(r->configuration[i].figure[k], r->done);
            printf(m >= 10000 ? " %11.0f" : " %11.2f", m);
        }
        putchar('\n');
    }
}

static void ratios(const struct kw_rounds *r)
{
    printf("\n%-16s", "ratio to first");
    for (size_t k = 0; k < COMPARED; k++)
        printf(" %20s", kw_figure_names[compared[k]]);
    putchar('\n');
    for (size_t i = 1; i < r->configuration_count; i++) {
        printf("%-16s", r->configuration[i].name);
        for (size_t k = 0; k < COMPARED; k++) {
            struct kw_ratio x = ratio(r, i, compared[k]);
            char text[32];
            snprintf(text, sizeof text, "%.2f (%.2f-%.2f)", x.mid, x.low, x.high);
            printf(" %20s", x.mid > 0 ? text : "-");
        }
        putchar('\n');
    }
}

void kw_rounds_table(const struct kw_rounds *r)
{
    if (r->done < r->wanted)
        printf("PARTIAL: %zu of %zu rounds\n", r->done, r->wanted);
    if (r->done == 0)
        return;
    medians(r);
    ratios(r);
    printf("\nintervals: 95 %%, bootstrap over %zu rounds; control is %s once more: what "
           "it differs from 1 is noise\n",
           r->done, r->configuration[0].name);
}

static json_t *document_of(const struct kw_rounds *r, size_t i)
{
    const struct kw_configuration *c = &r->configuration[i];
    json_t *figures = json_object();
    for (size_t k = 0; k < KW_FIGURES; k++) {
        struct kw_ratio x = ratio(r, i, (enum kw_figure)k);
        json_t *rounds = json_array();
        for (size_t n = 0; n < r->done; n++)
            json_array_append_new(rounds, json_real(c->figure[k][n]));
        json_object_set_new(
            figures, kw_figure_names[k],
            json_pack("{s:f, s:[f,f,f], s:o}", "median", kw_median(c->figure[k], r->done),
                      "ratio_low_mid_high", x.low, x.mid, x.high, "rounds", rounds));
    }
    json_t *words = json_array();
    for (size_t n = 1; c->words[n] != NULL; n++)
        json_array_append_new(words, json_string(c->words[n]));
    return json_pack("{s:s, s:o, s:o}", "name", c->name, "words", words, "figures",
                     figures);
}

json_t *kw_rounds_document(const struct kw_rounds *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->configuration_count; i++)
        json_array_append_new(all, document_of(r, i));
    return json_pack("{s:s, s:i, s:s, s:b, s:I, s:I, s:o}", "tool",
                     "keyward-bench rounds", "schema", 1, "version", KW_VERSION,
                     "partial", r->done < r->wanted, "rounds", (json_int_t)r->done,
                     "failures", (json_int_t)r->failures, "configurations", all);
}
