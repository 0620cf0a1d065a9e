/* SPDX-License-Identifier: Apache-2.0 */
/* Goodput and latency over the offered rate: what an open loop saw, one pair of plots a
 * subject, with the knee marked. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "curves.h"
#include "report.h"

static bool is_first(const struct kw_results *r, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (r->cell[i].axes.rate > 0 && !r->cell[i].control &&
            strcmp(r->cell[i].axes.subject, r->cell[at].axes.subject) == 0)
            return false;
    return r->cell[at].axes.rate > 0 && !r->cell[at].control;
}

struct offers {
    struct kw_offer offer[KW_RESULTS_CELLS];
    const struct kw_results_cell *cell[KW_RESULTS_CELLS]; /* by rate, as the offers */
    size_t count;
};

static double known(struct kw_ratio m)
{
    return m.high > 0 ? m.mid : (double)NAN; /* none of all rounds, or not measured */
}

static const char *goodput_figure(const struct kw_report *r)
{
    return kw_results_figure(r->results, "goodput_per_s") < KW_RESULTS_FIGURES
               ? "goodput_per_s"
               : "calls_per_s";
}

/* Insertion by rate: a run has a dozen of them. */
static void gather(const struct kw_report *r, const char *subject, struct offers *o)
{
    const struct kw_results *all = r->results;
    o->count = 0;
    for (size_t i = 0; i < all->cell_count; i++) {
        const struct kw_results_cell *c = &all->cell[i];
        if (c->control || !(c->axes.rate > 0) || strcmp(c->axes.subject, subject) != 0)
            continue;
        size_t at = o->count++;
        for (; at > 0 && o->cell[at - 1]->axes.rate > c->axes.rate; at--)
            o->cell[at] = o->cell[at - 1];
        o->cell[at] = c;
    }
    for (size_t i = 0; i < o->count; i++)
        o->offer[i] =
            (struct kw_offer){o->cell[i]->axes.rate,
                              known(kw_report_median(r, o->cell[i], goodput_figure(r))),
                              known(kw_report_median(r, o->cell[i], "p99_us"))};
}

static void mark_knee(struct kw_plot *p, enum kw_knee knee, double rate)
{
    char text[KW_NUMBER_MAX];
    if (knee != KW_KNEE_FOUND)
        return;
    struct kw_mark *m = &p->mark[p->mark_count++];
    kw_number_text(text, rate, KW_UNIT_COUNT);
    *m = (struct kw_mark){.x = rate, .color = 1};
    snprintf(m->label, sizeof m->label, "knee: %s a second", text);
}

static const char *knee_words(enum kw_knee knee)
{
    switch (knee) {
    case KW_KNEE_FOUND:
        return "The knee is the last rate that was served: at least 95\u00a0% of it came "
               "back "
               "good in time, with p99 at most ten times that of the lowest rate.";
    case KW_KNEE_ABOVE: return "Every rate was served: the knee lies above them.";
    case KW_KNEE_BELOW:
        return "Not even the lowest rate was served: the knee lies below.";
    case KW_KNEE_UNKNOWN: return "Too little is known to say where the knee is.";
    }
    return "";
}

static struct kw_plot *fresh(struct kw_report *r, const char *id, unsigned number,
                             const char *label, enum kw_scale scale, enum kw_unit unit)
{
    struct kw_plot *p = kw_report_plot(r, id, number);
    p->x = (struct kw_axis){.label = "calls offered a second",
                            .scale = KW_SCALE_LINEAR,
                            .unit = KW_UNIT_COUNT};
    p->y = (struct kw_axis){.label = label, .scale = scale, .unit = unit};
    return p;
}

static kw_err goodput(struct kw_report *r, const struct offers *o, unsigned number,
                      enum kw_knee knee, double rate)
{
    struct kw_plot *p = fresh(r, "goodput", number, "good in time, a second",
                              KW_SCALE_LINEAR, KW_UNIT_COUNT);
    /* What was asked for lies below what came of it. */
    struct kw_series *ideal = kw_plot_series(p, "offered");
    struct kw_series *s = kw_plot_series(p, "goodput");
    ideal->dots = false;
    ideal->color = 7;
    s->color = 0;
    for (size_t i = 0; i < o->count; i++) {
        kw_report_point(r, p, s, o->offer[i].rate, o->cell[i], goodput_figure(r));
        kw_plot_point(p, ideal,
                      (struct kw_point){.x = o->offer[i].rate, .y = o->offer[i].rate});
    }
    if (s->count == 0)
        return KW_OK;
    mark_knee(p, knee, rate);
    snprintf(p->title, sizeof p->title, "Goodput over offered rate: %.48s",
             o->cell[0]->axes.subject);
    snprintf(p->description, sizeof p->description, "%zu rates from %.0f to %.0f. %s",
             o->count, o->offer[0].rate, o->offer[o->count - 1].rate, knee_words(knee));
    return kw_plot_draw(p, knee_words(knee), &r->page, &r->note);
}

static kw_err latency(struct kw_report *r, const struct offers *o, unsigned number,
                      enum kw_knee knee, double rate)
{
    static const struct {
        const char *figure, *name;
        unsigned color;
    } lines[] = {{"p50_us", "p50", 0}, {"p90_us", "p90", 2}, {"p99_us", "p99", 3}};
    struct kw_plot *p =
        fresh(r, "offered", number, "latency", KW_SCALE_LOG10, KW_UNIT_US);
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
        struct kw_series *s = kw_plot_series(p, lines[k].name);
        s->color = lines[k].color;
        for (size_t i = 0; i < o->count; i++)
            kw_report_point(r, p, s, o->offer[i].rate, o->cell[i], lines[k].figure);
    }
    if (kw_plot_points(p) == 0)
        return KW_OK;
    mark_knee(p, knee, rate);
    snprintf(p->title, sizeof p->title, "Latency over offered rate: %.48s",
             o->cell[0]->axes.subject);
    snprintf(p->description, sizeof p->description,
             "p50, p90 and p99 at %zu offered rates. %s", o->count, knee_words(knee));
    return kw_plot_draw(
        p,
        "Open loop: a call's latency counts from when it was due, whatever "
        "became of those before it.",
        &r->page, &r->note);
}

kw_err kw_section_offered(struct kw_report *r, bool *ret_there)
{
    static struct offers o; /* too large for a stack; one thread */
    unsigned number = 0;
    for (size_t i = 0; i < r->results->cell_count; i++) {
        if (!is_first(r->results, i))
            continue;
        double rate = 0;
        gather(r, r->results->cell[i].axes.subject, &o);
        enum kw_knee knee = kw_curve_knee(o.offer, o.count, &rate);
        size_t before = r->page.len;
        kw_err e = goodput(r, &o, number, knee, rate);
        if (!kw_failed(e))
            e = latency(r, &o, number, knee, rate);
        if (kw_failed(e))
            return e;
        *ret_there = *ret_there || r->page.len > before;
        number++;
    }
    return KW_OK;
}
