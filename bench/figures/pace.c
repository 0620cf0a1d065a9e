/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <math.h>

static const int64_t slack_ns = 1000000;

/* While the rate grows, x calls are due at sqrt(2 x ramp / rate) after the start: the gap
 * behind `at` is that of one more call.  It is never shorter than at the full rate. */
static int64_t gap_ns(const struct kw_pace *p, int64_t at)
{
    double full = 1e9 / (double)p->rate, since = (double)(at - p->start_ns);
    double gap = full;
    if (since < (double)p->ramp_ns)
        gap = sqrt(since * since + 2.0 * (double)p->ramp_ns * full) - since;
    return (int64_t)ceil(gap > full ? gap : full);
}

void kw_pace_took(struct kw_pace *p, int64_t now_ns)
{
    if (p->rate == 0)
        return;
    int64_t from = now_ns - p->next_ns > slack_ns ? now_ns - slack_ns : p->next_ns;
    p->next_ns = from + gap_ns(p, from);
}
