/* SPDX-License-Identifier: Apache-2.0 */
/* What is handed out and logged after anything happened. */
#include "front_internal.h"

#include <keyward/log.h>

#define LOOK_EVERY_NS (10 * KW_S_NS)

static void deliver(struct kw_front *f) KW_FREE
{
    enum { BATCH = 16 };
    struct kw_done_job done[BATCH];
    size_t n;
    do {
        kw_lock_take(f->lock);
        for (n = 0; n < BATCH && kw_queue_pop(&f->queue, &done[n]); n++)
            ;
        kw_lock_give(f->lock);
        for (size_t i = 0; i < n; i++) {
            struct kw_hsm_answer a = {.err = done[i].err,
                                      .output = &done[i].output,
                                      .token = done[i].token,
                                      .hsm_ns = done[i].hsm_ns};
            f->numbers.delivering = done[i].worker;
            done[i].done(done[i].ctx, &a); /* kms: inflight_landed, encrypt_wrapped… */
            kw_secret_wipe(&done[i].output);
        }
        f->numbers.delivering = 0;
    } while (n == BATCH);
}

struct change {
    struct kw_gen_version *v;
    const char *token; /* its name          */
    unsigned bits;     /* what was found */
    char key_id[KW_KEY_ID_MAX + 1], reason[KW_NOTE_MAX], found[64];
    kw_err err;
    bool verdict, finding; /* which of them is new */
};

static void note_change(const char *token, struct kw_gen_version *v,
                        struct change *t) KW_LOCKED
{
    const unsigned found = v->found & ~(unsigned)KW_GEN_BAD;
    *t = (struct change){.v = v,
                         .token = token,
                         .bits = found,
                         .err = v->verdict.err,
                         .verdict = v->told != v->verdict.err.code,
                         .finding = v->told_found != found};
    kw_copy_str(t->key_id, sizeof t->key_id, kw_span_str(v->v->key_id));
    kw_copy_str(t->reason, sizeof t->reason, kw_span_str(v->verdict.reason));
    kw_gen_found_text(found, t->found);
}

/* Told is what was written.  false: the log takes no more of these in this second. */
static bool log_change(const struct change *t) KW_FREE
{
    if (t->verdict) {
        if (!kw_log_may("key-verdict"))
            return false;
        kw_log(kw_failed(t->err) ? KW_LOG_ERROR : KW_LOG_INFO, "key-verdict",
               KW_STR("token", t->token), KW_STR("key_id", t->key_id),
               KW_ERR("verdict", t->err), KW_STR("why", t->reason));
        t->v->told = t->err.code;
    }
    if (t->finding) {
        if (!kw_log_may("key-finding"))
            return false;
        kw_log(t->found[0] != '\0' ? KW_LOG_ERROR : KW_LOG_INFO, "key-finding",
               KW_STR("token", t->token), KW_STR("key_id", t->key_id),
               KW_STR("found", t->found));
        t->v->told_found = t->bits;
    }
    return true;
}

enum { CHANGES = 8 };

/* The first of those that are not told. */
static size_t untold(struct kw_front *f, struct change rows[CHANGES]) KW_FREE
{
    size_t n = 0;
    kw_lock_take(f->lock);
    f->changes.found = false;
    const size_t versions = f->serving == NULL ? 0 : f->serving->ring->count;
    for (size_t i = 0; i < versions * f->token_count && n < CHANGES; i++) {
        const struct kw_front_token *t = &f->tokens[i / versions];
        note_change(t->o.name, &kw_front_token_of(f->serving, t)->versions[i % versions],
                    &rows[n]);
        n += rows[n].verdict || rows[n].finding;
    }
    kw_lock_give(f->lock);
    return n;
}

/* true: all is told. */
static bool log_versions(struct kw_front *f) KW_FREE
{
    struct change rows[CHANGES];
    size_t n;
    do {
        n = untold(f, rows);
        for (size_t i = 0; i < n; i++)
            if (!log_change(&rows[i]))
                return false;
    } while (n == CHANGES);
    return true;
}

