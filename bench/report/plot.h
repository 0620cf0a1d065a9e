/* SPDX-License-Identifier: Apache-2.0 */
/* plot - lines over an axis, drawn by gnuplot, as SVG that may stand in a page
 *
 * gnuplot runs without a shell, with an environment of its own, in a folder that is
 * removed again; it gets numbers and quoted words and nothing else.  What it writes is
 * not trusted: svg.c lets only shapes and words through.
 *
 * Threads:   one.
 * Blocking:  until gnuplot is done.
 */
#ifndef KEYWARD_BENCH_PLOT_H
#define KEYWARD_BENCH_PLOT_H

#include "axis.h"
#include "html.h"

enum {
    KW_SERIES_MAX = 8, /* as many as there are colours; svg.c and style.c know them too */
    KW_POINTS_MAX = 256,
    KW_MARKS_MAX = 64,
    KW_NAME_MAX = 64,
};

struct kw_point {
    double x, y, low, high; /* low and high both 0: no interval is known */
};

struct kw_series {
    char name[KW_NAME_MAX];
    unsigned color; /* 0..KW_SERIES_MAX - 1 */
    bool dots;      /* each point is a measurement of its own */
    struct kw_point point[KW_POINTS_MAX];
    size_t count;
};

/* A vertical line at x. */
struct kw_mark {
    double x;
    char label[KW_NAME_MAX]; /* "" for none */
    unsigned color;
};

struct kw_plot {
    const char *id;         /* literal, [a-z0-9-]+, one in the page */
    unsigned number;        /* of plots with this id: 0 when there is only one */
    char title[160];        /* also the accessible name */
    char description[1024]; /* what a reader who cannot see it should know */
    struct kw_axis x, y;
    struct kw_series series[KW_SERIES_MAX];
    size_t series_count;
    struct kw_mark mark[KW_MARKS_MAX];
    size_t mark_count;
};

/* Puts a point at the end; a series that is full, or a value that is absurd (NAN, beyond
 * 1e15) or that the axes' scales do not know, leaves it out. */
void kw_plot_point(const struct kw_plot *p, struct kw_series *s, struct kw_point point);
/* The next series, or NULL when there are KW_SERIES_MAX. */
struct kw_series *kw_plot_series(struct kw_plot *p, const char *name);
size_t kw_plot_points(const struct kw_plot *p);

/* Fits both axes to the points and writes the script for gnuplot.  There is at least one
 * point. */
void kw_plot_script(struct kw_plot *p, struct kw_html *ret_script);

/* gnuplot.c: what gnuplot writes for this script.  Owned by the caller.
 * MISSING    there is no gnuplot in PATH
 * IO         it could not be run or failed; the note has its own words */
KW_MUST_USE kw_err kw_gnuplot_run(kw_span script, struct kw_html *ret_svg,
                                  struct kw_note *note);

/* svg.c: appends what is harmless of gnuplot's SVG, its names prefixed by id and number,
 * its colours as classes, with the plot's title and description.
 * BAD_INPUT  no SVG as gnuplot writes it; the note says what is wrong */
KW_MUST_USE kw_err kw_svg_clean(kw_span svg, const struct kw_plot *p, struct kw_html *out,
                                struct kw_note *note);

/* What scripts are made of, for plots of another kind (whisker.c).  Colours are numbers
 * that svg.c turns into classes: the last byte says which. */
#define KW_PLOT_INK "#010100"
#define KW_PLOT_GRID "#010101"
#define KW_PLOT_MUTED "#010102"
enum { KW_PLOT_FIRST_COLOR = 0x10, KW_PLOT_WIDTH = 760 };
/* Terminal, fonts, border and the left and right edge, as shares of the width; `left` 0:
 * as the ticks want it. */
void kw_plot_frame(struct kw_html *script, double height, double left, double right);
/* Range and ticks of the side 'x' or 'y'. */
void kw_plot_side(struct kw_html *script, char name, const struct kw_axis *a);
/* Words as gnuplot's string. */
void kw_plot_quoted(struct kw_html *script, const char *words);
/* Runs the script and appends the <figure>; nothing on failure. */
KW_MUST_USE kw_err kw_plot_figure(const struct kw_plot *p, const struct kw_html *script,
                                  const char *caption, struct kw_html *page,
                                  struct kw_note *note);

/* All of it: <figure> with the picture and a caption.  Nothing is appended on failure. */
KW_MUST_USE kw_err kw_plot_draw(struct kw_plot *p, const char *caption,
                                struct kw_html *page, struct kw_note *note);

#endif
