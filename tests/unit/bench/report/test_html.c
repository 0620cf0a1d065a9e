/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

#include "html.h"

static void text__markup__escaped_in_words_and_attributes(void **state)
{
    (void)state;
    struct kw_html h = {0};
    kw_html_text(&h, "<script>alert(\"a\" & 'b')</script>");
    CHECK_STR(h.text,
              "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;");
    kw_html_wipe(&h);
}

static void text__no_utf8_or_controls__replaced(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *want;
    } cases[] = {
        {"a\x80z", 3, "a\xef\xbf\xbdz"},             /* no lead byte      */
        {"\xc3", 1, "\xef\xbf\xbd"},                 /* breaks off        */
        {"\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong          */
        {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate     */
        {"a\0b", 3,
         "a\xef\xbf\xbd"
         "b"},                                       /* NUL               */
        {"\x1b[0m", 4, "\xef\xbf\xbd[0m"},           /* escape            */
        {"\xc2\x9b", 2, "\xef\xbf\xbd\xef\xbf\xbd"}, /* C1 control        */
        {"\x7f", 1, "\xef\xbf\xbd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kw_html h = {0};
        kw_html_text_span(&h, kw_span_of(cases[i].bytes, cases[i].len));
        CHECK_STR(h.text, cases[i].want);
        kw_html_wipe(&h);
    }
}

static void text__good_utf8__as_it_is(void **state)
{
    (void)state;
    struct kw_html h = {0};
    kw_html_text(&h, "µs – 10× \xf0\x9f\x94\x91\n\t");
    CHECK_STR(h.text, "µs – 10× \xf0\x9f\x94\x91\n\t");
    kw_html_wipe(&h);
}

static void text__formatted__escaped_after(void **state)
{
    (void)state;
    struct kw_html h = {0};
    kw_html_textf(&h, "%s = %d", "<a>", 5);
    kw_html_in(&h, "td", "<b>");
    CHECK_STR(h.text, "&lt;a&gt; = 5<td>&lt;b&gt;</td>");
    kw_html_text(&h, NULL);
    CHECK(h.len == strlen(h.text));
    kw_html_wipe(&h);
}

static void any__no_memory__latched(void **state)
{
    (void)state;
    struct kw_html h = {0};
    kw_html_raw(&h, "kept");
    kw_alloc_fail_from(0);
    kw_html_rawf(&h, "%d", 1);
    kw_alloc_fail_from(-1);
    CHECK(h.failed);
    kw_html_raw(&h, "more");
    CHECK_STR(h.text, "kept");
    kw_html_wipe(&h);
}

static void raw__much__grows_and_cut_goes_back(void **state)
{
    (void)state;
    struct kw_html h = {0};
    for (int i = 0; i < 5000; i++)
        kw_html_raw(&h, "0123456789");
    CHECK(h.len == 50000 && strlen(h.text) == 50000);
    kw_html_cut(&h, 60000); /* further than there is: nothing */
    CHECK(h.len == 50000);
    kw_html_cut(&h, 3);
    CHECK_STR(h.text, "012");
    kw_html_wipe(&h);
}

KW_CASES("bench/report/html", CASE(text__markup__escaped_in_words_and_attributes),
         CASE(text__no_utf8_or_controls__replaced), CASE(text__good_utf8__as_it_is),
         CASE(text__formatted__escaped_after), CASE(any__no_memory__latched),
         CASE(raw__much__grows_and_cut_goes_back))
