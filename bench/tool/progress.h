/* SPDX-License-Identifier: Apache-2.0 */
/* progress - how far a long measurement has come
 *
 * On a terminal one line that is drawn again and again, elsewhere (a log of a build
 * service) a line every few seconds.  The time left is that of the present stretch alone,
 * taken from how fast it went so far; while nobody can know it, it is not there.
 *
 * Threads:   one.
 * Blocking:  on the stream.
 */
#ifndef KEYWARD_BENCH_PROGRESS_H
#define KEYWARD_BENCH_PROGRESS_H

#include <stdio.h>

#include <keyward/clock.h>

enum {
    KW_PROGRESS_DRAW_MS = 200,  /* between two words on a terminal  */
    KW_PROGRESS_LINE_MS = 5000, /* between two lines elsewhere      */
};

/* {0} is silent; the first four are set by who begins it. */
struct kw_progress {
    const struct kw_clock *clock; /* borrowed, as `out` and `verb` */
    FILE *out;                    /* NULL: says nothing */
    bool terminal;
    const char *verb;
    bool drawn;
    const char *what;          /* borrowed; may change from stretch to stretch */
    int64_t began_ns, told_ns; /* of the stretch; of the last word */
};

/* `done` of `total` parts of the stretch `what` are over.  Another `what` begins another
 * stretch.  Says something only when it is time to. */
void kw_progress_tell(struct kw_progress *p, const char *what, uint64_t done,
                      uint64_t total);
/* Takes a terminal's line away, so that what is said next stands on a clean one. */
void kw_progress_end(struct kw_progress *p);

#endif
