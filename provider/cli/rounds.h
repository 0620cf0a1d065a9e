/* SPDX-License-Identifier: Apache-2.0 */
/* rounds - many calls, their times, and the percentiles of those */
#ifndef KEYWARD_CLI_ROUNDS_H
#define KEYWARD_CLI_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

/* Sorts ns[0..count); the nearest-rank percentile (1..100); 0 for no samples. */
int64_t kw_percentile(int64_t *ns, size_t count, unsigned percent);

#endif
