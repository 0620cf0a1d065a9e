/* SPDX-License-Identifier: Apache-2.0 */
/* The page, as text.  What a browser makes of it: tests/pages/evidence_page. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "sample.h"

static struct kw_evidence *e;
static char *page;
static size_t page_len;

static void end(void)
{
    free(page);
    page = NULL;
    kw_evidence_free(e);
    e = NULL;
}

static void render(void)
{
    free(page);
    FILE *out = open_memstream(&page, &page_len);
    CHECK(out != NULL);
    CHECK(kw_evidence_html(e, out));
    CHECK(fclose(out) == 0);
    CHECK(strlen(page) == page_len);
}

static void made(struct kw_evidence *of)
{
    kw_evidence_free(e);
    e = of;
    render();
}

static size_t times(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        n++;
    return n;
}

/* The section alone; good for one call. */
static const char *section(enum kw_evidence_table table)
{
    static char *cut;
    char begin[64];
    snprintf(begin, sizeof begin, "<section id=\"%s\">", kw_evidence_spec(table)->name);
    const char *from = strstr(page, begin);
    CHECK(from != NULL && times(page, begin) == 1);
    const char *to = strstr(from, "</section>");
    CHECK(to != NULL);
    free(cut);
    cut = strndup(from, (size_t)(to - from));
    CHECK(cut != NULL);
    return cut;
}

static size_t lines(enum kw_evidence_table table)
{
    return times(section(table), "\n<tr><td");
}

static void checked(const char *name, const char *outcome)
{
    char values[128];
    snprintf(values, sizeof values, "[\"%s\", \"all\", \"%s\", \"\", \"\", \"\"]", name,
             outcome);
    sample_row(e, KW_EVIDENCE_CHECKS, values);
}

/* ---- the whole ---- */

TEST(page__begins__with_what_a_browser_must_know)
{
    made(sample_cluster());
    CHECK(strncmp(page, "<!doctype html>\n<html lang=\"en\">", 32) == 0);
    CHECK_HAS(page, "<meta charset=\"utf-8\">");
    CHECK_HAS(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                    "'none'; style-src 'unsafe-inline'");
    CHECK_HAS(page, "<title>keyward evidence, 2026-04-01T00:00:00Z to "
                    "2026-07-01T00:00:00Z</title>");
}

TEST(page__whatever_is_in_it__asks_for_nothing)
{
    static const char *const never[] = {"<script", "<img", "<link",   "<iframe",
                                        "src=",    "url(", "@import", "http:",
                                        "https:",  "<form"};
    made(sample_cluster());
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        CHECK(strstr(page, never[i]) == NULL);
}

TEST(page__sections__in_the_tables_order)
{
    made(sample_cluster());
    const char *at = page;
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        char begin[64], link[64];
        snprintf(begin, sizeof begin, "<section id=\"%s\">", kw_evidence_spec(i)->name);
        snprintf(link, sizeof link, "<li><a href=\"#%s\">", kw_evidence_spec(i)->name);
        const char *found = strstr(page, begin);
        CHECK(found != NULL && found > at && times(page, link) == 1);
        at = found;
    }
}

TEST(page__no_rows__says_so_in_each_section)
{
    made(sample_empty());
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        CHECK_HAS(section(i), "nothing was given");
        CHECK(strstr(section(i), "<table") == NULL);
    }
    CHECK_HAS(page, "No check was made.");
    CHECK_HAS(page, "<span class=\"o open\">not-answered</span>");
}

TEST(page__again__the_same_bytes)
{
    made(sample_cluster());
    char *first = strdup(page);
    CHECK(first != NULL);
    made(sample_cluster());
    CHECK_STR(page, first);
    free(first);
}

TEST(page__full_disk__said)
{
    e = sample_cluster();
    FILE *full = fopen("/dev/full", "w");
    CHECK(full != NULL);
    CHECK(!kw_evidence_html(e, full));
    (void)fclose(full);
}

/* ---- the top ---- */

