/* SPDX-License-Identifier: Apache-2.0 */
/* How the page looks: on paper and on screens light and dark, from one set of colours.
 *
 * The eight colours of lines are told apart by people who see few of them, too, have a
 * contrast of 4.5 to 1 against their background as words, and never are the only sign:
 * lines bear their names. */
#include "report.h"

static const char *const light =
    "--ground:#fff;--ink:#1b1d20;--muted:#5d6167;--rule:#d8dade;--soft:#f4f5f6;"
    "--link:#0b5fa5;--good:#1a7350;--fair:#7a5c00;--bad:#a8321c;"
    "--c0:#0b5fa5;--c1:#b3420b;--c2:#1a7350;--c3:#7d3fa0;"
    "--c4:#7a5c00;--c5:#a8285a;--c6:#006d78;--c7:#5d6167";
static const char *const dark =
    "--ground:#15171a;--ink:#e6e7e9;--muted:#a1a5ab;--rule:#34383e;--soft:#1d2024;"
    "--link:#78b7f0;--good:#5cc492;--fair:#d9b544;--bad:#f0846c;"
    "--c0:#6db3f2;--c1:#f0935a;--c2:#5cc492;--c3:#c79be8;"
    "--c4:#d9b544;--c5:#ee86ab;--c6:#4fc3cf;--c7:#a1a5ab";

static const char *const words[] = {
    "*{box-sizing:border-box}\n",
    "body{margin:0 auto;padding:2rem 1.25rem 5rem;max-width:58rem;color:var(--ink);"
    "background:var(--ground);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}\n",
    "h1,h2,h3{line-height:1.2;font-weight:650;text-wrap:balance}\n"
    "h1{font-size:2.1rem;margin:1.4rem 0 .4rem;letter-spacing:-.015em;"
    "overflow-wrap:anywhere}\n"
    "h2{font-size:1.35rem;margin:3.2rem 0 .9rem;padding-top:.9rem;"
    "border-top:1px solid var(--rule)}\n"
    "h3{font-size:1.05rem;margin:2rem 0 .5rem}\n"
    "p,ul{max-width:44rem;margin:.7rem 0}\n"
    "a{color:var(--link);text-underline-offset:.15em}\n",
    ".verdict{max-width:none;margin:0;padding:.65rem .9rem;border-left:.3rem solid;"
    "background:var(--soft)}\n"
    ".verdict b{color:inherit}\n"
    ".quiet{border-color:var(--good)}.quiet b{color:var(--good)}\n"
    ".restless{border-color:var(--fair)}.restless b{color:var(--fair)}\n"
    ".unusable{border-color:var(--bad)}.unusable b{color:var(--bad)}\n"
    ".lead{margin:.2rem 0;color:var(--muted)}\n"
    ".note,figcaption{color:var(--muted);font-size:.875rem}\n"
    "figcaption b{color:var(--ink);font-weight:600}\n",
    "nav{margin:1.4rem 0 0;font-size:.9rem}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;padding:0;max-width:none;"
    "list-style:none}\n"
    "nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n",
    "table{border-collapse:collapse;font-size:.875rem;line-height:1.35;margin:1rem 0}\n"
    "caption{text-align:left;font-weight:600;padding:0 0 .45rem;font-size:1.03em}\n"
    "th,td{padding:.38rem .8rem .38rem 0;text-align:right;vertical-align:baseline;"
    "white-space:nowrap;border-bottom:1px solid var(--rule)}\n"
    "th{font-weight:500}th:first-child{text-align:left}\n"
    "thead th{color:var(--muted);vertical-align:bottom;white-space:normal;"
    "min-width:5.5rem;border-bottom:1px solid var(--muted)}\n"
    "td small{display:block;color:var(--muted);font-size:.9em}\n"
    "td.inline small{display:inline;margin-left:.8em}\n"
    "td.words,th.words{text-align:left;white-space:normal;overflow-wrap:anywhere}\n",
    ".primary th:first-child{font-weight:650}\n"
    ".control,.control td,.noise,.noise small{color:var(--muted)}\n"
    "th span{color:var(--muted)}\n"
    ".facts{flex:1 1 20rem}.facts th{color:var(--muted);vertical-align:top;"
    "white-space:normal;width:40%}\n"
    ".row{display:flex;flex-wrap:wrap;gap:0 2.5rem;align-items:flex-start}\n"
    ".wide{overflow-x:auto}\n",
    "details{margin:.35rem 0}summary{cursor:pointer}\n"
    "pre{padding:.7rem .9rem;background:var(--soft);font-size:.82rem;line-height:1.45;"
    "white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}\n"
    "code,pre{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',"
    "monospace}\n",
    "figure{margin:1.6rem 0 2rem;break-inside:avoid}\n"
    "figure svg{display:block;width:100%;height:auto;color:var(--ink);"
    "font-family:inherit}\n",
};

static void series(struct kw_html *page)
{
    kw_html_raw(page, ".s-ink{stroke:var(--ink)}.f-ink{fill:var(--ink)}.c-ink{color:"
                      "var(--ink)}\n.s-grid{stroke:var(--rule)}.f-grid{fill:var(--rule)}"
                      ".c-grid{color:var(--rule)}\n.s-muted{stroke:var(--muted)}"
                      ".f-muted{fill:var(--muted)}.c-muted{color:var(--muted)}\n");
    for (unsigned i = 0; i < KW_SERIES_MAX; i++)
        kw_html_rawf(
            page, ".s%u{stroke:var(--c%u)}.f%u{fill:var(--c%u)}.c%u{color:var(--c%u)}\n",
            i, i, i, i, i, i);
}

void kw_report_style(struct kw_html *page)
{
    kw_html_rawf(page, ":root{color-scheme:light dark;%s}\n", light);
    kw_html_rawf(page, "@media screen and (prefers-color-scheme:dark){:root{%s}}\n",
                 dark);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        kw_html_raw(page, words[i]);
    series(page);
    /* On paper nothing can be opened or scrolled. */
    kw_html_raw(
        page, "@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:"
              "none}.wide{overflow:visible}table{font-size:8pt}h2{break-after:avoid}"
              "tr,.verdict{break-inside:avoid}th,td{padding-right:.4rem}thead "
              "th{min-width:0}.verdict,pre{border:1px solid var(--rule)}"
              "details::details-content{content-visibility:visible;block-size:auto}}\n");
}
