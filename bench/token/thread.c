/* SPDX-License-Identifier: Apache-2.0 */
#include "token_child.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

enum {
    INNER = 48, /* what keyward wraps: a seed of 32 bytes and its inner digest */
    AAD = 96,   /* about what it authenticates */
    IV = 12,
    SEALED = INNER + 16,
    TEXTS = 16, /* distinct ones of a thread; making them is load too */
};

struct kw_texts {
    uint8_t aad[AAD], inner[TEXTS][INNER], iv[TEXTS][IV], sealed[TEXTS][SEALED];
};

static bool thread_is_over(const struct kw_bench_thread *t)
{
    return atomic_load_explicit(&t->task->shared->stop, memory_order_relaxed);
}

/* Waits until then; false: all is over. */
static bool thread_nap(const struct kw_bench_thread *t, int64_t until_ns)
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
static bool thread_paced(struct kw_bench_thread *t)
{
    if (t->pace.gap_ns > 0 && !thread_nap(t, t->pace.next_ns))
        return false;
    kw_pace_took(&t->pace, kw_mono_ns(&kw_clock_system));
    return !thread_is_over(t);
}

/* ---- one operation ------------------------------------------------------------------ */

/* All threads of all points wrap under one key: the IV holds who it is and how often. */
static kw_err wrap_one(struct kw_bench_thread *t, size_t session, size_t i)
{
    struct kw_texts *x = t->texts;
    kw_dst iv = kw_dst_of(x->iv[i], IV), sealed = kw_dst_of(x->sealed[i], SEALED);
    uint64_t who = t->task->shared->point * KW_ALL_THREADS_MAX + t->number + 1;
    if (!kw_dst_put_u32(&iv, (uint32_t)who) || !kw_dst_put_u64(&iv, t->ivs++))
        return kw_err_at(KW_CODE_BUG, "iv");
    return kw_token_wrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                         kw_span_of(x->iv[i], IV), kw_span_of(x->aad, AAD),
                         kw_span_of(x->inner[i], INNER), &sealed);
}

static kw_err unwrap_one(struct kw_bench_thread *t, size_t session, size_t i)
{
    const struct kw_texts *x = t->texts;
    KW_AUTO_SECRET(inner);
    kw_err e = kw_token_unwrap(t->token[session], t->key[session], KW_MECH_AES_256_GCM,
                               kw_span_of(x->iv[i], IV), kw_span_of(x->aad, AAD),
                               kw_span_of(x->sealed[i], SEALED), &inner);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_secret_peek(&inner), kw_span_of(x->inner[i], INNER)))
        t->slot->wrong++;
    return e;
}

static kw_err find_one(struct kw_bench_thread *t, size_t session)
{
    return kw_token_find(t->token[session], t->label, (kw_span){0}, &t->key[session],
                         &t->note);
}

/* A token that draws the same twice is not random; zeros are what an untouched buffer
 * has. */
static kw_err random_one(struct kw_bench_thread *t, size_t session)
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
static kw_err thread_operation(struct kw_bench_thread *t, uint64_t n)
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

