/* SPDX-License-Identifier: Apache-2.0 */
/* When a worker may be started, and what to do with one that does not move. */
#include "supervisor.h"

#include <keyward/clock.h>

#include "backoff.h"

/* How the one before it ended may have been known only when this one had been started: that
 * wait goes on. */
void kw_supervisor_ready(struct kw_supervisor *s)
{
    bool waits = s->in_vain > 1;
    *s = (struct kw_supervisor){.in_vain = s->in_vain,
                                .not_before_ns = waits ? s->not_before_ns : 0};
}

void kw_supervisor_served(struct kw_supervisor *s)
{
    s->in_vain = 0;
}

static void supervisor_wait(struct kw_supervisor *s, unsigned failures, bool login_spent,
                            int64_t now_ns, uint64_t random)
{
    int64_t wait = kw_backoff_ns(failures, random);
    if (login_spent && wait < KW_LOGIN_EVERY_NS)
        wait = KW_LOGIN_EVERY_NS;
    s->not_before_ns = now_ns + wait;
}

void kw_supervisor_failed(struct kw_supervisor *s, bool login_spent, int64_t now_ns,
                          uint64_t random)
{
    supervisor_wait(s, ++s->failures, login_spent, now_ns, random);
}

void kw_supervisor_in_vain(struct kw_supervisor *s, int64_t now_ns, uint64_t random)
{
    if (++s->in_vain > 1)
        supervisor_wait(s, s->in_vain, true, now_ns, random);
}

bool kw_supervisor_may_start(const struct kw_supervisor *s, int64_t now_ns)
{
    return now_ns >= s->not_before_ns;
}

/* A vendor's library may take its time to load and find; a login is never cut short. */
static enum kw_order judge_starting(const struct kw_worker_view *w,
                                    const struct kw_worker_times *t, int64_t now_ns)
{
    int64_t most =
        t->patience_ns > KW_LOGIN_EVERY_NS ? t->patience_ns : KW_LOGIN_EVERY_NS;
    if (w->phase == KW_PAGE_LOGIN)
        most = t->login_grace_ns;
    return now_ns - w->phase_since_ns >= most ? KW_ORDER_KILL : KW_ORDER_NONE;
}

/* Operations that run too long, or a process that stands still before its jobs. */
static enum kw_order judge_ready(const struct kw_worker_view *w,
                                 const struct kw_worker_times *t)
{
    if (w->overdue == w->sessions || w->idle_ns > t->deadline_ns)
        return KW_ORDER_STUCK;
    return w->longest_ns > t->deadline_ns + t->patience_ns ? KW_ORDER_DRAIN
                                                           : KW_ORDER_NONE;
}

static enum kw_order judge_stuck(const struct kw_worker_view *w,
                                 const struct kw_worker_times *t, int64_t now_ns)
{
    if (w->moved)
        return KW_ORDER_DRAIN; /* it came back; its successor is there already */
    return now_ns - w->since_ns >= t->patience_ns ? KW_ORDER_KILL : KW_ORDER_NONE;
}

enum kw_order kw_supervisor_judge(const struct kw_worker_view *w,
                                  const struct kw_worker_times *t, int64_t now_ns)
{
    bool login = w->phase == KW_PAGE_LOGIN;
    if (w->life.process != KW_PROCESS_RUNNING)
        return KW_ORDER_NONE;
    switch (w->life.channel) {
    case KW_WORKER_STARTING: return judge_starting(w, t, now_ns);
    case KW_WORKER_READY: return judge_ready(w, t);
    case KW_WORKER_STUCK: return judge_stuck(w, t, now_ns);
    case KW_WORKER_DRAINING:
    case KW_WORKER_ENDED:
    case KW_WORKER_CLOSED:
        return now_ns - w->since_ns >= (login ? t->login_grace_ns : t->patience_ns)
                   ? KW_ORDER_KILL
                   : KW_ORDER_NONE;
    case KW_WORKER_CHANNELS: break;
    }
    return KW_ORDER_NONE;
}
