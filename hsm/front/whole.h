/* SPDX-License-Identifier: Apache-2.0 */
/* whole - is there an HSM?  What the health of each token makes together
 *
 * It is as well as the best of them: UP when one is UP, else SUSPECT when one is in doubt,
 * else STARTING when one has not failed yet, and LOST when none of that is left.  Once it
 * was UP, one that has not come up yet does not make a start of a loss: what is in memory
 * may be served then.
 *
 * Pure. */
#ifndef KEYWARD_FRONT_WHOLE_H
#define KEYWARD_FRONT_WHOLE_H

#include "health.h"

struct kw_whole {
    enum kw_hsm_state state;
    int64_t since_ns;
    uint64_t losses;
    kw_err why; /* of the best one, the first of equals */
};

/* One token more, in the order of the configuration; then what they make together. */
const struct kw_health *kw_whole_better(const struct kw_whole *w,
                                        const struct kw_health *best,
                                        const struct kw_health *next) KW_LOCKED;
void kw_whole_weigh(struct kw_whole *w, const struct kw_health *best,
                    int64_t now_ns) KW_LOCKED;

#endif
