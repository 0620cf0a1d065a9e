/* SPDX-License-Identifier: Apache-2.0 */
/* fixture - a results folder that no machine measured: made-up figures of a real shape
 *
 * Every figure comes from a formula, so that a test can say what must stand in the page.
 */
#ifndef KEYWARD_TESTS_REPORT_FIXTURE_H
#define KEYWARD_TESTS_REPORT_FIXTURE_H

#include <jansson.h>

#include "results.h"

struct kw_fixture {
    char folder[128], page[144]; /* page: where report.html goes */
};

/* Eight rounds, round 3 disturbed; `echo-64` costs 10 µs of CPU and makes 60,000 calls a
 * second in the undisturbed rounds' median, `peer-64` 40 µs and 15,000. */
struct kw_results *kw_fixture_results(void);

/* A folder of its own with a quick run: primary cells only. */
void kw_fixture_quick(struct kw_fixture *ret);
/* The same with everything that a full run has, storm, plan, token and micro too. */
void kw_fixture_full(struct kw_fixture *ret);
/* Puts a file into it. */
void kw_fixture_file(const struct kw_fixture *f, const char *name, const char *bytes);
/* Removes it and whatever is in it. */
void kw_fixture_remove(const struct kw_fixture *f);

/* A cell at the end: `calls` a second and `cpu_us` a call before the rounds' wobble. */
struct kw_results_cell *kw_fixture_cell(struct kw_results *r, const char *name,
                                        double in_flight, double calls, double cpu_us);

#endif
