/* SPDX-License-Identifier: Apache-2.0 */
/* broom - throw-away keys that a crash left on the token: listed, then destroyed
 *
 * Only keys whose label begins with KW_THROWAWAY_BEGIN, and of those none whose label or
 * locator is in the keyring.  Those of a measurement that runs now are among them.
 *
 * Threads:   one; loads the module into this process.
 * Blocking:  as long as the module likes.
 */
#ifndef KEYWARD_BENCH_TOKEN_BROOM_H
#define KEYWARD_BENCH_TOKEN_BROOM_H

#include "board.h"

enum { KW_LEFTOVERS_MAX = 256 };

struct kw_sweep {
    struct kw_token_facts facts;
    size_t count;
    struct kw_swept {
        struct kw_listed_key key;
        bool destroyed;
        struct kw_note kept; /* why not; "" when destroyed */
    } key[KW_LEFTOVERS_MAX];
};

/* Lists all, then destroys them unless plan->dry_run.  On failure the sweep says how far
 * it came.  DENIED  the token is no SoftHSM and the operator did not say --yes (listing
 * alone is allowed); anything else as the token room says it */
KW_MUST_USE kw_err kw_broom_run(const struct kw_token_plan *plan,
                                const struct kw_guard *guard,
                                void (*listed)(void *ctx, const struct kw_sweep *s),
                                void *ctx, struct kw_sweep *ret_sweep,
                                struct kw_note *note);

#endif