TEST(top__outcome__in_words_and_numbers)
{
    e = sample_empty();
    checked("a", "pass");
    render();
    CHECK_HAS(page, "Every check passes.");
    CHECK_HAS(page, "Overall outcome <span class=\"o pass\">pass</span>");
    checked("b", "not-answered");
    render();
    CHECK_HAS(page, "No check fails, but not each was answered");
    CHECK_HAS(page, "Overall outcome <span class=\"o open\">not-answered</span>");
    checked("c", "fail");
    checked("d", "fail");
    render();
    CHECK_HAS(page, "Overall outcome <span class=\"o fail\">fail</span>");
    CHECK_HAS(page, "<li><b>2</b> checks fail</li><li><b>1</b> are not answered</li>"
                    "<li><b>1</b> pass</li>");
}

TEST(top__facts__of_the_head_and_the_nodes)
{
    e = sample_empty();
    sample_row(e, KW_EVIDENCE_NODES,
               "[\"cp-1\", true, null, null, null, null, null, null, null, null, null, "
               "null]");
    sample_row(e, KW_EVIDENCE_NODES,
               "[\"cp-2\", false, null, null, null, null, null, null, null, null, null, "
               "null]");
    render();
    CHECK_HAS(page, "2026-04-01T00:00:00Z to 2026-07-01T00:00:00Z, the end not included");
    CHECK_HAS(page, "<dt>Made at</dt><dd>2026-07-01T06:30:00Z</dd>");
    CHECK_HAS(page, "<bdi>cp-1</bdi>, <bdi>cp-2</bdi> (not collected)");
    CHECK_HAS(page, "365 days");
}

/* ---- tables ---- */

TEST(cells__each_kind__as_people_read_it)
{
    e = sample_empty();
    sample_row(e, KW_EVIDENCE_ACTS,
               "[\"a\", \"t\", true, \"create\", null, \"ada\", null, \"done\", \"\"]");
    sample_row(e, KW_EVIDENCE_COVERAGE, "[\"a\", \"b\", \"c\", \"signed\", false]");
    sample_row(e, KW_EVIDENCE_CALLS,
               "[\"a\", \"encrypt\", \"c\", \"hsm\", -3, \"ok\", null, 12345678901]");
    render();
    CHECK_HAS(section(KW_EVIDENCE_ACTS),
              "<tr><td>a</td><td>t</td><td>yes</td><td>create</td><td>–</td>"
              "<td>ada</td><td>–</td><td><span class=\"o other\">done</span></td>"
              "<td></td></tr>");
    CHECK_HAS(section(KW_EVIDENCE_COVERAGE), "<td>no</td></tr>");
    CHECK_HAS(section(KW_EVIDENCE_CALLS), "<td class=\"n\">-3</td>");
    CHECK_HAS(section(KW_EVIDENCE_CALLS), "<td class=\"n\">12345678901</td>");
}

TEST(cells__names_of_tables__lead_there)
{
    e = sample_empty();
    sample_row(e, KW_EVIDENCE_CHECKS,
               "[\"c\", \"all\", \"pass\", \"\", \"keys keyss etcd\", \"\"]");
    render();
    CHECK_HAS(section(KW_EVIDENCE_CHECKS),
              "<td><a href=\"#keys\">keys</a> <span class=\"s\">keyss</span> "
              "<a href=\"#etcd\">etcd</a></td>");
}

TEST(table__many_columns__rows_side_by_side_in_groups_of_like_size)
{
    made(sample_cluster());
    const char *tokens = section(KW_EVIDENCE_TOKENS);
    CHECK(times(tokens, "<table class=\"beside\">") == 2);
    CHECK_HAS(tokens, "<th scope=\"col\">Node</th><th scope=\"col\">cp-1</th><th "
                      "scope=\"col\">cp-1</th><th scope=\"col\">cp-2</th></tr>");
    CHECK_HAS(tokens, "<th scope=\"row\">Token</th><td>main</td><td>standby</td><td>main"
                      "</td></tr>");
    CHECK_HAS(section(KW_EVIDENCE_ROTATIONS),
              "<th scope=\"col\">n</th><th scope=\"col\">1</th><th scope=\"col\">2</th>");
}

TEST(checks__what_fails_first__and_else_as_they_came)
{
    static const char *const order[] = {"f1", "f2", "n1", "n2", "p1", "p2"};
    e = sample_empty();
    checked("p1", "pass");
    checked("n1", "not-answered");
    checked("f1", "fail");
    checked("p2", "pass");
    checked("f2", "fail");
    checked("n2", "not-answered");
    render();
    const char *at = section(KW_EVIDENCE_CHECKS);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, "<tr><td>%s</td>", order[i]);
        at = strstr(at, cell);
        CHECK(at != NULL);
    }
}

