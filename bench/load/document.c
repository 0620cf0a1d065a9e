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
    return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "pid", u->pid,
                     "name", u->name, "cpu_ns", (json_int_t)u->cpu_ns, "user_ticks",
                     (json_int_t)u->user_ticks, "system_ticks",
                     (json_int_t)u->system_ticks, "switches", (json_int_t)u->switches,
                     "resident_before_kib", (json_int_t)u->resident_before_kib,
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
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:b}",
        "socket", o->socket, "mix", o->mix, "ciphertexts", o->ciphertexts, "seed",
        (json_int_t)o->choice.seed, "in_flight", (json_int_t)o->in_flight, "connections",
        (json_int_t)o->connections, "rate", (json_int_t)o->rate, "max_rate",
        (json_int_t)o->max_rate, "stop_p99_ns", (json_int_t)o->stop_p99_ns, "timeout_ns",
        (json_int_t)o->timeout_ns, "ramp", o->ramp, "warmup_ns", (json_int_t)o->warmup_ns,
        "seconds_ns", (json_int_t)(o->calls > 0 ? 0 : o->seconds_ns), "calls",
        (json_int_t)o->calls, "eager", o->eager);
}

static void set_us(json_t *to, const struct kw_histogram *h, const char *name,
                   uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(h, ppm, &ns))
        json_object_set_new(to, name, json_real((double)ns / 1e3));
}

static void set_cpu(json_t *to, const struct kw_load_result *r)
{
    const struct kw_usage workers = kw_watch_children(&r->used);
    uint64_t server = r->used.server.cpu_ns;
    json_object_set_new(to, "cpu_us",
                        json_real(kw_per_call_us(r, server + workers.cpu_ns)));
    json_object_set_new(to, "server_us", json_real(kw_per_call_us(r, server)));
    json_object_set_new(to, "workers_us", json_real(kw_per_call_us(r, workers.cpu_ns)));
    json_object_set_new(to, "switches",
                        json_real((double)(r->used.server.switches + workers.switches) /
                                  (double)r->tally.all.good.count));
}

/* The figures that two runs are compared by: one name, one number. */
static json_t *figures(const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_histogram *good = &r->tally.all.good;
    json_t *to = json_pack("{s:f, s:f}", "calls_per_s", kw_per_second(r, good->count),
                           "goodput_per_s", kw_goodput_per_s(r));
    if (o->rate > 0)
        json_object_set_new(to, "late_per_s", json_real(kw_per_second(r, r->late_more)));
    set_us(to, good, "p50_us", 500000);
    set_us(to, good, "p90_us", 900000);
    set_us(to, good, "p99_us", 990000);
    set_us(to, good, "p99.9_us", 999000);
    if (good->count > 0)
        json_object_set_new(to, "client_us",
                            json_real(kw_per_call_us(r, r->client_cpu_ns)));
    if (good->count > 0 && r->used.known)
        set_cpu(to, r);
    return to;
}

/* [[upper_ns, count], …]: every bucket that holds something. */
json_t *kw_histogram_document(const struct kw_histogram *h)
{
    json_t *all = json_array();
    for (unsigned i = 0; all != NULL && i < KW_HISTOGRAM_BUCKETS; i++)
        if (h->bucket[i] > 0)
            json_array_append_new(all,
                                  json_pack("[I, I]", (json_int_t)kw_histogram_top(i),
                                            (json_int_t)h->bucket[i]));
    return all;
}

static json_t *outcome(const struct kw_outcome *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "good",
                     (json_int_t)c->good.count, "wrong", (json_int_t)c->wrong, "failed",
                     (json_int_t)c->failed, "missed", (json_int_t)kw_missed(c), "overdue",
                     (json_int_t)c->overdue, "exceeded", (json_int_t)c->exceeded,
                     "latency", latency(&c->good));
}

static json_t *by_method(const struct kw_load_options *o, const struct kw_tally *t)
{
    json_t *all = json_object();
    for (unsigned m = 0; all != NULL && m < KW_METHODS; m++)
        if (o->choice.weight[m] > 0)
            json_object_set_new(all, kw_method_names[m], outcome(&t->of[m]));
    return all;
}

static json_t *sent(const struct kw_load_result *r)
{
    json_t *all = json_object();
    for (unsigned m = 0; all != NULL && m < KW_METHODS; m++)
        json_object_set_new(all, kw_method_names[m],
                            json_integer((json_int_t)r->sent[m]));
    return all;
}

/* With --reconnect: when nothing good came, on the clock of the measured time, which
 * began at began_monotonic_ns of CLOCK_MONOTONIC. */
static bool set_outages(json_t *to, const struct kw_load_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->outage_count; i++) {
        const struct kw_outage *o = &r->outage[i];
        json_array_append_new(all, json_pack("{s:I, s:I, s:I, s:s}", "at_us",
                                             (json_int_t)((o->at_ns - r->from_ns) / 1000),
                                             "us", (json_int_t)(o->ns / 1000), "failed",
                                             (json_int_t)o->failed, "first_error",
                                             o->first_error));
    }
    int failed = json_object_set_new(to, "began_monotonic_ns", json_integer(r->from_ns));
    return json_object_set_new(to, "gaps", all) == 0 && failed == 0;
}

static json_t *head(const struct kw_load_options *o)
{
    return json_pack("{s:s, s:i, s:s, s:o}", "tool", "keyward-bench load", "schema", 1,
                     "version", KW_VERSION, "options", options(o));
}

json_t *kw_load_plan_document(const struct kw_load_options *o)
{
    const struct kw_needs n = kw_choice_needs(&o->choice);
    json_t *all = head(o);
    json_t *more = json_pack("{s:b, s:I, s:I}", "dry_run", 1, "ciphertexts",
                             (json_int_t)n.ciphertexts, "seeds", (json_int_t)n.seeds);
    if (json_object_update_missing(all, more) != 0) {
        json_decref(all);
        all = NULL;
    }
    json_decref(more);
    return all;
}

json_t *kw_load_document(const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_tally *t = &r->tally;
    json_t *all = head(o);
    json_t *more = json_pack(
        "{s:b, s:b, s:s, s:I, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, "
        "s:o, s:o}",
        "partial", r->partial, "stopped", r->stopped, "fault", r->fault, "elapsed_ns",
        (json_int_t)r->elapsed_ns, "by_method", by_method(o, t), "replies",
        (json_int_t)t->replies, "failures", failures(t), "failed_latency",
        latency(&t->failed), "processes", processes(&r->used), "client_cpu_ns",
        (json_int_t)r->client_cpu_ns, "longest_gap_ns", (json_int_t)t->gap_ns, "late",
        (json_int_t)r->late, "proven", (json_int_t)r->proven, "not_proven",
        (json_int_t)r->not_proven, "sent", sent(r), "histogram",
        kw_histogram_document(&t->all.good), "figures", figures(o, r));
    json_t *counts = outcome(&t->all);
    if (json_object_update_missing(all, counts) != 0 ||
        json_object_update_missing(all, more) != 0 ||
        (o->reconnect && !set_outages(all, r))) {
        json_decref(all);
        all = NULL;
    }
    json_decref(counts);
    json_decref(more);
    return all;
}
