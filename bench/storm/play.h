/* SPDX-License-Identifier: Apache-2.0 */
/* play - a storm on real sockets and the real clock
 *
 * Threads:   one.
 * Blocking:  kw_play_make, kw_play_run: for as long as it takes.
 */
#ifndef KEYWARD_BENCH_PLAY_H
#define KEYWARD_BENCH_PLAY_H

#include <jansson.h>

#include "corpus.h"
#include "counters.h"
#include "progress.h"
#include "storm.h"
#include "watch.h"

struct kw_play_options {
    struct kw_storm_options storm;
    const char *const *socket; /* [storm.sockets]: one provider, on one or more nodes */
    const char *status;        /* keywardd's status socket; NULL: none */
    bool any_token;            /* also one that is, or may be, a real HSM: see guard.h */
    int64_t limit_ns;          /* not ready by then: the measurement is partial       */
};

struct kw_play_result {
    struct kw_storm_tally tally;
    int64_t ready_ns, elapsed_ns; /* -1: not all servers got ready */
    struct kw_storm_point point[KW_STORM_POINTS];
    size_t point_count;
    char said[KW_STORM_CODES][128]; /* the first message of each code */
    bool counted;                   /* the status socket answered at the end, too */
    struct kw_counters before, done;
    struct kw_watch used; /* of the process that listens, when it is one */
    bool partial;         /* it did not come to its end */
    char fault[160];      /* why                        */
};

/* The ciphertexts of all seeds of `corpus`, through Encrypt at the first socket.
 * Failures as kw_calls_prepare's, kw_h2_open's and kw_guard's. */
KW_MUST_USE kw_err kw_play_make(const struct kw_play_options *o, struct kw_corpus *corpus,
                                struct kw_progress *progress, struct kw_note *note);

/* Connects all servers, and lets the storm happen.  A failure means that nothing was
 * measured; what went wrong later is in the result.
 * DENIED          the guard's (guard.h)
 * BAD_INPUT, IO   a socket does not answer as it should; the note says which
 * NO_MEMORY */
KW_MUST_USE kw_err kw_play_run(const struct kw_play_options *o, struct kw_corpus *corpus,
                               struct kw_progress *progress,
                               struct kw_play_result *ret_result, struct kw_note *note);

/* ---- storm_document.c: what it came to ------------------------------------------------ */

enum kw_storm_cache {
    KW_CACHE_UNKNOWN, /* the ciphertexts were there before this process           */
    KW_CACHE_COLD,    /* the plugin's cache was empty                             */
    KW_CACHE_WARM,    /* the plugin may have had seeds in its cache: it made them */
};

struct kw_storm_report {
    const struct kw_play_options *o;
    const struct kw_play_result *r;
    enum kw_storm_cache cache;
    uint64_t compress; /* of a day */
};

/* NULL: out of memory.  A figure that nobody can know is not there. */
json_t *kw_storm_document(const struct kw_storm_report *s);
/* What would be done (--dry-run): the options alone; r is not looked at. */
json_t *kw_storm_plan_document(const struct kw_storm_report *s);

#endif
