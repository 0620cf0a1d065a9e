/* SPDX-License-Identifier: Apache-2.0 */
/* progress - how far a long measurement has come
 *
 * On a terminal one line that is drawn again and again: a bar, and what is left.
 * Elsewhere (a log of a build service) a line every few seconds.  The time left is that
 * of the present stretch alone, taken from how fast it went so far; while nobody can know
 * it, it is not there.
 *
 *   struct kw_progress p;
 *   kw_progress_begin(&p, &kw_clock_system, stderr, isatty(STDERR_FILENO) == 1, "load");
 *   kw_progress_tell(&p, "measuring", done, total);      … as often as one likes
 *   kw_progress_end(&p);
 *
 * Threads:   one.
 * Blocking:  on the stream.
 */
#ifndef KEYWARD_BENCH_PROGRESS_H
#define KEYWARD_BENCH_PROGRESS_H

#include <stdio.h>

#include <keyward/clock.h>

enum {
    KW_PROGRESS_DRAW_MS = 200,  /* between two drawings of the bar  */
    KW_PROGRESS_LINE_MS = 5000, /* between two lines without one    */
};

/* {0} is silent. */
struct kw_progress {
    const struct kw_clock *clock; /* borrowed */
    FILE *out;                    /* borrowed; NULL: says nothing */
    bool terminal, drawn;
    const char *verb, *what;   /* borrowed; `what` may change from stretch to stretch */
    int64_t began_ns, told_ns; /* of the stretch; of the last word */
};

void kw_progress_begin(struct kw_progress *p, const struct kw_clock *clock, FILE *out,
                       bool terminal, const char *verb);
/* `done` of `total` parts of the stretch `what` are over.  Another `what` begins another
 * stretch.  total 0: nobody knows how many.  Says something only when it is time to. */
void kw_progress_tell(struct kw_progress *p, const char *what, uint64_t done,
                      uint64_t total);
/* Takes the bar away, so that what is said next stands on a clean line.  Also before any
 * other word on the same stream; telling may go on afterwards. */
void kw_progress_end(struct kw_progress *p);

#endif
