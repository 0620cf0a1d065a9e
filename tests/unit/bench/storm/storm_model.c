/* SPDX-License-Identifier: Apache-2.0 */
#include "storm_model.h"

#include "check.h"

static void answer(const struct model *m, struct kw_storm *s, int64_t now,
                   const struct kw_storm_call *c)
{
    unsigned key = m->key_changes_ns > 0 && now >= m->key_changes_ns ? 2 : 1;
    struct kw_storm_reply r = {.outcome = KW_STORM_GOOD, .key_id = key};
    if (now < m->away_until_ns)
        r = (struct kw_storm_reply){.outcome = KW_STORM_FAILED, .code = 14};
    else if (c->method == KW_ENCRYPT && m->odd_encrypt)
        r.key_id = 9;
    else if (c->method == KW_DECRYPT && c->seed + 1 == m->wrong_seed)
        r.outcome = KW_STORM_WRONG;
    kw_storm_ended(s, now, c->asker, &r);
}

static void ask(void *ctx, const struct kw_storm_call *c)
{
    struct model *m = ctx;
    CHECK(m->asked_count < MODEL_QUEUE);
    m->asked[m->asked_count++] = *c;
}

static void dequeue(struct model *m, size_t at)
{
    m->queued--;
    for (; at < m->queued; at++)
        m->queue[at] = m->queue[at + 1];
}

/* Nobody waits for it any more; a session goes on all the same. */
static void give_up(void *ctx, const struct kw_storm_call *c)
{
    struct model *m = ctx;
    for (size_t i = 0; i < m->queued; i++)
        if (m->queue[i].asker == c->asker) {
            dequeue(m, i);
            return;
        }
    for (unsigned i = 0; i < m->sessions; i++) {
        struct session *w = &m->session[i];
        w->dropped = w->dropped || (w->busy && w->call.asker == c->asker);
    }
}

/* What was asked since, and what that leads to; from the queue to the free sessions. */
static void hear(struct model *m, struct kw_storm *s, int64_t now)
{
    for (size_t i = 0; i < m->asked_count; i++) { /* an answer may add to them */
        const struct kw_storm_call c = m->asked[i];
        if (c.method == KW_STATUS || now < m->away_until_ns)
            answer(m, s, now, &c);
        else
            m->queue[m->queued++] = c;
    }
    m->asked_count = 0;
    for (unsigned i = 0; i < m->sessions && m->queued > 0; i++)
        if (!m->session[i].busy) {
            m->session[i] = (struct session){
                .busy = true, .call = m->queue[0], .done_ns = now + m->service_ns};
            m->operations++;
            dequeue(m, 0);
        }
}

/* A moment: time passes, late calls end, replies come, new calls are heard. */
static int64_t moment(struct model *m, struct kw_storm *s, int64_t now)
{
    kw_storm_tick(s, now);
    for (unsigned i = 0; i < m->sessions; i++)
        if (m->session[i].busy && m->session[i].done_ns <= now) {
            m->session[i].busy = false;
            if (!m->session[i].dropped)
                answer(m, s, now, &m->session[i].call);
        }
    hear(m, s, now);
    int64_t next = kw_storm_wakes(s);
    for (unsigned i = 0; i < m->sessions; i++)
        if (m->session[i].busy && m->session[i].done_ns < next)
            next = m->session[i].done_ns;
    return next;
}

struct kw_storm *model_storm(struct model *m, const struct kw_storm_options *o)
{
    const struct kw_storm_caller caller = {ask, give_up, m};
    struct kw_storm *s = NULL;
    CHECK_OK(kw_storm_new(o, &caller, 0, &s));
    return s;
}

void model_meets(struct model *m, struct kw_storm *s, int64_t until_ns)
{
    int64_t now = 0;
    while (!kw_storm_over(s) && now <= until_ns) {
        int64_t next = moment(m, s, now);
        if (next == INT64_MAX)
            return;
        now = next > now ? next : now;
    }
}
