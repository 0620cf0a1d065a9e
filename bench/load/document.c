/* SPDX-License-Identifier: Apache-2.0 */
/* The figures for programs: one JSON document. */
#include "load_run.h"

#include <math.h>

#include <keyward/client.h>

typedef json_int_t num;

/* A percentile that nobody can know is not there. */
static json_t *load_latency(const struct kw_histogram *h)
{
    json_t *mean = h->count > 0 ? json_integer((num)(h->sum / h->count)) : NULL;
    json_t *to = json_pack("{s:I, s:I, s:o*}", "count", (num)h->count, "max_ns",
                           (num)h->max, "mean_ns", mean);
    return kw_document_or_null(to, kw_document_percentiles(to != NULL, to, h, "ns"));
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

json_t *kw_document_failures(const uint64_t by_code[KW_GRPC_CODES],
                             const char (*said)[128])
{
    json_t *to = json_object();
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (by_code[code] > 0)
            json_object_set_new(to, kw_client_status_name((int)code),
                                json_pack("{s:I, s:s}", "count", (num)by_code[code],
                                          "message", said[code]));
    return to;
}

json_t *kw_document_by_method(const uint64_t n[KW_METHODS])
{
    json_t *to = json_object();
    for (unsigned m = 0; m < KW_METHODS; m++)
        json_object_set_new(to, kw_bench_method_names[m], json_integer((num)n[m]));
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
    return kw_document_head("load", options);
}

/* The figures that two runs are compared by: one name, one number.  Goodput is what the
 * API server can use: right replies within the caller's time. */
static json_t *load_figures(const struct kw_load_options *o,
                            const struct kw_load_result *r)
{
    const struct kw_outcome *all = &r->calls.tally.all;
    const double calls = (double)all->good.count;
    const double s = r->elapsed_ns > 0 ? (double)r->elapsed_ns / 1e9 : HUGE_VAL;
    json_t *to =
        json_pack("{s:f, s:f, s:o*, s:o*}", "calls_per_s", calls / s, "goodput_per_s",
                  (calls - (double)all->overdue) / s, "late_per_s",
                  o->rate > 0 ? json_real((double)r->late_more / s) : NULL, "client_us",
                  calls > 0 ? json_real((double)r->client_cpu_ns / 1e3 / calls) : NULL);
    bool good = kw_document_percentiles(to != NULL, to, &all->good, "us");
    return kw_document_or_null(to, kw_document_cpu(good, to, &r->used, all->good.count));
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

/* With --reconnect: the times when nothing good came, from the beginning of the measured
 * time on, which was began_monotonic_ns of CLOCK_MONOTONIC. */
static json_t *load_gaps(const struct kw_load_result *r)
{
    json_t *to = json_array();
    for (size_t i = 0; i < r->calls.outage_count; i++) {
        const struct kw_outage *gap = &r->calls.outages[i];
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
    const struct kw_needs n = kw_choice_needs(&o->choice);
    json_t *all = load_head(o);
    if (r == NULL)
        return kw_document_or_null(
            all, json_object_update_new(all, json_pack("{s:b, s:I, s:I}", "dry_run", 1,
                                                       "ciphertexts", (num)n.ciphertexts,
                                                       "seeds", (num)n.seeds)) == 0);
    const struct kw_tally *t = &r->calls.tally;
    json_t *rest = json_pack(
        "{s:b, s:b, s:s, s:I, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, "
        "s:o, s:o, s:o*, s:o*, s:s*}",
        "partial", r->partial, "stopped", r->stopped, "fault", r->fault, "elapsed_ns",
        (num)r->elapsed_ns, "by_method", load_by_method(o, t), "replies", (num)t->replies,
        "failures", kw_document_failures(t->by_code, t->said), "failed_latency",
        load_latency(&t->failed), "processes", load_processes(&r->used), "client_cpu_ns",
        (num)r->client_cpu_ns, "longest_gap_ns", (num)t->gap_ns, "late", (num)r->late,
        "proven", (num)r->proven, "not_proven", (num)r->not_proven, "sent",
        kw_document_by_method(r->calls.sent), "histogram",
        kw_document_histogram(&t->all.good), "figures", load_figures(o, r),
        "began_monotonic_ns", o->reconnect ? json_integer((num)r->from_ns) : NULL, "gaps",
        o->reconnect ? load_gaps(r) : NULL, "health",
        r->health[0] != '\0' ? r->health : NULL);
    bool good = json_object_update_new(all, load_outcome(&t->all)) == 0;
    return kw_document_or_null(all, json_object_update_new(all, rest) == 0 && good);
}
