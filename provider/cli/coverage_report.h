/* SPDX-License-Identifier: Apache-2.0 */
/* coverage_report - how far a period is covered, in words and as a document */
#ifndef KEYWARD_CLI_COVERAGE_REPORT_H
#define KEYWARD_CLI_COVERAGE_REPORT_H

#include <jansson.h>

#include "audit_coverage.h"

/* On standard output: the sum, and of many intervals only the gaps. */
void kw_covered_print(const struct kw_covered *covered, const struct kw_period *period);

/* Of all gaps, rounded up. */
uint64_t kw_covered_gap_seconds(const struct kw_covered *covered);
/* The list of intervals, and the period with the sums; NULL: out of memory. */
json_t *kw_covered_list_json(const struct kw_covered *covered);
json_t *kw_covered_period_json(const struct kw_covered *covered,
                               const struct kw_period *period);

#endif
