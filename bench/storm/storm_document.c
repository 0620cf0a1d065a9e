/* SPDX-License-Identifier: Apache-2.0 */
/* A storm for programs: one JSON document. */
#include "play.h"

#include "bench_document.h"
#include "load_run.h"

typedef json_int_t num;

static const char *cache_name(enum kw_storm_cache cache)
{
    switch (cache) {
    case KW_CACHE_COLD: return "cold";
    case KW_CACHE_WARM: return "warm";
    case KW_CACHE_UNKNOWN: break;
    }
    return "unknown";
}

static json_t *ms(int64_t ns)
{
    return json_real((double)ns / 1e6);
}

static json_t *storm_head(const struct kw_storm_report *s)
{
    const struct kw_storm_options *o = &s->o->storm;
    json_t *sockets = json_array();
    for (uint64_t i = 0; i < o->sockets; i++)
        json_array_append_new(sockets, json_string(s->o->socket[i]));
    json_t *options =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sockets", sockets,
                  "servers", (num)o->servers, "seeds", (num)o->seeds, "readers",
                  (num)o->readers, "parallel", (num)o->parallel, "timeout_ns",
                  (num)o->timeout_ns, "list_retry_ns", (num)o->list_retry_ns, "check_ns",
                  (num)o->check_ns, "check_retry_ns", (num)o->check_retry_ns);
    if (options != NULL && o->day_ns > 0) {
        json_t *day = json_pack("{s:I, s:I, s:I}", "day_ns", (num)o->day_ns, "compress",
                                (num)s->compress, "restarts", (num)o->restarts);
        bool good = json_object_update(options, day) == 0;
        json_decref(day);
        options = kw_document_or_null(options, good);
    }
    return json_pack("{s:s, s:i, s:s, s:o}", "tool", "keyward-bench storm", "schema", 1,
                     "version", KW_VERSION, "options", options);
}

static json_t *ready_by_server(const struct kw_storm_report *s)
{
    json_t *all = json_array();
    for (uint64_t i = 0; i < s->o->storm.servers; i++) {
        int64_t at = s->r->tally.ready_ns[i];
        json_array_append_new(all, at >= 0 ? ms(at) : json_null());
    }
    return all;
}

static json_t *storm_failures(const struct kw_play_result *r)
{
    json_t *all = json_object();
    for (unsigned code = 0; code < KW_STORM_CODES; code++)
        if (r->tally.by_code[code] > 0)
            json_object_set_new(all, kw_grpc_code_name(code),
                                json_pack("{s:I, s:s}", "count",
                                          (num)r->tally.by_code[code], "message",
                                          r->said[code]));
    return all;
}

static json_t *storm_timeline(const struct kw_play_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->point_count; i++) {
        const struct kw_storm_point *p = &r->point[i];
        json_array_append_new(
            all, json_pack("{s:f, s:I, s:I, s:I}", "t_ms", (double)p->t_ns / 1e6,
                           "unwrapped", (num)p->unwrapped, "in_flight", (num)p->in_flight,
                           "failed", (num)p->failed));
    }
    return all;
}

static json_t *by_method(const uint64_t n[KW_METHODS])
{
    return json_pack("{s:I, s:I, s:I}", kw_bench_method_names[KW_STATUS],
                     (num)n[KW_STATUS], kw_bench_method_names[KW_ENCRYPT],
                     (num)n[KW_ENCRYPT], kw_bench_method_names[KW_DECRYPT],
                     (num)n[KW_DECRYPT]);
}

static json_t *storm_hours(const struct kw_storm_tally *t)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < KW_STORM_HOURS; i++)
        json_array_append_new(all, json_pack("{s:i, s:o, s:o}", "hour", (int)i, "calls",
                                             by_method(t->hour[i].calls), "failed",
                                             by_method(t->hour[i].failed)));
    return all;
}

