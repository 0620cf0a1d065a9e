/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text in a page. */
#include "html.h"

#include <string.h>

static const char *html_entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void kw_html_text(FILE *out, kw_span text)
{
    while (text.len > 0) {
        char shown[KW_SHOWN_MAX];
        const size_t n = kw_text_shown(text, shown);
        const char *entity = html_entity((char)text.ptr[0]);
        fputs(entity != NULL ? entity : shown, out);
        text = kw_span_of(text.ptr + n, text.len - n);
    }
}

void kw_html_string(FILE *out, const char *text)
{
    kw_html_text(out, kw_span_str(text));
}

void kw_html_outcome(FILE *out, const char *word)
{
    static const char *const looks[][2] = {
        {KW_OUTCOME_PASS, "pass"},         {"satisfied", "pass"},
        {KW_OUTCOME_FAIL, "fail"},         {"not-satisfied", "fail"},
        {KW_OUTCOME_NOT_ANSWERED, "open"}, {"operator", "yours"},
    };
    const char *look = "other";
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        if (strcmp(looks[i][0], word) == 0)
            look = looks[i][1];
    fprintf(out, "<span class=\"o %s\">", look);
    kw_html_string(out, word);
    fputs("</span>", out);
}