TEST(table__more_rows_than_are_shown__says_where_all_are)
{
    e = sample_empty();
    for (unsigned i = 0; i < 500; i++)
        sample_row(e, KW_EVIDENCE_STATED, "[\"w\", \"v\", null]");
    render();
    CHECK(lines(KW_EVIDENCE_STATED) == 500);
    CHECK(strstr(page, "all are in") == NULL);
    sample_row(e, KW_EVIDENCE_STATED, "[\"last\", \"v\", null]");
    render();
    CHECK(lines(KW_EVIDENCE_STATED) == 500);
    CHECK(strstr(section(KW_EVIDENCE_STATED), "<td>last</td>") == NULL);
    CHECK_HAS(section(KW_EVIDENCE_STATED), "500 of 501 rows; all are in <a "
                                           "href=\"stated.csv\">stated.csv</a>");
}

TEST(table__more_rows_side_by_side__as_many)
{
    e = sample_empty();
    for (unsigned i = 0; i < 501; i++)
        sample_row(e, KW_EVIDENCE_NODES,
                   "[\"cp\", false, null, null, null, null, null, null, null, null, "
                   "null, null]");
    render();
    CHECK(times(section(KW_EVIDENCE_NODES), "<th scope=\"col\">cp</th>") == 500);
    CHECK_HAS(section(KW_EVIDENCE_NODES), "500 of 501 rows");
}

TEST(checks__more_than_are_shown__none_that_fails_is_left_out)
{
    e = sample_empty();
    for (unsigned i = 0; i < 600; i++)
        checked("p", "pass");
    checked("last", "fail");
    render();
    CHECK(lines(KW_EVIDENCE_CHECKS) == 500);
    CHECK_HAS(section(KW_EVIDENCE_CHECKS), "<tbody>\n<tr><td>last</td>");
}

/* ---- hostile text ---- */

static size_t text_columns(const struct kw_evidence_spec *spec)
{
    size_t n = 0;
    for (size_t c = 0; c < spec->column_count; c++)
        n += spec->columns[c].kind == KW_COLUMN_TEXT;
    return n;
}

TEST(text__hostile_in_each_table__shown_and_nothing_else)
{
    static const char *const rows[][2] = {
        {"<script>x()</script>", "&lt;script&gt;x()&lt;/script&gt;"},
        {"\"><img/src=x/onerror=x()>", "&quot;&gt;&lt;img/src=x/onerror=x()&gt;"},
        {"'onclick='x()", "&#39;onclick=&#39;x()"},
        {"&lt;b&gt;", "&amp;lt;b&amp;gt;"},
        /* RIGHT-TO-LEFT OVERRIDE, and its end, so that this file has none that is open */
        {"\xe2\x80\xaetxt\xe2\x80\xac", "\\xe2\\x80\\xaetxt\\xe2\\x80\\xac"},
        {"a\x1b[2J\x07\n\t\r\x7f", "a\\x1b[2J\\x07\\x0a\\x09\\x0d\\x7f"},
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J"}, /* a bare CSI */
        {"-->]]></style>", "--&gt;]]&gt;&lt;/style&gt;"},
    };
    made(sample_of_text("x"));
    const size_t tags = times(page, "<");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made(sample_of_text(rows[i][0]));
        CHECK(strstr(page, rows[i][0]) == NULL);
        CHECK(times(page, "<") == tags);
        for (const char *c = page; *c != '\0'; c++)
            CHECK((unsigned char)*c >= ' ' || *c == '\n');
        for (unsigned t = 0; t < KW_EVIDENCE_TABLES; t++)
            CHECK(times(section(t), rows[i][1]) == text_columns(kw_evidence_spec(t)));
    }
}

TEST(text__words_of_the_world__as_they_are)
{
    made(sample_of_text("Schlüssel 鍵 مفتاح"));
    CHECK_HAS(section(KW_EVIDENCE_LIMITS), "<td>Schlüssel 鍵 مفتاح</td>");
}

TEST(text__long_hex__wraps)
{
    made(sample_cluster());
    CHECK_HAS(section(KW_EVIDENCE_STATED), "<td class=\"m w\">60303ae22b998861");
}

KW_SUITE_AROUND("provider/evidence/html", NULL, end)
