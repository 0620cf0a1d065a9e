/* SPDX-License-Identifier: Apache-2.0 */
#include "whisker.h"

#include <math.h>

enum { ROW = 24, AROUND = 90 };

/* A ratio of millions is none that anybody could draw beside others. */
static bool is_known(struct kw_ratio x)
{
    return x.low >= 1e-6 && x.high <= 1e6;
}

static void fit(struct kw_plot *p, const struct kw_whisker *rows, size_t count)
{
    double least = 1, most = 1;
    for (size_t i = 0; i < count; i++)
        if (is_known(rows[i].ratio)) {
            least = fmin(least, rows[i].ratio.low);
            most = fmax(most, rows[i].ratio.high);
        }
    p->x.scale = KW_SCALE_LOG10;
    p->x.unit = KW_UNIT_RATIO;
    kw_axis_fit(&p->x, least, most);
}

static size_t known(const struct kw_whisker *rows, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_known(rows[i].ratio) ? 1 : 0;
    return n;
}

static size_t longest(const struct kw_whisker *rows, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = kw_span_str(rows[i].name).len;
        most = n > most ? n : most;
    }
    return most;
}

static void frame(struct kw_html *s, const struct kw_plot *p, size_t rows, size_t letters)
{
    double height = (double)(rows * ROW + AROUND);
    double left = (double)(letters * 7 + 24) / 760;
    kw_plot_frame(s, height, left > 0.4 ? 0.4 : left, 0.97);
    kw_html_rawf(s, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                 1 - 14 / height, 58 / height);
    kw_plot_side(s, 'x', &p->x);
    kw_html_rawf(s, "set yrange [%.1f:0.4]\nunset ytics\nset xlabel ",
                 (double)rows + 0.6);
    kw_plot_quoted(s, p->x.label);
    kw_html_rawf(
        s, " textcolor rgb '" KW_PLOT_MUTED "'\n"
           "set arrow from 1, graph 0 to 1, graph 1 nohead lw 1 lc rgb '" KW_PLOT_MUTED
           "' back\n");
}

static void band(struct kw_html *s, const struct kw_plot *p, struct kw_ratio noise)
{
    if (!(noise.high > noise.low) || !(noise.low > 0))
        return;
    kw_html_rawf(s,
                 "set object 1 rectangle from %.9g, graph 0 to %.9g, graph 1 back fc rgb "
                 "'" KW_PLOT_GRID "' fs solid noborder\n",
                 fmax(noise.low, p->x.low), fmin(noise.high, p->x.high));
}

static void rows_of(struct kw_html *s, const struct kw_whisker *rows, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(is_known(rows[i].ratio)))
            continue;
        at++;
        kw_html_raw(s, "set label ");
        kw_plot_quoted(s, rows[i].name);
        kw_html_rawf(s,
                     " at graph 0, first %zu right offset character -1,0 textcolor rgb "
                     "'" KW_PLOT_INK "'\n"
                     "$w%zu << END\n%.9g %zu %.9g %.9g\nEND\n",
                     at, at, rows[i].ratio.mid, at, rows[i].ratio.low,
                     rows[i].ratio.high);
    }
}

static void lines(struct kw_html *s, const struct kw_whisker *rows, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(is_known(rows[i].ratio)))
            continue;
        at++;
        unsigned color = KW_PLOT_FIRST_COLOR + rows[i].color;
        kw_html_rawf(s,
                     "%s$w%zu using 3:2:($4-$3):(0) with vectors nohead lw 1.5 lc rgb "
                     "'#0101%02x', $w%zu using 1:2 with points pt 7 ps 0.6 lc rgb "
                     "'#0101%02x'",
                     at == 1 ? "plot " : ", ", at, color, at, color);
    }
    kw_html_raw(s, "\n");
}

kw_err kw_whiskers_draw(struct kw_plot *p, const struct kw_whisker *rows, size_t count,
                        struct kw_ratio noise, const char *caption, struct kw_html *page,
                        struct kw_note *note)
{
    struct kw_html script = {0};
    if (known(rows, count) == 0)
        return KW_OK;
    fit(p, rows, count);
    frame(&script, p, known(rows, count), longest(rows, count));
    band(&script, p, noise);
    rows_of(&script, rows, count);
    lines(&script, rows, count);
    kw_err e = kw_plot_figure(p, &script, caption, page, note);
    kw_html_wipe(&script);
    return e;
}
