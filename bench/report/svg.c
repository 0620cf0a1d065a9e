/* SPDX-License-Identifier: Apache-2.0 */
/* What gnuplot wrote, taken apart and put together again from known parts only.
 *
 * Elements and attributes that are not in the tables below do not come through, nor does
 * a value with a character that shapes have no use for: no script, no reference to the
 * outside, no style.  Names are made the plot's own, references go to those.  Colours are
 * the numbers of plot.c: each becomes a class of style.c.
 */
#include <stdio.h>
#include <string.h>

#include "plot.h"

enum { DEPTH_MAX = 32, ATTRIBUTES_MAX = 24 };

struct attribute {
    kw_span name, value;
};

struct tag {
    kw_span name;
    bool closes, alone; /* </x>, <x/> */
    struct attribute attribute[ATTRIBUTES_MAX];
    size_t count;
};

struct cleaner {
    kw_span rest;
    const struct kw_plot *plot;
    struct kw_html *out;
    kw_span open[DEPTH_MAX];
    size_t start[DEPTH_MAX], end[DEPTH_MAX]; /* of each open tag in `out` */
    size_t depth;
    size_t dropped; /* depth of the element that is left out with all in it; 0: none */
    bool seen_root;
};

static const char *const elements[] = {"svg",     "g",        "defs", "path",
                                       "rect",    "circle",   "line", "use",
                                       "polygon", "polyline", "text", "tspan"};
static const char *const attributes[] = {"d",
                                         "x",
                                         "y",
                                         "x1",
                                         "y1",
                                         "x2",
                                         "y2",
                                         "cx",
                                         "cy",
                                         "r",
                                         "width",
                                         "height",
                                         "points",
                                         "viewBox",
                                         "transform",
                                         "font-size",
                                         "opacity",
                                         "text-anchor",
                                         "stroke-width",
                                         "stroke-dasharray",
                                         "fill-opacity",
                                         "stroke-linecap",
                                         "stroke-linejoin"};

static bool is_one_of(kw_span word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kw_span_equal_str(word, list[i]))
            return true;
    return false;
}

static kw_err wrong(struct kw_note *note, const char *what)
{
    kw_note_set(note, "gnuplot's SVG is not as expected: %s", what);
    return kw_err_at(KW_CODE_BAD_INPUT, "svg");
}

/* ---- taking apart --------------------------------------------------------------------
 */

static kw_span until(struct cleaner *c, const char *stop, bool *ret_found)
{
    size_t len = strlen(stop), n = 0;
    *ret_found = false;
    while (n + len <= c->rest.len && !*ret_found)
        if (kw_span_equal_str(kw_span_of(c->rest.ptr + n, len), stop))
            *ret_found = true;
        else
            n++;
    kw_span before = kw_span_of(c->rest.ptr, *ret_found ? n : c->rest.len);
    n = *ret_found ? n + len : c->rest.len;
    c->rest = kw_span_of(c->rest.ptr + n, c->rest.len - n);
    return before;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == ':' || c == '.';
}

static uint8_t front(const kw_span *s)
{
    return s->len > 0 ? s->ptr[0] : 0;
}

static void skip(kw_span *s, size_t n)
{
    *s = kw_span_of(s->ptr + n, s->len - n);
}

static void skip_blanks(kw_span *s)
{
    while (s->len > 0 && is_blank(s->ptr[0]))
        skip(s, 1);
}

static kw_span take_name(kw_span *s)
{
    size_t n = 0;
    while (n < s->len && is_name(s->ptr[n]))
        n++;
    kw_span name = kw_span_of(s->ptr, n);
    skip(s, n);
    return name;
}

/* name="value" or name='value' */
static bool take_attribute(kw_span *s, struct attribute *ret)
{
    struct attribute a = {.name = take_name(s)};
    size_t n = 1;
    skip_blanks(s);
    if (a.name.len == 0 || front(s) != '=')
        return false;
    skip(s, 1);
    skip_blanks(s);
    uint8_t quote = front(s);
    if (quote != '"' && quote != '\'')
        return false;
    while (n < s->len && s->ptr[n] != quote)
        n++;
    if (n >= s->len)
        return false;
    a.value = kw_span_of(s->ptr + 1, n - 1);
    skip(s, n + 1);
    *ret = a;
    return true;
}

