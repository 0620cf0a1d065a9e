/* SPDX-License-Identifier: Apache-2.0 */
/* The front is made and freed. */
#include "front_internal.h"

#include <signal.h>
#include <sys/wait.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

enum { QUEUE_DEFAULT = 1024, QUEUE_LIMIT = 4095 };
#define LOGIN_GRACE_NS (30 * KW_S_NS)

/* Serving and coming workers, and those that leave; `workers` of all tokens.  A secret takes a line more than its
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

/* The process has ended (its pidfd said so): this does not wait.  Until it is reaped its
 * group's number is nobody else's: what the vendor's library started ends with it. */
static int reap_process(pid_t pid)
{
    int status = 0;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (kill(pid, 0) != 0)
            return 0;
    return status;
}

/* No lock here, in kw_front_new and in kw_front_free: nobody else has it yet, or any
 * more. */
static kw_err front_furnish(struct kw_front *f,
                            const struct kw_front_options *o) KW_NO_THREAD_SAFETY
{
    struct kw_note note = {{0}};
    kw_err e = kw_receiver_init(&f->receiver);
    if (!kw_failed(e))
        e = kw_status_rows_new(f);
    while (!kw_failed(e) && f->token_count < o->token_count) {
        const size_t i = f->token_count++;
        e = kw_front_token_init(&f->tokens[i], f, i, &o->tokens[i], &note);
    }
    if (kw_failed(e) && note.text[0] != '\0')
        kw_log(KW_LOG_ERROR, "front-not-started", KW_ERR("err", e),
               KW_STR("why", note.text));
    return kw_failed(e) ? e : kw_io_new(f);
}

kw_err kw_front_new(const struct kw_front_options *options,
                    struct kw_front **ret_front) KW_NO_THREAD_SAFETY
{
    struct kw_front *f = kw_new(1, sizeof *f);
    if (f == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "front");
    KW_INVARIANT(options->token_count >= 1 && options->token_count <= KW_TOKENS_MAX);
    size_t max = options->queue_max == 0 ? QUEUE_DEFAULT : options->queue_max;
    f->o = *options;
    f->o.tokens = NULL; /* each has its own copy */
    f->lock = options->lock;
    f->o.clock = options->clock;
    f->seams = (struct kw_seams){kw_spawn, kill_process, reap_process, kw_pin_owner_of,
                                 kw_process_bytes};
    f->tick.idle = true;
    if (f->o.times.login_grace_ns == 0)
        f->o.times.login_grace_ns = LOGIN_GRACE_NS;
    kw_err e = kw_queue_init(&f->queue, max < QUEUE_LIMIT ? max : QUEUE_LIMIT,
                             options->shares == 0 ? 1 : options->shares);
    if (kw_failed(e)) {
        kw_free(f);
        return e;
    }
    e = front_furnish(f, options);
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
    for (size_t i = 0; i < f->token_count; i++)
        kw_front_token_wipe(&f->tokens[i]);
    kw_status_rows_free(f);
    kw_io_free(f);
    kw_receiver_wipe(&f->receiver);
    kw_queue_wipe(&f->queue);
    kw_generation_free(f->serving);
    kw_generation_free(f->coming);
    kw_free(f);
}
