/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for programs: one JSON document. */
#include "room.h"

#include <keyward/clock.h>

static double ms(double ns)
{
    return ns / (double)KW_MS_NS;
}

static json_t *whole(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *curve(const struct kw_curve *c)
{
    json_t *points = json_array();
    for (size_t i = 0; i < c->count; i++) {
        json_t *p = json_pack("{s:f, s:f}", "sessions", c->point[i].sessions, "ops_per_s",
                              c->point[i].ops_per_s);
        if (c->point[i].p99_us > 0) {
            json_object_set_new(p, "p50_us", json_real(c->point[i].p50_us));
            json_object_set_new(p, "p99_us", json_real(c->point[i].p99_us));
        }
        json_array_append_new(points, p);
    }
    return points;
}

/* What never came about, or never will, has no figure. */
static void set_known(json_t *to, bool known, const char *name, double value)
{
    if (known)
        json_object_set_new(to, name, json_real(value));
}

/* A ceiling that is not there has no figure either. */
static void set_ceiling(json_t *to, const char *name, uint64_t ceiling)
{
    if (ceiling > 0)
        json_object_set_new(to, name, whole(ceiling));
}

static json_t *inputs(const struct kw_plan *p)
{
    json_t *o = json_pack(
        "{s:o, s:b, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:o, s:o, s:f, s:f, s:o, s:b, "
        "s:o, "
        "s:f, s:o, s:o}",
        "servers", whole(p->servers), "rolling", p->rolling, "seeds", whole(p->seeds),
        "parallel", whole(p->parallel), "readers", whole(p->readers), "timeout_ms",
        ms((double)p->timeout_ns), "retry_ms", ms((double)p->list_retry_ns),
        "ready_within_ms", ms((double)p->within_ns), "call_ms", ms((double)p->call_ns),
        "workers", whole(p->workers), "versions", whole(p->versions), "deadline_ms",
        ms((double)p->deadline_ns), "probe_ms", ms((double)p->probe_ns), "hsms",
        whole(p->hsms), "one_lost", p->one_lost, "others_percent",
        whole(p->others_percent), "failover_ms", ms((double)p->failover_ns), "draw",
        whole(p->random), "curve", curve(&p->curve));
    set_ceiling(o, "sessions_max", p->sessions_max);
    set_ceiling(o, "connections_max", p->connections_max);
    set_ceiling(o, "clients_max", p->clients_max);
    return o;
}

static json_t *needs(const struct kw_plan_needs *n)
{
    json_t *o =
        json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "canaries_per_s",
                  n->canaries_per_s, "encrypts_per_s", n->encrypts_per_s, "rereads_per_s",
                  n->rereads_per_s, "steady_per_s", n->steady_per_s, "storm_operations",
                  n->storm_ops, "storm_per_s", n->storm_per_s, "capacity_per_s",
                  n->capacity_per_s, "steady_utilisation", n->steady_use,
                  "storm_utilisation", n->storm_use, "sessions", whole(n->sessions));
    set_known(o, n->sessions_at_work > 0, "sessions_at_work", n->sessions_at_work);
    return o;
}

static json_t *bounds(const struct kw_bound *b)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:s}", "ready_ms", ms(b->ready_ns),
                     "ops_per_s", b->ops_per_s, "in_flight", b->in_flight, "operation_ms",
                     ms(b->op_ns), "wait_ms", ms(b->wait_ns), "bounded_by",
                     kw_neck_words(b->neck));
}

static json_t *expected(const struct kw_expected *x)
{
    json_t *o = json_pack("{s:b, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "ready", x->ready,
                          "goodput", x->goodput, "decrypts", whole(x->decrypts), "good",
                          whole(x->good), "lost", whole(x->lost), "duplicates",
                          whole(x->duplicates), "operations", whole(x->operations),
                          "wasted", whole(x->wasted));
    set_known(o, x->ready, "ready_ms", ms(x->ready_ns));
    set_known(o, x->ready, "seeds_per_s", x->per_s);
    set_known(o, !x->ready, "given_up_ms", ms(x->played_ns));
    set_known(o, x->good > 0, "p50_ms", ms(x->p50_ns));
    set_known(o, x->good > 0, "p99_ms", ms(x->p99_ns));
    return o;
}

static json_t *figures(const struct kw_answer *a)
{
    const struct kw_expected *x = &a->expected;
    json_t *o = json_pack("{s:f, s:f, s:f, s:f}", "goodput", x->goodput,
                          "steady_utilisation", a->needs.steady_use, "storm_utilisation",
                          a->needs.storm_use, "bound_ready_ms", ms(a->bound.ready_ns));
    set_known(o, x->ready, "ready_ms", ms(x->ready_ns));
    set_known(o, x->good > 0, "p99_ms", ms(x->p99_ns));
    return o;
}

static json_t *lines(const struct kw_lines *l)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(all, json_string(l->text[i]));
    return all;
}

static json_t *series(const struct kw_plan_series *s)
{
    json_t *points = json_array();
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(points,
                              json_pack("[f, f]", s->point[i][0], s->point[i][1]));
    return json_pack("{s:s, s:s, s:s, s:o}", "name", s->name, "x", s->x, "y", s->y,
                     "points", points);
}

json_t *kw_plan_document(const struct kw_answer *a)
{
    json_t *curves = json_array();
    for (size_t i = 0; i < KW_PLAN_SERIES; i++)
        json_array_append_new(curves, series(&a->series[i]));
    return json_pack(
        "{s:s, s:i, s:s, s:b, s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:b, "
        "s:o, s:o, s:o, s:o}",
        "tool", "keyward-bench plan", "schema", 1, "version", KW_VERSION, "partial", 0,
        "fault", "", "inputs", inputs(&a->plan), "needs", needs(&a->needs), "bounds",
        bounds(&a->bound), "expected", expected(&a->expected), "limits", "servers",
        whole(a->limits.servers), "seeds", whole(a->limits.seeds), "carried",
        a->findings.count == 0, "findings", lines(&a->findings), "assumptions",
        lines(&a->assumptions), "curves", curves, "figures", figures(a));
}
