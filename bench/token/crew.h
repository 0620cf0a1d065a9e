/* SPDX-License-Identifier: Apache-2.0 */
/* crew - the processes of one measurement: begun, waited for, ended
 *
 * This process never loads the module: it forks a keeper, which owns the key, and for
 * each point its workers, one after the other, as each login may write the token's files.
 * A module that crashes or hangs is another process's; a worker is never killed before
 * its login is over.
 *
 * Threads:   one; there must be no other when it forks.
 * Blocking:  for as long as it measures.  After Ctrl-C as long as the module hangs, but
 *            30 s at most in a login and 10 s at most in an operation.
 */
#ifndef KEYWARD_BENCH_TOKEN_CREW_H
#define KEYWARD_BENCH_TOKEN_CREW_H

#include "sum.h"

/* Measures all points of the plan.  On failure the result has what was measured before,
 * and the note is in ret_result->fault.
 * DENIED    the token is no SoftHSM, or a label is a keyring's
 * DEADLINE  --stop-p99
 * anything else as the token room says it */
KW_MUST_USE kw_err kw_crew_run(const struct kw_token_plan *plan,
                               const struct kw_guard *guard,
                               struct kw_token_result *ret_result);

#endif
