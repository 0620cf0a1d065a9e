/* SPDX-License-Identifier: Apache-2.0 */
/* The figures for programs: one JSON document. */
#include "load.h"

static void set_percentile(json_t *to, const struct kw_histogram *h, const char *name,
                           uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(h, ppm, &ns))
        json_object_set_new(to, name, json_integer((json_int_t)ns));
}

/* A percentile that nobody can know is not there. */
static json_t *latency(const struct kw_histogram *h)
{
    json_t *o = json_pack("{s:I, s:I}", "count", (json_int_t)h->count, "max_ns",
                          (json_int_t)h->max);
    if (o == NULL || h->count == 0)
        return o;
    json_object_set_new(o, "mean_ns", json_integer((json_int_t)(h->sum / h->count)));
    set_percentile(o, h, "p50_ns", 500000);
    set_percentile(o, h, "p90_ns", 900000);
    set_percentile(o, h, "p99_ns", 990000);
    set_percentile(o, h, "p99.9_ns", 999000);
    return o;
}

static json_t *process(const struct kw_usage *u)
{
    return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "pid", u->pid,
                     "name", u->name, "cpu_ns", (json_int_t)u->cpu_ns, "user_ticks",
                     (json_int_t)u->user_ticks, "system_ticks",
                     (json_int_t)u->system_ticks, "switches", (json_int_t)u->switches,
                     "resident_kib", (json_int_t)u->resident_kib, "resident_max_kib",
                     (json_int_t)u->resident_max_kib, "threads", (int)u->threads);
}

static json_t *processes(const struct kw_watch *w)
{
    json_t *children = json_array();
    for (size_t i = 0; children != NULL && i < w->child_count; i++)
        json_array_append_new(children, process(&w->child[i]));
    if (!w->known) {
        json_decref(children);
        return json_pack("{s:b}", "known", 0);
    }
    return json_pack("{s:b, s:b, s:o, s:o}", "known", 1, "lost", w->lost, "server",
                     process(&w->server), "children", children);
}

static json_t *failures(const struct kw_tally *t)
{
    json_t *o = json_object();
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0)
            json_object_set_new(o, kw_grpc_code_name(code),
                                json_pack("{s:I, s:s}", "count",
                                          (json_int_t)t->by_code[code], "message",
                                          t->said[code]));
    return o;
}

static json_t *options(const struct kw_load_options *o)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "socket", o->socket,
                     "mix", kw_method_names[o->method], "in_flight",
                     (json_int_t)o->in_flight, "connections", (json_int_t)o->connections,
                     "distinct", (json_int_t)o->distinct, "rate", (json_int_t)o->rate,
                     "timeout_ns", (json_int_t)o->timeout_ns, "warmup_ns",
                     (json_int_t)o->warmup_ns, "calls", (json_int_t)o->calls);
}

/* The figures that two runs are compared by: one name, one number. */
static json_t *figures(const struct kw_load_result *r)
{
    const struct kw_usage workers = kw_watch_children(&r->used);
    json_t *o = json_pack("{s:f, s:f}", "calls_per_s", kw_per_second(r), "client_us",
                          kw_per_call_us(r, r->client_cpu_ns));
    uint64_t ns = 0;
    if (kw_histogram_at(&r->tally.good, 500000, &ns))
        json_object_set_new(o, "p50_us", json_real((double)ns / 1e3));
    if (kw_histogram_at(&r->tally.good, 990000, &ns))
        json_object_set_new(o, "p99_us", json_real((double)ns / 1e3));
    if (!r->used.known || r->tally.good.count == 0)
        return o;
    double calls = (double)r->tally.good.count;
    uint64_t server = r->used.server.cpu_ns;
    json_object_set_new(o, "cpu_us",
                        json_real(kw_per_call_us(r, server + workers.cpu_ns)));
    json_object_set_new(o, "server_us", json_real(kw_per_call_us(r, server)));
    json_object_set_new(o, "workers_us", json_real(kw_per_call_us(r, workers.cpu_ns)));
    json_object_set_new(
        o, "switches",
        json_real((double)(r->used.server.switches + workers.switches) / calls));
    return o;
}

json_t *kw_load_document(const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_tally *t = &r->tally;
    return json_pack(
        "{s:s, s:i, s:s, s:o, s:b, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, "
        "s:I, "
        "s:I, s:I, s:I, s:o}",
        "tool", "keyward-bench load", "schema", 1, "version", KW_VERSION, "options",
        options(o), "partial", r->partial, "fault", r->fault, "elapsed_ns",
        (json_int_t)r->elapsed_ns, "good", (json_int_t)t->good.count, "wrong",
        (json_int_t)t->wrong, "failed", (json_int_t)kw_tally_failed(t), "latency",
        latency(&t->good), "failed_latency", latency(&t->failed), "failures", failures(t),
        "processes", processes(&r->used), "client_cpu_ns", (json_int_t)r->client_cpu_ns,
        "longest_gap_ns", (json_int_t)t->gap_ns, "late", (json_int_t)r->late, "proven",
        (json_int_t)r->proven, "not_proven", (json_int_t)r->not_proven, "figures",
        figures(r));
}
