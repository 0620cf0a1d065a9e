/* SPDX-License-Identifier: Apache-2.0 */
/* calls - keeps calls under way on all connections, and counts what became of them
 *
 * Closed loop: as many at once as there are streams.  Open loop: as the schedule says; a
 * call that finds no free stream starts late, and its latency counts from when it was
 * meant to start.  A pace holds for both.
 *
 * Threads:   one.
 * Blocking:  kw_calls_pump, kw_calls_drain, kw_calls_prepare.
 */
#ifndef KEYWARD_BENCH_CALLS_H
#define KEYWARD_BENCH_CALLS_H

#include <keyward/clock.h>

#include "choice.h"
#include "h2.h"
#include "corpus.h"
#include "histogram.h"
#include "pace.h"
#include "tool.h"

enum {
    KW_CONNECTIONS_MAX = 16,
    KW_OUTAGES_MAX = 1024, /* further ones are not told one by one */
    KW_RECONNECT_MS = 10,
    KW_GATHER_FROM = 16, /* with so many under way, replies are gathered for so long */
    KW_GATHER_NS = 50000,
};

/* What became of the calls of one method.  Each is counted once: good, wrong, exceeded or
 * failed. */
struct kw_outcome {
    struct kw_histogram good; /* latencies in ns of the right replies             */
    uint64_t overdue;         /* of them: behind the caller's time                */
    uint64_t wrong;
    uint64_t exceeded; /* DEADLINE_EXCEEDED, from the server or given up here */
    uint64_t failed;   /* every other error                                   */
};

struct kw_tally {
    struct kw_outcome all, of[KW_METHODS];
    uint64_t replies;           /* of all kinds */
    struct kw_histogram failed; /* latencies of what exceeded or failed */
    uint64_t by_code[KW_GRPC_CODES];
    char said[KW_GRPC_CODES][128]; /* the first message of each code */
    int64_t last_good_ns, gap_ns;  /* longest time without a good reply */
};

/* The time between two good replies in which something failed: a call, or a
 * connection. */
struct kw_outage {
    int64_t at_ns, ns; /* from the last good reply before; until the first one after */
    uint64_t failed;   /* calls */
    char first_error[128]; /* "UNAVAILABLE: …", or what became of the connection */
};

struct kw_calls {
    struct kw_h2 *connection; /* [connection_count] */
    size_t connection_count, turn;
    struct kw_corpus *corpus;
    struct kw_choice
        *choice; /* NULL: `method` for `count` entries in turn, from `first` on */
    enum kw_bench_method method;
    size_t first, count;
    uint64_t issued;             /* calls begun in this stretch    */
    uint64_t issue_max;          /* no call after so many          */
    uint64_t sent[KW_METHODS];   /* calls begun ever               */
    uint64_t replies_max;        /* what comes after so many is not counted */
    struct kw_schedule schedule; /* rate 0: closed loop            */
    struct kw_pace pace;         /* of all calls, whatever for     */
    struct kw_p99_window window; /* ends the pump when it breaks   */
    int64_t timeout_ns;          /* the caller's time; a call older than it and a
                                    second is given up; 0: never                      */
    size_t under_way;
    bool gathers;
    struct kw_tally tally;
    bool reconnects; /* a lost connection is made again; else it ends the stretch */
    bool in_outage;  /* `outage` has no end yet */
    struct kw_outage outage, outages[KW_OUTAGES_MAX];
    size_t outage_count;
    int64_t now_ns, swept_ns, told_ns, dialled_ns; /* of the last look, … */
    struct kw_progress *progress;
    const char *what; /* of the stretch, for people */
};

/* Goes on until the time, or until exactly `replies` were counted, or issue_max calls
 * have ended, or no connection is left, or the window broke, or Ctrl-C. */
void kw_calls_pump(struct kw_calls *k, int64_t until_ns, uint64_t replies);
/* Waits for what is under way, starts nothing. */
void kw_calls_drain(struct kw_calls *k);
/* The method for each of `count` entries from `first` on, once; none may fail.
 * The tally says so too.  `what` is what they are for, as the note says it; borrowed.
 * BAD_INPUT     some failed
 * WRONG_ANSWER  some replies were wrong
 * IO            the connection broke, or Ctrl-C */
KW_MUST_USE kw_err kw_calls_prepare(struct kw_calls *k, enum kw_bench_method method,
                                    size_t first, size_t count, const char *what,
                                    struct kw_note *note);
/* A reply was good, or the stretch is over: so is the outage, if there was one. */
void kw_calls_end_outage(struct kw_calls *k);
/* Why no more calls can be made, or NULL. */
const char *kw_calls_fault(const struct kw_calls *k);

/* No load on a real HSM by mistake: the module that each worker of keywardd has loaded stands
 * in /proc/<pid>/maps.  Other servers are not looked at.  `pid` serves the socket (0 or 1: nobody knows, or systemd made it);
 * `is_keyward`: its key_id is one of keyward's.  DENIED, with a note that names the reason
 * and the option: this is or may be a keywardd whose token is no SoftHSM.  `proc` is
 * "/proc"; tests have their own. */
KW_MUST_USE kw_err kw_guard(const char *proc, int32_t pid, bool is_keyward,
                            struct kw_note *note);

#endif
