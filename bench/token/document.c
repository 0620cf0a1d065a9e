/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

typedef json_int_t num;

/* A figure that nobody can know is not there. */
static json_t *token_figures(const struct kw_token_point *p, const char *rate)
{
    json_t *to = json_object();
    if (p == NULL || p->latency.count == 0)
        return to;
    const double calls = (double)p->latency.count;
    bool good = kw_document_set(true, to, rate, json_real(kw_point_per_second(p)));
    good = kw_document_percentiles(good, to, &p->latency, "us");
    if (p->cpu_known) {
        good = kw_document_set(good, to, "cpu_us",
                               json_real((double)p->cpu_ns / 1e3 / calls));
        good =
            kw_document_set(good, to, "switches", json_real((double)p->switches / calls));
    }
    return kw_document_or_null(to, good);
}

/* What is under way at once: each thread has one operation, whatever sessions it has. */
static json_t *token_curve(const struct kw_token_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->count; i++) {
        const struct kw_token_point *p = &r->point[i];
        json_t *point = json_pack(
            "{s:I, s:I, s:I, s:I, s:b}", "sessions", (num)p->processes * (num)p->threads,
            "good", (num)p->latency.count, "wrong", (num)p->wrong, "elapsed_ns",
            (num)p->elapsed_ns, "partial", p->partial);
        json_t *figures = token_figures(p, "ops_per_s");
        json_object_update(point, figures);
        json_decref(figures);
        if (p->latency.count > 0)
            json_array_append(all, point);
        json_decref(point);
    }
    return all;
}

static json_t *token_facts(const struct kw_token_plan *p, const struct kw_token_facts *f)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "label", f->label,
        "serial", f->serial, "manufacturer", f->manufacturer, "model", f->model,
        "firmware", f->firmware, "hardware", f->hardware, "library", f->library,
        "library_version", f->library_version, "cryptoki_version", f->cryptoki_version,
        "softhsm", f->softhsm, "mechanism", kw_op_seals(p->op) ? "CKM_AES_GCM" : "", "iv",
        kw_op_seals(p->op) ? "caller" : "not looked at");
}

static json_t *token_options(const struct kw_token_plan *p)
{
    json_t *points = json_array();
    for (size_t i = 0; i < p->curve.count; i++)
        json_array_append_new(points, json_integer((num)p->curve.at[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I}",
        "module", p->module, "uri", p->uri, "operation", kw_op_names[p->op], "key",
        kw_op_wants_key(p->op) ? kw_bench_key_names[p->key] : "", "processes",
        (num)p->processes, "threads", (num)p->threads, "sessions", (num)p->sessions,
        "curve", points, "fit", p->fits, "seconds_ns", (num)p->seconds_ns, "calls",
        (num)p->calls, "warmup_ns", (num)p->warmup_ns, "ramp_ns", (num)p->ramp_ns,
        "max_rate", (num)p->max_rate, "stop_p99_ns", (num)p->stop_p99_ns);
}

/* What every document of this verb begins with, and what follows: `rest`, which is taken. */
static json_t *token_head(const struct kw_token_plan *p, json_t *rest)
{
    json_t *all = kw_document_head("token", token_options(p));
    return kw_document_or_null(all, json_object_update_new(all, rest) == 0);
}

static json_t *token_keyring(const struct kw_key_guard *g)
{
    return g->path == NULL
               ? json_null()
               : json_pack("{s:s, s:I}", "path", g->path, "keys", (num)g->ring->count);
}

/* Why no more: nothing is gained by more ("enough"), the token grants no more ("granted"),
 * or no more was measured ("measured"). */
static json_t *token_fits(const struct kw_token_plan *p, const struct kw_token_result *r)
{
    const struct kw_token_point *fit = p->fits ? kw_result_fit(r) : NULL;
    const uint64_t granted = kw_fit_granted(&r->facts, p->processes);
    bool more = false;
    for (size_t i = 0; i < r->count && fit != NULL; i++)
        more = more || r->point[i].threads > fit->threads;
    if (fit == NULL)
        return NULL;
    const char *why = more                                       ? "enough"
                      : r->count < p->curve.count && !r->partial ? "granted"
                                                                 : "measured";
    return json_pack("{s:I, s:I, s:I, s:f, s:s, s:o*}", "workers", (num)fit->processes,
                     "sessions", (num)fit->threads, "in_flight",
                     (num)fit->processes * (num)fit->threads, "ops_per_s",
                     kw_point_per_second(fit), "why", why, "granted",
                     granted == KW_TOKEN_NOT_TOLD ? NULL : json_integer((num)granted));
}

json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_key_guard *g,
                          const struct kw_token_result *r)
{
    static const struct kw_token_point none;
    const struct kw_token_point *measured = kw_result_best(r);
    const struct kw_token_point *best = measured != NULL ? measured : &none;
    return token_head(
        p,
        json_pack("{s:b, s:s, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o*, s:o*}", "partial",
                  r->partial, "fault", r->fault.text, "token", token_facts(p, &r->facts),
                  "keyring", token_keyring(g), "label", r->label, "elapsed_ns",
                  (num)best->elapsed_ns, "good", (num)best->latency.count, "wrong",
                  (num)r->wrong, "figures", token_figures(best, "calls_per_s"), "curve",
                  p->curve.count > 0 ? token_curve(r) : NULL, "fits", token_fits(p, r)));
}

/* Each point has its own logins; the owner's, with its session, is one for all. */
json_t *kw_token_plan_document(const struct kw_token_plan *p,
                               const struct kw_key_guard *g)
{
    uint64_t logins = 1, sessions = 0;
    for (size_t i = 0; i == 0 || i < p->curve.count; i++) {
        const struct kw_token_shape shape = kw_plan_shape(p, i);
        const uint64_t open = shape.processes * shape.threads * p->sessions;
        logins += shape.processes;
        sessions = open > sessions ? open : sessions;
    }
    return token_head(p, json_pack("{s:b, s:o, s:I, s:I}", "dry_run", true, "keyring",
                                   token_keyring(g), "logins", (num)logins,
                                   "sessions_open", (num)sessions + 1));
}

json_t *kw_leftovers_document(const struct kw_token_plan *p, const struct kw_leftovers *l,
                              const char *fault)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:b, s:s}", "label", l->key[i].key.label, "destroyed",
                           l->key[i].destroyed, "kept", l->key[i].kept.text));
    return token_head(p, json_pack("{s:b, s:s, s:o, s:o}", "dry_run", p->dry_run, "fault",
                                   fault, "token", token_facts(p, &l->facts), "leftovers",
                                   all));
}
