/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

const char *const kw_footing_names[KW_FOOTINGS] = {"paired", "machine", "foreign"};
const char *const kw_footing_words[KW_FOOTINGS] = {
    "one interleaved run: compared round by round",
    "two runs on one machine: compared as ratios to the base of the same round; what the "
    "runs differ by themselves is in them",
    "two machines: no figure is compared, only ratios to the base and the reference, and "
    "only what both say"};

static enum kw_footing footing_of(const struct kw_profile *old,
                                  const struct kw_profile *new)
{
    if (old->results != NULL && new->results != NULL && old->session[0] != '\0' &&
        strcmp(old->session, new->session) == 0)
        return KW_FOOTING_PAIRED;
    bool same =
        old->fingerprint[0] != '\0' && strcmp(old->fingerprint, new->fingerprint) == 0;
    return same ? KW_FOOTING_MACHINE : KW_FOOTING_FOREIGN;
}

/* ---- which cells, and why not ---------------------------------------------------------
 */

static bool differ(double a, double b)
{
    return a < b || a > b;
}

/* "" when both ran the same work. */
static void compare_axes(const struct kw_results_axes *old,
                         const struct kw_results_axes *new, char *why, size_t cap)
{
    if (strcmp(old->method, new->method) != 0)
        snprintf(why, cap, "other method: %s, then %s", old->method, new->method);
    else if (differ(old->in_flight, new->in_flight))
        snprintf(why, cap, "other in-flight: %g, then %g", old->in_flight,
                 new->in_flight);
    else if (differ(old->rate, new->rate))
        snprintf(why, cap, "other rate: %g, then %g", old->rate, new->rate);
    else if (differ(old->token_delay_us, new->token_delay_us))
        snprintf(why, cap, "other delay of the token: %g us, then %g us",
                 old->token_delay_us, new->token_delay_us);
}

static struct kw_compared *append(struct kw_comparison *c,
                                  const struct kw_profile_cell *cell)
{
    struct kw_compared *x = &c->cell[c->count++];
    (void)kw_copy_str(x->name, sizeof x->name, kw_span_str(cell->name));
    x->primary = cell->primary;
    return x;
}

/* ---- one figure of one cell -----------------------------------------------------------
 */

static bool pairs(const struct kw_comparison *c, const struct kw_profile_cell *old,
                  const struct kw_profile_cell *new, enum kw_weighed f,
                  struct kw_ruled *j)
{
    const struct kw_results *a = c->old->results, *b = c->new->results;
    size_t from = kw_results_figure(a, kw_weighed_names[f]), n = 0;
    size_t to = kw_results_figure(b, kw_weighed_names[f]);
    double logs[KW_ROUNDS_MAX];
    if (from >= KW_RESULTS_FIGURES || to >= KW_RESULTS_FIGURES)
        return false;
    for (size_t i = 0; i < a->rounds && i < b->rounds; i++) {
        double lower = old->cell->figure[from][i], upper = new->cell->figure[to][i];
        if (!a->disturbed[i] && !b->disturbed[i] && lower > 0 && upper > 0)
            logs[n++] = log(upper / lower);
    }
    j->way_count = kw_centre_of(logs, n, &j->way[0]) ? 1 : 0;
    return j->way_count > 0;
}

static bool samples(const struct kw_comparison *c, const struct kw_profile_cell *old,
                    const struct kw_profile_cell *new, enum kw_weighed f,
                    struct kw_ruled *j)
{
    size_t last = c->footing == KW_FOOTING_FOREIGN ? KW_YARDSTICKS : 1;
    for (size_t y = 0; y < last; y++)
        if (old->known[f][y] && new->known[f][y])
            j->way[j->way_count++] = kw_centre_between(old->to[f][y], new->to[f][y]);
    return j->way_count > 0;
}

static void weigh(struct kw_comparison *c, const struct kw_profile_cell *old,
                  const struct kw_profile_cell *new, struct kw_compared *x)
{
    for (enum kw_weighed f = 0; f < KW_WEIGHED_COUNT; f++) {
        x->known[f] = c->footing == KW_FOOTING_PAIRED
                          ? pairs(c, old, new, f, &x->figure[f])
                          : samples(c, old, new, f, &x->figure[f]);
        if (x->known[f])
            kw_rule_interval(&x->figure[f]);
    }
    if (!x->known[KW_WEIGHED_CPU])
        snprintf(x->why, sizeof x->why,
                 "cpu_us is known in fewer than %d undisturbed rounds%s", KW_CENTRE_LEAST,
                 c->footing == KW_FOOTING_PAIRED ? " of both" : ", or its base's is");
}

