/* SPDX-License-Identifier: Apache-2.0 */
/* raw - wraps and unwraps in one session of one token, one after the other
 *
 * Threads:   one.
 * Blocking:  for as long as it measures, and for as long as the module likes.
 */
#ifndef KEYWARD_BENCH_RAW_H
#define KEYWARD_BENCH_RAW_H

#include <keyward/token.h>

#include "histogram.h"

struct kw_raw_options {
    const char *module, *uri, *pin;
    bool on_token;  /* the key: an object of the token, or of the session */
    bool wrap;      /* else unwrap                                        */
    bool any_token; /* else SoftHSM only                                  */
    int64_t seconds_ns, warmup_ns;
};

struct kw_raw_result {
    struct kw_token_facts facts;
    struct kw_histogram latency;
    int64_t elapsed_ns;
    uint64_t cpu_ns, wrong;
    bool partial;
};

/* DENIED  the token is no SoftHSM and any_token is not set */
KW_MUST_USE kw_err kw_raw_run(const struct kw_raw_options *o,
                              struct kw_raw_result *ret_result, struct kw_note *note);

#endif
