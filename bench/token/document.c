/* SPDX-License-Identifier: Apache-2.0 */
/* For programs. */
#include "say.h"

static void set_percentile(json_t *to, const struct kw_histogram *h, const char *name,
                           uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(h, ppm, &ns))
        json_object_set_new(to, name, json_real((double)ns / 1e3));
}

/* A figure that nobody can know is not there. */
static json_t *measured(const struct kw_point *p, const char *rate)
{
    json_t *o = json_object();
    if (p == NULL || p->latency.count == 0)
        return o;
    json_object_set_new(o, rate, json_real(kw_point_per_second(p)));
    set_percentile(o, &p->latency, "p50_us", 500000);
    set_percentile(o, &p->latency, "p90_us", 900000);
    set_percentile(o, &p->latency, "p99_us", 990000);
    set_percentile(o, &p->latency, "p99.9_us", 999000);
    if (!p->cpu_known)
        return o;
    json_object_set_new(o, "cpu_us", json_real(kw_point_cpu_us(p)));
    json_object_set_new(o, "switches",
                        json_real((double)p->switches / (double)p->latency.count));
    return o;
}

/* What is under way at once: each thread has one operation, whatever sessions it has. */
static json_t *shape(const struct kw_point *p, json_t *o)
{
    const uint64_t at_once = p->processes * p->threads;
    json_object_set_new(o, "sessions", json_integer((json_int_t)at_once));
    json_object_set_new(o, "good", json_integer((json_int_t)p->latency.count));
    json_object_set_new(o, "wrong", json_integer((json_int_t)p->wrong));
    json_object_set_new(o, "elapsed_ns", json_integer(p->elapsed_ns));
    json_object_set_new(o, "partial", json_boolean(p->partial));
    return o;
}

static json_t *curve(const struct kw_token_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->count; i++)
        if (r->point[i].latency.count > 0)
            json_array_append_new(
                all, shape(&r->point[i], measured(&r->point[i], "ops_per_s")));
    return all;
}

static json_t *token(const struct kw_token_plan *p, const struct kw_token_facts *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}",
                     "label", f->label, "serial", f->serial, "manufacturer",
                     f->manufacturer, "model", f->model, "firmware", f->firmware,
                     "hardware", f->hardware, "library", f->library, "library_version",
                     f->library_version, "cryptoki_version", f->cryptoki_version,
                     "softhsm", f->softhsm, "mechanism", kw_mechanism_of(p->op), "iv",
                     kw_iv_of(p->op));
}

static json_t *options(const struct kw_token_plan *p)
{
    json_t *points = json_array();
    for (size_t i = 0; i < p->curve_count; i++)
        json_array_append_new(points, json_integer((json_int_t)p->curve[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I}",
        "module", p->module, "uri", p->uri, "operation", kw_op_names[p->op], "key",
        kw_op_wants_key(p->op) ? kw_place_names[p->place] : "", "processes",
        (json_int_t)p->processes, "threads", (json_int_t)p->threads, "sessions",
        (json_int_t)p->sessions, "curve", points, "seconds_ns", (json_int_t)p->seconds_ns,
        "calls", (json_int_t)p->calls, "warmup_ns", (json_int_t)p->warmup_ns, "ramp_ns",
        (json_int_t)p->ramp_ns, "max_rate", (json_int_t)p->max_rate, "stop_p99_ns",
        (json_int_t)p->stop_p99_ns);
}

static json_t *keyring(const struct kw_guard *g)
{
    if (g->path == NULL)
        return json_null();
    return json_pack("{s:s, s:I}", "path", g->path, "keys",
                     (json_int_t)kw_guard_count(g));
}

json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_guard *g,
                          const struct kw_token_result *r)
{
    const struct kw_point *best = kw_result_best(r);
    json_t *o = json_pack(
        "{s:s, s:i, s:s, s:b, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o}", "tool",
        "keyward-bench token", "schema", 1, "version", KW_VERSION, "partial", r->partial,
        "fault", r->fault.text, "token", token(p, &r->facts), "options", options(p),
        "keyring", keyring(g), "label", r->label, "elapsed_ns",
        (json_int_t)(best != NULL ? best->elapsed_ns : 0), "good",
        (json_int_t)(best != NULL ? best->latency.count : 0), "wrong",
        (json_int_t)kw_result_wrong(r), "figures", measured(best, "calls_per_s"));
    if (o != NULL && p->curve_count > 0)
        json_object_set_new(o, "curve", curve(r));
    return o;
}

json_t *kw_intent_document(const struct kw_token_plan *p, const struct kw_guard *g)
{
    return json_pack("{s:s, s:i, s:s, s:b, s:o, s:o, s:I, s:I}", "tool",
                     "keyward-bench token", "schema", 1, "version", KW_VERSION, "dry_run",
                     1, "options", options(p), "keyring", keyring(g), "logins",
                     (json_int_t)kw_logins_of(p), "sessions_open",
                     (json_int_t)kw_sessions_of(p));
}

json_t *kw_sweep_document(const struct kw_token_plan *p, const struct kw_sweep *s,
                          const char *fault)
{
    json_t *all = json_array();
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:b, s:s}", "label", s->key[i].key.label, "destroyed",
                           s->key[i].destroyed, "kept", s->key[i].kept.text));
    return json_pack("{s:s, s:i, s:s, s:b, s:s, s:o, s:o}", "tool", "keyward-bench token",
                     "schema", 1, "version", KW_VERSION, "dry_run", p->dry_run, "fault",
                     fault, "token", token(p, &s->facts), "leftovers", all);
}
