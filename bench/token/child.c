/* SPDX-License-Identifier: Apache-2.0 */
#include "token_child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "watch.h"

enum {
    ARENA = 256 * 1024,
    ARENA_PER_THREAD = 8 * 1024,
    ORPHAN_S = 10, /* patience with the module, once the parent is dead */
};

kw_err kw_token_plan_open(const struct kw_token_plan *plan, bool read_write,
                          struct kw_token **ret_token, struct kw_note *note)
{
    const struct kw_token_options options = {.module = plan->module,
                                             .uri = plan->uri,
                                             .pin = plan->pin,
                                             .read_write = read_write};
    kw_err e =
        kw_arena_open(ARENA + plan->threads * ARENA_PER_THREAD, KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_token_open(&options, ret_token, note);
}

void kw_failure_set(struct kw_failure *f, struct kw_shared *s, kw_err e,
                    const struct kw_note *note)
{
    if (!atomic_exchange(&f->taken, true)) {
        f->error = e;
        f->note = *note;
    }
    atomic_store(&s->stop, true);
}

static void child_ready(const struct kw_token_task *task)
{
    /* A parent that is gone is seen at the next read. */
    (void)send(task->fd, "R", 1, MSG_NOSIGNAL);
}

/* Waits to be told to go on.  false: to go. */
static bool child_told(const struct kw_token_task *task)
{
    char what = 0;
    ssize_t n;
    do
        n = recv(task->fd, &what, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* ---- the owner ---------------------------------------------------------------------- */

/* Only a key on the token outlives a session, so only that one is kept here. */
static bool owner_wants_key(const struct kw_token_plan *p)
{
    return kw_op_wants_key(p->op) && p->key != KW_BENCH_KEY_SESSION;
}

static kw_err owner_prepare(const struct kw_token_task *task, struct kw_token **ret_token,
                            struct kw_token_key **ret_key, struct kw_note *note)
{
    const struct kw_token_plan *p = task->plan;
    struct kw_shared *s = task->shared;
    kw_err e = kw_token_plan_open(p, owner_wants_key(p), ret_token, note);
    if (kw_failed(e))
        return e;
    s->facts = *kw_token_facts(*ret_token);
    e = kw_bench_token_allowed(&s->facts, p->any_token, note);
    if (!kw_failed(e))
        e = kw_token_login(*ret_token, note);
    /* An IV regime that the wrapping could not live with ends it here, on a key of the
     * session, before anything lies on the token. */
    if (!kw_failed(e) && kw_op_seals(p->op))
        e = kw_token_self_test(*ret_token, note);
    if (kw_failed(e) || !owner_wants_key(p))
        return e;
    e = kw_key_guard_label(task->guard, s->label, note);
    return kw_failed(e)
               ? e
               : kw_token_make_throwaway(*ret_token, s->label, true, ret_key, note);
}

_Noreturn void kw_token_owner_main(const struct kw_token_task *task)
{
    struct kw_shared *s = task->shared;
    struct kw_note note = {{0}};
    struct kw_token *token = NULL;
    struct kw_token_key *key = NULL; /* NULL: none on the token */
    kw_err e = owner_prepare(task, &token, &key, &note);
    if (kw_failed(e)) {
        kw_failure_set(&s->owner, s, e, &note);
    } else {
        child_ready(task);
        (void)child_told(task); /* to go, which is all that it is told */
    }
    atomic_store(&s->stop, true); /* if the parent is dead nobody else does */
    e = key != NULL ? kw_token_destroy_throwaway(token, key) : KW_OK;
    if (kw_failed(e)) {
        kw_note_set(&note,
                    "the key that was measured with could not be destroyed: %s at %s "
                    "(0x%x); look for %s with --clean",
                    kw_code_name(e.code), e.where, e.native, s->label);
        kw_failure_set(&s->owner, s, e, &note);
    }
    kw_token_close(token);
    _exit(KW_CHILD_DONE);
}

/* ---- a worker ----------------------------------------------------------------------- */

struct worker {
    struct kw_token *token;
    struct kw_bench_thread thread[KW_THREADS_MAX];
};

/* The label of the key that this process uses, which it makes unless it is the token's. */
static kw_err worker_get_key(const struct kw_token_task *task, struct kw_token *token,
                             char label[KW_KEY_ID_MAX + 1], struct kw_note *note)
{
    const struct kw_token_plan *p = task->plan;
    const char *owned = task->shared->label;
    struct kw_token_key *key = NULL;
    label[0] = '\0';
    if (!kw_op_wants_key(p->op))
        return KW_OK;
    if (p->key == KW_BENCH_KEY_TOKEN) {
        (void)kw_copy_str(label, KW_KEY_ID_MAX + 1, kw_span_str(owned));
        return KW_OK;
    }
    kw_err e = kw_key_guard_label(task->guard, label, note);
    if (kw_failed(e))
        return e;
    return p->key == KW_BENCH_KEY_COPY
               ? kw_token_copy_throwaway(token, owned, label, &key, note)
               : kw_token_make_throwaway(token, label, false, &key, note);
}

static kw_err worker_prepare(struct worker *w, const struct kw_token_task *task,
                             struct kw_note *note)
{
    char label[KW_KEY_ID_MAX + 1];
    kw_err e = kw_token_plan_open(task->plan, false, &w->token, note);
    if (!kw_failed(e))
        e = kw_token_login(w->token, note);
    if (!kw_failed(e))
        e = worker_get_key(task, w->token, label, note);
    for (uint64_t i = 0; i < task->shared->threads && !kw_failed(e); i++)
        e = kw_thread_open(&w->thread[i], task, i, w->token, label, note);
    return e;
}

static void *thread_main(void *arg)
{
    struct kw_bench_thread *t = arg;
    const struct kw_args_list *cpu = &t->task->plan->cpu;
    if (cpu->count > 1)
        (void)kw_pin((unsigned)cpu->at[t->number % cpu->count]); /* looked at before */
    kw_thread_run(t);
    return NULL;
}

static void worker_measure(struct worker *w, const struct kw_token_task *task)
{
    struct kw_shared *s = task->shared;
    struct kw_process_slot *slot = &s->process[task->process];
    const struct kw_note no_note = {{0}};
    pthread_t id[KW_THREADS_MAX];
    uint64_t started = 0;
    int rc = 0;
    while (rc == 0 && started < s->threads) {
        rc = pthread_create(&id[started], NULL, thread_main, &w->thread[started]);
        started += rc == 0;
    }
    if (rc != 0)
        kw_failure_set(&s->failure, s,
                       kw_err_native(KW_CODE_IO, (uint32_t)rc, "pthread_create"),
                       &no_note);
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(id[i], NULL);
    const struct kw_process_cpu after = kw_process_cpu_now();
    slot->counted = true;
    if (!slot->begun)
        return;
    slot->used.cpu_ns = after.cpu_ns - slot->before.cpu_ns;
    slot->used.switches = after.switches - slot->before.switches;
}

/* A thread that hangs in the module would keep this process for ever, with nobody there to
 * read what it measured.  SIGALRM ends the process. */
static void on_parent_death(int number)
{
    (void)number;
    (void)alarm(ORPHAN_S);
}

_Noreturn void kw_token_worker_main(const struct kw_token_task *task)
{
    static struct worker w; /* large, once a process */
    const struct sigaction act = {.sa_handler = on_parent_death, .sa_flags = SA_RESTART};
    struct kw_note note = {{0}};
    kw_err e = worker_prepare(&w, task, &note);
    if (kw_failed(e)) {
        kw_failure_set(&task->shared->failure, task->shared, e, &note);
    } else {
        (void)sigaction(SIGUSR1, &act, NULL);
        (void)prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
        child_ready(task);
        if (child_told(task))
            worker_measure(&w, task);
    }
    for (uint64_t i = 0; i < task->shared->threads; i++)
        kw_thread_close(&w.thread[i]);
    kw_token_close(w.token);
    _exit(KW_CHILD_DONE);
}
