/* SPDX-License-Identifier: Apache-2.0 */
/* watch - what a server and its children used between two moments
 *
 * Read from /proc (proc(5)): CPU time in nanoseconds from each thread's schedstat, its
 * context switches and the resident size from status, its part of what is shared from
 * smaps_rollup, which is told to root and to who may trace it.  A process that is gone at the
 * second look makes the sums a lower bound, and `lost` says so.
 *
 * Threads:   plain values.
 * Blocking:  on /proc.
 */
#ifndef KEYWARD_BENCH_WATCH_H
#define KEYWARD_BENCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KW_WATCHED_MAX = 24 };

struct kw_process_usage {
    int32_t pid, parent;
    char name[16];
    uint64_t cpu_ns, switches; /* voluntary and not */
    uint64_t user_ticks, system_ticks;
    uint64_t resident_kib, resident_max_kib; /* now; most ever since its birth */
    uint64_t resident_before_kib;            /* at the first look; 0: not there then */
    uint64_t pss_kib; /* now, each shared page divided by who shares it; 0: unknown */
    unsigned threads;
};

struct kw_watch {
    const char *proc; /* "/proc"; tests have their own */
    struct kw_process_usage server, child[KW_WATCHED_MAX];
    size_t child_count;
    bool known; /* the server could be read */
    bool lost;  /* somebody who was there at the beginning is gone */
};

/* The first look: at `pid` and everybody below it, in no order. */
void kw_watch_begin(struct kw_watch *w, const char *proc, int32_t pid);
/* The first look once more, at the same processes: it costs little, finding them a
 * lot. */
void kw_watch_again(struct kw_watch *w);
/* The second: each process's difference; resident sizes then and now.  A child that
 * was not there at the first counts from its birth. */
void kw_watch_end(const struct kw_watch *begun, struct kw_watch *ret_used);
/* This process and its later threads run on this CPU only; false: there is no such. */
bool kw_pin(unsigned cpu);

#endif
