/* SPDX-License-Identifier: Apache-2.0 */
/* worker - one measuring process: a module and a login of its own, and a few threads, each of
 * which keeps its sessions busy, one operation at a time
 */
#include "token_bench.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "pace.h"
#include "watch.h"

enum {
    INNER = 48, /* what keyward wraps: a seed of 32 bytes and its inner digest */
    AAD = 96,   /* about what it authenticates */
    IV = 12,
    SEALED = INNER + 16,
    TEXTS = 16,    /* distinct ones of a thread; making them is load too */
    ORPHAN_S = 10, /* patience with the module, once the parent is dead */
};

struct worker_thread {
    const struct kw_token_task *task;
    struct kw_thread_slot *slot;
    uint64_t number, of; /* among all of all processes */
    struct kw_pace pace;
    size_t sessions;
    /* One session each; the first may be the process's own. */
    struct kw_token *token[KW_TOKEN_SESSIONS_MAX];
    struct kw_token_key *key[KW_TOKEN_SESSIONS_MAX];
    uint8_t aad[AAD], inner[TEXTS][INNER], iv[TEXTS][IV], sealed[TEXTS][SEALED];
    char label[KW_KEY_ID_MAX + 1];
    uint64_t ivs;
    uint8_t drawn[32]; /* the random bytes before */
    bool measured;     /* the warm-up is over */
    uint64_t quota;    /* of --calls; operations still to be measured */
    struct kw_note note;
};

static bool thread_is_over(const struct worker_thread *t)
{
    return atomic_load_explicit(&t->task->shared->stop, memory_order_relaxed);
}

/* Waits until then; false: all is over. */
static bool thread_nap(const struct worker_thread *t, int64_t until_ns)
{
    const int64_t most = 100 * KW_MS_NS; /* then it looks up */
    int64_t left;
    while (!thread_is_over(t) && (left = until_ns - kw_mono_ns(&kw_clock_system)) > 0) {
        struct timespec nap = {.tv_nsec = (long)(left < most ? left : most)};
        (void)ppoll(NULL, 0, &nap, NULL);
    }
    return !thread_is_over(t);
}

/* Waits for its turn under --max-rate; false: all is over. */
static bool thread_paced(struct worker_thread *t)
{
    if (t->pace.gap_ns > 0 && !thread_nap(t, t->pace.next_ns))
        return false;
    kw_pace_took(&t->pace, kw_mono_ns(&kw_clock_system));
    return !thread_is_over(t);
}

/* ---- one operation ------------------------------------------------------------------ */

/* All threads of all points wrap under one key: the IV holds who it is and how often. */
static kw_err wrap_one(struct worker_thread *t, size_t session, size_t i)
{
    kw_dst iv = kw_dst_of(t->iv[i], IV), sealed = kw_dst_of(t->sealed[i], SEALED);
    uint64_t who = t->task->shared->point * KW_ALL_THREADS_MAX + t->number + 1;
    if (!kw_dst_put_u32(&iv, (uint32_t)who) || !kw_dst_put_u64(&iv, t->ivs++))
        return kw_err_at(KW_CODE_BUG, "iv");
    return kw_token_wrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                         kw_span_of(t->iv[i], IV), kw_span_of(t->aad, AAD),
                         kw_span_of(t->inner[i], INNER), &sealed);
}

static kw_err unwrap_one(struct worker_thread *t, size_t session, size_t i)
{
    KW_AUTO_SECRET(inner);
    kw_err e = kw_token_unwrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                               kw_span_of(t->iv[i], IV), kw_span_of(t->aad, AAD),
                               kw_span_of(t->sealed[i], SEALED), &inner);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_secret_peek(&inner), kw_span_of(t->inner[i], INNER)))
        t->slot->wrong++;
    return e;
}

static kw_err find_one(struct worker_thread *t, size_t session)
{
    return kw_token_find(t->token[session], t->label, (kw_span){0}, &t->key[session],
                         &t->note);
}

/* A token that draws the same twice is not random; zeros are what an untouched buffer
 * has. */
