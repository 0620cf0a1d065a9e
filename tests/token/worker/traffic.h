/* SPDX-License-Identifier: Apache-2.0 */
/* traffic - many unwraps at once through a world's front, every answer looked at */
#ifndef KEYWARD_TESTS_TRAFFIC_H
#define KEYWARD_TESTS_TRAFFIC_H

#include "world.h"

enum { KINDS = 8, IN_FLIGHT = 32, FLIGHTS_MAX = 1 << 16 };
struct load {
    struct world *w;
    struct parcel parcels[KINDS];
    size_t flying, wanted, sent, good, wrong, failed, late;
    int64_t in_ns; /* the deadline of each */
};
struct flight {
    struct load *load;
    size_t kind;
};

/* Seals what will be opened. */
void load_begin(struct load *l, struct world *w, size_t wanted);
/* Keeps IN_FLIGHT on their way until `wanted` were sent; each answer sends the next. */
void submit_more(struct load *l);
void landed(void *ctx, struct kw_hsm_answer *a); /* ctx: a flight; counts, sends more */

/* Until all have landed; meanwhile `kills` ready workers are killed, spread over them. */
void load_run_killing(struct load *l, size_t kills);

bool two_ready(struct world *w);
void world_turn(struct world *w); /* whatever happens next */

#endif
