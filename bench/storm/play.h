/* SPDX-License-Identifier: Apache-2.0 */
/* play - a storm on real sockets and the real clock, and what it came to
 *
 * Threads:   one.
 * Blocking:  kw_play_make, kw_play_run: for as long as it takes.
 */
#ifndef KEYWARD_BENCH_PLAY_H
#define KEYWARD_BENCH_PLAY_H

#include <jansson.h>

#include "corpus.h"
#include "storm.h"
#include "tool.h"
#include "watch.h"

struct kw_play_options {
    struct kw_storm_options storm;
    const char *const *socket; /* [storm.sockets]: one provider, on one or more nodes */
    const char *status;        /* keywardd's status socket; NULL: none */
    uint64_t compress;         /* of a day: for the document alone */
    bool any_token;            /* also one that is, or may be, a real HSM: see kw_guard */
    int64_t limit_ns;          /* not ready by then: the measurement is partial       */
    struct kw_progress *progress;
};

/* What keywardd's status socket says it did, of all classes together. */
struct kw_counters {
    json_int_t unwraps;  /* Decrypts that neither the cache nor an equal one spared */
    json_int_t hits;     /* that the cache answered        */
    json_int_t joined;   /* that shared another's unwrap   */
    json_int_t entries;  /* in the caches, now             */
    json_int_t hsm_jobs; /* whatever the token was asked for: canaries and wraps too */
};

struct kw_play_result {
    struct kw_storm *storm; /* owned: kw_storm_free; over, or as it was left */
    int64_t elapsed_ns;
    char said[KW_GRPC_CODES][128]; /* the first message of each code */
    bool counted;                  /* the status socket answered at the end, too */
    struct kw_counters before, done;
    const char *cache;    /* the plugin's, at first: "cold", "warm" or "unknown"  */
    struct kw_watch used; /* of the process that listens, when it is one */
    bool partial;         /* it did not come to its end */
    char fault[160];      /* why                        */
};

/* The ciphertexts of all seeds of `corpus`, through Encrypt at the first socket.
 * Failures as kw_calls_prepare's, kw_h2_open's and kw_guard's. */
KW_MUST_USE kw_err kw_play_make(const struct kw_play_options *o, struct kw_corpus *corpus,
                                struct kw_note *note);

/* Connects all servers, and lets the storm happen.  A failure means that nothing was
 * measured; what went wrong later is in the result.
 * DENIED          kw_guard's
 * BAD_INPUT, IO   a socket does not answer as it should; the note says which
 * NO_MEMORY */
KW_MUST_USE kw_err kw_play_run(const struct kw_play_options *o, struct kw_corpus *corpus,
                               struct kw_play_result *ret_result, struct kw_note *note);

/* IO when nobody answers there within 5 s, BAD_INPUT when it is not keywardd's
 * status document. */
KW_MUST_USE kw_err kw_counters_read(const char *path, struct kw_counters *ret_counters,
                                    struct kw_note *note);
/* The same from the document; NULL is none. */
KW_MUST_USE bool kw_counters_parse(json_t *status, struct kw_counters *ret_counters);
/* Makes of `after` what was done since `before`, but for the entries.  false: another
 * daemon by now. */
KW_MUST_USE bool kw_counters_since(const struct kw_counters *before,
                                   struct kw_counters *after);

/* storm_document.c: a figure that nobody can know is not there.  r NULL: what would be done
 * (--dry-run). */
json_t *kw_storm_document(const struct kw_play_options *o,
                          const struct kw_play_result *r);

#endif