/* The tag after its "<". */
static bool take_tag(kw_span *s, struct tag *ret)
{
    struct tag t = {.closes = front(s) == '/'};
    skip(s, t.closes ? 1 : 0);
    t.name = take_name(s);
    for (skip_blanks(s); front(s) != '>'; skip_blanks(s)) {
        if (front(s) == '/') {
            t.alone = true;
            skip(s, 1);
        } else if (t.count >= ATTRIBUTES_MAX ||
                   !take_attribute(s, &t.attribute[t.count++])) {
            return false;
        }
    }
    skip(s, 1);
    *ret = t;
    return t.name.len > 0 && !(t.closes && (t.alone || t.count > 0));
}

/* ---- putting together ----------------------------------------------------------------
 */

static bool harmless(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr(" ,.-+()%_\n\t", c) != NULL);
}

/* The class for a colour of plot.c, such as "s3"; "" for any other. */
static const char *class_of(kw_span value, const char *const names[4], char text[8])
{
    char words[40];
    unsigned n = 0;
    int used = 0;
    text[0] = '\0';
    (void)kw_copy_str(words, sizeof words, value);
    if (sscanf(words, "rgb( 1, 1, %u%n", &n, &used) != 1 || words[used] != ')')
        return text;
    if (n < 3)
        return names[n];
    if (n >= KW_PLOT_FIRST_COLOR && n < KW_PLOT_FIRST_COLOR + KW_SERIES_MAX)
        snprintf(text, 8, "%s%u", names[3], n - KW_PLOT_FIRST_COLOR);
    return text;
}

static const char *const paints[3] = {"stroke", "fill", "color"};

static void put_classes(struct cleaner *c, const struct tag *t)
{
    static const char *const names[3][4] = {{"s-ink", "s-grid", "s-muted", "s"},
                                            {"f-ink", "f-grid", "f-muted", "f"},
                                            {"c-ink", "c-grid", "c-muted", "c"}};
    size_t before = c->out->len;
    kw_html_raw(c->out, " class=\"");
    size_t empty = c->out->len;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < t->count; i++) {
            char text[8];
            if (!kw_span_equal_str(t->attribute[i].name, paints[k]))
                continue;
            const char *name = class_of(t->attribute[i].value, names[k], text);
            if (name[0] != '\0')
                kw_html_rawf(c->out, "%s%s", c->out->len > empty ? " " : "", name);
        }
    if (c->out->len > empty)
        kw_html_raw(c->out, "\"");
    else
        kw_html_cut(c->out, before);
}

/* Of other colours only "none" and "as the text" stay. */
static void put_paints(struct cleaner *c, const struct tag *t)
{
    static const char *const kept[] = {"none", "currentColor"};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < t->count; i++)
            for (size_t n = 0; n < 2; n++)
                if (kw_span_equal_str(t->attribute[i].name, paints[k]) &&
                    kw_span_equal_str(t->attribute[i].value, kept[n]))
                    kw_html_rawf(c->out, " %s=\"%s\"", paints[k], kept[n]);
}

static void put_attribute(struct cleaner *c, const struct attribute *a)
{
    const struct kw_plot *p = c->plot;
    bool id = kw_span_equal_str(a->name, "id");
    bool link = kw_span_equal_str(a->name, "xlink:href") && front(&a->value) == '#';
    kw_span value = link ? kw_span_of(a->value.ptr + 1, a->value.len - 1) : a->value;
    if (!kw_span_all(value, harmless))
        return;
    if (id || link)
        kw_html_rawf(c->out, " %s%s-%u-", id ? "id=\"" : "href=\"#", p->id, p->number);
    else if (is_one_of(a->name, attributes, sizeof attributes / sizeof attributes[0]))
        kw_html_rawf(c->out, " %.*s=\"", (int)a->name.len, (const char *)a->name.ptr);
    else
        return;
    kw_html_text_span(c->out, value);
    kw_html_raw(c->out, "\"");
}

static void put_words(struct cleaner *c)
{
    const struct kw_plot *p = c->plot;
    kw_html_rawf(c->out, " role=\"img\" aria-labelledby=\"%s-%u-t %s-%u-d\">", p->id,
                 p->number, p->id, p->number);
    kw_html_rawf(c->out, "<title id=\"%s-%u-t\">", p->id, p->number);
    kw_html_text(c->out, p->title);
    kw_html_rawf(c->out, "</title><desc id=\"%s-%u-d\">", p->id, p->number);
    kw_html_text(c->out, p->description);
    kw_html_raw(c->out, "</desc>");
}

static void put_tag(struct cleaner *c, const struct tag *t)
{
    bool root = kw_span_equal_str(t->name, "svg");
    kw_html_rawf(c->out, "<%.*s", (int)t->name.len, (const char *)t->name.ptr);
    if (!root) {
        put_classes(c, t);
        put_paints(c, t);
    }
    for (size_t i = 0; i < t->count; i++)
        if (!root || kw_span_equal_str(t->attribute[i].name, "viewBox"))
            put_attribute(c, &t->attribute[i]);
    if (root)
        put_words(c);
    else
        kw_html_raw(c->out, t->alone ? "/>" : ">");
}

