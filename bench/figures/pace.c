/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <math.h>

static const uint64_t second_ns = 1000000000u;
static const int64_t slack_ns = 1000000;

/* How many calls the ramp has: half of what the full rate would have had. */
static uint64_t schedule_of_ramp(const struct kw_schedule *s)
{
    return (uint64_t)s->ramp_ns / 1000u * s->rate / 2000000u;
}

int64_t kw_schedule_next_ns(const struct kw_schedule *s)
{
    const uint64_t ramp = schedule_of_ramp(s);
    if (s->next < ramp)
        return s->start_ns +
               (int64_t)(sqrt((double)s->next / (double)ramp) * (double)s->ramp_ns);
    return s->start_ns + s->ramp_ns + (int64_t)((s->next - ramp) * second_ns / s->rate);
}

/* Call 0 is due at the start. */
uint64_t kw_schedule_late(const struct kw_schedule *s, int64_t now_ns)
{
    if (now_ns < s->start_ns)
        return 0;
    const uint64_t passed_ns = (uint64_t)(now_ns - s->start_ns);
    const uint64_t ramp_ns = (uint64_t)s->ramp_ns, ramp = schedule_of_ramp(s);
    const double share = ramp_ns > 0 ? (double)passed_ns / (double)ramp_ns : 1;
    uint64_t due = passed_ns < ramp_ns
                       ? (uint64_t)(share * share * (double)ramp) + 1
                       : ramp + (passed_ns - ramp_ns) * s->rate / second_ns + 1;
    return due > s->next ? due - s->next : 0;
}

struct kw_pace kw_pace_begin(double rate, int64_t start_ns, int64_t ramp_ns, double from)
{
    return (struct kw_pace){.gap_ns = rate > 0 ? 1e9 / rate : 0,
                            .from = from,
                            .start_ns = start_ns,
                            .ramp_ns = ramp_ns,
                            .next_ns = start_ns};
}

/* While the rate grows, it is `now` of the full one at first and a gap later more: the gap
 * is over when the area below that line is one call.  It is never shorter than at the
 * full rate. */
static int64_t pace_gap_after(const struct kw_pace *p, int64_t at)
{
    const double since = (double)(at - p->start_ns), ramp = (double)p->ramp_ns;
    double gap = p->gap_ns;
    if (since < ramp) {
        double half_slope = (1 - p->from) / ramp / 2;
        double now = p->from + (1 - p->from) * since / ramp;
        gap = (sqrt(now * now + 4 * half_slope * p->gap_ns) - now) / (2 * half_slope);
    }
    return (int64_t)ceil(gap > p->gap_ns ? gap : p->gap_ns);
}

void kw_pace_took(struct kw_pace *p, int64_t now_ns)
{
    if (p->gap_ns == 0)
        return;
    int64_t from = now_ns - p->next_ns > slack_ns ? now_ns - slack_ns : p->next_ns;
    p->next_ns = from + pace_gap_after(p, from);
}

void kw_p99_window_add(struct kw_p99_window *w, int64_t took_ns)
{
    if (w->limit_ns == 0)
        return;
    w->count++;
    w->over += took_ns > w->limit_ns;
    if (w->count < KW_WINDOW)
        return;
    if (w->over > KW_WINDOW / 100 && w->broken == 0)
        w->broken = w->over;
    w->count = w->over = 0;
}
