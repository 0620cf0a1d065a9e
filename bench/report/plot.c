/* SPDX-License-Identifier: Apache-2.0 */
/* What gnuplot is told. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEIGHT = 380, GLYPH = 7, LINE = 17 };

/* Beyond these no figure is one, and gnuplot would have to draw hundreds of decades. */
#define LEAST 1e-12
#define MOST 1e15

static bool known_to(const struct kw_axis *a, double v)
{
    return fabs(v) <= MOST && (a->scale == KW_SCALE_LINEAR || v >= LEAST);
}

void kw_plot_point(const struct kw_plot *p, struct kw_series *s, struct kw_point point)
{
    if (s->count >= KW_POINTS_MAX || !known_to(&p->x, point.x) ||
        !known_to(&p->y, point.y))
        return;
    if (!known_to(&p->y, point.low) || !known_to(&p->y, point.high))
        point.low = point.high = 0;
    s->point[s->count++] = point;
}

struct kw_series *kw_plot_series(struct kw_plot *p, const char *name)
{
    if (p->series_count >= KW_SERIES_MAX)
        return NULL;
    struct kw_series *s = &p->series[p->series_count];
    s->count = 0;
    s->dots = true;
    s->color = (unsigned)p->series_count++;
    (void)kw_copy_str(s->name, sizeof s->name, kw_span_str(name));
    return s;
}

size_t kw_plot_points(const struct kw_plot *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->series_count; i++)
        n += p->series[i].count;
    return n;
}

/* Between single quotes gnuplot knows no escapes, no back-ticks and no variables. */
void kw_plot_quoted(struct kw_html *script, const char *words)
{
    kw_html_raw(script, "'");
    for (const char *c = words; *c != '\0'; c++) {
        if (*c == '\'')
            kw_html_raw(script, "''");
        else if ((unsigned char)*c >= ' ' && *c != 0x7f)
            kw_html_raw_span(script, kw_span_of(c, 1));
    }
    kw_html_raw(script, "'");
}

static bool has_interval(const struct kw_point *p)
{
    return p->high > p->low;
}

static void fit(struct kw_plot *p)
{
    struct kw_point low = {HUGE_VAL, HUGE_VAL, 0, 0}, high = {-HUGE_VAL, -HUGE_VAL, 0, 0};
    for (size_t i = 0; i < p->series_count; i++)
        for (size_t k = 0; k < p->series[i].count; k++) {
            const struct kw_point *at = &p->series[i].point[k];
            low.x = fmin(low.x, at->x);
            high.x = fmax(high.x, at->x);
            low.y = fmin(low.y, has_interval(at) ? fmin(at->low, at->y) : at->y);
            high.y = fmax(high.y, has_interval(at) ? fmax(at->high, at->y) : at->y);
        }
    kw_axis_fit(&p->x, low.x, high.x);
    kw_axis_fit(&p->y, low.y, high.y);
}

/* The text of a tick is a format. */
static void tick_text(struct kw_html *s, const char *text)
{
    char format[2 * KW_NUMBER_MAX];
    size_t used = 0;
    for (; *text != '\0'; text++) {
        format[used++] = *text;
        if (*text == '%')
            format[used++] = '%';
    }
    format[used] = '\0';
    kw_plot_quoted(s, format);
}

void kw_plot_side(struct kw_html *s, char name, const struct kw_axis *a)
{
    bool log = a->scale != KW_SCALE_LINEAR;
    /* On a logarithmic axis gnuplot may lose a tick at its very end. */
    double air = log ? 1e-4 : 0;
    if (log)
        kw_html_rawf(s, "set logscale %c\n", name);
    kw_html_rawf(s, "set %crange [%.9g:%.9g]\nset %ctics (", name, a->low * (1 - air),
                 a->high * (1 + air), name);
    for (size_t i = 0; i < a->tick_count; i++) {
        kw_html_raw(s, i > 0 ? ", " : "");
        tick_text(s, a->tick[i].text);
        kw_html_rawf(s, " %.9g", a->tick[i].at);
    }
    kw_html_raw(s, ")\n");
}

