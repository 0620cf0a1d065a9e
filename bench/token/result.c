/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

#include <inttypes.h>

static void histogram_merge(struct kw_histogram *into, const struct kw_histogram *from)
{
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
    for (unsigned i = 0; i < KW_HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

void kw_point_sum(const struct kw_shared *s, struct kw_token_point *ret_point)
{
    struct kw_token_point *p = ret_point;
    int64_t end_ns = s->from_ns;
    p->latency = (struct kw_histogram){0};
    p->cpu_ns = p->switches = p->wrong = 0;
    p->cpu_known = true;
    for (uint64_t i = 0; i < s->processes * s->threads; i++) {
        const struct kw_thread_slot *t = &s->thread[i];
        histogram_merge(&p->latency, &t->latency);
        p->wrong += t->wrong;
        if (t->end_ns > end_ns)
            end_ns = t->end_ns;
    }
    for (uint64_t i = 0; i < s->processes; i++) {
        p->cpu_ns += s->process[i].used.cpu_ns;
        p->switches += s->process[i].used.switches;
        p->cpu_known = p->cpu_known && s->process[i].counted;
    }
    p->elapsed_ns = end_ns - s->from_ns;
}

double kw_point_per_second(const struct kw_token_point *p)
{
    return p->elapsed_ns > 0 ? (double)p->latency.count * 1e9 / (double)p->elapsed_ns : 0;
}

const struct kw_token_point *kw_result_best(const struct kw_token_result *r)
{
    const struct kw_token_point *best = NULL;
    for (size_t i = 0; i < r->count; i++)
        if (r->point[i].latency.count > 0 &&
            (best == NULL ||
             kw_point_per_second(&r->point[i]) > kw_point_per_second(best)))
            best = &r->point[i];
    return best;
}

const struct kw_token_point *kw_result_fit(const struct kw_token_result *r)
{
    const struct kw_token_point *best = kw_result_best(r), *fit = best;
    for (size_t i = 0; i < r->count && best != NULL; i++)
        if (r->point[i].threads < fit->threads &&
            kw_point_per_second(&r->point[i]) >= 0.9 * kw_point_per_second(best))
            fit = &r->point[i];
    return fit;
}

uint64_t kw_fit_granted(const struct kw_token_facts *facts, uint64_t workers)
{
    const uint64_t part = facts->free_sessions / 2 / (2 * workers);
    return facts->free_sessions == KW_TOKEN_NOT_TOLD ? KW_TOKEN_NOT_TOLD
           : part > 1                                ? part - 1
                                                     : 1;
}

struct kw_token_shape kw_plan_shape(const struct kw_token_plan *p, size_t i)
{
    const uint64_t n = p->curve.at[i];
    return (struct kw_token_shape){p->fits || n == 0 ? p->processes : n,
                                   p->fits ? n : p->threads};
}

struct kw_operations kw_shared_operations(const struct kw_shared *s, int64_t now_ns)
{
    struct kw_operations p = {0};
    for (uint64_t i = 0; i < s->processes * s->threads; i++) {
        const struct kw_thread_slot *t = &s->thread[i];
        /* slow first: never more of them than of those done. */
        p.slow += atomic_load_explicit(&t->slow, memory_order_relaxed);
        p.done += atomic_load_explicit(&t->done, memory_order_relaxed);
        int64_t since = atomic_load_explicit(&t->since_ns, memory_order_relaxed);
        if (since > 0 && now_ns - since > p.longest_now_ns)
            p.longest_now_ns = now_ns - since;
    }
    return p;
}

bool kw_p99_over(struct kw_p99_watch *w, const struct kw_operations *now,
                 struct kw_note *note)
{
    char limit[32];
    if (w->limit_ns == 0)
        return false;
    kw_duration_text(limit, sizeof limit, w->limit_ns);
    if (now->longest_now_ns / KW_HUNG_TIMES > w->limit_ns &&
        now->longest_now_ns > KW_HUNG_LEAST_S * KW_S_NS) {
        kw_note_set(note, "stopped: an operation has not come back for %d times %s",
                    KW_HUNG_TIMES, limit);
        return true;
    }
    uint64_t done = now->done - w->before.done, slow = now->slow - w->before.slow;
    if (done < KW_P99_OPERATIONS)
        return false;
    w->before = *now;
    if (slow * 100 <= done)
        return false;
    kw_note_set(note,
                "stopped: %" PRIu64 " of the last %" PRIu64
                " operations took longer than %s",
                slow, done, limit);
    return true;
}
