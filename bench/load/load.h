/* SPDX-License-Identifier: Apache-2.0 */
/* load - one measurement of one socket: ciphertexts, warm-up, the measured time, the
 * proof
 *
 * Every reply is looked at: a plaintext is compared with the seed it was made from, and
 * what Encrypt answered while it was measured is decrypted afterwards.
 *
 * Threads:   one.
 * Blocking:  for as long as the measurement takes.
 */
#ifndef KEYWARD_BENCH_LOAD_H
#define KEYWARD_BENCH_LOAD_H

#include "calls.h"
#include "tool.h"
#include "watch.h"

struct kw_load_options {
    const char *socket;
    enum kw_method method;
    uint64_t in_flight, connections;
    uint64_t distinct; /* ciphertexts, or seeds to encrypt      */
    uint64_t calls;    /* replies to measure; 0: by time        */
    int64_t seconds_ns, warmup_ns;
    int64_t timeout_ns;  /* told to the server; 0: none          */
    uint64_t rate;       /* open loop; 0: closed                 */
    bool eager;          /* read each reply at once     */
    uint64_t server_pid; /* 0: as the socket says               */
};

struct kw_load_result {
    struct kw_tally tally;
    int64_t elapsed_ns;
    uint64_t client_cpu_ns;
    struct kw_watch used;        /* between beginning and end of the measured time */
    uint64_t late;               /* open loop: due and not made at the end         */
    uint64_t proven, not_proven; /* Encrypt: decrypted afterwards, or not so  */
    bool partial;                /* less than was asked for                        */
    char fault[160];             /* why                                            */
};

/* A failure means that nothing was measured; what went wrong later is in the result. */
KW_MUST_USE kw_err kw_load_run(const struct kw_load_options *o,
                               struct kw_load_result *ret_result, struct kw_note *note);

/* table.c and document.c: the same figures for people and for programs. */
void kw_load_table(const struct kw_load_options *o, const struct kw_load_result *r);
json_t *kw_load_document(const struct kw_load_options *o, const struct kw_load_result *r);

const char *kw_grpc_code_name(unsigned code);
static inline double kw_per_second(const struct kw_load_result *r)
{
    return r->elapsed_ns > 0 ? (double)r->tally.good.count * 1e9 / (double)r->elapsed_ns
                             : 0;
}
/* Microseconds of `ns` to each good call. */
static inline double kw_per_call_us(const struct kw_load_result *r, uint64_t ns)
{
    return r->tally.good.count > 0 ? (double)ns / 1e3 / (double)r->tally.good.count : 0;
}

#endif
