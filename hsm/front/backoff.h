/* SPDX-License-Identifier: Apache-2.0 */
/* backoff - how long to wait after the n-th failure in a row
 *
 * Full jitter: anything between nothing and 100 ms * 2^n, at most 5 s (a login that was spent waits longer, supervisor.h), so that workers
 * of many nodes do not come back to one HSM in step. */
#ifndef KEYWARD_FRONT_BACKOFF_H
#define KEYWARD_FRONT_BACKOFF_H

#include <keyward/clock.h>

#define KW_BACKOFF_FIRST_NS (INT64_C(100) * KW_MS_NS)
#define KW_BACKOFF_MAX_NS (INT64_C(5) * KW_S_NS)

/* failures >= 1; `random` is any number. */
int64_t kw_backoff_ns(unsigned failures, uint64_t random);

#endif
