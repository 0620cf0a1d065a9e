/* SPDX-License-Identifier: Apache-2.0 */
/* gap - how long a plugin takes to come up, and what a client misses while it restarts
 *
 * The plugin is started by us: a program that becomes it.  One client, one call at a
 * time, as often as it can; a call that could not be made is made again a millisecond
 * later, which is how exact the times are.  One restart:
 *
 *   1. The plugin is up and a Decrypt was good.
 *   2. It gets SIGTERM.  Decrypts go on until it has ended.           stop
 *   3. It is started at once.  Status until one is good,              start_status
 *      then the Decrypt of before until it is good.                   start_decrypt
 *
 * start_ times count from the start, stop from the signal.  The gap is what lies between
 * the last good Decrypt of the old process and the first of the new one.
 *
 * Threads:   one.
 * Blocking:  until all restarts are made, or Ctrl-C.
 */
#ifndef KEYWARD_BENCH_GAP_H
#define KEYWARD_BENCH_GAP_H

#include <stddef.h>
#include <stdint.h>

#include <keyward/err.h>

enum { KW_GAPS_MAX = 64 };

struct kw_gap_options {
    const char *socket;
    const char *start; /* an executable file without arguments that becomes the plugin */
    const char *log;   /* its standard output and error go there; NULL: nowhere */
    uint64_t restarts; /* 1..KW_GAPS_MAX */
    int64_t patience_ns; /* for a start, and for an end */
};

struct kw_gap {
    double stop_ms, start_status_ms, start_decrypt_ms, gap_ms;
};

struct kw_gap_result {
    size_t count; /* whole restarts */
    struct kw_gap gap[KW_GAPS_MAX];
};

/* The plugin has ended when this returns.  *ret_result has what was measured, also on
 * failure:
 * MISSING    the program could not be started, or ended before it served
 * DEADLINE   patience was over
 * DENIED     what it sealed before its restart it refuses for good
 * CANCELLED  Ctrl-C
 * WRONG_ANSWER  a seed came back that is not ours */
KW_MUST_USE kw_err kw_gap_run(const struct kw_gap_options *options,
                              struct kw_gap_result *ret_result, struct kw_note *note);

/* child.c: the plugin's process; pid 0 when there is none. */
struct kw_gap_child {
    int32_t pid;
    int64_t began_ns;
    int status; /* of waitpid, once it has ended */
};
KW_MUST_USE kw_err kw_gap_child_start(struct kw_gap_child *c, const char *program,
                                      const char *log, struct kw_note *note);
/* false when it has ended: pid is 0 then. */
bool kw_gap_child_runs(struct kw_gap_child *c);
/* SIGTERM, and after patience SIGKILL; waits for its end. */
void kw_gap_child_stop(struct kw_gap_child *c, int64_t patience_ns);

#endif
