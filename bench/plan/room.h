/* SPDX-License-Identifier: Apache-2.0 */
/* room - how a plan is told; the inside of the verb
 *
 * Threads:   one.
 * Blocking:  kw_plan_plot, for as long as gnuplot takes.
 */
#ifndef KEYWARD_BENCH_PLAN_ROOM_H
#define KEYWARD_BENCH_PLAN_ROOM_H

#include <jansson.h>

#include "plan.h"

/* All that is known of one plan. */
struct kw_answer {
    struct kw_plan plan;
    struct kw_plan_needs needs;
    struct kw_bound bound;
    struct kw_expected expected;
    struct kw_limits limits;
    struct kw_plan_series series[KW_PLAN_SERIES];
    struct kw_lines findings, assumptions;
};

void kw_plan_table(const struct kw_answer *a);
/* NULL: out of memory. */
json_t *kw_plan_document(const struct kw_answer *a);

/* Draws the series into an SVG file with gnuplot, which is looked for in PATH.
 * MISSING  there is no gnuplot
 * IO       the file cannot be written, or gnuplot failed; no file is left then */
KW_MUST_USE kw_err kw_plan_plot(const struct kw_answer *a, const char *path,
                                struct kw_note *note);

#endif
