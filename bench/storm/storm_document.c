/* SPDX-License-Identifier: Apache-2.0 */
/* A storm for programs: one JSON document. */
#include "play.h"

#include "bench_document.h"
#include "load.h"

static const char *cache_name(enum kw_storm_cache cache)
{
    switch (cache) {
    case KW_CACHE_COLD: return "cold";
    case KW_CACHE_WARM: return "warm";
    case KW_CACHE_UNKNOWN: break;
    }
    return "unknown";
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *ms(int64_t ns)
{
    return json_real((double)ns / 1e6);
}

static json_t *storm_options(const struct kw_storm_report *s)
{
    const struct kw_storm_options *o = &s->o->storm;
    json_t *sockets = json_array();
    for (uint64_t i = 0; i < o->sockets; i++)
        json_array_append_new(sockets, json_string(s->o->socket[i]));
    json_t *all =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sockets", sockets,
                  "servers", (json_int_t)o->servers, "seeds", (json_int_t)o->seeds,
                  "readers", (json_int_t)o->readers, "parallel", (json_int_t)o->parallel,
                  "timeout_ns", (json_int_t)o->timeout_ns, "list_retry_ns",
                  (json_int_t)o->list_retry_ns, "check_ns", (json_int_t)o->check_ns,
                  "check_retry_ns", (json_int_t)o->check_retry_ns);
    bool good = all != NULL;
    if (o->day_ns > 0) {
        good = kw_document_set(good, all, "day_ns", json_integer(o->day_ns));
        good = kw_document_set(good, all, "compress", number(s->compress));
        good = kw_document_set(good, all, "restarts", number(o->restarts));
    }
    return kw_document_or_null(all, good);
}

static json_t *ready_by_server(const struct kw_storm_report *s)
{
    json_t *all = json_array();
    bool good = all != NULL;
    for (uint64_t i = 0; i < s->o->storm.servers; i++) {
        int64_t at = s->r->tally.ready_ns[i];
        good = json_array_append_new(all, at >= 0 ? ms(at) : json_null()) == 0 && good;
    }
    return kw_document_or_null(all, good);
}

static json_t *failures(const struct kw_play_result *r)
{
    json_t *all = json_object();
    bool good = all != NULL;
    for (unsigned code = 0; code < KW_STORM_CODES; code++)
        if (r->tally.by_code[code] > 0)
            good = kw_document_set(good, all, kw_grpc_code_name(code),
                                   json_pack("{s:I, s:s}", "count",
                                             (json_int_t)r->tally.by_code[code],
                                             "message", r->said[code]));
    return kw_document_or_null(all, good);
}

static json_t *timeline(const struct kw_play_result *r)
{
    json_t *all = json_array();
    bool good = all != NULL;
    for (size_t i = 0; i < r->point_count; i++) {
        const struct kw_storm_point *p = &r->point[i];
        json_t *point =
            json_pack("{s:f, s:I, s:I, s:I}", "t_ms", (double)p->t_ns / 1e6, "unwrapped",
                      (json_int_t)p->unwrapped, "in_flight", (json_int_t)p->in_flight,
                      "failed", (json_int_t)p->failed);
        good = json_array_append_new(all, point) == 0 && good;
    }
    return kw_document_or_null(all, good);
}

static json_t *by_method(const uint64_t n[KW_METHODS])
{
    return json_pack("{s:I, s:I, s:I}", kw_bench_method_names[KW_STATUS],
                     (json_int_t)n[KW_STATUS], kw_bench_method_names[KW_ENCRYPT],
                     (json_int_t)n[KW_ENCRYPT], kw_bench_method_names[KW_DECRYPT],
                     (json_int_t)n[KW_DECRYPT]);
}

static json_t *hours(const struct kw_storm_tally *t)
{
    json_t *all = json_array();
    bool good = all != NULL;
    for (unsigned i = 0; i < KW_STORM_HOURS; i++) {
        const struct kw_storm_hour *h = &t->hour[i];
        json_t *hour = json_pack("{s:i, s:o, s:o}", "hour", (int)i, "calls",
                                 by_method(h->calls), "failed", by_method(h->failed));
        good = json_array_append_new(all, hour) == 0 && good;
    }
    return kw_document_or_null(all, good);
}

/* What the server and its children used for each good call. */
static bool set_cpu(bool good, json_t *to, const struct kw_play_result *r)
{
    const uint64_t *good_calls = r->tally.good;
    double calls =
        (double)(good_calls[KW_STATUS] + good_calls[KW_ENCRYPT] + good_calls[KW_DECRYPT]);
    if (!r->used.known || calls <= 0)
        return good;
    double server = (double)r->used.server.cpu_ns / 1e3 / calls;
    double workers = (double)kw_watch_children(&r->used).cpu_ns / 1e3 / calls;
    good = kw_document_set(good, to, "cpu_us", json_real(server + workers));
    good = kw_document_set(good, to, "server_us", json_real(server));
    return kw_document_set(good, to, "workers_us", json_real(workers));
}

