/* SPDX-License-Identifier: Apache-2.0 */
/* runs - results as they might have come out, with the differences that a case wants */
#ifndef KEYWARD_TESTS_BENCH_RUNS_H
#define KEYWARD_TESTS_BENCH_RUNS_H

#include "compare.h"

/* Session "s…" of machine "m…", both by their letter; 12 rounds, a machine that is twice
 * as slow at the end as at the beginning, and a little noise that hangs on `session`.
 * Cells: echo-64 10 us, reference-64 30, hit-64 (primary) 20, miss-64 (primary) 100,
 * status-64 15, and the control. */
struct kw_results *run_new(char session, char machine);

/* Multiplies the cell's cpu_us in every round. */
void run_scale(struct kw_results *r, const char *cell, double factor);
struct kw_results_cell *run_cell(struct kw_results *r, const char *cell);
/* Its cpu_us of a round. */
double *run_cpu(struct kw_results *r, const char *cell, size_t round);

/* Compares at 5 %; the note of a refusal is in compared_note.  Everything that was
 * compared lives until the next call. */
kw_err compare_runs(const struct kw_results *old, const struct kw_results *new);
extern struct kw_comparison *compared;
extern struct kw_note compared_note;
const struct kw_compared *compared_cell(const char *name);
enum kw_ruling verdict_of(const char *cell);
void compared_free(void);

#endif