static kw_err random_one(struct worker_thread *t, size_t session)
{
    uint8_t drawn[sizeof t->drawn] = {0};
    const kw_span now = kw_span_of(drawn, sizeof drawn);
    kw_err e = kw_token_random(t->token[session], drawn, sizeof drawn);
    if (kw_failed(e))
        return e;
    t->slot->wrong += kw_span_equal(now, kw_span_of(t->drawn, sizeof t->drawn));
    kw_copy(t->drawn, sizeof t->drawn, now);
    return KW_OK;
}

/* Number n of the thread, on its next session and text.  What is wrong is counted. */
static kw_err thread_operation(struct worker_thread *t, uint64_t n)
{
    const size_t session = n % t->sessions;
    switch (t->task->plan->op) {
    case KW_OP_UNWRAP: return unwrap_one(t, session, n % TEXTS);
    case KW_OP_WRAP: return wrap_one(t, session, n % TEXTS);
    case KW_OP_FIND: return find_one(t, session);
    case KW_OP_LOGIN: return kw_token_login(t->token[session], &t->note);
    case KW_OP_SESSION: return kw_token_try_session(t->token[session]);
    case KW_OP_RANDOM: return random_one(t, session);
    }
    return kw_err_at(KW_CODE_BUG, "op");
}

/* ---- opening ------------------------------------------------------------------------ */

