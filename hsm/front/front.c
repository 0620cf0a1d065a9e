/* SPDX-License-Identifier: Apache-2.0 */
/* The front's birth and death, and keyrings taken into use. */
#include "room.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

enum { QUEUE_DEFAULT = 1024, QUEUE_LIMIT = 4095 };
#define LOGIN_GRACE_NS (30 * KW_S_NS)

static void kill_process(pid_t pid)
{
    kill(pid, SIGKILL);
}

/* The process has ended (its pidfd said so): this does not wait. */
static int reap_process(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (kill(pid, 0) != 0)
            return 0;
    return status;
}

static kw_err make_environment(struct kw_front *f)
{
    const struct kw_front_token *t = &f->token;
    f->envp = kw_new(t->env_count + 1, sizeof *f->envp);
    if (f->envp == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "front");
    for (size_t i = 0; i < t->env_count; i++) {
        f->envp[i] = kw_format("%s=%s", t->env[i].name, t->env[i].value);
        if (f->envp[i] == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "front");
    }
    return KW_OK;
}

static kw_err furnish(struct kw_front *f)
{
    struct kw_note note = {{0}};
    const struct kw_health_times times = {f->o.deadline_ns, f->o.suspect_ns,
                                          f->o.stale_after_ns, f->o.recover_ns};
    kw_health_init(&f->health, &times, kw_front_boot(f));
    kw_err e = make_environment(f);
    if (!kw_failed(e))
        e = kw_inbox_init(&f->inbox);
    if (!kw_failed(e))
        e = kw_latch_open(&f->latch, f->o.state, f->o.status, f->clock, f->token.pin,
                          &note);
    if (kw_failed(e) && note.text[0] != '\0')
        kw_log(KW_LOG_ERROR, "front-not-started", KW_ERR("err", e),
               KW_STR("why", note.text));
    if (!kw_failed(e))
        e = kw_io_new(f);
    snprintf(f->pin, sizeof f->pin, "file:%s", f->latch.path);
    return e;
}

kw_err kw_front_new(const struct kw_front_options *options, struct kw_front **ret_front)
{
    struct kw_front *f = kw_new(1, sizeof *f);
    if (f == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "front");
    size_t max = options->queue_max == 0 ? QUEUE_DEFAULT : options->queue_max;
    f->o = *options;
    f->token = *options->token;
    f->lock = options->lock;
    f->clock = options->clock;
    f->seams = (struct kw_seams){kw_spawn, kill_process, reap_process, kw_pin_owner_of};
    f->tick_idle = true;
    if (f->o.login_grace_ns == 0)
        f->o.login_grace_ns = LOGIN_GRACE_NS;
    kw_err e = kw_queue_init(&f->queue, max < QUEUE_LIMIT ? max : QUEUE_LIMIT,
                             options->shares == 0 ? 1 : options->shares);
    if (kw_failed(e)) {
        kw_free(f);
        return e;
    }
    e = furnish(f);
    if (kw_failed(e)) {
        kw_front_free(f);
        return e;
    }
    *ret_front = f;
    return KW_OK;
}

void kw_front_free(struct kw_front *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < KW_CREW_MAX; i++)
        KW_INVARIANT(f->crew[i] == NULL); /* kw_front_stop comes first */
    kw_io_free(f);
    kw_inbox_wipe(&f->inbox);
    kw_queue_wipe(&f->queue);
    kw_generation_free(f->serving);
    kw_generation_free(f->coming);
    for (size_t i = 0; f->envp != NULL && f->envp[i] != NULL; i++)
        kw_free(f->envp[i]);
    kw_free(f->envp);
    kw_free(f);
}

/* Workers that belong to no generation any more. */
static void drop_orphans(struct kw_front *f)
{
    for (size_t i = 0; i < KW_CREW_MAX; i++) {
        struct kw_worker *w = f->crew[i];
        bool ours =
            w != NULL && ((f->serving != NULL && w->generation == f->serving->number) ||
                          (f->coming != NULL && w->generation == f->coming->number));
        if (w != NULL && !ours &&
            (w->state == KW_WORKER_STARTING || w->state == KW_WORKER_READY))
            kw_crew_drain(w);
    }
}

kw_err kw_front_use(struct kw_front *f, struct kw_keyring *ring, kw_span bytes,
                    uint32_t active_n)
{
    if (active_n != 0 && kw_keyring_by_n(ring, active_n) == NULL)
        return kw_err_at(KW_CODE_BUG, "keyring");
    struct kw_generation *g;
    kw_err e = kw_generation_new(ring, bytes, active_n, f->generations + 1, &g);
    if (kw_failed(e))
        return e;
    f->generations++;
    kw_lock_take(f->lock);
    /* A keyring that nobody has been ready with holds nothing that must go on. */
    bool at_once = f->serving == NULL || !f->serving->ever_ready;
    struct kw_generation **place = at_once ? &f->serving : &f->coming;
    struct kw_generation *old = *place;
    *place = g;
    f->key_epoch++;
    kw_crew_recount(f);
    kw_lock_give(f->lock);
    kw_generation_free(old);
    kw_log(KW_LOG_INFO, at_once ? "keyring-in-use" : "keyring-coming-up",
           KW_INT("serial", ring->serial), KW_INT("active", active_n));
    drop_orphans(f);
    kw_front_settle(f);
    kw_io_arm(f);
    return KW_OK;
}
