/* SPDX-License-Identifier: Apache-2.0 */
/* A storm by the rules of storm.h against the model of model.h. */
#include "model.h"

#include <keyward/alloc.h>
#include <keyward/clock.h>

/* A token that is too slow would never end it: so long nobody waits for an API server. */
static const int64_t LONGEST_NS = 3600 * KW_S_NS;

/* A call over its time is looked for among all askers: some seconds' worth of looks. */
static const uint64_t LOOKS_MAX = 1000000000;

static void send_all(struct kw_storm *s, struct kw_model *m, int64_t now_ns,
                     uint32_t servers)
{
    struct kw_storm_call call;
    for (uint32_t i = 0; i < servers; i++)
        while (kw_storm_next(s, i, &call)) {
            kw_storm_sent(s, call.asker);
            kw_model_call(m, now_ns, &call);
        }
}

static bool is_hopeless(const struct kw_storm *s, int64_t now_ns, uint32_t askers)
{
    uint64_t lost = kw_storm_tally_peek(s)->deadline_misses;
    return now_ns >= LONGEST_NS || lost > LOOKS_MAX / askers;
}

/* Gives the time at which it ended. */
static int64_t run(struct kw_storm *s, struct kw_model *m, uint32_t servers,
                   uint32_t askers)
{
    struct kw_storm_call call;
    struct kw_storm_reply reply;
    uint32_t asker;
    bool sent;
    int64_t now = 0;
    while (!is_hopeless(s, now, askers)) {
        kw_storm_tick(s, now);
        while (kw_storm_overdue(s, &call, &sent))
            kw_model_cancel(m, call.asker);
        send_all(s, m, now, servers);
        while (!kw_storm_over(s) && kw_model_answer(m, now, &asker, &reply)) {
            kw_storm_ended(s, now, asker, &reply);
            send_all(s, m, now, servers);
        }
        if (kw_storm_over(s))
            break;
        int64_t storm = kw_storm_wakes(s), model = kw_model_wakes(m);
        now = storm < model ? storm : model;
    }
    return now < LONGEST_NS ? now : LONGEST_NS;
}

/* A model is no sample: every call of it stands for many equal ones, so that percentiles
 * are told however few they are. */
static void multiply(struct kw_histogram *h)
{
    const uint64_t many = UINT64_C(100) * KW_HISTOGRAM_BEYOND;
    h->count *= many;
    for (size_t i = 0; i < KW_HISTOGRAM_BUCKETS; i++)
        h->bucket[i] *= many;
}

static double percentile(const struct kw_histogram *h, uint32_t ppm)
{
    uint64_t ns = 0;
    return h->count > 0 && kw_histogram_at(h, ppm, &ns) ? (double)ns : 0;
}

static struct kw_expected outcome(const struct kw_plan *p, const struct kw_storm *s,
                                  const struct kw_model *m,
                                  const struct kw_histogram *latency)
{
    const struct kw_storm_tally *t = kw_storm_tally_peek(s);
    struct kw_model_tally of_model = kw_model_tally(m);
    int64_t ready = kw_storm_ready_ns(s);
    uint64_t servers = kw_plan_starting(p, p->servers);
    struct kw_expected x = {.ready = ready >= 0,
                            .ready_ns = (double)ready,
                            .p50_ns = percentile(latency, 500000),
                            .p99_ns = percentile(latency, 990000),
                            .decrypts = t->calls[KW_DECRYPT],
                            .good = t->good[KW_DECRYPT],
                            .lost = t->deadline_misses,
                            .duplicates = of_model.saved,
                            .operations = of_model.operations,
                            .wasted = of_model.wasted};
    if (x.operations > 0)
        x.goodput = 1 - (double)x.wasted / (double)x.operations;
    if (x.ready && ready > 0)
        x.per_s = (double)(servers * p->seeds) * 1e9 / (double)ready;
    return x;
}

kw_err kw_plan_play(const struct kw_plan *p, struct kw_expected *ret_expected)
{
    uint64_t servers = kw_plan_starting(p, p->servers);
    uint32_t askers = (uint32_t)(servers * (1 + p->parallel * p->readers));
    struct kw_storm_options o = kw_storm_defaults();
    struct kw_storm *storm = NULL;
    struct kw_model *model = NULL;
    o.servers = o.sockets = servers;
    o.seeds = p->seeds;
    o.readers = p->readers;
    o.parallel = p->parallel;
    o.timeout_ns = p->timeout_ns;
    o.list_retry_ns = p->list_retry_ns;
    struct kw_histogram *latency = kw_new(1, sizeof *latency);
    kw_err e = latency == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "latency")
                               : kw_storm_new(&o, 0, &storm);
    if (!kw_failed(e))
        e = kw_model_new(p, askers, &model);
    if (!kw_failed(e)) {
        int64_t ended = run(storm, model, (uint32_t)servers, askers);
        *latency = kw_storm_tally_peek(storm)->latency;
        multiply(latency);
        *ret_expected = outcome(p, storm, model, latency);
        ret_expected->played_ns = (double)ended;
    }
    kw_model_free(model);
    kw_storm_free(storm);
    kw_free(latency);
    return e;
}
