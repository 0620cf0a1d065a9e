/* SPDX-License-Identifier: Apache-2.0 */
/* shim - Google Benchmark as C sees it
 *
 * The one place that is C++ (shim.cc).  The library reads its own options, runs the cases
 * that match and reports.  It runs a case several times to find out how many turns it wants,
 * each time: setup, turn after turn, teardown.  Only the turns are timed; each costs a call
 * and a counter, which the case floor/empty shows.
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

/* What a case makes lies in its own file.  Where one of its functions says false the run is
 * no measurement, and is reported as failed. */
struct kw_micro_case {
    const char *name; /* family/what, such as "cache/hit" */
    /* With the argument, 0 when there is none.  NULL: nothing to do. */
    bool (*setup)(int64_t argument);
    /* Number n of this run, from 0.  Its false ends the run. */
    bool (*turn)(uint64_t n);
    /* After so many turns, and also after a setup that failed.  It says whether the turns
     * did what the case is called.  NULL: nothing to do. */
    bool (*teardown)(uint64_t turns);
    const char *argument;  /* its name, such as "entries"; NULL: no argument */
    const int64_t *values; /* the case is run once for each of them */
    size_t value_count;
};

/* Borrows the cases, up to one without a name, until kw_micro_main has returned. */
void kw_micro_register(const struct kw_micro_case *cases);
/* A line of the report's context, such as "keyward_version". */
void kw_micro_context(const char *key, const char *value);
/* Reads argv, runs, reports; `help` comes before the library's own.  The exit status: 0
 * good, 1 a case failed, 2 an option that the library does not know or a filter that matches
 * nothing. */
int kw_micro_main(int argc, char **argv, void (*help)(void));

/* The compiler must believe that somebody looks at what p points to. */
static inline void kw_micro_keep(const void *p)
{
    __asm__ volatile("" : : "g"(p) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