static void match(struct kw_comparison *c)
{
    for (size_t i = 0; i < c->new->cell_count; i++) {
        const struct kw_profile_cell *new = &c->new->cell[i];
        const struct kw_profile_cell *old = kw_profile_cell(c->old, new->name);
        struct kw_compared *x = append(c, new);
        if (c->footing != KW_FOOTING_PAIRED && strcmp(new->name, c->new->base) == 0) {
            snprintf(x->why, sizeof x->why, "the others are divided by it");
            x->primary = false;
            continue;
        }
        if (old == NULL) {
            snprintf(x->why, sizeof x->why, "OLD has no such cell");
            continue;
        }
        x->primary = x->primary || old->primary;
        compare_axes(&old->axes, &new->axes, x->why, sizeof x->why);
        if (x->why[0] != '\0')
            continue;
        weigh(c, old, new, x);
    }
    for (size_t i = 0; i < c->old->cell_count; i++)
        if (kw_profile_cell(c->new, c->old->cell[i].name) == NULL) {
            struct kw_compared *x = append(c, &c->old->cell[i]);
            snprintf(x->why, sizeof x->why, "NEW has no such cell");
        }
}

/* ---- the whole ------------------------------------------------------------------------
 */

static kw_err refuse(const struct kw_comparison *c, struct kw_note *note)
{
    if (strcmp(c->old->layout, c->new->layout) != 0) {
        kw_note_set(note,
                    "%s was measured in the layout '%s' and %s in '%s': measure again in "
                    "one of them",
                    c->old->name, c->old->layout, c->new->name, c->new->layout);
        return kw_err_at(KW_CODE_BAD_INPUT, "layout");
    }
    if (c->footing != KW_FOOTING_PAIRED && strcmp(c->old->base, c->new->base) != 0) {
        kw_note_set(note,
                    "%s has ratios to %s and %s to %s: two runs want the same base, the "
                    "first cell of each",
                    c->old->name, c->old->base, c->new->name, c->new->base);
        return kw_err_at(KW_CODE_BAD_INPUT, "base");
    }
    return KW_OK;
}

static kw_err judge(struct kw_comparison *c, struct kw_note *note)
{
    struct kw_ruled *judged[KW_RULED_MAX];
    size_t primary = 0, n = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct kw_compared *x = &c->cell[i];
        if (!x->primary || ++primary > KW_RULED_MAX)
            continue;
        if (x->known[KW_WEIGHED_CPU] && !c->unusable)
            judged[n++] = &x->figure[KW_WEIGHED_CPU];
    }
    if (primary == 0 || primary > KW_RULED_MAX) {
        kw_note_set(note,
                    "%zu cells are primary, and 1 to %d can be judged: measure with "
                    "NAME*=… for the cells that decide",
                    primary, KW_RULED_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "primary");
    }
    kw_rule(judged, n, c->threshold);
    return KW_OK;
}

static bool says_unusable(const struct kw_profile *p)
{
    return p->results != NULL && strcmp(p->results->quiet, "unusable") == 0;
}

kw_err kw_compare(const struct kw_profile *old, const struct kw_profile *new,
                  double threshold, struct kw_comparison **ret_comparison,
                  struct kw_note *note)
{
    struct kw_comparison *c = kw_new(1, sizeof *c);
    if (c == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "comparison");
    c->old = old;
    c->new = new;
    c->threshold = threshold;
    c->footing = footing_of(old, new);
    c->unusable = says_unusable(old) || says_unusable(new);
    kw_err e = refuse(c, note);
    if (!kw_failed(e)) {
        match(c);
        e = judge(c, note);
    }
    if (kw_failed(e)) {
        kw_comparison_free(c);
        return e;
    }
    kw_comparison_remark(c);
    *ret_comparison = c;
    return KW_OK;
}

void kw_comparison_free(struct kw_comparison *c)
{
    kw_free(c);
}

enum kw_exit kw_comparison_exit(const struct kw_comparison *c)
{
    enum kw_exit code = c->unusable ? KW_EXIT_UNABLE : KW_EXIT_GOOD;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->cell[i].primary)
            continue;
        if (c->cell[i].figure[KW_WEIGHED_CPU].verdict == KW_RULING_SLOWER)
            return KW_EXIT_WRONG;
        if (c->cell[i].why[0] != '\0')
            code = KW_EXIT_UNABLE;
    }
    return code;
}
