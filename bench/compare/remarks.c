/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of the comparison should know about the two runs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

static void remark(struct kw_comparison *c, const char *fmt, ...) KW_PRINTF(2, 3);
static void remark(struct kw_comparison *c, const char *fmt, ...)
{
    va_list ap;
    if (c->remark_count >= KW_REMARKS_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(c->remark[c->remark_count++], sizeof c->remark[0], fmt, ap);
    va_end(ap);
}

static void of_run(struct kw_comparison *c, const char *side, const struct kw_results *r)
{
    if (r == NULL)
        return;
    if (r->partial)
        remark(c, "%s is partial, %zu rounds: %s", side, r->rounds, r->fault);
    if (strcmp(r->quiet, "quiet") != 0)
        remark(c, "%s's machine was %s: %s", side, r->quiet, r->quiet_words);
}

static void of_cells(struct kw_comparison *c, const char *side,
                     const struct kw_profile *p)
{
    for (size_t i = 0; i < p->cell_count; i++) {
        const struct kw_profile_cell *x = &p->cell[i];
        if (x->primary && x->cell != NULL && x->cell->failures > 0)
            remark(c, "%s, %s: %llu rounds gave no figures: %s", side, x->name,
                   (unsigned long long)x->cell->failures, x->cell->failure);
    }
}

static const char *library(const struct kw_environment *e, const char *key)
{
    for (size_t i = 0; i < e->library_count; i++)
        if (strcmp(e->library[i].key, key) == 0)
            return e->library[i].value;
    return "none";
}

static void of_both(struct kw_comparison *c)
{
    const struct kw_environment *old = &c->old->results->environment;
    const struct kw_environment *new = &c->new->results->environment;
    if (strcmp(old->build, new->build) != 0)
        remark(c, "other build: %s, then %s", old->build, new->build);
    if (strcmp(old->governor, new->governor) != 0)
        remark(c, "other CPU governor: %s, then %s", old->governor, new->governor);
    for (size_t i = 0; i < new->library_count; i++) {
        const char *key = new->library[i].key, *before = library(old, key);
        if (strcmp(before, new->library[i].value) != 0)
            remark(c, "other %s: %s, then %s", key, before, new->library[i].value);
    }
}

void kw_comparison_remark(struct kw_comparison *c)
{
    if (c->footing == KW_FOOTING_FOREIGN) {
        remark(c, "OLD's machine: %s", c->old->machine);
        remark(c, "NEW's machine: %s", c->new->machine);
    }
    of_cells(c, "OLD", c->old);
    of_cells(c, "NEW", c->new);
    if (c->old->results == c->new->results) {
        of_run(c, "the run", c->new->results);
        return;
    }
    of_run(c, "OLD", c->old->results);
    of_run(c, "NEW", c->new->results);
    if (c->old->results != NULL && c->new->results != NULL)
        of_both(c);
}
