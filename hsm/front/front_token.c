/* SPDX-License-Identifier: Apache-2.0 */
/* One token: made, counted, and what happens to its health. */
#include "front_internal.h"

#include <stdio.h>

#include <keyward/alloc.h>

static kw_err token_environment(struct kw_front_token *t)
{
    t->envp = kw_new(t->o.env_count + 1, sizeof *t->envp);
    if (t->envp == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "front");
    for (size_t i = 0; i < t->o.env_count; i++) {
        t->envp[i] = kw_format("%s=%s", t->o.env[i].name, t->o.env[i].value);
        if (t->envp[i] == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "front");
    }
    return KW_OK;
}

kw_err kw_front_token_init(struct kw_front_token *t, struct kw_front *front, size_t index,
                           const struct kw_front_token_options *options,
                           struct kw_note *note) KW_NO_THREAD_SAFETY
{
    const struct kw_front_options *o = &front->o;
    const struct kw_health_times times = {o->times.deadline_ns, o->times.suspect_ns,
                                          o->times.stale_after_ns, o->times.recover_ns};
    *t = (struct kw_front_token){.front = front, .index = index, .o = *options};
    kw_health_init(&t->health, &times, kw_front_boot(front));
    kw_err e = token_environment(t);
    if (!kw_failed(e))
        e = kw_latch_open(&t->latch, o->state, o->status, front->o.clock, t->o.pin, note);
    snprintf(t->pin, sizeof t->pin, "file:%s", t->latch.path);
    return e;
}

void kw_front_token_wipe(struct kw_front_token *t) KW_NO_THREAD_SAFETY
{
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        KW_INVARIANT(t->workers[i] == NULL); /* kw_front_stop comes first */
    for (size_t i = 0; t->envp != NULL && t->envp[i] != NULL; i++)
        kw_free(t->envp[i]);
    kw_free(t->envp);
    t->envp = NULL;
}

/* ---- health ------------------------------------------------------------------------ */

void kw_front_weigh(struct kw_front *f)
{
    const struct kw_health *best = NULL;
    int64_t now = kw_front_boot(f);
    for (size_t i = 0; i < f->token_count; i++) {
        kw_health_tick(&f->tokens[i].health, now);
        best = kw_whole_better(&f->whole, best, &f->tokens[i].health);
    }
    kw_whole_weigh(&f->whole, best, now);
}

void kw_front_token_proof(struct kw_front_token *t)
{
    kw_health_proof(&t->health, kw_front_boot(t->front));
    kw_front_weigh(t->front);
}

void kw_front_token_asked(struct kw_front_token *t)
{
    kw_health_asked(&t->health, kw_front_boot(t->front));
}

void kw_front_token_worked(struct kw_front_token *t, bool wrapped)
{
    kw_health_worked(&t->health, wrapped, kw_front_boot(t->front));
    kw_front_weigh(t->front);
}

void kw_front_token_failed(struct kw_front_token *t, kw_err why)
{
    kw_health_failed(&t->health, why, kw_front_boot(t->front));
    kw_front_weigh(t->front);
}

void kw_front_token_lost(struct kw_front_token *t, kw_err why)
{
    kw_health_lost(&t->health, why, kw_front_boot(t->front));
    kw_front_weigh(t->front);
}

/* ---- workers ----------------------------------------------------------------------- */

static bool has_ready(const struct kw_front_token *t) KW_LOCKED
{
    const struct kw_generation *serving = t->front->serving;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++)
        if (t->workers[i] != NULL && t->workers[i]->life.channel == KW_WORKER_READY &&
            serving != NULL && t->workers[i]->generation == serving->number)
            return true;
    return false;
}

void kw_front_token_recount(struct kw_front_token *t)
{
    struct kw_front *f = t->front;
    bool ready = has_ready(t);
    kw_health_ready(&t->health, ready, kw_front_boot(f));
    kw_front_weigh(f);
    if (ready || f->serving == NULL || !kw_front_token_of(f->serving, t)->refused)
        return;
    /* Those are gone: the next newcomer, whose login is no risk, is waited for by all. */
    kw_front_token_of(f->serving, t)->refused = false;
    kw_front_token_of(f->serving, t)->supervisor.not_before_ns = kw_front_now(f);
}

/* One that stands logged in serves on, whatever the next one is told. */
void kw_front_token_not_started(struct kw_front_token *t, kw_err why)
{
    bool latched = t->latch.why.code == KW_CODE_PIN_STOP;
    if (!latched && why.code != KW_CODE_PIN_STOP)
        kw_front_token_failed(t, why);
    else if (!has_ready(t))
        kw_front_token_lost(t, latched ? t->latch.why : why);
}

void kw_front_token_lost_if_latched(struct kw_front_token *t)
{
    if (t->latch.why.code != KW_CODE_PIN_STOP)
        return;
    kw_lock_take(t->front->lock);
    kw_front_token_not_started(t, t->latch.why);
    kw_lock_give(t->front->lock);
}