/* true: it changed. */
static bool log_latch(struct kw_front_token *t)
{
    bool latched = kw_latch_is_latched(&t->latch);
    if (latched == t->told_latch)
        return false;
    t->told_latch = latched;
    kw_log(latched ? KW_LOG_ERROR : KW_LOG_INFO,
           latched ? "pin-latched" : "pin-unlatched", KW_STR("token", t->o.name),
           KW_STR("why", latched ? kw_latch_reason(&t->latch)
                                 : "another PIN, a retry was said, or it worked"));
    return true;
}

struct token_change {
    enum kw_hsm_state from, to;
    kw_err why;
    bool is_out, turned;
};

static struct token_change deliver_note_token(struct kw_front_token *t) KW_LOCKED
{
    struct token_change c = {.from = t->told_state,
                             .to = t->health.state,
                             .why = t->health.why,
                             .is_out = t->breaker.open,
                             .turned = t->breaker.open != t->told_out};
    t->told_state = c.to;
    t->told_out = c.is_out;
    return c;
}

/* Of several: which one is it?  true: something changed. */
static bool log_token(struct kw_front_token *t) KW_FREE
{
    struct kw_front *f = t->front;
    if (f->token_count == 1)
        return false;
    kw_lock_take(f->lock);
    const struct token_change c = deliver_note_token(t);
    kw_lock_give(f->lock);
    if (c.from != c.to)
        kw_log(c.to == KW_HSM_UP ? KW_LOG_INFO : KW_LOG_ERROR, "token-state",
               KW_STR("token", t->o.name), KW_STR("from", kw_hsm_state_name(c.from)),
               KW_STR("to", kw_hsm_state_name(c.to)), KW_ERR("why", c.why));
    if (c.turned && c.is_out)
        kw_log(KW_LOG_WARN, "token-out", KW_STR("token", t->o.name));
    else if (c.turned)
        kw_log(KW_LOG_INFO, "token-in", KW_STR("token", t->o.name));
    return c.from != c.to || c.turned;
}

/* What is left for the next second is told by the tick that comes then. */
static void log_state(struct kw_front *f) KW_FREE
{
    kw_lock_take(f->lock);
    kw_front_weigh(f);
    enum kw_hsm_state state = f->whole.state;
    kw_err why = f->whole.why;
    uint64_t news = f->changes.news;
    bool changed = f->changes.found || news != f->told.news || state != f->told.state;
    kw_lock_give(f->lock);
    if (state != f->told.state)
        kw_log(state == KW_HSM_UP ? KW_LOG_INFO : KW_LOG_ERROR, "hsm-state",
               KW_STR("from", kw_hsm_state_name(f->told.state)),
               KW_STR("to", kw_hsm_state_name(state)), KW_ERR("why", why));
    for (size_t i = 0; i < f->token_count; i++) {
        changed = log_latch(&f->tokens[i]) || changed;
        changed = log_token(&f->tokens[i]) || changed;
    }
    f->told.state = state;
    f->told.news = news;
    if (changed || f->told.untold)
        f->told.untold = !log_versions(f);
    if (changed)
        f->o.changed(f->o.ctx);
}

static void look_again(struct kw_front *f) KW_FREE
{
    int64_t now = kw_front_now(f);
    kw_lock_take(f->lock);
    bool look = f->look.wanted && (!f->look.had || now - f->look.at_ns >= LOOK_EVERY_NS);
    if (look)
        f->look.wanted = false;
    kw_lock_give(f->lock);
    if (!look)
        return;
    f->look.had = true;
    f->look.at_ns = now;
    f->o.look_again(f->o.ctx);
}

static void kill_distrusted(struct kw_worker *w) KW_FREE
{
    if (!kw_worker_distrusted_by_main(w) || kw_worker_state_by_main(w) != KW_WORKER_READY)
        return;
    kw_log(KW_LOG_ERROR, "wrong-answer", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid));
    kw_front_worker_end_of_socket(w);
    kw_front_worker_kill(w);
}

void kw_front_settle(struct kw_front *f)
{
    deliver(f);
    kw_sign_deliver(f);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (kw_front_worker_by_main(f, i) != NULL)
            kill_distrusted(kw_front_worker_by_main(f, i));
    if (!f->stopping) {
        kw_front_start_workers(f);
        kw_pump_canaries(f);
        kw_pump(f, KW_WIRE_JOBS_MAX);
        kw_pump_sign(f);
        look_again(f);
    }
    log_state(f);
}
