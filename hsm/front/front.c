/* SPDX-License-Identifier: Apache-2.0 */
/* The front is made and freed. */
#include "front_internal.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

enum { QUEUE_DEFAULT = 1024, QUEUE_LIMIT = 4095 };
#define LOGIN_GRACE_NS (30 * KW_S_NS)

/* Serving and coming workers, and those that leave.  A secret takes a line more than its
 * bytes. */
size_t kw_front_bytes(unsigned workers, unsigned queue_max)
{
    const size_t channels = (size_t)3 * workers * KW_CHANNEL_LOAD * KW_WIRE_MAX;
    const size_t receiver = (size_t)KW_RECEIVE_MAX * KW_WIRE_MAX;
    return channels + receiver + queue_max * (size_t)(KW_SEALED_MAX + 64);
}

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

/* No lock here, in kw_front_new and in kw_front_free: nobody else has it yet, or any
 * more. */
static kw_err front_furnish(struct kw_front *f) KW_NO_THREAD_SAFETY
{
    struct kw_note note = {{0}};
    const struct kw_health_times times = {f->o.deadline_ns, f->o.suspect_ns,
                                          f->o.stale_after_ns, f->o.recover_ns};
    kw_health_init(&f->health, &times, kw_front_boot(f));
    kw_err e = make_environment(f);
    if (!kw_failed(e))
        e = kw_receiver_init(&f->receiver);
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

kw_err kw_front_new(const struct kw_front_options *options,
                    struct kw_front **ret_front) KW_NO_THREAD_SAFETY
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
    e = front_furnish(f);
    if (kw_failed(e)) {
        kw_front_free(f);
        return e;
    }
    *ret_front = f;
    return KW_OK;
}

void kw_front_free(struct kw_front *f) KW_NO_THREAD_SAFETY
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++)
        KW_INVARIANT(f->workers[i] == NULL); /* kw_front_stop comes first */
    kw_io_free(f);
    kw_receiver_wipe(&f->receiver);
    kw_queue_wipe(&f->queue);
    kw_generation_free(f->serving);
    kw_generation_free(f->coming);
    for (size_t i = 0; f->envp != NULL && f->envp[i] != NULL; i++)
        kw_free(f->envp[i]);
    kw_free(f->envp);
    kw_free(f);
}
