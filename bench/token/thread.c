/* SPDX-License-Identifier: Apache-2.0 */
#include "token_child.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

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

bool kw_thread_paced(struct kw_bench_thread *t)
{
    if (t->pace.gap_ns > 0 && !thread_nap(t, t->pace.next_ns))
        return false;
    kw_pace_took(&t->pace, kw_mono_ns(&kw_clock_system));
    return !thread_is_over(t);
}

/* ---- opening ------------------------------------------------------------------------ */

static kw_err thread_open_session(struct kw_bench_thread *t, struct kw_token *token,
                                  bool lend, struct kw_note *note)
{
    const kw_span no_locator = {0};
    size_t i = t->sessions;
    if (lend)
        t->token[i] = token;
    kw_err e = lend ? KW_OK : kw_token_branch(token, &t->token[i], note);
    if (kw_failed(e))
        return e;
    t->first_is_lent = t->first_is_lent || lend;
    t->sessions++;
    return t->label[0] == '\0'
               ? KW_OK
               : kw_token_find(t->token[i], t->label, no_locator, &t->key[i], note);
}

kw_err kw_thread_open(struct kw_bench_thread *t, struct kw_token *token, bool lend,
                      const char *label, struct kw_note *note)
{
    const struct kw_token_plan *p = t->task->plan;
    kw_err e = KW_OK;
    (void)kw_copy_str(t->label, sizeof t->label, kw_span_str(label));
    t->token = kw_new(p->sessions, sizeof(struct kw_token *));
    t->key = kw_new(p->sessions, sizeof(struct kw_token_key *));
    if (t->token == NULL || t->key == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "thread");
    for (uint64_t i = 0; i < p->sessions && !kw_failed(e); i++)
        e = thread_open_session(t, token, lend && i == 0, note);
    if (kw_failed(e) || !kw_op_seals(p->op))
        return e;
    e = kw_thread_texts(t);
    if (kw_failed(e))
        kw_note_set(note, "the token failed before it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    return e;
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
    struct kw_thread_slot *s = t->slot;
    s->error = e;
    if (s->note.text[0] == '\0')
        kw_note_set(&s->note, "the token failed while it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    atomic_store(&t->task->shared->stop, true);
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

/* The thread's part of --calls; without, there is no end but time's. */
static uint64_t thread_quota(const struct kw_bench_thread *t)
{
    const uint64_t calls = t->task->plan->calls;
    if (calls == 0)
        return UINT64_MAX;
    return calls * (t->number + 1) / t->of - calls * t->number / t->of;
}

/* The next operation is the thread's first one that counts. */
static void thread_begin_measured(struct kw_bench_thread *t)
{
    struct kw_process_slot *s = &t->task->shared->process[t->task->process];
    t->measured = true;
    t->quota = thread_quota(t);
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
        e = kw_thread_operation(t, n);
    if (kw_failed(e)) {
        thread_fail(t, e);
        return false;
    }
    int64_t ended = kw_mono_ns(&kw_clock_system);
    thread_record(t, *now, ended);
    *now = ended;
    return true;
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
    thread_begin_pace(t);
    if (!thread_nap(t, s->start_ns))
        return;
    int64_t now = kw_mono_ns(&kw_clock_system);
    uint64_t n = 0;
    while (now < s->until_ns && !thread_is_over(t)) {
        if (!t->measured && now >= s->from_ns) {
            thread_begin_measured(t);
            now = kw_mono_ns(&kw_clock_system);
        }
        if (t->measured && t->quota == 0)
            break;
        if (t->pace.gap_ns > 0) {
            if (!kw_thread_paced(t))
                break;
            now = kw_mono_ns(&kw_clock_system);
            if (now >= s->until_ns)
                break;
        }
        if (!thread_step(t, n, &now))
            return;
        n++;
    }
    kw_thread_prove(t, n);
}
