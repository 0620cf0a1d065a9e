/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison says, to people and to programs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

static const char *verdict_words(const struct kw_comparison *c,
                                 const struct kw_compared *x)
{
    if (!x->primary || x->why[0] != '\0')
        return "-";
    return kw_ruling_words[c->unusable ? KW_RULING_CANNOT_TELL
                                       : x->figure[KW_WEIGHED_CPU].verdict];
}

/* ---- for people -----------------------------------------------------------------------
 */

static void side(const char *which, const struct kw_profile *p)
{
    printf("%s  %s: commit %s, %s, %zu undisturbed rounds\n", which, p->name, p->commit,
           p->began, p->rounds);
}

static void cell_line(const struct kw_comparison *c, const struct kw_compared *x)
{
    printf("%-20s", x->name);
    if (x->why[0] != '\0') {
        printf("   not compared: %s\n", x->why);
        return;
    }
    for (size_t f = 0; f < KW_WEIGHED_COUNT; f++) {
        const struct kw_ruled *j = &x->figure[f];
        char text[48] = "-";
        if (x->known[f])
            snprintf(text, sizeof text, "%.3f (%.3f-%.3f)", j->mid, j->low, j->high);
        printf(" %21s", text);
        if (f == KW_WEIGHED_CPU)
            printf("  %-11s", verdict_words(c, x));
    }
    putchar('\n');
}

static void conclusion(const struct kw_comparison *c)
{
    size_t slower = 0, blind = 0, unsure = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct kw_compared *x = &c->cell[i];
        if (!x->primary)
            continue;
        slower += x->figure[KW_WEIGHED_CPU].verdict == KW_RULING_SLOWER;
        blind += x->why[0] != '\0';
        unsure += x->why[0] == '\0' &&
                  x->figure[KW_WEIGHED_CPU].verdict == KW_RULING_CANNOT_TELL;
    }
    if (slower > 0)
        printf("\nSLOWER by more than %g %%: %zu of the cells that decide\n",
               c->threshold * 100, slower);
    else if (c->unusable || blind > 0)
        printf("\nCOULD NOT LOOK: %s\n",
               c->unusable ? "the machine was not quiet enough; measure anew"
                           : "a cell that decides is not in both runs");
    else
        printf("\nno cell that decides was shown to be slower by more than %g %%\n",
               c->threshold * 100);
    if (unsure > 0 && !c->unusable)
        printf("%zu cannot be told: more rounds make the interval narrower\n", unsure);
}

void kw_comparison_table(const struct kw_comparison *c)
{
    side("OLD", c->old);
    side("NEW", c->new);
    printf("%s\n\n%-20s %21s  %-11s %21s %21s\n", kw_footing_words[c->footing],
           "NEW / OLD", kw_weighed_names[0], "verdict", kw_weighed_names[1],
           kw_weighed_names[2]);
    for (int primary = 1; primary >= 0; primary--)
        for (size_t i = 0; i < c->count; i++)
            if (c->cell[i].primary == (primary == 1))
                cell_line(c, &c->cell[i]);
    printf(
        "\nintervals: the truth lies beyond either end with at most 5 %%; the cells with "
        "a verdict decide, by cpu_us\n");
    for (size_t i = 0; i < c->remark_count; i++)
        printf("note: %s\n", c->remark[i]);
    conclusion(c);
}

/* ---- for programs ---------------------------------------------------------------------
 */

static json_t *side_document(const struct kw_profile *p)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "name", p->name,
                     "machine", p->machine, "fingerprint", p->fingerprint, "session",
                     p->session, "commit", p->commit, "began", p->began, "rounds",
                     (json_int_t)p->rounds, "baseline", p->results == NULL);
}

static json_t *cell_document(const struct kw_comparison *c, const struct kw_compared *x)
{
    json_t *figures = json_object();
    const struct kw_ruled *cpu = &x->figure[KW_WEIGHED_CPU];
    for (size_t f = 0; f < KW_WEIGHED_COUNT; f++) {
        const struct kw_ruled *j = &x->figure[f];
        if (x->known[f])
            json_object_set_new(figures, kw_weighed_names[f],
                                json_pack("{s:f, s:f, s:f}", "low", j->low, "mid", j->mid,
                                          "high", j->high));
    }
    json_t *o = json_pack("{s:s, s:b, s:s, s:o}", "name", x->name, "primary", x->primary,
                          "why_not", x->why, "ratios", figures);
    if (o == NULL || !x->primary || x->why[0] != '\0')
        return o;
    json_object_set_new(o, "verdict", json_string(verdict_words(c, x)));
    if (!c->unusable) {
        json_object_set_new(o, "slower_p", json_real(cpu->slower_p));
        json_object_set_new(o, "faster_p", json_real(cpu->faster_p));
    }
    return o;
}

json_t *kw_comparison_document(const struct kw_comparison *c)
{
    json_t *cells = json_array(), *remarks = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(cells, cell_document(c, &c->cell[i]));
    for (size_t i = 0; i < c->remark_count; i++)
        json_array_append_new(remarks, json_string(c->remark[i]));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:f, s:i, s:b, s:o, s:o, s:o, s:o}",
                     "tool", "keyward-bench compare", "schema", 1, "version", KW_VERSION,
                     "footing", kw_footing_names[c->footing], "words",
                     kw_footing_words[c->footing], "threshold", c->threshold,
                     "exit_status", (int)kw_comparison_exit(c), "unusable", c->unusable,
                     "old", side_document(c->old), "new", side_document(c->new), "cells",
                     cells, "remarks", remarks);
}
