/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_document.h"

#include "token_bench.h"

/* A figure that nobody can know is not there. */
static json_t *token_measured(const struct kw_token_point *p, const char *rate)
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
static json_t *token_shape(const struct kw_token_point *p, json_t *o)
{
    const uint64_t at_once = p->processes * p->threads;
    json_object_set_new(o, "sessions", json_integer((json_int_t)at_once));
    json_object_set_new(o, "good", json_integer((json_int_t)p->latency.count));
    json_object_set_new(o, "wrong", json_integer((json_int_t)p->wrong));
    json_object_set_new(o, "elapsed_ns", json_integer(p->elapsed_ns));
    json_object_set_new(o, "partial", json_boolean(p->partial));
    return o;
}

static json_t *token_curve(const struct kw_token_result *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->count; i++)
        if (r->point[i].latency.count > 0)
            json_array_append_new(
                all,
                token_shape(&r->point[i], token_measured(&r->point[i], "ops_per_s")));
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
        json_array_append_new(points, json_integer((json_int_t)p->curve.at[i]));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I}",
        "module", p->module, "uri", p->uri, "operation", kw_op_names[p->op], "key",
        kw_op_wants_key(p->op) ? kw_bench_key_names[p->key] : "", "processes",
        (json_int_t)p->processes, "threads", (json_int_t)p->threads, "sessions",
        (json_int_t)p->sessions, "curve", points, "seconds_ns", (json_int_t)p->seconds_ns,
        "calls", (json_int_t)p->calls, "warmup_ns", (json_int_t)p->warmup_ns, "ramp_ns",
        (json_int_t)p->ramp_ns, "max_rate", (json_int_t)p->max_rate, "stop_p99_ns",
        (json_int_t)p->stop_p99_ns);
}

static json_t *token_keyring(const struct kw_key_guard *g)
{
    if (g->path == NULL)
        return json_null();
    return json_pack("{s:s, s:I}", "path", g->path, "keys",
                     (json_int_t)kw_key_guard_count(g));
}

json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_key_guard *g,
                          const struct kw_token_result *r)
{
    const struct kw_token_point *best = kw_result_best(r);
    json_t *o = json_pack(
        "{s:s, s:i, s:s, s:b, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o}", "tool",
        "keyward-bench token", "schema", 1, "version", KW_VERSION, "partial", r->partial,
        "fault", r->fault.text, "token", token_facts(p, &r->facts), "options",
        token_options(p), "keyring", token_keyring(g), "label", r->label, "elapsed_ns",
        (json_int_t)(best != NULL ? best->elapsed_ns : 0), "good",
        (json_int_t)(best != NULL ? best->latency.count : 0), "wrong",
        (json_int_t)kw_result_wrong(r), "figures", token_measured(best, "calls_per_s"));
    if (o != NULL && p->curve.count > 0)
        json_object_set_new(o, "curve", token_curve(r));
    return o;
}

/* Of the points of a curve each has its own logins; the owner's is one for all. */
static uint64_t token_logins(const struct kw_token_plan *p)
{
    uint64_t logins = 1 + (p->curve.count > 0 ? 0 : p->processes);
    for (size_t i = 0; i < p->curve.count; i++)
        logins += p->curve.at[i];
    return logins;
}

static uint64_t token_sessions(const struct kw_token_plan *p)
{
    uint64_t most = p->curve.count > 0 ? 0 : p->processes * p->threads * p->sessions;
    for (size_t i = 0; i < p->curve.count; i++)
        if (p->curve.at[i] > most)
            most = p->curve.at[i];
    return most + 1;
}

json_t *kw_token_plan_document(const struct kw_token_plan *p,
                               const struct kw_key_guard *g)
{
    return json_pack("{s:s, s:i, s:s, s:b, s:o, s:o, s:I, s:I}", "tool",
                     "keyward-bench token", "schema", 1, "version", KW_VERSION, "dry_run",
                     1, "options", token_options(p), "keyring", token_keyring(g),
                     "logins", (json_int_t)token_logins(p), "sessions_open",
                     (json_int_t)token_sessions(p));
}

json_t *kw_leftovers_document(const struct kw_token_plan *p, const struct kw_leftovers *l,
                              const char *fault)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:b, s:s}", "label", l->key[i].key.label, "destroyed",
                           l->key[i].destroyed, "kept", l->key[i].kept.text));
    return json_pack("{s:s, s:i, s:s, s:b, s:s, s:o, s:o}", "tool", "keyward-bench token",
                     "schema", 1, "version", KW_VERSION, "dry_run", p->dry_run, "fault",
                     fault, "token", token_facts(p, &l->facts), "leftovers", all);
}