/* The figures that two runs are compared by: one name, one number. */
static json_t *figures(const struct kw_storm_report *s)
{
    const struct kw_play_result *r = s->r;
    const struct kw_storm_tally *t = &r->tally;
    json_t *all = json_object();
    bool good = all != NULL;
    if (r->ready_ns > 0) {
        good = kw_document_set(good, all, "ready_ms", ms(r->ready_ns));
        good = kw_document_set(good, all, "slowest_start_ms", ms(t->slowest_ns));
    }
    if (s->o->storm.day_ns == 0 && r->elapsed_ns > 0)
        good = kw_document_set(
            good, all, "calls_per_s",
            json_real((double)t->good[KW_DECRYPT] * 1e9 / (double)r->elapsed_ns));
    good = kw_document_set(good, all, "requests", number(t->calls[KW_DECRYPT]));
    good = kw_document_set(good, all, "deadline_misses", number(t->deadline_misses));
    if (s->r->counted)
        good = kw_document_set(good, all, "hsm_operations", number(s->r->done.unwraps));
    good = kw_document_percentiles(good, all, &t->latency, "us");
    return kw_document_or_null(all, set_cpu(good, all, r));
}

static bool set_counted(bool good, json_t *to, const struct kw_storm_report *s)
{
    uint64_t requests = s->r->tally.calls[KW_DECRYPT];
    if (!s->r->counted)
        return good;
    good = kw_document_set(good, to, "hsm_operations", number(s->r->done.unwraps));
    if (requests >= s->r->done.unwraps)
        good = kw_document_set(good, to, "saved", number(requests - s->r->done.unwraps));
    good = kw_document_set(good, to, "cache_hits", number(s->r->done.hits));
    good = kw_document_set(good, to, "joined", number(s->r->done.joined));
    return kw_document_set(good, to, "hsm_jobs", number(s->r->done.hsm_jobs));
}

static bool set_tally(bool good, json_t *to, const struct kw_storm_report *s)
{
    const struct kw_storm_tally *t = &s->r->tally;
    good = kw_document_set(good, to, "requests", number(t->calls[KW_DECRYPT]));
    good = set_counted(good, to, s);
    good = kw_document_set(good, to, "duplicates", number(t->duplicates));
    good = kw_document_set(good, to, "deadline_misses", number(t->deadline_misses));
    good = kw_document_set(good, to, "wrong", number(t->wrong));
    good = kw_document_set(good, to, "failures", failures(s->r));
    good = kw_document_set(good, to, "calls", by_method(t->calls));
    good = kw_document_set(good, to, "good", by_method(t->good));
    good = kw_document_set(good, to, "list_retries", number(t->list_retries));
    return kw_document_set(good, to, "bad_checks", number(t->bad_checks));
}

static json_t *head(const struct kw_storm_report *s)
{
    return json_pack("{s:s, s:i, s:s, s:o}", "tool", "keyward-bench storm", "schema", 1,
                     "version", KW_VERSION, "options", storm_options(s));
}

json_t *kw_storm_plan_document(const struct kw_storm_report *s)
{
    json_t *all = head(s);
    return kw_document_or_null(all,
                               kw_document_set(all != NULL, all, "dry_run", json_true()));
}

json_t *kw_storm_document(const struct kw_storm_report *s)
{
    const struct kw_play_result *r = s->r;
    json_t *all = head(s);
    bool good = all != NULL;
    good = kw_document_set(good, all, "partial", json_boolean(r->partial));
    good = kw_document_set(good, all, "fault", json_string(r->fault));
    good = kw_document_set(good, all, "elapsed_ns", json_integer(r->elapsed_ns));
    good = kw_document_set(good, all, "cache", json_string(cache_name(s->cache)));
    if (r->ready_ns >= 0)
        good = kw_document_set(good, all, "ready_ms", ms(r->ready_ns));
    good = kw_document_set(good, all, "ready_by_server_ms", ready_by_server(s));
    good = set_tally(good, all, s);
    if (s->o->storm.day_ns > 0) {
        good = kw_document_set(good, all, "restarts", number(r->tally.restarts));
        good = kw_document_set(good, all, "rotations", number(r->tally.rotations));
        good = kw_document_set(good, all, "hours", hours(&r->tally));
    }
    good =
        kw_document_set(good, all, "histogram", kw_document_histogram(&r->tally.latency));
    good = kw_document_set(good, all, "timeline", timeline(r));
    good = kw_document_set(good, all, "figures", figures(s));
    return kw_document_or_null(all, good);
}
