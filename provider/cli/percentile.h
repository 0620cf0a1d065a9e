/* SPDX-License-Identifier: Apache-2.0 */
/* percentile - of the times of many calls */
#ifndef KEYWARD_CLI_PERCENTILE_H
#define KEYWARD_CLI_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/* Sorts ns[0..count); the nearest-rank percentile (1..100); 0 for no samples. */
int64_t kw_percentile(int64_t *ns, size_t count, unsigned percent);

#endif
