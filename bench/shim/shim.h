/* SPDX-License-Identifier: Apache-2.0 */
/* shim - Google Benchmark as C sees it
 *
 * The one place that is C++ (shim.cc): everything else sees this header.  A
 * case is registered, then kw_micro_main reads the library's own options
 * (--benchmark_filter, --benchmark_format=json, …), runs what matches and reports.
 *
 * The library runs a case several times to find out how many iterations it wants, each
 * time like this: setup, run, teardown.  Only what stands inside `while
 * (kw_micro_next(m))` is timed; a turn of the loop costs a call and a counter of its own,
 * which the case floor/empty shows.
 *
 * Threads:  one.
 */
#ifndef KEYWARD_BENCH_SHIM_H
#define KEYWARD_BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kw_micro; /* one run of a case */

struct kw_micro_case {
    const char *name; /* family/what, such as "cache/hit" */
    /* Before the clock starts; false: it failed, and nothing else is called.  NULL: there
     * is nothing to do.  What it makes lies in the case's own file. */
    bool (*setup)(struct kw_micro *m);
    void (*run)(struct kw_micro *m);
    void (*teardown)(void); /* NULL: nothing to do */
    bool waits; /* for another process: time on the wall counts, not this one's CPU */
    const char *argument;  /* its name, such as "entries"; NULL: no argument */
    const int64_t *values; /* the case is run once for each of them */
    size_t value_count;
};

/* Borrows the cases, up to one without a name, until kw_micro_main has returned. */
void kw_micro_register(const struct kw_micro_case *cases);

/* A line of the report's context, such as "keyward_version". */
void kw_micro_context(const char *key, const char *value);

struct kw_micro_program {
    void (*help)(void); /* before the library's own, for --help */
    /* Once, before the first run; false: it could not, said, and nothing is run. */
    bool (*begin)(void);
};

/* Reads argv, runs, reports.  The exit status: 0 good, 1 a case failed, 2 an option that
 * the library does not know or a filter that matches nothing, 3 it could not run. */
int kw_micro_main(int argc, char **argv, const struct kw_micro_program *program);

/* ---- inside a run ---------------------------------------------------------------- */

/* true: one more turn.  To be asked until it says false, unless kw_micro_fail was. */
bool kw_micro_next(struct kw_micro *m);
int64_t kw_micro_argument(const struct kw_micro *m); /* 0 when the case has none */
int64_t kw_micro_iterations(const struct kw_micro *m);

/* The clock stands still between the two.  They cost about as much as a short operation:
 * once for many turns, not in each. */
void kw_micro_pause(struct kw_micro *m);
void kw_micro_resume(struct kw_micro *m);

/* After the loop: what was processed in all, reported as so many a second. */
void kw_micro_items(struct kw_micro *m, int64_t items);
void kw_micro_bytes(struct kw_micro *m, int64_t bytes);

/* A counter under a name of its own: the total. */
void kw_micro_count(struct kw_micro *m, const char *name, double value);

/* The run is no measurement: it is reported as failed with `why`, which is copied, and
 * kw_micro_next says false from now on.  The first one counts. */
void kw_micro_fail(struct kw_micro *m, const char *why);

/* The compiler must believe that somebody looks at what p points to. */
static inline void kw_micro_keep(const void *p)
{
    __asm__ volatile("" : : "g"(p) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
