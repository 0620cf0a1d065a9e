/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "plot.h"

#define SVG(inner) "<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 7 5\">" inner "</svg>\n"

static struct kw_plot *plot;
static struct kw_html out;

/* What comes through of an SVG; "" when it is refused. */
static const char *clean(const char *svg)
{
    struct kw_note note = {{0}};
    kw_free(plot);
    kw_html_wipe(&out);
    plot = kw_new(1, sizeof *plot);
    CHECK(plot != NULL);
    plot->id = "id";
    plot->number = 2;
    (void)kw_copy_str(plot->title, sizeof plot->title, kw_span_str("A <title>"));
    (void)kw_copy_str(plot->description, sizeof plot->description, kw_span_str("d & e"));
    kw_html_raw(&out, "|");
    kw_err e = kw_svg_clean(kw_span_str(svg), plot, &out, &note);
    CHECK(!kw_failed(e) == (out.len > 1));
    CHECK(!kw_failed(e) || (e.code == KW_CODE_BAD_INPUT && note.text[0] != '\0'));
    return out.text + 1;
}

static void done(void)
{
    kw_free(plot);
    plot = NULL;
    kw_html_wipe(&out);
}

static void clean__broken__refused_and_nothing_appended(void **state)
{
    static const char *const bad[] = {"",
                                      "no picture",
                                      "<g></g>",
                                      "<svg",
                                      "<svg>",
                                      "<svg><g></svg>",
                                      "<svg></svg></svg>",
                                      "<svg><svg></svg></svg>",
                                      "<svg></svg><g/>",
                                      "<svg a></svg>",
                                      "<svg a='></svg>",
                                      "<svg><!-- x</svg>",
                                      "<svg><></></svg>",
                                      "<svg></g></svg>",
                                      "<svg/>",
                                      "<svg></svg>"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_STR(clean(bad[i]), "");
    done();
}

static void clean__too_deep__refused(void **state)
{
    char text[400] = "<svg>";
    (void)state;
    for (int i = 0; i < 40; i++)
        (void)kw_copy_str(text + strlen(text), sizeof text - strlen(text),
                          kw_span_str("<g>"));
    CHECK_STR(clean(text), "");
    done();
}

static void clean__what_runs_or_loads__left_out(void **state)
{
    static const char *const evil[] = {
        "<script>alert(1)</script>",
        "<script><g></g><script></script></script>",
        "<style>*{background:url(http://x/)}</style>",
        "<image href=\"http://example.com/a.png\"/>",
        "<foreignObject><path d=\"M0,0\"/></foreignObject>",
        "<a href=\"javascript:alert(1)\"><path d=\"M0,0\"/></a>",
        "<g onload=\"alert(1)\"/>",
        "<use xlink:href=\"http://example.com/#a\"/>",
        "<use href=\"data:x\"/>",
        "<path d=\"M0,0\" style=\"fill:url(http://example.com)\"/>",
        "<path fill=\"url(http://example.com/#a)\"/>",
        "<path d=\"M0,0;url(//example.com)\"/>",
        "<!-- alert(1) --><!DOCTYPE x>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        char svg[256];
        snprintf(svg, sizeof svg, SVG("%s<text>kept</text>"), evil[i]);
        const char *text = clean(svg);
        CHECK_HAS(text, ">kept</text>");
        CHECK(strstr(text, "alert") == NULL && strstr(text, "example") == NULL &&
              strstr(text, "url") == NULL && strstr(text, "data:") == NULL);
    }
    done();
}

static void clean__names__its_own_and_references_to_them(void **state)
{
    (void)state;
    CHECK_HAS(clean(SVG("<defs><circle id='gpDot' r='1'/></defs>\n<use "
                        "xlink:href='#gpDot' x=\"1\"/>")),
              "<circle id=\"id-2-gpDot\" r=\"1\"/></defs>\n<use href=\"#id-2-gpDot\" "
              "x=\"1\"/>");
    done();
}

static void clean__colors__classes_and_nothing_else(void **state)
{
    (void)state;
    const char *text =
        clean(SVG("<path stroke='rgb(  1,   1,  18)' fill=\"none\" d='M0,0\t\n L1,1'/>"
                  "<text fill=\"rgb(1,1,2)\" color='rgb(1,1,0)'>x</text>"
                  "<rect fill='rgb(148, 0, 211)' stroke='currentColor'/>"));
    CHECK_HAS(text, "<path class=\"s2\" fill=\"none\" d=\"M0,0\t\n L1,1\"/>");
    CHECK_HAS(text, "<text class=\"f-muted c-ink\">x</text>");
    CHECK_HAS(text, "<rect stroke=\"currentColor\"/>");
    done();
}

static void clean__empty_groups__gone(void **state)
{
    (void)state;
    const char *text = clean(SVG("<g fill='none'>\n<g></g></g><g><path d='M0,0'/></g>"));
    CHECK_HAS(text, "</desc><g><path d=\"M0,0\"/></g>");
    done();
}

static void clean__words__escaped_once(void **state)
{
    (void)state;
    CHECK_HAS(clean(SVG("<text>a &lt;b&gt; &amp;amp; &x; \"q\"</text>outside")),
              "<text>a &lt;b&gt; &amp;amp; &amp;x; &quot;q&quot;</text>\n</svg>");
    done();
}

static void clean__title_and_description__the_plots(void **state)
{
    (void)state;
    CHECK_HAS(
        clean(SVG("<title>gnuplot</title><desc>by gnuplot</desc><path d='M0,0'/>")),
        "<svg viewBox=\"0 0 7 5\" role=\"img\" aria-labelledby=\"id-2-t "
        "id-2-d\"><title id=\"id-2-t\">A &lt;title&gt;</title><desc id=\"id-2-d\">d "
        "&amp; e</desc><path d=\"M0,0\"/></svg>");
    done();
}

KW_CASES("bench/report/svg", CASE(clean__broken__refused_and_nothing_appended),
         CASE(clean__too_deep__refused), CASE(clean__what_runs_or_loads__left_out),
         CASE(clean__names__its_own_and_references_to_them),
         CASE(clean__colors__classes_and_nothing_else), CASE(clean__empty_groups__gone),
         CASE(clean__words__escaped_once), CASE(clean__title_and_description__the_plots))
