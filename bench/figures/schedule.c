/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <math.h>

static const uint64_t second_ns = 1000000000u;

/* How many calls the ramp has: half of what the full rate would have had. */
static uint64_t of_ramp(const struct kw_schedule *s)
{
    return (uint64_t)s->ramp_ns / 1000u * s->rate / 2000000u;
}

int64_t kw_schedule_next_ns(const struct kw_schedule *s)
{
    uint64_t ramp = of_ramp(s);
    if (s->next < ramp) {
        double share = (double)s->next / (double)ramp;
        return s->start_ns + (int64_t)(sqrt(share) * (double)s->ramp_ns);
    }
    uint64_t whole = (s->next - ramp) / s->rate, rest = (s->next - ramp) % s->rate;
    return s->start_ns + s->ramp_ns +
           (int64_t)(whole * second_ns + rest * second_ns / s->rate);
}

bool kw_schedule_take(struct kw_schedule *s, int64_t now_ns, int64_t *ret_intended_ns)
{
    int64_t at = kw_schedule_next_ns(s);
    if (at > now_ns)
        return false;
    s->next++;
    *ret_intended_ns = at;
    return true;
}

/* Calls that are due after so much time; call 0 is due at the start. */
static uint64_t due_after(const struct kw_schedule *s, uint64_t passed_ns)
{
    const uint64_t ramp_ns = (uint64_t)s->ramp_ns;
    if (passed_ns < ramp_ns) {
        double share = (double)passed_ns / (double)ramp_ns;
        return (uint64_t)(share * share * (double)of_ramp(s)) + 1u;
    }
    uint64_t full_ns = passed_ns - ramp_ns;
    return of_ramp(s) + full_ns / second_ns * s->rate +
           full_ns % second_ns * s->rate / second_ns + 1u;
}

uint64_t kw_schedule_late(const struct kw_schedule *s, int64_t now_ns)
{
    if (now_ns < s->start_ns)
        return 0;
    uint64_t due = due_after(s, (uint64_t)(now_ns - s->start_ns));
    return due > s->next ? due - s->next : 0;
}
