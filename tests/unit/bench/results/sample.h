/* SPDX-License-Identifier: Apache-2.0 */
/* sample - results as they might have come out: made up, and small enough to check by
 * hand */
#ifndef KEYWARD_TESTS_BENCH_SAMPLE_H
#define KEYWARD_TESTS_BENCH_SAMPLE_H

#include "results.h"

/* Three cells (echo-64, wall-64, control) and three rounds, the middle one disturbed.
 * cpu_us: 10 20 11 | 20 90 33 (primary) | 10 20 nobody knows. */
struct kw_results *sample_new(void);

#endif
