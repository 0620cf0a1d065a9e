/* SPDX-License-Identifier: Apache-2.0 */
/* storm - what kube-apiservers ask a KMS v2 plugin when they start together, as a machine
 * without a clock, a socket or a plugin of its own
 *
 * The rules, and where they come from (k8s.io/apiserver, 1.36):
 *
 *  1. There are S servers and K sockets; server s uses socket s mod K, over one
 *     connection of its own.  (kmsv2/grpc_service.go: one connection for each provider.)
 *  2. At 0 every server is new: no state, nothing in its cache.  It checks the plugin:
 *     one Status; when that is good and its key_id is not the state's, one Encrypt of a
 *     new seed, whose key_id must be that of Status.  A check is good when all of it is,
 *     and a good one leaves a state.  (encryptionconfig/config.go.)
 *  3. The next check begins check_ns (60 s) after the end of a good one, check_retry_ns
 *     (10 s) after the end of a bad one, as without health requests.  A server has one
 *     check at a time.
 *  4. When the first check has ended, good or bad, the server's lists begin: P x R of
 *     them at once (`parallel`, `readers`).  They are the first lists of the watch
 * caches. List (p, r) needs the seeds i with i mod P == p, in ascending order, one after
 * the other: P is how many resources have seeds of their own, R how many resources need
 *     the very same ones.  One watch cache of Secrets is P = R = 1.
 *  5. A seed that the server's cache has costs nothing.  For any other the list makes one
 *     Decrypt and waits for it.  Nobody looks whether an equal one is under way: R lists
 *     that miss the same seed at the same time make R calls.  (kmsv2/envelope.go.)
 *  6. A good reply puts the seed into the server's cache, where it stays (24 h), and the
 *     list goes on at the same moment.  Whatever else happens ends the list: it begins
 *     anew, with its first seed, list_retry_ns (1 s) later.  What the cache has by then
 *     is not asked for again.  (storage/cacher/cacher.go: wait.Until of one second; one
 *     object that cannot be read fails its list.)
 *  7. A list of a server without a state ends at once and without a call; rule 6 says
 *     when it begins anew.
 *  8. Each call has timeout_ns (3 s, the EncryptionConfiguration's `timeout`) from when
 *     the server wants it, also when it could not be sent at once.  Then it is given up,
 *     and what the plugin still does for it is wasted.  This, and DEADLINE_EXCEEDED from
 *     the plugin, is a deadline miss.  A reply at that very moment is late.
 *  9. A server is ready when all its lists have come to their ends: every seed is in its
 *     cache.  The storm is over when all servers are ready; checks go on until then.
 * 10. A plaintext that is not the seed is wrong.  A server would keep it and never be
 * able to read: it is never ready, and the storm ends there.
 * 11. A day (day_ns > 0) does not end when all are ready but at day_ns.  Each server
 * starts anew `restarts` times, evenly: restart j of server s is due at
 *     ((j - 1) * S + s + 1) * day_ns / (restarts * S + 1), j = 1 and up.  From then on it
 *     makes no new call, and when its last one has ended it is as at 0.  A check that
 *     finds a new key_id (a rotation) makes an Encrypt, as rule 2 says.
 *
 * Not here: reconnecting (a broken connection ends the measurement), the seeds that the
 * servers themselves make, jitter, and the list that goes on after up to 100 unreadable
 * objects (1.37's AllowUnsafeMalformedObjectDeletion).
 *
 * Whoever runs it tells it the time, which never goes back, makes the calls that it asks
 * for, and hands in the replies: real sockets (play.c), or a model of a plugin (tests).
 *
 * Threads:   plain values.
 * Blocking:  never.
 */
#ifndef KEYWARD_BENCH_STORM_H
#define KEYWARD_BENCH_STORM_H

#include <keyward/clock.h>
#include <keyward/err.h>

#include "message.h"
#include "histogram.h"

enum {
    KW_STORM_SERVERS_MAX = 16,
    KW_STORM_LISTS_MAX = 256, /* of one server: parallel x readers */
    KW_STORM_SEEDS_MAX = 100000,
    KW_STORM_RESTARTS_MAX = 1000,
    KW_STORM_POINTS = 200,
    KW_STORM_HOURS = 24,
    KW_STORM_CODES = 17, /* of gRPC */
};

