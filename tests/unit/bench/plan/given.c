/* SPDX-License-Identifier: Apache-2.0 */
#include "given.h"

#include <math.h>

struct kw_plan given(void)
{
    struct kw_plan p = {.servers = 1,
                        .seeds = 100,
                        .seeds_given = true,
                        .parallel = 1,
                        .readers = 1,
                        .timeout_ns = 3 * KW_S_NS,
                        .list_retry_ns = KW_S_NS,
                        .within_ns = 60 * KW_S_NS,
                        .call_ns = KW_MS_NS,
                        .workers = 2,
                        .versions = 1,
                        .deadline_ns = 1500 * KW_MS_NS,
                        .probe_ns = INT64_MAX / 2,
                        .hsms = 1,
                        .random = 1};
    kw_curve_of_latency(2 * KW_MS_NS, 8, &p.curve);
    return p;
}

bool near(double a, double b, double percent)
{
    return fabs(a - b) <= fabs(b) * percent / 100;
}
