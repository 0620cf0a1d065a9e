/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

const char *const kw_weighed_names[KW_WEIGHED_COUNT] = {"cpu_us", "calls_per_s",
                                                        "p99_us"};
const char *const kw_yardstick_names[KW_YARDSTICKS] = {"base", "reference"};

static bool weigh(const struct kw_results *r, const struct kw_results_cell *cell,
                  const struct kw_results_cell *by, size_t figure,
                  struct kw_centre *ret_centre)
{
    double logs[KW_ROUNDS_MAX];
    size_t n = 0;
    if (by == NULL || figure >= KW_RESULTS_FIGURES)
        return false;
    for (size_t i = 0; i < r->rounds; i++) {
        double upper = cell->figure[figure][i], lower = by->figure[figure][i];
        if (!r->disturbed[i] && upper > 0 && lower > 0)
            logs[n++] = log(upper / lower);
    }
    return kw_centre_of(logs, n, ret_centre);
}

static const struct kw_results_cell *reference_of(const struct kw_results *r,
                                                  const struct kw_results_cell *cell)
{
    for (size_t i = 0; i < r->cell_count; i++) {
        const struct kw_results_axes *a = &r->cell[i].axes, *b = &cell->axes;
        if (!r->cell[i].control && strcmp(a->subject, "reference") == 0 &&
            !(a->in_flight < b->in_flight) && !(a->in_flight > b->in_flight) &&
            strcmp(a->method, b->method) == 0)
            return &r->cell[i];
    }
    return NULL;
}

static void fill(const struct kw_results *r, const struct kw_results_cell *cell,
                 const char *name, struct kw_profile_cell *p)
{
    const struct kw_results_cell *by[KW_YARDSTICKS] = {kw_results_cell(r, r->base),
                                                       reference_of(r, cell)};
    (void)kw_copy_str(p->name, sizeof p->name, kw_span_str(name));
    p->axes = cell->axes;
    p->primary = cell->primary;
    p->cell = cell;
    for (size_t f = 0; f < KW_WEIGHED_COUNT; f++) {
        size_t figure = kw_results_figure(r, kw_weighed_names[f]);
        for (size_t y = 0; y < KW_YARDSTICKS; y++) /* nothing is told of a yardstick by
                                                      itself */
            p->known[f][y] = by[y] != cell && weigh(r, cell, by[y], figure, &p->to[f][y]);
    }
}

static void describe(const struct kw_results *r, struct kw_profile *p)
{
    const struct kw_environment *e = &r->environment;
    snprintf(p->machine, sizeof p->machine, "%s, %u CPU%s, %s, virtualisation: %s",
             e->cpu, e->cpus, e->cpus == 1 ? "" : "s", e->kernel, e->virtualisation);
    (void)kw_copy_str(p->fingerprint, sizeof p->fingerprint, kw_span_str(r->fingerprint));
    (void)kw_copy_str(p->session, sizeof p->session, kw_span_str(r->session));
    (void)kw_copy_str(p->commit, sizeof p->commit, kw_span_str(e->commit));
    (void)kw_copy_str(p->began, sizeof p->began, kw_span_str(r->began));
    (void)kw_copy_str(p->layout, sizeof p->layout, kw_span_str(r->layout.name));
    (void)kw_copy_str(p->base, sizeof p->base, kw_span_str(r->base));
    p->rounds = kw_results_calm(r);
}

kw_err kw_profile_new(const struct kw_results *r, const char *name, const char *prefix,
                      struct kw_profile **ret_profile)
{
    struct kw_profile *p = kw_new(1, sizeof *p);
    size_t skip = prefix != NULL ? strlen(prefix) : 0;
    if (p == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "profile");
    (void)kw_copy_str(p->name, sizeof p->name, kw_span_str(name));
    p->results = r;
    describe(r, p);
    for (size_t i = 0; i < r->cell_count; i++) {
        const struct kw_results_cell *cell = &r->cell[i];
        if (cell->control || (skip > 0 && strncmp(cell->name, prefix, skip) != 0))
            continue;
        fill(r, cell, cell->name + skip, &p->cell[p->cell_count++]);
    }
    *ret_profile = p;
    return KW_OK;
}

void kw_profile_free(struct kw_profile *p)
{
    kw_free(p);
}

const struct kw_profile_cell *kw_profile_cell(const struct kw_profile *p,
                                              const char *name)
{
    for (size_t i = 0; i < p->cell_count; i++)
        if (strcmp(p->cell[i].name, name) == 0)
            return &p->cell[i];
    return NULL;
}
