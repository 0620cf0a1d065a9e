/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include "check.h"

static struct kw_storm_reply reply_of(const struct model *p, int64_t now,
                                      const struct kw_storm_call *c)
{
    unsigned key = p->key_changes_ns > 0 && now >= p->key_changes_ns ? 2 : 1;
    struct kw_storm_reply r = {.outcome = KW_STORM_GOOD, .key_id = key};
    if (now < p->away_until_ns)
        r = (struct kw_storm_reply){.outcome = KW_STORM_FAILED, .code = 14};
    else if (c->method == KW_ENCRYPT && p->odd_encrypt)
        r.key_id = 9;
    else if (c->method == KW_DECRYPT && c->seed + 1 == p->wrong_seed)
        r.outcome = KW_STORM_WRONG;
    return r;
}

static void answer(const struct model *p, struct kw_storm *s, int64_t now,
                   const struct kw_storm_call *c)
{
    struct kw_storm_reply r = reply_of(p, now, c);
    kw_storm_ended(s, now, c->asker, &r);
}

static struct session *joinable(struct model *p, const struct kw_storm_call *c)
{
    for (unsigned i = 0; i < p->sessions; i++) {
        struct session *w = &p->session[i];
        if (p->joins && w->busy && w->call.method == KW_DECRYPT &&
            c->method == KW_DECRYPT && w->call.seed == c->seed)
            return w;
    }
    return NULL;
}

static struct session *idle(struct model *p)
{
    for (unsigned i = 0; i < p->sessions; i++)
        if (!p->session[i].busy)
            return &p->session[i];
    return NULL;
}

/* From the queue to the sessions, as far as there are any. */
static void serve(struct model *p, struct kw_storm *s, int64_t now)
{
    while (p->queue_from < p->queue_to) {
        struct kw_storm_call c = p->queue[p->queue_from % MODEL_QUEUE];
        struct session *w = joinable(p, &c);
        bool hit = c.method == KW_DECRYPT && p->joins && p->cached[c.seed];
        if (hit) {
            answer(p, s, now, &c);
        } else if (w != NULL) {
            CHECK(w->joined_count < 64);
            w->joined[w->joined_count++] = c;
        } else {
            w = idle(p);
            if (w == NULL)
                return;
            *w =
                (struct session){.busy = true, .call = c, .done_ns = now + p->service_ns};
            p->operations++;
        }
        p->queue_from++;
    }
}

static void finish(struct model *p, struct kw_storm *s, int64_t now)
{
    for (unsigned i = 0; i < p->sessions; i++) {
        struct session *w = &p->session[i];
        if (!w->busy || w->done_ns > now)
            continue;
        w->busy = false;
        if (w->call.method == KW_DECRYPT && p->joins)
            p->cached[w->call.seed] = true;
        if (!w->dropped)
            answer(p, s, now, &w->call);
        for (size_t j = 0; j < w->joined_count; j++)
            answer(p, s, now, &w->joined[j]);
    }
}

static void ask(void *ctx, const struct kw_storm_call *c)
{
    struct model *p = ctx;
    CHECK(p->asked_count < sizeof p->asked / sizeof p->asked[0]);
    p->asked[p->asked_count++] = *c;
}

/* Nobody waits for it any more; a session goes on all the same. */
static void give_up(void *ctx, const struct kw_storm_call *c)
{
    struct model *p = ctx;
    for (size_t i = p->queue_from; i < p->queue_to; i++)
        if (p->queue[i % MODEL_QUEUE].asker == c->asker) {
            for (size_t j = i; j > p->queue_from; j--)
                p->queue[j % MODEL_QUEUE] = p->queue[(j - 1) % MODEL_QUEUE];
            p->queue_from++;
            return;
        }
    for (unsigned i = 0; i < p->sessions; i++) {
        struct session *w = &p->session[i];
        w->dropped = w->dropped || (w->busy && w->call.asker == c->asker);
    }
}

/* What was asked since, and what that leads to. */
static void hear(struct model *p, struct kw_storm *s, int64_t now)
{
    for (size_t i = 0; i < p->asked_count; i++) { /* an answer may add to them */
        const struct kw_storm_call c = p->asked[i];
        if (c.method == KW_STATUS || now < p->away_until_ns)
            answer(p, s, now, &c);
        else
            p->queue[p->queue_to++ % MODEL_QUEUE] = c;
    }
    p->asked_count = 0;
}

static int64_t next_done(const struct model *p)
{
    int64_t at = INT64_MAX;
    for (unsigned i = 0; i < p->sessions; i++)
        if (p->session[i].busy && p->session[i].done_ns < at)
            at = p->session[i].done_ns;
    return at;
}

/* A moment: time passes, late calls end, replies come, new calls are heard. */
static void moment(struct model *p, struct kw_storm *s, int64_t now)
{
    kw_storm_tick(s, now);
    finish(p, s, now);
    size_t before = 0;
    do {
        before = p->queue_from;
        hear(p, s, now);
        serve(p, s, now);
    } while (p->queue_from != before || p->asked_count > 0);
}

struct kw_storm *model_storm(struct model *p, const struct kw_storm_options *o)
{
    const struct kw_storm_caller caller = {ask, give_up, p};
    struct kw_storm *s = NULL;
    CHECK_OK(kw_storm_new(o, &caller, 0, &s));
    return s;
}

void model_meets(struct model *p, struct kw_storm *s, int64_t until_ns)
{
    int64_t now = 0;
    while (!kw_storm_over(s) && now <= until_ns) {
        moment(p, s, now);
        int64_t next = next_done(p), wakes = kw_storm_wakes(s);
        next = wakes < next ? wakes : next;
        if (next == INT64_MAX)
            return;
        now = next > now ? next : now;
    }
}
