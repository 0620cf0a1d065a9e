/* SPDX-License-Identifier: Apache-2.0 */
/* rounds - several measurements by turns, so that each round's ratios met one machine
 *
 * Every round runs each cell once, in a process of its own, odd rounds backwards; the
 * first cell, the base, runs twice, as itself and as the control: what the control
 * differs from it is the machine's noise, and a difference within that is none.
 *
 * A cell is any verb whose --json has figures.  One that fails (exit status 1 or 3, or a
 * document without figures) does not end the run: its figures of that round stay unknown
 * and the reason is kept.  Wrong usage (2) is no measurement and ends it.
 *
 * Only whole rounds count; Ctrl-C ends the round under way and drops it.
 *
 * Threads:   one.
 * Blocking:  for as long as all the measurements take.
 */
#ifndef KEYWARD_BENCH_ROUNDS_H
#define KEYWARD_BENCH_ROUNDS_H

#include <keyward/clock.h>
#include <keyward/err.h>

#include "progress.h"
#include "results.h"
#include "tool.h"

enum {
    KW_CELLS_MAX = KW_RESULTS_CELLS - 1, /* the control comes on top */
    KW_WORDS_MAX = 64,
    KW_REASON_MAX = KW_RESULTS_WORDS,
};

/* What runs for a cell; cells[i] of the results is its other half. */
struct kw_entry {
    char *line;                /* owned; cut into words */
    char *words[KW_WORDS_MAX]; /* of keyward-bench; NULL at the end */
    int64_t expected_ns;       /* as its words say; 0: they do not */
    /* Of the round under way, until it is whole. */
    bool failed;
    char reason[KW_REASON_MAX];
    struct kw_counts histogram[KW_ROUNDS_MAX];
};

/* What one measurement gave. */
struct kw_reading {
    char tool[KW_RESULTS_NAME];
    size_t count;
    struct {
        char name[KW_RESULTS_NAME];
        double value;
    } figure[KW_RESULTS_FIGURES];
    struct kw_counts histogram; /* owned */
};

/* How the world is asked; tests have their own. */
struct kw_rounds;
struct kw_rounds_world {
    const struct kw_clock *clock;
    /* Runs cell `at`.  WRONG_ANSWER: it failed, the note says how; BAD_INPUT: wrong
     * usage; anything else: the run cannot go on. */
    kw_err (*measure)(struct kw_rounds *r, size_t at, struct kw_reading *ret_reading,
                      struct kw_note *note);
    double (*pulse_ns)(const struct kw_clock *clock);
    bool (*stop_asked)(void);
};
extern const struct kw_rounds_world kw_rounds_world_system;

struct kw_rounds {
    const struct kw_rounds_world *world;
    struct kw_results *results; /* owned by the caller */
    struct kw_entry entry[KW_RESULTS_CELLS];
    size_t wanted;    /* rounds, at most KW_ROUNDS_MAX */
    double until;     /* 0.05: as soon as primary cells are known so well; 0: no such */
    int64_t for_ns;   /* with `until`: no round begins that would end later */
    const char *keep; /* the folder that has the results after every round, or NULL */
    bool kept;        /* its last writing went well */
    struct kw_progress progress;
    char under_way[96]; /* what the progress names: one buffer, so one stretch to it */
    int64_t began_ns;
    size_t cells_done; /* of the round under way */
};

/* operand.c: "NAME=VERB …", or "NAME*=VERB …" for a primary cell, as the next cell. Words
 * are what blanks separate, there is no quoting; @subject=X and @token_delay_us=N are
 * axes, not words of the verb.  BAD_INPUT with a note, NO_MEMORY. */
KW_MUST_USE kw_err kw_rounds_add(struct kw_rounds *r, const char *text,
                                 struct kw_note *note);
/* The base once more, as the control, after all others. */
KW_MUST_USE kw_err kw_rounds_add_control(struct kw_rounds *r);
void kw_rounds_wipe(struct kw_rounds *r); /* what it owns; not the results */

/* layout.c: "NAME=client:CPUS,server:CPUS", CPUS being 0, 2-3 or any; NULL: nobody told.
 * BAD_INPUT with a note. */
KW_MUST_USE kw_err kw_layout_read(const char *text, struct kw_results_layout *ret_layout,
                                  struct kw_note *note);

/* rounds.c: until there are enough rounds.  An error: nothing more can be measured; what
 * was measured is in the results, which say how much of it there is. */
KW_MUST_USE kw_err kw_rounds_run(struct kw_rounds *r, struct kw_note *note);
/* The measurement under way goes on: says how far the run has come. */
void kw_rounds_tick(struct kw_rounds *r);

/* child.c: runs this program with the entry's words. */
KW_MUST_USE kw_err kw_rounds_measure(struct kw_rounds *r, size_t at,
                                     struct kw_reading *ret_reading,
                                     struct kw_note *note);
/* reading.c: figures and histogram of a measurement's document.  BAD_INPUT with a note:
 * none there, or something else than numbers. */
KW_MUST_USE kw_err kw_reading_of(const json_t *document, struct kw_reading *ret_reading,
                                 struct kw_note *note);

/* pulse.c: how long a fixed piece of work takes now: a chain of multiplications that fits
 * in registers, about ten milliseconds. */
double kw_pulse_ns(const struct kw_clock *clock);

/* table.c, for people; dry.c: what would run and how long it would take. */
void kw_rounds_table(const struct kw_rounds *r);
void kw_rounds_dry(const struct kw_rounds *r);

#endif
