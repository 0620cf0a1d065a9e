/* SPDX-License-Identifier: Apache-2.0 */
/* What the health of each token makes together. */
#include "whole.h"

/* No default: a new state asks for its place here. */
static unsigned rank(enum kw_hsm_state state, bool started)
{
    switch (state) {
    case KW_HSM_UP: return 4;
    case KW_HSM_SUSPECT: return 3;
    case KW_HSM_STARTING: return started ? 0 : 2;
    case KW_HSM_LOST: return 1;
    }
    return 0;
}

const struct kw_health *kw_whole_better(const struct kw_whole *w,
                                        const struct kw_health *best,
                                        const struct kw_health *next)
{
    bool started = w->state != KW_HSM_STARTING;
    return best == NULL || rank(next->state, started) > rank(best->state, started) ? next
                                                                                   : best;
}

void kw_whole_weigh(struct kw_whole *w, const struct kw_health *best, int64_t now_ns)
{
    if (best->state != w->state) {
        w->since_ns = now_ns;
        w->losses += best->state == KW_HSM_LOST;
    }
    w->state = best->state;
    w->why = best->why;
}
