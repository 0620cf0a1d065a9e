/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <poll.h>

#include <keyward/clock.h>

void kw_pace_init(struct kw_pace *p, uint64_t rate, uint64_t lane, uint64_t lanes,
                  int64_t start_ns, int64_t ramp_ns)
{
    *p = (struct kw_pace){.start_ns = start_ns, .ramp_ns = ramp_ns};
    if (rate == 0)
        return;
    p->gap_ns = (int64_t)(lanes * (uint64_t)KW_S_NS / rate);
    p->next_ns = start_ns + p->gap_ns / (int64_t)lanes * (int64_t)lane;
}

/* How much longer the gap is while the rate still rises: 10 down to 1. */
static double stretch(const struct kw_pace *p, int64_t at_ns)
{
    if (at_ns >= p->start_ns + p->ramp_ns)
        return 1;
    double part = (double)(at_ns - p->start_ns) / (double)p->ramp_ns;
    return 1 / (0.1 + 0.9 * (part > 0 ? part : 0));
}

int64_t kw_pace_take(struct kw_pace *p, int64_t now_ns)
{
    if (p->gap_ns == 0)
        return now_ns;
    int64_t begin = p->next_ns > now_ns ? p->next_ns : now_ns;
    p->next_ns = begin + (int64_t)((double)p->gap_ns * stretch(p, begin));
    return begin;
}

bool kw_pace_nap(int64_t until_ns)
{
    int64_t left = until_ns - kw_mono_ns(&kw_clock_system);
    if (left <= 0)
        return true;
    struct timespec nap = {.tv_nsec =
                               (long)(left < 100 * KW_MS_NS ? left : 100 * KW_MS_NS)};
    (void)ppoll(NULL, 0, &nap, NULL);
    return left <= 100 * KW_MS_NS && kw_mono_ns(&kw_clock_system) >= until_ns;
}
