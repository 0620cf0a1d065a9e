/* SPDX-License-Identifier: Apache-2.0 */
/* worker - one measuring process: a module and a login of its own, and a few threads
 *
 * Its main thread sets everything up, then waits for the others.  One more thread waits for
 * the parent's death, which is the end of the file on the channel.
 */
#include "token_child.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "watch.h"

enum { PATIENCE_S = 10 }; /* with the module, once the parent is dead */

struct worker {
    const struct kw_token_child_task *task;
    struct kw_process_slot *slot;
    struct kw_token *token;
    uint64_t threads;
    struct kw_bench_thread thread[KW_THREADS_MAX];
    pthread_t id[KW_THREADS_MAX], parent_watch;
    atomic_bool finished; /* what the parent does from now on means nothing */
};

/* ---- setting up --------------------------------------------------------------------- */

/* The label of the key that this process uses, which it makes unless it is the token's.
 */
static kw_err worker_get_key(struct worker *w, char label[KW_KEY_ID_MAX + 1],
                             struct kw_note *note)
{
    const struct kw_token_plan *p = w->task->plan;
    const char *owned = w->task->shared->label;
    struct kw_token_key *key = NULL;
    label[0] = '\0';
    if (!kw_op_wants_key(p->op))
        return KW_OK;
    if (p->key == KW_BENCH_KEY_TOKEN) {
        (void)kw_copy_str(label, KW_KEY_ID_MAX + 1, kw_span_str(owned));
        return KW_OK;
    }
    kw_err e = kw_token_child_label(w->task->guard, label, note);
    if (kw_failed(e))
        return e;
    return p->key == KW_BENCH_KEY_COPY
               ? kw_token_copy_throwaway(w->token, owned, label, &key, note)
               : kw_token_make_throwaway(w->token, label, false, &key, note);
}

static kw_err worker_open_threads(struct worker *w, const char *label,
                                  struct kw_note *note)
{
    struct kw_shared *s = w->task->shared;
    kw_err e = KW_OK;
    for (uint64_t i = 0; i < w->threads && !kw_failed(e); i++) {
        struct kw_bench_thread *t = &w->thread[i];
        t->task = w->task;
        t->number = w->task->process * s->threads + i;
        t->of = s->processes * s->threads;
        t->slot = &s->thread[t->number];
        e = kw_thread_open(t, w->token, i == 0, label, note);
    }
    return e;
}

static kw_err worker_prepare(struct worker *w)
{
    struct kw_note *note = &w->slot->note;
    char label[KW_KEY_ID_MAX + 1];
    kw_err e = kw_token_child_open(w->task->plan, false, &w->token, note);
    if (!kw_failed(e))
        e = kw_token_login(w->token, note);
    if (!kw_failed(e))
        e = worker_get_key(w, label, note);
    if (!kw_failed(e))
        e = worker_open_threads(w, label, note);
    return e;
}

/* ---- measuring ---------------------------------------------------------------------- */

static void *thread_main(void *arg)
{
    struct kw_bench_thread *t = arg;
    const struct kw_args_list *cpu = &t->task->plan->cpu;
    if (cpu->count > 1)
        (void)kw_pin((unsigned)cpu->at[t->number % cpu->count]); /* looked at before */
    kw_thread_run(t);
    return NULL;
}

/* The parent says nothing between GO and the end.  A thread that hangs in the module would
 * keep this process for ever, with nobody there to read what it measured. */
static void *parent_watch_main(void *arg)
{
    const struct worker *w = arg;
    struct pollfd parent = {w->task->fd, POLLIN, 0};
    while (poll(&parent, 1, -1) < 0) {
    }
    if (atomic_load(&w->finished))
        return NULL;
    atomic_store(&w->task->shared->stop, true);
    (void)poll(NULL, 0, PATIENCE_S * 1000);
    _exit(1);
}

static void worker_measure(struct worker *w)
{
    uint64_t started = 0;
    int rc = pthread_create(&w->parent_watch, NULL, parent_watch_main, w);
    while (rc == 0 && started < w->threads) {
        rc = pthread_create(&w->id[started], NULL, thread_main, &w->thread[started]);
        started += rc == 0;
    }
    if (rc != 0) {
        w->slot->error = kw_err_native(KW_CODE_IO, (uint32_t)rc, "pthread_create");
        atomic_store(&w->task->shared->stop, true);
    }
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(w->id[i], NULL);
    atomic_store(&w->finished, true);
    const struct kw_process_cpu after = kw_process_cpu_now();
    w->slot->counted = true;
    if (!w->slot->begun)
        return;
    w->slot->used.cpu_ns = after.cpu_ns - w->slot->before.cpu_ns;
    w->slot->used.switches = after.switches - w->slot->before.switches;
}

_Noreturn void kw_token_worker_main(const struct kw_token_child_task *task)
{
    static struct worker w; /* large, once a process */
    w.task = task;
    w.slot = &task->shared->process[task->process];
    w.threads = task->shared->threads;
    w.slot->error = worker_prepare(&w);
    if (!kw_failed(w.slot->error)) {
        kw_token_child_say(task, KW_SAY_READY);
        if (kw_token_child_told(task))
            worker_measure(&w);
    }
    for (uint64_t i = 0; i < w.threads; i++)
        kw_thread_close(&w.thread[i]);
    kw_token_close(w.token);
    kw_token_child_say(task, KW_SAY_DONE);
    _exit(0);
}
