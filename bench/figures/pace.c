/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <math.h>

static const int64_t slack_ns = 1000000;

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
static int64_t gap_after(const struct kw_pace *p, int64_t at)
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
    p->next_ns = from + gap_after(p, from);
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