struct kw_storm_options {
    uint64_t servers, sockets;  /* 1..SERVERS_MAX; sockets <= servers */
    uint64_t seeds;             /* 1..SEEDS_MAX                       */
    uint64_t readers, parallel; /* 1.., product <= LISTS_MAX          */
    int64_t timeout_ns;         /* all times > 0                      */
    int64_t check_ns, check_retry_ns, list_retry_ns;
    int64_t day_ns;    /* 0: until all are ready */
    uint64_t restarts; /* 0..RESTARTS_MAX */
};
/* 1 server, 1 socket, 1 seed, 1 reader, 3 s, 60 s, 10 s, 1 s, no day. */
struct kw_storm_options kw_storm_defaults(void);

/* Who asks: server * (1 + P * R) is the server's check, the next ones are its lists. */
struct kw_storm_call {
    uint32_t asker, server;
    enum kw_bench_method method;
    size_t seed; /* of Decrypt */
};

/* Both are called from inside tick and ended, and may not call those. */
struct kw_storm_caller {
    void (*ask)(void *ctx, const struct kw_storm_call *call); /* its reply is awaited */
    void (*give_up)(void *ctx, const struct kw_storm_call *call); /* nobody waits now */
    void *ctx;
};

enum kw_storm_outcome {
    KW_STORM_GOOD,
    KW_STORM_FAILED, /* `code` says why                            */
    KW_STORM_WRONG,  /* Decrypt: another plaintext; others: no sense */
};
struct kw_storm_reply {
    enum kw_storm_outcome outcome;
    unsigned code;   /* of gRPC, when failed                        */
    unsigned key_id; /* Status, Encrypt: which one, counted by the caller from 1 */
};

struct kw_storm_point {
    int64_t t_ns;
    uint64_t unwrapped; /* seeds in the servers' caches, added up */
    uint64_t in_flight; /* calls wanted and not ended             */
    uint64_t failed;    /* calls failed so far                    */
};
struct kw_storm_hour {
    uint64_t calls[KW_METHODS], failed[KW_METHODS];
};

struct kw_storm_tally {
    uint64_t calls[KW_METHODS],
        good[KW_METHODS]; /* wanted; calls[KW_DECRYPT]: requests */
    uint64_t by_code[KW_STORM_CODES], wrong;
    uint64_t deadline_misses; /* rule 8, any method                                 */
    uint64_t duplicates;      /* Decrypts wanted while an equal one, of the same socket,
                                 was under way                                      */
    uint64_t list_retries, bad_checks, rotations, restarts;
    struct kw_histogram latency;               /* of good Decrypts, ns */
    int64_t ready_ns[KW_STORM_SERVERS_MAX];    /* since 0, the first time; -1: not yet */
    int64_t slowest_ns;                        /* longest from a start to ready        */
    struct kw_storm_hour hour[KW_STORM_HOURS]; /* of a day: by when it was wanted */
};

struct kw_storm;

/* began_ns is 0 of the rules.  The first tick makes the first calls.  NO_MEMORY. */
KW_MUST_USE kw_err kw_storm_new(const struct kw_storm_options *o,
                                const struct kw_storm_caller *caller, int64_t began_ns,
                                struct kw_storm **ret_storm);
void kw_storm_free(struct kw_storm *s); /* NULL does nothing */

/* When kw_storm_tick has something to do next (perhaps sooner than needed); INT64_MAX:
 * only a reply can change anything. */
int64_t kw_storm_wakes(const struct kw_storm *s);
/* Lets time pass: what is due begins, what is over its time is given up. */
void kw_storm_tick(struct kw_storm *s, int64_t now_ns);
/* The end of a call that was asked for and not given up. */
void kw_storm_ended(struct kw_storm *s, int64_t now_ns, uint32_t asker,
                    const struct kw_storm_reply *reply);

/* Nothing more is wanted (rules 9, 10, 11); what is under way may be dropped. */
bool kw_storm_over(const struct kw_storm *s);
/* Seeds in the servers' caches, added up. */
uint64_t kw_storm_unwrapped(const struct kw_storm *s);
/* Time of the last server's readiness since 0; -1: not all are ready. */
int64_t kw_storm_ready_ns(const struct kw_storm *s);
const struct kw_storm_tally *kw_storm_tally_peek(const struct kw_storm *s);
/* What happened over time, at even steps, and a last point for the end; at most
 * KW_STORM_POINTS of them. */
size_t kw_storm_timeline(const struct kw_storm *s, struct kw_storm_point *ret_points);

#endif
