/* SPDX-License-Identifier: Apache-2.0 */
#include "sum.h"

static void merge(struct kw_histogram *into, const struct kw_histogram *from)
{
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
    for (unsigned i = 0; i < KW_HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

void kw_point_sum(const struct kw_board *b, struct kw_point *ret_point)
{
    struct kw_point *p = ret_point;
    int64_t end_ns = b->from_ns;
    kw_histogram_clear(&p->latency);
    p->cpu_ns = p->switches = p->wrong = 0;
    p->cpu_known = true;
    for (uint64_t i = 0; i < b->processes * b->threads; i++) {
        const struct kw_lane_slot *lane = &b->lane[i];
        merge(&p->latency, &lane->latency);
        p->wrong += lane->wrong;
        if (lane->end_ns > end_ns)
            end_ns = lane->end_ns;
    }
    for (uint64_t i = 0; i < b->processes; i++) {
        p->cpu_ns += b->process[i].used.cpu_ns;
        p->switches += b->process[i].used.switches;
        p->cpu_known = p->cpu_known && b->process[i].counted;
    }
    p->elapsed_ns = end_ns - b->from_ns;
}

kw_err kw_board_error(const struct kw_board *b, struct kw_note *ret_note)
{
    for (uint64_t i = 0; i < b->processes * b->threads; i++)
        if (kw_failed(b->lane[i].error)) {
            *ret_note = b->lane[i].note;
            return b->lane[i].error;
        }
    for (uint64_t i = 0; i < b->processes; i++)
        if (kw_failed(b->process[i].error)) {
            *ret_note = b->process[i].note;
            return b->process[i].error;
        }
    return KW_OK;
}

struct kw_progress kw_board_progress(const struct kw_board *b, int64_t now_ns)
{
    struct kw_progress p = {0};
    for (uint64_t i = 0; i < b->processes * b->threads; i++) {
        const struct kw_lane_slot *lane = &b->lane[i];
        /* slow first: never more of them than of those done. */
        p.slow += atomic_load_explicit(&lane->slow, memory_order_relaxed);
        p.done += atomic_load_explicit(&lane->done, memory_order_relaxed);
        int64_t since = atomic_load_explicit(&lane->since_ns, memory_order_relaxed);
        if (since > 0 && now_ns - since > p.longest_now_ns)
            p.longest_now_ns = now_ns - since;
    }
    return p;
}

double kw_point_per_second(const struct kw_point *p)
{
    return p->elapsed_ns > 0 ? (double)p->latency.count * 1e9 / (double)p->elapsed_ns : 0;
}

double kw_point_cpu_us(const struct kw_point *p)
{
    return p->latency.count > 0 ? (double)p->cpu_ns / 1e3 / (double)p->latency.count : 0;
}

const struct kw_point *kw_result_best(const struct kw_token_result *r)
{
    const struct kw_point *best = NULL;
    for (size_t i = 0; i < r->count; i++)
        if (r->point[i].latency.count > 0 &&
            (best == NULL ||
             kw_point_per_second(&r->point[i]) > kw_point_per_second(best)))
            best = &r->point[i];
    return best;
}

uint64_t kw_result_wrong(const struct kw_token_result *r)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < r->count; i++)
        wrong += r->point[i].wrong;
    return wrong;
}
