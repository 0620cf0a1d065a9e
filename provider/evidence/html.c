/* SPDX-License-Identifier: Apache-2.0 */
/* The page: what it is about, what came of it, and each table.
 *
 * It asks for nothing and runs nothing, and its policy says so to the browser. */
#include "html.h"

#include <string.h>

static void page_begin(const struct kw_evidence_head *head, FILE *out)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>keyward evidence, ",
          out);
    kw_html_string(out, head->from);
    fputs(" to ", out);
    kw_html_string(out, head->to);
    fputs("</title>\n<style>\n", out);
    fputs(kw_html_style, out);
    fputs("</style>\n</head>\n<body>\n", out);
}

/* ---- the top ---- */

static void page_nodes(const struct kw_evidence *e, FILE *out)
{
    const json_t *nodes = kw_evidence_rows(e, KW_EVIDENCE_NODES);
    if (json_array_size(nodes) == 0)
        fputs("none was named", out);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        fprintf(out, "%s<bdi>", i > 0 ? ", " : "");
        kw_html_string(out, json_string_value(json_object_get(node, "node")));
        fputs("</bdi>", out);
        if (!json_is_true(json_object_get(node, "collected")))
            fputs(" (not collected)", out);
    }
}

static void page_facts(const struct kw_evidence *e, FILE *out)
{
    const struct kw_evidence_head *head = kw_evidence_head(e);
    fputs("<dl class=\"facts\">\n<div><dt>Period</dt><dd>", out);
    kw_html_string(out, head->from);
    fputs(" to ", out);
    kw_html_string(out, head->to);
    fputs(", the end not included</dd></div>\n<div><dt>Made at</dt><dd>", out);
    kw_html_string(out, head->at);
    fputs("</dd></div>\n<div><dt>Control planes</dt><dd>", out);
    page_nodes(e, out);
    fprintf(out,
            "</dd></div>\n<div><dt>Cryptoperiod</dt><dd>%u days; 90 when the operator "
            "states none</dd></div>\n</dl>\n",
            head->cryptoperiod_days);
}

static const char *page_meaning(const struct kw_evidence_sum *n)
{
    if (n->fail > 0)
        return "At least one check fails. What fails comes first in the table of checks, "
               "with the reason.";
    if (n->not_answered > 0)
        return "No check fails, but not each was answered, and that is never a pass: "
               "these "
               "come first in the table of checks, with the reason.";
    return n->pass > 0 ? "Every check passes." : "No check was made.";
}

static void page_outcome(const struct kw_evidence *e, FILE *out)
{
    const struct kw_evidence_sum n = kw_evidence_count(e);
    fputs("<section class=\"outcome\" aria-label=\"Outcome\">\n<p "
          "class=\"overall\">Overall "
          "outcome ",
          out);
    kw_html_outcome(out, kw_evidence_outcome(e));
    fprintf(
        out,
        "</p>\n<ul><li><b>%zu</b> checks fail</li><li><b>%zu</b> are not answered</li>"
        "<li><b>%zu</b> pass</li></ul>\n<p>%s Read <a href=\"#%s\">",
        n.fail, n.not_answered, n.pass, page_meaning(&n),
        kw_evidence_spec(KW_EVIDENCE_LIMITS)->name);
    kw_html_string(out, kw_evidence_spec(KW_EVIDENCE_LIMITS)->title);
    fputs("</a> before you rely on it, and verify the folder as VERIFY.txt in it says: "
          "this page alone proves nothing.</p>\n</section>\n",
          out);
}

static void page_contents(const struct kw_evidence *e, FILE *out)
{
    fputs("<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol>\n", out);
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        const struct kw_evidence_spec *spec = kw_evidence_spec(i);
        fprintf(out, "<li><a href=\"#%s\">", spec->name);
        kw_html_string(out, spec->title);
        fprintf(out, "</a> <span class=\"rows\">%zu</span></li>\n",
                json_array_size(kw_evidence_rows(e, i)));
    }
    fputs("</ol>\n</nav>\n</header>\n", out);
}

/* ---- the tables ---- */

static void page_section(const struct kw_evidence *e, enum kw_evidence_table table,
                         FILE *out)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    fprintf(out, "<section id=\"%s\">\n<h2><span class=\"no\">%u</span> ", spec->name,
            (unsigned)table + 1);
    kw_html_string(out, spec->title);
    fputs("</h2>\n<p class=\"says\">", out);
    kw_html_string(out, spec->says);
    fputs("</p>\n", out);
    kw_html_table(e, table, out);
    fputs("</section>\n", out);
}

bool kw_evidence_html(const struct kw_evidence *e, FILE *out)
{
    page_begin(kw_evidence_head(e), out);
    fputs("<header>\n<h1>Evidence of encryption at rest <small>made by keyward</small>"
          "</h1>\n",
          out);
    page_facts(e, out);
    page_outcome(e, out);
    page_contents(e, out);
    fputs("<main>\n", out);
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        page_section(e, i, out);
    fputs("</main>\n<footer><p>evidence.json has the same tables, whole; "
          "evidence.schema.json "
          "says what each member is.</p></footer>\n"
          "</body>\n</html>\n",
          out);
    return fflush(out) == 0 && ferror(out) == 0;
}
