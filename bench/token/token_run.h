/* SPDX-License-Identifier: Apache-2.0 */
/* token_run - the processes of one measurement: begun, waited for, ended
 *
 * This process never loads the module to measure: it forks an owner, which has the key, and
 * for each point its workers, one after the other, as each login may write the token's
 * files.  A module that crashes or hangs is another process's; a worker is never killed
 * before its login is over.
 *
 * Threads:   one; there must be no other when it forks.
 * Blocking:  for as long as it measures.  After Ctrl-C as long as the module hangs, but
 *            30 s at most in a login and 10 s at most in an operation.
 */
#ifndef KEYWARD_BENCH_TOKEN_RUN_H
#define KEYWARD_BENCH_TOKEN_RUN_H

#include "result.h"

/* Measures all points of the plan.  On failure the result has what was measured before,
 * and the note is in ret_result->fault.
 * DENIED    the token is no SoftHSM, or a label is a keyring's
 * DEADLINE  --stop-p99
 * anything else as the token module says it */
KW_MUST_USE kw_err kw_token_run(const struct kw_token_plan *plan,
                                const struct kw_key_guard *guard,
                                struct kw_token_result *ret_result);

/* leftovers.c, in this process: throw-away keys that a crash left on the token, listed, then
 * destroyed unless plan->dry_run.  Only keys whose label begins with KW_THROWAWAY_BEGIN, and
 * of those none whose label or locator is in the keyring.  Those of a measurement that runs
 * now are among them.  `listed` is called before anything is destroyed.  On failure the
 * list says how far it came.
 * DENIED  the token is no SoftHSM and the operator did not say --yes (listing alone is
 *         allowed); anything else as the token module says it */
KW_MUST_USE kw_err kw_leftovers_run(const struct kw_token_plan *plan,
                                    const struct kw_key_guard *guard,
                                    void (*listed)(const struct kw_leftovers *l),
                                    struct kw_leftovers *ret_leftovers,
                                    struct kw_note *note);

#endif