static kw_err thread_make_texts(struct worker_thread *t, struct kw_note *note)
{
    kw_err e = KW_OK;
    kw_random(t->aad, sizeof t->aad);
    kw_random(t->inner, sizeof t->inner);
    /* Threads are set up one after the other, so this one has the whole rate. */
    t->pace = kw_pace_begin((double)t->task->plan->max_rate, kw_mono_ns(&kw_clock_system),
                            0, 0);
    for (size_t i = 0; i < TEXTS && !kw_failed(e) && thread_paced(t); i++)
        e = wrap_one(t, 0, i);
    if (kw_failed(e))
        kw_note_set(note, "the token failed before it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    return e;
}

/* Thread `i` of the process: its sessions beside `token` (which is the first one of thread
 * 0), the key `label` ("" for none) in each, and the texts.  On failure what was opened is
 * closed by thread_close. */
static kw_err thread_open(struct worker_thread *t, const struct kw_token_task *task,
                          uint64_t i, struct kw_token *token, const char *label,
                          struct kw_note *note)
{
    const struct kw_token_plan *p = task->plan;
    const struct kw_shared *s = task->shared;
    kw_err e = KW_OK;
    t->task = task;
    t->number = task->process * s->threads + i;
    t->of = s->processes * s->threads;
    t->slot = &task->shared->thread[t->number];
    (void)kw_copy_str(t->label, sizeof t->label, kw_span_str(label));
    if (i == 0)
        t->token[t->sessions++] = token; /* lent */
    while (t->sessions < p->sessions && !kw_failed(e)) {
        e = kw_token_branch(token, &t->token[t->sessions], note);
        t->sessions += !kw_failed(e);
    }
    for (size_t k = 0; k < t->sessions && label[0] != '\0' && !kw_failed(e); k++)
        e = kw_token_find(t->token[k], label, (kw_span){0}, &t->key[k], note);
    return kw_failed(e) || !kw_op_seals(p->op) ? e : thread_make_texts(t, note);
}

static void thread_close(struct worker_thread *t, uint64_t i)
{
    for (size_t k = i == 0 ? 1 : 0; k < t->sessions; k++)
        kw_token_branch_close(t->token[k]);
}

/* ---- running ------------------------------------------------------------------------ */

static void thread_fail(struct worker_thread *t, kw_err e)
{
    if (t->note.text[0] == '\0')
        kw_note_set(&t->note, "the token failed while it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    kw_failure_set(&t->task->shared->failure, t->task->shared, e, &t->note);
}

static void thread_record(struct worker_thread *t, int64_t begun, int64_t ended)
{
    struct kw_thread_slot *s = t->slot;
    const int64_t limit = t->task->plan->stop_p99_ns;
    atomic_store_explicit(&s->since_ns, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->done, 1, memory_order_relaxed);
    if (limit > 0 && ended - begun > limit)
        atomic_fetch_add_explicit(&s->slow, 1, memory_order_relaxed);
    if (!t->measured)
        return;
    t->quota--;
    kw_histogram_add(&s->latency, (uint64_t)(ended - begun));
    s->end_ns = ended;
}

static struct kw_process_cpu process_cpu_now(void)
{
    struct rusage u = {0};
    (void)getrusage(RUSAGE_SELF, &u);
    return (struct kw_process_cpu){
        (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (uint64_t)KW_S_NS +
            (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000,
        (uint64_t)(u.ru_nvcsw + u.ru_nivcsw)};
}

/* The next operation is the thread's first one that counts: of --calls it has its part,
 * without there is no end but time's. */
static void thread_begin_measured(struct worker_thread *t)
{
    const uint64_t calls = t->task->plan->calls;
    struct kw_process_slot *s = &t->task->shared->process[t->task->process];
    t->measured = true;
    t->quota = calls == 0 ? UINT64_MAX
                          : calls * (t->number + 1) / t->of - calls * t->number / t->of;
    if (!atomic_exchange(&s->begun, true))
        s->before = process_cpu_now();
}

/* Waits until the next operation may begin, and says when that is; false: there is none. */
static bool thread_next(struct worker_thread *t, int64_t *now)
{
    const int64_t until_ns = t->task->shared->until_ns;
    if (thread_is_over(t) || *now >= until_ns)
        return false;
    if (!t->measured && *now >= t->task->shared->from_ns) {
        thread_begin_measured(t);
        *now = kw_mono_ns(&kw_clock_system);
    }
    if (t->measured && t->quota == 0)
        return false;
    if (t->pace.gap_ns == 0)
        return true;
    bool paced = thread_paced(t);
    *now = kw_mono_ns(&kw_clock_system);
    return paced && *now < until_ns;
}

/* Number n of this thread, from *now on, which becomes when it ended.  false: it failed. */
static bool thread_step(struct worker_thread *t, uint64_t n, int64_t *now)
{
    kw_err e = KW_OK;
    if (t->task->plan->op == KW_OP_LOGIN) {
        e = kw_token_logout(t->token[0]);
        *now = kw_mono_ns(&kw_clock_system);
    }
    atomic_store_explicit(&t->slot->since_ns, *now, memory_order_relaxed);
    if (!kw_failed(e))
        e = thread_operation(t, n);
    if (kw_failed(e)) {
        thread_fail(t, e);
        return false;
    }
    int64_t ended = kw_mono_ns(&kw_clock_system);
    thread_record(t, *now, ended);
    *now = ended;
    return true;
}

/* From shared->start_ns to until_ns, or stop, or the first error, which stops all. */
static void thread_run(struct worker_thread *t)
{
    const struct kw_token_plan *p = t->task->plan;
    const int64_t start_ns = t->task->shared->start_ns;
    uint64_t n = 0;
    /* All threads share the rate, and take their turns. */
    t->pace =
        kw_pace_begin((double)p->max_rate / (double)t->of, start_ns, p->ramp_ns, 0.1);
    t->pace.next_ns += (int64_t)(t->pace.gap_ns * (double)t->number / (double)t->of);
    if (!thread_nap(t, start_ns))
        return;
    int64_t now = kw_mono_ns(&kw_clock_system);
    while (thread_next(t, &now))
        if (!thread_step(t, n++, &now))
            return;
    /* What was wrapped last opens: nothing else looks at that. */
    if (p->op == KW_OP_WRAP && n > 0)
        t->slot->wrong += kw_failed(unwrap_one(t, 0, (n - 1) % TEXTS));
}

/* ---- a worker ----------------------------------------------------------------------- */

struct worker {
    struct kw_token *token;
    struct worker_thread thread[KW_THREADS_MAX];
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
        e = thread_open(&w->thread[i], task, i, w->token, label, note);
    return e;
}

static void *thread_main(void *arg)
{
    struct worker_thread *t = arg;
    const struct kw_args_list *cpu = &t->task->plan->cpu;
    if (cpu->count > 1)
        (void)kw_pin((unsigned)cpu->at[t->number % cpu->count]); /* looked at before */
    thread_run(t);
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
    const struct kw_process_cpu after = process_cpu_now();
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
        kw_token_child_ready(task);
        if (kw_token_child_told(task))
            worker_measure(&w, task);
    }
    for (uint64_t i = 0; i < task->shared->threads; i++)
        thread_close(&w.thread[i], i);
    kw_token_close(w.token);
    _exit(KW_CHILD_DONE);
}
