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
            f->delivering = done[i].worker;
            done[i].done(done[i].ctx, &a); /* kms: inflight_landed, encrypt_wrapped… */
            kw_secret_wipe(&done[i].output);
        }
        f->delivering = 0;
    } while (n == BATCH);
}

struct change {
    char key_id[KW_KEY_ID_MAX + 1], reason[KW_NOTE_MAX], found[64];
    kw_err err;
    bool verdict, finding; /* which of them is new */
};

static void note_change(struct kw_gen_version *v, struct change *t) KW_LOCKED
{
    const unsigned found = v->found & ~(unsigned)KW_GEN_BAD;
    *t = (struct change){.err = v->verdict.err,
                         .verdict = v->told != v->verdict.err.code,
                         .finding = v->told_found != found};
    v->told = v->verdict.err.code;
    v->told_found = found;
    kw_copy_str(t->key_id, sizeof t->key_id, kw_span_str(v->v->key_id));
    kw_copy_str(t->reason, sizeof t->reason, kw_span_str(v->verdict.reason));
    kw_gen_found_text(found, t->found);
}

static void log_change(const struct change *t)
{
    if (t->verdict)
        kw_log(kw_failed(t->err) ? KW_LOG_ERROR : KW_LOG_INFO, "key-verdict",
               KW_STR("key_id", t->key_id), KW_ERR("verdict", t->err),
               KW_STR("why", t->reason));
    if (t->finding)
        kw_log(t->found[0] != '\0' ? KW_LOG_ERROR : KW_LOG_INFO, "key-finding",
               KW_STR("key_id", t->key_id), KW_STR("found", t->found));
}

/* true: there may be more. */
static bool log_versions(struct kw_front *f) KW_FREE
{
    enum { AT_ONCE = 8 };
    struct change rows[AT_ONCE];
    size_t n = 0;
    kw_lock_take(f->lock);
    f->found_changed = false;
    for (size_t i = 0; f->serving != NULL && i < f->serving->count && n < AT_ONCE; i++) {
        note_change(&f->serving->versions[i], &rows[n]);
        n += rows[n].verdict || rows[n].finding;
    }
    kw_lock_give(f->lock);
    for (size_t i = 0; i < n; i++)
        log_change(&rows[i]);
    return n == AT_ONCE;
}

static void log_state(struct kw_front *f) KW_FREE
{
    kw_lock_take(f->lock);
    enum kw_hsm_state state = f->health.state;
    kw_err why = f->health.why;
    uint64_t news = f->news;
    bool found = f->found_changed;
    kw_lock_give(f->lock);
    bool latched = kw_latch_is_latched(&f->latch);
    if (state == f->told_state && news == f->told_news && latched == f->told_latch &&
        !found)
        return;
    if (state != f->told_state)
        kw_log(state == KW_HSM_UP ? KW_LOG_INFO : KW_LOG_ERROR, "hsm-state",
               KW_STR("from", kw_hsm_state_name(f->told_state)),
               KW_STR("to", kw_hsm_state_name(state)), KW_ERR("why", why));
    if (latched != f->told_latch)
        kw_log(latched ? KW_LOG_ERROR : KW_LOG_INFO,
               latched ? "pin-latched" : "pin-unlatched", KW_STR("token", f->token.name),
               KW_STR("why", latched ? kw_latch_reason(&f->latch)
                                     : "another PIN, a retry was said, or it worked"));
    f->told_state = state;
    f->told_news = news;
    f->told_latch = latched;
    while (log_versions(f))
        ;
    f->o.changed(f->o.ctx);
}

static void look_again(struct kw_front *f) KW_FREE
{
    int64_t now = kw_front_now(f);
    kw_lock_take(f->lock);
    bool look = f->want_look && (!f->looked || now - f->looked_ns >= LOOK_EVERY_NS);
    if (look)
        f->want_look = false;
    kw_lock_give(f->lock);
    if (!look)
        return;
    f->looked = true;
    f->looked_ns = now;
    f->o.look_again(f->o.ctx);
}

static void kill_distrusted(struct kw_worker *w) KW_FREE
{
    if (!kw_worker_distrusted_by_main(w) || kw_worker_state_by_main(w) != KW_WORKER_READY)
        return;
    kw_log(KW_LOG_ERROR, "wrong-answer", KW_STR("token", w->front->token.name),
           KW_INT("pid", w->pid));
    kw_front_worker_end_of_socket(w);
    kw_front_worker_kill(w);
}

void kw_front_settle(struct kw_front *f)
{
    deliver(f);
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        if (kw_front_worker_by_main(f, i) != NULL)
            kill_distrusted(kw_front_worker_by_main(f, i));
    if (!f->stopping) {
        kw_front_start_workers(f);
        kw_pump_canaries(f);
        kw_pump(f, KW_WIRE_JOBS_MAX);
        look_again(f);
    }
    log_state(f);
}