/* Characters, not bytes. */
static size_t glyphs(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static double right_margin(const struct kw_plot *p)
{
    size_t most = 0;
    for (size_t i = 0; i < p->series_count; i++) {
        size_t n = glyphs(p->series[i].name);
        most = n > most ? n : most;
    }
    double share = (double)(most * GLYPH + 26) / KW_PLOT_WIDTH;
    return 1 - fmin(fmax(share, 0.14), 0.4); /* plots below each other stand in line */
}

void kw_plot_frame(struct kw_html *script, double height, double left, double right)
{
    kw_html_rawf(script,
                 "set encoding utf8\n"
                 "set terminal svg size %d,%.0f dynamic noenhanced font 'sans-serif,13' "
                 "name 'plot'\n"
                 "set border 1 lc rgb '" KW_PLOT_MUTED "'\n"
                 "set tics nomirror scale 0.5,0 textcolor rgb '" KW_PLOT_INK "'\n"
                 "set ytics scale 0\n"
                 "set errorbars small\n"
                 "unset key\n"
                 "set rmargin at screen %.4f\n",
                 KW_PLOT_WIDTH, height, right);
    if (left > 0)
        kw_html_rawf(script, "set lmargin at screen %.4f\n", left);
}

static void frame(struct kw_html *s, const struct kw_plot *p)
{
    kw_plot_frame(s, HEIGHT, 0, right_margin(p));
    kw_html_raw(s, "set grid ytics lt 1 lc rgb '" KW_PLOT_GRID "' lw 1\n"
                   "set tmargin at screen 0.88\nset bmargin at screen 0.155\n");
    kw_plot_side(s, 'x', &p->x);
    kw_plot_side(s, 'y', &p->y);
    kw_html_raw(s, "set xlabel ");
    kw_plot_quoted(s, p->x.label);
    kw_html_raw(s, " textcolor rgb '" KW_PLOT_MUTED "'\nset label ");
    kw_plot_quoted(s, p->y.label);
    kw_html_raw(s, " at screen 0.012, screen 0.955 left textcolor rgb '" KW_PLOT_MUTED
                   "'\n");
}

/* Each line bears its name at its right end; names that would touch move apart. */
static void names(struct kw_html *s, const struct kw_plot *p)
{
    double place[KW_SERIES_MAX];
    size_t of[KW_SERIES_MAX], n = 0;
    for (size_t i = 0; i < p->series_count; i++)
        if (p->series[i].count > 0) {
            const struct kw_series *line = &p->series[i];
            place[n] = kw_axis_place(&p->y, line->point[line->count - 1].y);
            of[n++] = i;
        }
    kw_spread_out(place, n, LINE / (0.725 * HEIGHT));
    for (size_t i = 0; i < n; i++) {
        kw_html_raw(s, "set label ");
        kw_plot_quoted(s, p->series[of[i]].name);
        kw_html_rawf(s, " at graph 1.022, graph %.4f left textcolor rgb '#0101%02x'\n",
                     place[i], KW_PLOT_FIRST_COLOR + p->series[of[i]].color);
    }
}

static void mark_label(struct kw_html *s, const struct kw_mark *m, double at, double up)
{
    if (m->label[0] == '\0')
        return;
    kw_html_raw(s, "set label ");
    kw_plot_quoted(s, m->label);
    kw_html_rawf(
        s,
        " at graph %.4f, graph %.4f %s textcolor rgb '#0101%02x' offset character "
        "%s0.5,0\n",
        at, up, at > 0.6 ? "right" : "left", KW_PLOT_FIRST_COLOR + m->color,
        at > 0.6 ? "-" : "");
}

static void marks(struct kw_html *s, const struct kw_plot *p)
{
    for (size_t i = 0; i < p->mark_count; i++) {
        const struct kw_mark *m = &p->mark[i];
        double at = kw_axis_place(&p->x, m->x);
        kw_html_rawf(s,
                     "set arrow from graph %.4f, graph 0 to graph %.4f, graph 1 nohead "
                     "dt (4,4) lw 1 lc rgb '#0101%02x'\n",
                     at, at, KW_PLOT_FIRST_COLOR + m->color);
        mark_label(s, m, at, 0.97 - 0.065 * (double)i);
    }
}

static void data(struct kw_html *s, const struct kw_plot *p)
{
    for (size_t i = 0; i < p->series_count; i++) {
        kw_html_rawf(s, "$s%zu << END\n", i);
        for (size_t k = 0; k < p->series[i].count; k++) {
            const struct kw_point *at = &p->series[i].point[k];
            bool known = has_interval(at);
            kw_html_rawf(s, "%.9g %.9g %.9g %.9g\n", at->x, at->y,
                         known ? at->low : at->y, known ? at->high : at->y);
        }
        kw_html_raw(s, "END\n");
    }
}

static bool any_interval(const struct kw_series *s)
{
    for (size_t k = 0; k < s->count; k++)
        if (has_interval(&s->point[k]))
            return true;
    return false;
}

/* Print and eyes that know few colours have the shape of the points, and the names. */
static void lines(struct kw_html *s, const struct kw_plot *p)
{
    static const int shape[KW_SERIES_MAX] = {7, 5, 9, 11, 13, 6, 4, 8};
    const char *glue = "plot ";
    for (size_t i = 0; i < p->series_count; i++) {
        const struct kw_series *line = &p->series[i];
        unsigned color = KW_PLOT_FIRST_COLOR + line->color;
        if (line->count == 0)
            continue;
        if (any_interval(line))
            kw_html_rawf(s,
                         "%s$s%zu using 1:3:(0):($4-$3) with vectors nohead lw 1.5 lc "
                         "rgb '#0101%02x'",
                         glue, i, color);
        glue = any_interval(line) ? ", " : glue;
        kw_html_rawf(s, "%s$s%zu using 1:2 with %s lw 2 lc rgb '#0101%02x'", glue, i,
                     line->dots ? "linespoints" : "lines", color);
        if (line->dots)
            kw_html_rawf(s, " pt %d ps 0.7", shape[line->color]);
        glue = ", ";
    }
    kw_html_raw(s, "\n");
}

void kw_plot_script(struct kw_plot *p, struct kw_html *ret_script)
{
    KW_INVARIANT(kw_plot_points(p) > 0);
    fit(p);
    frame(ret_script, p);
    names(ret_script, p);
    marks(ret_script, p);
    data(ret_script, p);
    lines(ret_script, p);
}

kw_err kw_plot_figure(const struct kw_plot *p, const struct kw_html *script,
                      const char *caption, struct kw_html *page, struct kw_note *note)
{
    struct kw_html svg = {0};
    size_t before = page->len;
    if (script->failed)
        return kw_err_at(KW_CODE_NO_MEMORY, "plot");
    kw_err e = kw_gnuplot_run(kw_span_of(script->text, script->len), &svg, note);
    if (kw_failed(e))
        return e;
    kw_html_rawf(page, "<figure id=\"plot-%s-%u\">\n", p->id, p->number);
    e = kw_svg_clean(kw_span_of(svg.text, svg.len), p, page, note);
    kw_html_raw(page, "<figcaption><b>");
    kw_html_text(page, p->title);
    kw_html_raw(page, ".</b> ");
    kw_html_text(page, caption);
    kw_html_raw(page, "</figcaption>\n</figure>\n");
    if (kw_failed(e))
        kw_html_cut(page, before);
    kw_html_wipe(&svg);
    return e;
}

kw_err kw_plot_draw(struct kw_plot *p, const char *caption, struct kw_html *page,
                    struct kw_note *note)
{
    struct kw_html script = {0};
    kw_plot_script(p, &script);
    kw_err e = kw_plot_figure(p, &script, caption, page, note);
    kw_html_wipe(&script);
    return e;
}
