/* SPDX-License-Identifier: Apache-2.0 */
/* A storm for programs: one JSON document. */
#include "play.h"

#include "load_run.h"

typedef json_int_t num;

static json_t *storm_ms(int64_t ns)
{
    return json_real((double)ns / 1e6);
}

static json_t *storm_head(const struct kw_play_options *play)
{
    const struct kw_storm_options *o = &play->storm;
    json_t *sockets = json_array();
    for (uint64_t i = 0; i < o->sockets; i++)
        json_array_append_new(sockets, json_string(play->socket[i]));
    json_t *options =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sockets", sockets,
                  "servers", (num)o->servers, "seeds", (num)o->seeds, "readers",
                  (num)o->readers, "parallel", (num)o->parallel, "timeout_ns",
                  (num)o->timeout_ns, "list_retry_ns", (num)o->list_retry_ns, "check_ns",
                  (num)o->check_ns, "check_retry_ns", (num)o->check_retry_ns);
    json_t *day = o->day_ns > 0
                      ? json_pack("{s:I, s:I, s:I}", "day_ns", (num)o->day_ns, "compress",
                                  (num)play->compress, "restarts", (num)o->restarts)
                      : json_object();
    return kw_document_head(
        "storm", kw_document_or_null(options, json_object_update_new(options, day) == 0));
}

static json_t *storm_ready_by_server(const struct kw_storm *s)
{
    json_t *all = json_array();
    for (uint64_t i = 0; i < s->o.servers; i++) {
        int64_t at = s->tally.ready_ns[i];
        json_array_append_new(all, at >= 0 ? storm_ms(at) : json_null());
    }
    return all;
}

static json_t *storm_timeline(const struct kw_storm *s)
{
    json_t *all = json_array();
    for (size_t i = 0; i < s->points; i++) {
        const struct kw_storm_point *p = &s->point[i];
        json_array_append_new(
            all, json_pack("{s:f, s:I, s:I, s:I}", "t_ms", (double)p->t_ns / 1e6,
                           "unwrapped", (num)p->unwrapped, "in_flight", (num)p->in_flight,
                           "failed", (num)p->failed));
    }
    return all;
}

static json_t *storm_hours(const struct kw_storm_tally *t)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < KW_STORM_HOURS; i++)
        json_array_append_new(all,
                              json_pack("{s:i, s:o, s:o}", "hour", (int)i, "calls",
                                        kw_document_by_method(t->hour[i].calls), "failed",
                                        kw_document_by_method(t->hour[i].failed)));
    return all;
}

/* The figures that two runs are compared by: one name, one number. */
static json_t *storm_figures(const struct kw_play_options *o,
                             const struct kw_play_result *r)
{
    const struct kw_storm_tally *t = &r->storm->tally;
    const bool ready = r->storm->ready_ns > 0, counts = o->storm.day_ns == 0;
    json_t *all = json_pack(
        "{s:I, s:I, s:o*, s:o*, s:o*, s:o*}", "requests", (num)t->calls[KW_DECRYPT],
        "deadline_misses", (num)t->deadline_misses, "ready_ms",
        ready ? storm_ms(r->storm->ready_ns) : NULL, "slowest_start_ms",
        ready ? storm_ms(t->slowest_ns) : NULL, "calls_per_s",
        counts && r->elapsed_ns > 0
            ? json_real((double)t->good[KW_DECRYPT] * 1e9 / (double)r->elapsed_ns)
            : NULL,
        "hsm_operations", r->counted ? json_integer(r->done.unwraps) : NULL);
    bool good = kw_document_percentiles(all != NULL, all, &t->latency, "us");
    good =
        kw_document_cpu(good, all, &r->used,
                        t->good[KW_STATUS] + t->good[KW_ENCRYPT] + t->good[KW_DECRYPT]);
    return kw_document_or_null(all, good);
}

/* What keywardd's status socket told. */
static json_t *storm_counted(const struct kw_play_result *r)
{
    const struct kw_counters *done = &r->done;
    const num saved = (num)r->storm->tally.calls[KW_DECRYPT] - done->unwraps;
    if (!r->counted)
        return json_object();
    return json_pack("{s:I, s:I, s:I, s:I, s:o*}", "hsm_operations", done->unwraps,
                     "cache_hits", done->hits, "joined", done->joined, "hsm_jobs",
                     done->hsm_jobs, "saved", saved >= 0 ? json_integer(saved) : NULL);
}

json_t *kw_storm_document(const struct kw_play_options *o, const struct kw_play_result *r)
{
    json_t *all = storm_head(o);
    if (r == NULL)
        return kw_document_or_null(
            all, kw_document_set(all != NULL, all, "dry_run", json_true()));
    const struct kw_storm_tally *t = &r->storm->tally;
    const bool is_day = o->storm.day_ns > 0;
    json_t *rest = json_pack(
        "{s:b, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o, "
        "s:o, s:o, s:o*, s:o*, s:o*, s:o*}",
        "partial", r->partial, "fault", r->fault, "elapsed_ns", (num)r->elapsed_ns,
        "cache", r->cache, "ready_by_server_ms", storm_ready_by_server(r->storm),
        "requests", (num)t->calls[KW_DECRYPT], "duplicates", (num)t->duplicates,
        "deadline_misses", (num)t->deadline_misses, "wrong", (num)t->wrong, "failures",
        kw_document_failures(t->by_code, r->said), "calls",
        kw_document_by_method(t->calls), "good", kw_document_by_method(t->good),
        "list_retries", (num)t->list_retries, "bad_checks", (num)t->bad_checks,
        "histogram", kw_document_histogram(&t->latency), "timeline",
        storm_timeline(r->storm), "figures", storm_figures(o, r), "ready_ms",
        r->storm->ready_ns >= 0 ? storm_ms(r->storm->ready_ns) : NULL, "restarts",
        is_day ? json_integer((num)t->restarts) : NULL, "rotations",
        is_day ? json_integer((num)t->rotations) : NULL, "hours",
        is_day ? storm_hours(t) : NULL);
    bool good = json_object_update_new(all, rest) == 0;
    return kw_document_or_null(all, json_object_update_new(all, storm_counted(r)) == 0 &&
                                        good);
}
