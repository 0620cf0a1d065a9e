/* SPDX-License-Identifier: Apache-2.0 */
/* The figures for programs: one JSON document. */
#include "load_run.h"

#include "bench_document.h"

typedef json_int_t num;

/* A percentile that nobody can know is not there. */
static json_t *load_latency(const struct kw_histogram *h)
{
    json_t *to = json_pack("{s:I, s:I}", "count", (num)h->count, "max_ns", (num)h->max);
    bool good = to != NULL;
    if (h->count > 0)
        good =
            kw_document_set(good, to, "mean_ns", json_integer((num)(h->sum / h->count)));
    return kw_document_or_null(to, kw_document_percentiles(good, to, h, "ns"));
}

static json_t *load_process(const struct kw_process_usage *u)
{
    return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "pid", u->pid,
                     "name", u->name, "cpu_ns", (num)u->cpu_ns, "user_ticks",
                     (num)u->user_ticks, "system_ticks", (num)u->system_ticks, "switches",
                     (num)u->switches, "resident_before_kib", (num)u->resident_before_kib,
                     "resident_kib", (num)u->resident_kib, "resident_max_kib",
                     (num)u->resident_max_kib, "threads", (int)u->threads);
}

static json_t *load_processes(const struct kw_watch *w)
{
    if (!w->known)
        return json_pack("{s:b}", "known", 0);
    json_t *children = json_array();
    for (size_t i = 0; i < w->child_count; i++)
        json_array_append_new(children, load_process(&w->child[i]));
    return json_pack("{s:b, s:b, s:o, s:o}", "known", 1, "lost", w->lost, "server",
                     load_process(&w->server), "children", children);
}

static json_t *load_failures(const struct kw_tally *t)
{
    json_t *to = json_object();
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0)
            json_object_set_new(to, kw_grpc_code_name(code),
                                json_pack("{s:I, s:s}", "count", (num)t->by_code[code],
                                          "message", t->said[code]));
    return to;
}

static json_t *load_head(const struct kw_load_options *o)
{
    json_t *options = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:b}",
        "socket", o->socket, "mix", o->mix, "ciphertexts", o->ciphertexts, "seed",
        (num)o->choice.seed, "in_flight", (num)o->in_flight, "connections",
        (num)o->connections, "rate", (num)o->rate, "max_rate", (num)o->max_rate,
        "stop_p99_ns", (num)o->stop_p99_ns, "timeout_ns", (num)o->timeout_ns, "ramp",
        o->ramp, "warmup_ns", (num)o->warmup_ns, "seconds_ns",
        (num)(o->calls > 0 ? 0 : o->seconds_ns), "calls", (num)o->calls, "eager",
        o->eager);
    return json_pack("{s:s, s:i, s:s, s:o}", "tool", "keyward-bench load", "schema", 1,
                     "version", KW_VERSION, "options", options);
}

json_t *kw_load_plan_document(const struct kw_load_options *o)
{
    const struct kw_needs n = kw_choice_needs(&o->choice);
    json_t *all = load_head(o);
    bool good = kw_document_set(all != NULL, all, "dry_run", json_true());
    good = kw_document_set(good, all, "ciphertexts", json_integer((num)n.ciphertexts));
    return kw_document_or_null(
        all, kw_document_set(good, all, "seeds", json_integer((num)n.seeds)));
}

static double load_per_second(const struct kw_load_result *r, uint64_t count)
{
    return r->elapsed_ns > 0 ? (double)count * 1e9 / (double)r->elapsed_ns : 0;
}

static bool set_per_call(bool good, json_t *to, const char *name, uint64_t ns,
                         uint64_t calls)
{
    return kw_document_set(good, to, name, json_real((double)ns / 1e3 / (double)calls));
}

/* The figures that two runs are compared by: one name, one number.  Goodput is what the
 * API server can use: right replies within the caller's time. */