/* ---- element by element --------------------------------------------------------------
 */

static kw_err opened(struct cleaner *c, const struct tag *t, struct kw_note *note)
{
    bool root = kw_span_equal_str(t->name, "svg");
    bool known = is_one_of(t->name, elements, sizeof elements / sizeof elements[0]);
    if (root ? c->seen_root || t->alone : !c->seen_root || c->depth == 0)
        return wrong(note, "an element outside the picture, or a picture in it");
    c->seen_root = true;
    size_t start = c->out->len;
    if (c->dropped == 0 && known)
        put_tag(c, t);
    if (t->alone)
        return KW_OK;
    if (c->depth >= DEPTH_MAX)
        return wrong(note, "elements too deep in each other");
    c->open[c->depth] = t->name;
    c->start[c->depth] = start;
    c->end[c->depth++] = c->out->len;
    if (c->dropped == 0 && !known)
        c->dropped = c->depth;
    return KW_OK;
}

static kw_err closed(struct cleaner *c, const struct tag *t, struct kw_note *note)
{
    if (c->depth == 0 || !kw_span_equal(c->open[c->depth - 1], t->name))
        return wrong(note, "an end without its beginning");
    c->depth--;
    if (c->dropped > 0) {
        c->dropped = c->depth < c->dropped ? 0 : c->dropped;
    } else if (c->out->len == c->end[c->depth] && c->depth == 0) {
        return wrong(note, "there is nothing in it");
    } else if (c->out->len == c->end[c->depth]) {
        kw_html_cut(c->out, c->start[c->depth]); /* nothing in it: gnuplot has many */
    } else {
        kw_html_rawf(c->out, "</%.*s>", (int)t->name.len, (const char *)t->name.ptr);
        kw_html_raw(c->out, c->depth < 2 ? "\n" : "");
    }
    return KW_OK;
}

static bool in_text(const struct cleaner *c)
{
    return c->depth > 0 && c->dropped == 0 &&
           (kw_span_equal_str(c->open[c->depth - 1], "text") ||
            kw_span_equal_str(c->open[c->depth - 1], "tspan"));
}

/* Words between tags: gnuplot's own entities go through, everything else is escaped. */
static void put_text(struct cleaner *c, kw_span words)
{
    static const char *const entities[] = {"&amp;",  "&lt;",   "&gt;",
                                           "&quot;", "&apos;", "&#39;"};
    while (words.len > 0 && in_text(c)) {
        size_t n = 1;
        bool entity = false;
        for (size_t i = 0; i < sizeof entities / sizeof entities[0] && !entity; i++) {
            size_t len = strlen(entities[i]);
            entity = len <= words.len &&
                     kw_span_equal_str(kw_span_of(words.ptr, len), entities[i]);
            n = entity ? len : 1;
        }
        while (!entity && n < words.len && words.ptr[n] != '&')
            n++;
        if (entity)
            kw_html_raw_span(c->out, kw_span_of(words.ptr, n));
        else
            kw_html_text_span(c->out, kw_span_of(words.ptr, n));
        skip(&words, n);
    }
}

static kw_err next(struct cleaner *c, struct kw_note *note)
{
    struct tag t;
    bool found = true;
    put_text(c, until(c, "<", &found));
    if (!found)
        return KW_OK;
    if (front(&c->rest) == '?' || front(&c->rest) == '!') {
        bool comment =
            c->rest.len >= 3 && kw_span_equal_str(kw_span_of(c->rest.ptr, 3), "!--");
        (void)until(c, comment ? "-->" : ">", &found);
        return found ? KW_OK : wrong(note, "it breaks off");
    }
    if (!take_tag(&c->rest, &t))
        return wrong(note, "a tag that is none");
    return t.closes ? closed(c, &t, note) : opened(c, &t, note);
}

kw_err kw_svg_clean(kw_span svg, const struct kw_plot *p, struct kw_html *out,
                    struct kw_note *note)
{
    struct cleaner c = {.rest = svg, .plot = p, .out = out};
    size_t before = out->len;
    kw_err e = KW_OK;
    while (!kw_failed(e) && c.rest.len > 0)
        e = next(&c, note);
    if (!kw_failed(e) && (!c.seen_root || c.depth > 0))
        e = wrong(note, "it breaks off");
    if (kw_failed(e))
        kw_html_cut(out, before);
    return e;
}