/* What the server and its children used for each good call. */
static bool set_cpu(bool good, json_t *to, const struct kw_play_result *r)
{
    const uint64_t *done = r->tally.good;
    double calls = (double)(done[KW_STATUS] + done[KW_ENCRYPT] + done[KW_DECRYPT]);
    if (!r->used.known || calls <= 0)
        return good;
    double server = (double)r->used.server.cpu_ns / 1e3 / calls;
    double workers = (double)kw_watch_children(&r->used).cpu_ns / 1e3 / calls;
    good = kw_document_set(good, to, "cpu_us", json_real(server + workers));
    good = kw_document_set(good, to, "server_us", json_real(server));
    return kw_document_set(good, to, "workers_us", json_real(workers));
}

/* The figures that two runs are compared by: one name, one number. */
static json_t *storm_figures(const struct kw_storm_report *s)
{
    const struct kw_play_result *r = s->r;
    const struct kw_storm_tally *t = &r->tally;
    json_t *all = json_pack("{s:I, s:I}", "requests", (num)t->calls[KW_DECRYPT],
                            "deadline_misses", (num)t->deadline_misses);
    bool good = all != NULL;
    if (r->ready_ns > 0) {
        good = kw_document_set(good, all, "ready_ms", ms(r->ready_ns));
        good = kw_document_set(good, all, "slowest_start_ms", ms(t->slowest_ns));
    }
    if (s->o->storm.day_ns == 0 && r->elapsed_ns > 0)
        good = kw_document_set(
            good, all, "calls_per_s",
            json_real((double)t->good[KW_DECRYPT] * 1e9 / (double)r->elapsed_ns));
    if (r->counted)
        good = kw_document_set(good, all, "hsm_operations",
                               json_integer((num)r->done.unwraps));
    good = kw_document_percentiles(good, all, &t->latency, "us");
    return kw_document_or_null(all, set_cpu(good, all, r));
}

/* What keywardd's status socket told. */
static bool set_counted(bool good, json_t *to, const struct kw_play_result *r)
{
    const struct kw_counters *done = &r->done;
    uint64_t requests = r->tally.calls[KW_DECRYPT];
    if (!r->counted)
        return good;
    json_t *more = json_pack("{s:I, s:I, s:I, s:I}", "hsm_operations", (num)done->unwraps,
                             "cache_hits", (num)done->hits, "joined", (num)done->joined,
                             "hsm_jobs", (num)done->hsm_jobs);
    good = good && json_object_update(to, more) == 0;
    json_decref(more);
    if (requests >= done->unwraps)
        good = kw_document_set(good, to, "saved",
                               json_integer((num)(requests - done->unwraps)));
    return good;
}

json_t *kw_storm_plan_document(const struct kw_storm_report *s)
{
    json_t *all = storm_head(s);
    return kw_document_or_null(all,
                               kw_document_set(all != NULL, all, "dry_run", json_true()));
}

json_t *kw_storm_document(const struct kw_storm_report *s)
{
    const struct kw_play_result *r = s->r;
    const struct kw_storm_tally *t = &r->tally;
    json_t *all = storm_head(s);
    json_t *rest = json_pack(
        "{s:b, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o, "
        "s:o, "
        "s:o}",
        "partial", r->partial, "fault", r->fault, "elapsed_ns", (num)r->elapsed_ns,
        "cache", cache_name(s->cache), "ready_by_server_ms", ready_by_server(s),
        "requests", (num)t->calls[KW_DECRYPT], "duplicates", (num)t->duplicates,
        "deadline_misses", (num)t->deadline_misses, "wrong", (num)t->wrong, "failures",
        storm_failures(r), "calls", by_method(t->calls), "good", by_method(t->good),
        "list_retries", (num)t->list_retries, "bad_checks", (num)t->bad_checks,
        "histogram", kw_document_histogram(&t->latency), "timeline", storm_timeline(r),
        "figures", storm_figures(s));
    bool good = json_object_update(all, rest) == 0;
    json_decref(rest);
    if (r->ready_ns >= 0)
        good = kw_document_set(good, all, "ready_ms", ms(r->ready_ns));
    good = set_counted(good, all, r);
    if (s->o->storm.day_ns > 0) {
        good = kw_document_set(good, all, "restarts", json_integer((num)t->restarts));
        good = kw_document_set(good, all, "rotations", json_integer((num)t->rotations));
        good = kw_document_set(good, all, "hours", storm_hours(t));
    }
    return kw_document_or_null(all, good);
}
