/* SPDX-License-Identifier: Apache-2.0 */
/* counters - what keywardd's status socket says it did, before and after
 *
 * Threads:   plain values.
 * Blocking:  on the socket, at most 5 s.
 */
#ifndef KEYWARD_BENCH_COUNTERS_H
#define KEYWARD_BENCH_COUNTERS_H

#include <jansson.h>

#include <keyward/bytes.h>

/* Of all classes together. */
struct kw_counters {
    uint64_t unwraps;  /* Decrypts that neither the cache nor an equal one spared */
    uint64_t hits;     /* that the cache answered        */
    uint64_t joined;   /* that shared another's unwrap   */
    uint64_t entries;  /* in the caches, now             */
    uint64_t hsm_jobs; /* whatever the token was asked for: canaries and wraps too */
};

/* IO         nobody answers there
 * BAD_INPUT  it is not keywardd's status document */
KW_MUST_USE kw_err kw_counters_read(const char *path, struct kw_counters *ret_counters,
                                    struct kw_note *note);
/* The same from the document; NULL is none. */
KW_MUST_USE bool kw_counters_parse(const json_t *status,
                                   struct kw_counters *ret_counters);
/* What was done between the two; entries as after.  false: another daemon by now. */
KW_MUST_USE bool kw_counters_between(const struct kw_counters *before,
                                     const struct kw_counters *after,
                                     struct kw_counters *ret_done);

#endif
