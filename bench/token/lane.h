/* SPDX-License-Identifier: Apache-2.0 */
/* lane - one thread that keeps its sessions busy, one operation at a time
 *
 * Threads:   open and close belong to the process's main thread; run is the lane's own.
 * Blocking:  for as long as the module likes; run until the board says that it is over.
 */
#ifndef KEYWARD_BENCH_TOKEN_LANE_H
#define KEYWARD_BENCH_TOKEN_LANE_H

#include "board.h"
#include "pace.h"

enum {
    KW_TEXTS = 256,       /* distinct texts of a lane                          */
    KW_TEXTS_SPARING = 16 /* with --max-rate: making them is load too          */
};

struct kw_lane {
    const struct kw_errand *errand;
    struct kw_lane_slot *slot;
    uint64_t number, lanes; /* among all of all processes */
    struct kw_pace pace;
    size_t sessions;
    struct kw_token **token; /* one session each; [0] may be the process's own */
    struct kw_token_key **key;
    bool first_is_lent;
    struct kw_texts *texts; /* NULL when nothing is sealed */
    char label[KW_KEY_ID_MAX + 1];
    uint64_t ivs;
    uint8_t drawn[32]; /* the random bytes before */
    bool measured;     /* the warm-up is over */
    uint64_t quota;    /* of --calls; operations still to be measured */
};

/* Opens the lane's sessions beside `token` (which becomes its first one when `lend` is
 * set), finds the key `label` ("" for none) in each and makes the texts.  On failure what
 * was opened is closed by kw_lane_close. */
KW_MUST_USE kw_err kw_lane_open(struct kw_lane *l, struct kw_token *token, bool lend,
                                const char *label, struct kw_note *note);
void kw_lane_close(struct kw_lane *l);

/* What this process has used so far. */
struct kw_used kw_used_now(void);

/* lane.c: waits for its turn under --max-rate; false: all is over. */
bool kw_lane_turn(struct kw_lane *l);
/* operation.c: makes the texts (for wrap and unwrap), does operation n of the lane on its
 * next session and text, and proves that what it wrapped last opens: nothing else looks
 * at that.  What is wrong is counted in the slot. */
KW_MUST_USE kw_err kw_lane_texts(struct kw_lane *l);
KW_MUST_USE kw_err kw_lane_operation(struct kw_lane *l, uint64_t n);
void kw_lane_prove(struct kw_lane *l, uint64_t n);

/* From board->start_ns to until_ns, or stop, or the first error, which stops all. */
void kw_lane_run(struct kw_lane *l);

#endif
