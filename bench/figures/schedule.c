/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

static const uint64_t second_ns = 1000000000u;

int64_t kw_schedule_next_ns(const struct kw_schedule *s)
{
    uint64_t whole = s->next / s->rate, rest = s->next % s->rate;
    return s->start_ns + (int64_t)(whole * second_ns + rest * second_ns / s->rate);
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

uint64_t kw_schedule_late(const struct kw_schedule *s, int64_t now_ns)
{
    if (now_ns < s->start_ns)
        return 0;
    uint64_t passed = (uint64_t)(now_ns - s->start_ns);
    uint64_t due = passed / second_ns * s->rate;
    due += passed % second_ns * s->rate / second_ns + 1u; /* call 0 is due at the start */
    return due > s->next ? due - s->next : 0;
}
