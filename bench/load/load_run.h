/* SPDX-License-Identifier: Apache-2.0 */
/* load_run - one measurement of one socket: ciphertexts, warm-up, the measured time, the
 * proof
 *
 * Every reply is looked at: a plaintext is compared with the seed it was made from, and
 * what Encrypt answered while it was measured is decrypted afterwards.
 *
 * Threads:   one.
 * Blocking:  for as long as the measurement takes.
 */
#ifndef KEYWARD_BENCH_LOAD_RUN_H
#define KEYWARD_BENCH_LOAD_RUN_H

#include "calls.h"
#include "tool.h"
#include "watch.h"

struct kw_load_options {
    const char *socket;
    const char *mix, *ciphertexts;   /* as they were said   */
    struct kw_choice_options choice; /* and what they mean  */
    uint64_t in_flight, connections;
    uint64_t calls; /* replies to measure; 0: by time        */
    int64_t seconds_ns, warmup_ns,
        timeout_ns;      /* the last is told to the server; 0: none */
    uint64_t rate;       /* open loop; 0: closed                 */
    uint64_t max_rate;   /* of all calls, preparation too; 0: none          */
    int64_t stop_p99_ns; /* from the first call on; 0: never                  */
    bool ramp;           /* both rates grow from 0, over the warm-up's time */
    bool eager;          /* read each reply at once                         */
    bool reconnect;      /* a lost connection does not end it                 */
    bool any_token;      /* also one that is no SoftHSM                     */
    uint64_t server_pid; /* 0: as the socket says                           */
    const char *status;  /* keywardd's status socket; NULL: none            */
    struct kw_progress *progress;
};

struct kw_load_result {
    struct kw_calls calls;       /* of the measured time; `sent` is of the whole run */
    int64_t from_ns, elapsed_ns; /* CLOCK_MONOTONIC */
    uint64_t client_cpu_ns;
    struct kw_watch used;        /* between beginning and end of the measured time */
    uint64_t late;               /* open loop: due and not made at the end         */
    uint64_t late_more;          /* and so many of them only since the beginning   */
    uint64_t proven, not_proven; /* Encrypt: decrypted afterwards, or not so       */
    bool stopped;                /* the server was over the limit of stop_p99_ns   */
    bool partial;                /* less than was asked for                        */
    char fault[160];             /* why                                            */
    char health[16]; /* of the HSM at the end, as keywardd says it; "": it does not */
    bool is_well;    /* up, or nobody was asked                                     */
};

/* A failure means that nothing was measured; what went wrong later is in the result. */
KW_MUST_USE kw_err kw_load_run(const struct kw_load_options *o,
                               struct kw_load_result *ret_result, struct kw_note *note);

/* What was measured; r NULL: what would be done (--dry-run). */
json_t *kw_load_document(const struct kw_load_options *o, const struct kw_load_result *r);
/* Of load and storm: {"UNAVAILABLE": {"count", "message"}, …} and {"status": n, …} */
json_t *kw_document_failures(const uint64_t by_code[KW_GRPC_CODES],
                             const char (*said)[128]);
json_t *kw_document_by_method(const uint64_t n[KW_METHODS]);

#endif