static json_t *load_figures(const struct kw_load_options *o,
                            const struct kw_load_result *r)
{
    const struct kw_histogram *all = &r->tally.all.good;
    const struct kw_process_usage workers = kw_watch_children(&r->used);
    const struct kw_process_usage *server = &r->used.server;
    json_t *to =
        json_pack("{s:f, s:f}", "calls_per_s", load_per_second(r, all->count),
                  "goodput_per_s", load_per_second(r, all->count - r->tally.all.overdue));
    bool good = to != NULL;
    if (o->rate > 0)
        good = kw_document_set(good, to, "late_per_s",
                               json_real(load_per_second(r, r->late_more)));
    good = kw_document_percentiles(good, to, all, "us");
    if (all->count > 0)
        good = set_per_call(good, to, "client_us", r->client_cpu_ns, all->count);
    if (all->count > 0 && r->used.known) {
        good =
            set_per_call(good, to, "cpu_us", server->cpu_ns + workers.cpu_ns, all->count);
        good = set_per_call(good, to, "server_us", server->cpu_ns, all->count);
        good = set_per_call(good, to, "workers_us", workers.cpu_ns, all->count);
        good = kw_document_set(good, to, "switches",
                               json_real((double)(server->switches + workers.switches) /
                                         (double)all->count));
    }
    return kw_document_or_null(to, good);
}

static json_t *load_outcome(const struct kw_outcome *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "good", (num)c->good.count,
                     "wrong", (num)c->wrong, "failed", (num)c->failed, "missed",
                     (num)c->overdue + (num)c->exceeded, "overdue", (num)c->overdue,
                     "exceeded", (num)c->exceeded, "latency", load_latency(&c->good));
}

static json_t *load_by_method(const struct kw_load_options *o, const struct kw_tally *t)
{
    json_t *to = json_object();
    for (unsigned m = 0; m < KW_METHODS; m++)
        if (o->choice.weight[m] > 0)
            json_object_set_new(to, kw_bench_method_names[m], load_outcome(&t->of[m]));
    return to;
}

static json_t *load_sent(const struct kw_load_result *r)
{
    json_t *to = json_object();
    for (unsigned m = 0; m < KW_METHODS; m++)
        json_object_set_new(to, kw_bench_method_names[m], json_integer((num)r->sent[m]));
    return to;
}

/* With --reconnect: the times when nothing good came, from the beginning of the measured
 * time on, which was began_monotonic_ns of CLOCK_MONOTONIC. */
static json_t *load_gaps(const struct kw_load_result *r)
{
    json_t *to = json_array();
    for (size_t i = 0; i < r->outage_count; i++) {
        const struct kw_outage *gap = &r->outage[i];
        json_array_append_new(to,
                              json_pack("{s:I, s:I, s:I, s:s}", "at_us",
                                        (num)((gap->at_ns - r->from_ns) / 1000), "us",
                                        (num)(gap->ns / 1000), "failed", (num)gap->failed,
                                        "first_error", gap->first_error));
    }
    return to;
}

json_t *kw_load_document(const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_tally *t = &r->tally;
    json_t *all = load_head(o), *counts = load_outcome(&t->all);
    json_t *rest = json_pack(
        "{s:b, s:b, s:s, s:I, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, "
        "s:o, s:o}",
        "partial", r->partial, "stopped", r->stopped, "fault", r->fault, "elapsed_ns",
        (num)r->elapsed_ns, "by_method", load_by_method(o, t), "replies", (num)t->replies,
        "failures", load_failures(t), "failed_latency", load_latency(&t->failed),
        "processes", load_processes(&r->used), "client_cpu_ns", (num)r->client_cpu_ns,
        "longest_gap_ns", (num)t->gap_ns, "late", (num)r->late, "proven", (num)r->proven,
        "not_proven", (num)r->not_proven, "sent", load_sent(r), "histogram",
        kw_document_histogram(&t->all.good), "figures", load_figures(o, r));
    bool good = json_object_update_missing(all, counts) == 0 &&
                json_object_update_missing(all, rest) == 0;
    if (o->reconnect) {
        good = kw_document_set(good, all, "began_monotonic_ns", json_integer(r->from_ns));
        good = kw_document_set(good, all, "gaps", load_gaps(r));
    }
    json_decref(counts);
    json_decref(rest);
    return kw_document_or_null(all, good);
}
