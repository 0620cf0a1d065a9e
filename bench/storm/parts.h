/* SPDX-License-Identifier: Apache-2.0 */
/* parts - the inside of a storm, shared by its files and nobody else
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_STORM_PARTS_H
#define KEYWARD_BENCH_STORM_PARTS_H

#include "storm.h"

enum kw_storm_asker_state {
    KW_ASKER_IDLE,   /* nothing to do                      */
    KW_ASKER_SLEEPS, /* until at_ns                        */
    KW_ASKER_ASKS,   /* a call, which is given up at at_ns */
};

struct kw_storm_asker {
    enum kw_storm_asker_state state;
    enum kw_method method;
    int64_t wanted_ns, at_ns; /* latency and timeout count from the first */
    size_t seed;              /* of a list: the one it is at              */
};

struct kw_storm_server {
    unsigned key_id, seen;  /* of the state, 0: none; of the last Status */
    bool begun;             /* the first check has ended   */
    bool leaving;           /* a restart is due            */
    uint64_t busy;          /* calls wanted and not ended  */
    uint64_t lists_left;    /* not at their ends           */
    uint64_t has_count;     /* seeds in its cache          */
    uint8_t *has;           /* [seeds]                     */
    uint64_t restarts_made; /* and due: the next is one more */
    int64_t born_ns;
};

struct kw_storm_timeline {
    int64_t step_ns, next_ns; /* of the next sample, since 0 */
    size_t count;
    struct kw_storm_point point[KW_STORM_POINTS];
};

struct kw_storm {
    struct kw_storm_options o;
    struct kw_storm_caller caller;
    int64_t began_ns, now_ns, wakes_ns;
    bool over;
    uint32_t per_server; /* askers: 1 + P x R */
    struct kw_storm_asker *asker;
    struct kw_storm_server server[KW_STORM_SERVERS_MAX];
    uint8_t *has;     /* the servers' own */
    uint16_t *flying; /* [sockets][seeds]: equal Decrypts under way */
    struct kw_storm_tally tally;
    struct kw_storm_timeline timeline;
};

/* count.c: what is counted, and what happened when. */
void kw_storm_count_wanted(struct kw_storm *s, uint32_t server,
                           const struct kw_storm_asker *a);
void kw_storm_count_ended(struct kw_storm *s, uint32_t server,
                          const struct kw_storm_asker *a,
                          const struct kw_storm_reply *reply);
/* Every sample up to now, as things stand; call it before they change. */
void kw_storm_sample(struct kw_storm *s, int64_t now_ns);

#endif