static kw_err thread_make_texts(struct kw_bench_thread *t, struct kw_note *note)
{
    struct kw_texts *x = t->texts = kw_new(1, sizeof *x);
    kw_err e = KW_OK;
    if (x == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "texts");
    kw_random(x->aad, sizeof x->aad);
    kw_random(x->inner, sizeof x->inner);
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

kw_err kw_thread_open(struct kw_bench_thread *t, const struct kw_token_task *task,
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
    t->token = kw_new(p->sessions, sizeof(struct kw_token *));
    t->key = kw_new(p->sessions, sizeof(struct kw_token_key *));
    if (t->token == NULL || t->key == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "thread");
    if (i == 0) {
        t->token[t->sessions++] = token;
        t->first_is_lent = true;
    }
    while (t->sessions < p->sessions && !kw_failed(e)) {
        e = kw_token_branch(token, &t->token[t->sessions], note);
        t->sessions += !kw_failed(e);
    }
    for (size_t k = 0; k < t->sessions && label[0] != '\0' && !kw_failed(e); k++)
        e = kw_token_find(t->token[k], label, (kw_span){0}, &t->key[k], note);
    return kw_failed(e) || !kw_op_seals(p->op) ? e : thread_make_texts(t, note);
}

void kw_thread_close(struct kw_bench_thread *t)
{
    for (size_t i = t->first_is_lent ? 1 : 0; i < t->sessions; i++)
        kw_token_branch_close(t->token[i]);
    kw_free(t->token);
    kw_free(t->key);
    kw_free(t->texts);
    t->sessions = 0;
}

/* ---- running ------------------------------------------------------------------------ */

static void thread_fail(struct kw_bench_thread *t, kw_err e)
{
    if (t->note.text[0] == '\0')
        kw_note_set(&t->note, "the token failed while it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    kw_failure_set(&t->task->shared->failure, t->task->shared, e, &t->note);
}

/* Counters that only this thread writes: no locked instruction is needed. */
static void add_one(atomic_uint_fast64_t *counter)
{
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void thread_record(struct kw_bench_thread *t, int64_t begun, int64_t ended)
{
    struct kw_thread_slot *s = t->slot;
    const int64_t limit = t->task->plan->stop_p99_ns;
    atomic_store_explicit(&s->since_ns, 0, memory_order_relaxed);
    add_one(&s->done);
    if (limit > 0 && ended - begun > limit)
        add_one(&s->slow);
    if (!t->measured)
        return;
    t->quota--;
    kw_histogram_add(&s->latency, (uint64_t)(ended - begun));
    s->end_ns = ended;
}

struct kw_process_cpu kw_process_cpu_now(void)
{
    struct timespec t = {0};
    struct rusage u = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    (void)getrusage(RUSAGE_SELF, &u);
    return (struct kw_process_cpu){(uint64_t)t.tv_sec * (uint64_t)KW_S_NS +
                                       (uint64_t)t.tv_nsec,
                                   (uint64_t)(u.ru_nvcsw + u.ru_nivcsw)};
}

/* The next operation is the thread's first one that counts: of --calls it has its part,
 * without there is no end but time's. */
static void thread_begin_measured(struct kw_bench_thread *t)
{
    const uint64_t calls = t->task->plan->calls;
    struct kw_process_slot *s = &t->task->shared->process[t->task->process];
    t->measured = true;
    t->quota = calls == 0 ? UINT64_MAX
                          : calls * (t->number + 1) / t->of - calls * t->number / t->of;
    if (!atomic_exchange(&s->begun, true))
        s->before = kw_process_cpu_now();
}

/* Number n of this thread; *now is when the one before ended, and becomes when this one
 * did.  false: it failed. */
static bool thread_step(struct kw_bench_thread *t, uint64_t n, int64_t *now)
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

/* What was wrapped last opens: nothing else looks at that. */
static void thread_prove(struct kw_bench_thread *t, uint64_t n)
{
    if (t->task->plan->op == KW_OP_WRAP && n > 0)
        t->slot->wrong += kw_failed(unwrap_one(t, 0, (n - 1) % TEXTS));
}

/* All threads share the rate, and take their turns. */
static void thread_begin_pace(struct kw_bench_thread *t)
{
    const struct kw_token_plan *p = t->task->plan;
    t->pace = kw_pace_begin((double)p->max_rate / (double)t->of,
                            t->task->shared->start_ns, p->ramp_ns, 0.1);
    t->pace.next_ns += (int64_t)(t->pace.gap_ns * (double)t->number / (double)t->of);
}

void kw_thread_run(struct kw_bench_thread *t)
{
    const struct kw_shared *s = t->task->shared;
    uint64_t n = 0;
    thread_begin_pace(t);
    if (!thread_nap(t, s->start_ns))
        return;
    int64_t now = kw_mono_ns(&kw_clock_system);
    while (now < s->until_ns && !thread_is_over(t)) {
        if (!t->measured && now >= s->from_ns) {
            thread_begin_measured(t);
            now = kw_mono_ns(&kw_clock_system);
        }
        if (t->measured && t->quota == 0)
            break;
        if (t->pace.gap_ns > 0) {
            if (!thread_paced(t))
                break;
            now = kw_mono_ns(&kw_clock_system);
            if (now >= s->until_ns)
                break;
        }
        if (!thread_step(t, n++, &now))
            return;
    }
    thread_prove(t, n);
}
