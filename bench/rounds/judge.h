/* SPDX-License-Identifier: Apache-2.0 */
/* judge - which rounds were disturbed, how quiet the machine was, how well a cell is
 * known
 *
 * Rules that were written down before any figure was looked at, and that look at no
 * figure of a cell but the control's:
 *
 * 1. A round is disturbed when at least a tenth of its pulses (so any one, with up to ten
 *    cells) took more than 1.15 of the median of all pulses of the run.
 * 2. The machine is "unusable" when half of the rounds or more are disturbed, or when the
 *    control's interval reaches more than 25 % away from 1.
 * 3. It is "quiet" when there are 6 rounds at least, at most an eighth of them disturbed,
 *    95 % of the pulses within 1.05 of their median, and the control's interval within
 *    5 % of 1.
 * 4. Otherwise it is "restless".
 *
 * The control's figure is cpu_us, or calls_per_s where nobody knows cpu_us.  6 is the
 * least number of pairs whose smallest and largest enclose the median with 95 % (1 - 2 *
 * 0.5^6 = 0.97; five give 0.94).
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_JUDGE_H
#define KEYWARD_BENCH_JUDGE_H

#include "results.h"

enum { KW_JUDGE_LEAST = 6 };

/* Sets disturbed, why, pulse_rule, noise, quiet and quiet_words by the rules above.
 * NO_MEMORY: untouched. */
KW_MUST_USE kw_err kw_judge(struct kw_results *r);

/* How far the 95 % interval of cpu_us to the base reaches from its middle, as a part of
 * it (0.05: ±5 %), for the primary cell where that is most.  HUGE_VAL while there are too
 * few pairs, or no cpu_us. */
double kw_judge_width(const struct kw_results *r);

#endif
