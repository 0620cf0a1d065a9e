/* SPDX-License-Identifier: Apache-2.0 */
/* whisker - ratios with their intervals, one below the other, on one axis
 *
 * Threads:   one.
 * Blocking:  until gnuplot is done.
 */
#ifndef KEYWARD_BENCH_WHISKER_H
#define KEYWARD_BENCH_WHISKER_H

#include "plot.h"
#include "spread.h"

struct kw_whisker {
    const char *name; /* borrowed */
    struct kw_ratio ratio;
    unsigned color;
};

enum { KW_WHISKERS_MAX = 130 };

/* A figure like kw_plot_draw's, from p's id, number, title, description and x.label.
 * `noise` is drawn as a band when it is known; rows whose ratio is not known, or beyond a
 * million, are left out; without any row nothing is appended. */
KW_MUST_USE kw_err kw_whiskers_draw(struct kw_plot *p, const struct kw_whisker *rows,
                                    size_t count, struct kw_ratio noise,
                                    const char *caption, struct kw_html *page,
                                    struct kw_note *note);

#endif
