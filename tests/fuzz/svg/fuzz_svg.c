/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_svg_clean.
 * Input: what gnuplot wrote; attacker: whoever stands in for gnuplot, or gets markup
 * through it.  Useful maximum: 64 KiB.
 * Claim: refuses and appends nothing, or what comes through is accepted once more and has
 * no word with which a page could run, load or style anything. */
#include <stdlib.h>
#include <string.h>

#include "plot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Outside of words, which cannot hold a "<" or a quote, no element and no attribute but
 * those of the tables can begin. */
static void check_harmless(const char *svg)
{
    static const char *const never[] = {"<script", "<style",  "<image",  "<foreign",
                                        "<a ",     "<a>",     "<iframe", "<animate",
                                        "<set",    " style=", " on",     " xlink"};
    bool inside = false, quoted = false;
    for (const char *c = svg; *c != '\0'; c++) {
        if (inside && *c == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (*c == '<' || *c == '>')
            inside = *c == '<';
        for (size_t i = 0; i < sizeof never / sizeof never[0] && inside; i++)
            if (strncmp(c, never[i], strlen(never[i])) == 0)
                abort();
        if (inside && strncmp(c, "href=\"", 6) == 0 && c[6] != '#')
            abort();
    }
    KW_INVARIANT(!inside && !quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct kw_plot plot = {.id = "id", .title = "t", .description = "d"};
    struct kw_html once = {0}, twice = {0};
    struct kw_note note = {{0}};
    if (kw_failed(kw_svg_clean(kw_span_of(data, len), &plot, &once, &note))) {
        KW_INVARIANT(once.len == 0 && note.text[0] != '\0');
        kw_html_wipe(&once);
        return 0;
    }
    check_harmless(once.text);
    KW_INVARIANT(
        !kw_failed(kw_svg_clean(kw_span_of(once.text, once.len), &plot, &twice, &note)));
    kw_html_wipe(&once);
    kw_html_wipe(&twice);
    return 0;
}
