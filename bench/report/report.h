/* SPDX-License-Identifier: Apache-2.0 */
/* report - one results folder as one page that needs nothing else
 *
 * The page is HTML with its style and its plots in it: nothing is fetched and nothing
 * runs.  Each section is a file of its own and shows what it finds in the folder; one
 * that finds nothing is named in the list of what was not measured, with what would
 * measure it.  Whatever stands in the folder is foreign: it is escaped (html.h).
 *
 * Threads:   one.
 * Blocking:  on the disk and on gnuplot.
 */
#ifndef KEYWARD_BENCH_REPORT_H
#define KEYWARD_BENCH_REPORT_H

#include "plot.h"
#include "results.h"
#include "tool.h"

enum { KW_DOCUMENTS_MAX = 64, KW_SECTIONS_MAX = 24 };

enum kw_document_kind {
    KW_DOCUMENT_STORM,
    KW_DOCUMENT_PLAN,
    KW_DOCUMENT_TOKEN,
    KW_DOCUMENT_MICRO,   /* Google Benchmark's own format */
    KW_DOCUMENT_UNKNOWN, /* JSON of something else: named in the page, not shown */
};

struct kw_report_document {
    char name[KW_NAME_MAX]; /* the file's, without .json */
    enum kw_document_kind kind;
    json_t *json; /* owned */
};

struct kw_report {
    char name[KW_NAME_MAX];                               /* the folder's */
    struct kw_results *results;                           /* owned */
    struct kw_report_document document[KW_DOCUMENTS_MAX]; /* by name */
    size_t document_count;
    struct kw_html page;
    struct kw_plot *plot; /* owned; scratch of whoever draws */
    struct kw_note note;  /* why something failed */
};

/* folder.c: results.json and the documents beside it.
 * MISSING    no folder, or no results.json in it
 * BAD_INPUT  a file that is not JSON, or of a schema that this program does not know
 *            (both versions are named)
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_report_open(const char *folder, struct kw_report **ret_report,
                                  struct kw_note *note);
void kw_report_close(struct kw_report *r); /* NULL does nothing */

/* page.c: the whole page, in r->page.  Whatever kw_plot_draw says. */
KW_MUST_USE kw_err kw_report_write(struct kw_report *r);

/* A section appends its content (not its heading) and says whether there was any. */
typedef kw_err kw_section(struct kw_report *r, bool *ret_there);
kw_section kw_section_primary, kw_section_noise, kw_section_concurrency,
    kw_section_percentiles, kw_section_offered, kw_section_delay, kw_section_peer,
    kw_section_client, kw_section_storm, kw_section_plan, kw_section_token,
    kw_section_micro, kw_section_medians, kw_section_ratios, kw_section_environment,
    kw_section_cells;

/* style.c: the page's own style sheet. */
void kw_report_style(struct kw_html *page);

/* ---- what sections share: words.c -------------------------------------------------- */

/* A plot without series, of this report's scratch. */
struct kw_plot *kw_report_plot(struct kw_report *r, const char *id, unsigned number);

/* A series in the colour that this subject has in every plot, as far as it is free. */
struct kw_series *kw_report_series(const struct kw_report *r, struct kw_plot *p,
                                   const char *name, const char *subject);
/* Median of a cell's figure with its interval as a point at x; nothing when not known. */
void kw_report_point(const struct kw_report *r, const struct kw_plot *p,
                     struct kw_series *s, double x, const struct kw_results_cell *c,
                     const char *figure);

/* <td> with a number, and below it its interval when there is one; "–" for all 0.
 * kw_number_in is the same without the <td>. */
void kw_cell_number(struct kw_html *page, struct kw_ratio value, enum kw_unit unit);
void kw_number_in(struct kw_html *page, struct kw_ratio value, enum kw_unit unit);
void kw_cell_plain(struct kw_html *page, double value, enum kw_unit unit);
/* <tr><th scope="row">name</th><td>words</td></tr> */
void kw_row_words(struct kw_html *page, const char *name, const char *words);
/* How a figure is called in a table's head, and in which unit it is. */
enum kw_unit kw_figure_unit(const char *figure);
const char *kw_figure_words(const char *figure); /* the name itself when not known */

/* A member's name for people: no underscores, its unit left to the number. */
void kw_member_words(char *dst, size_t cap, const char *member);
/* A table of the plain members of json's `member`; nothing when it has none. */
void kw_member_table(struct kw_html *page, const json_t *json, const char *member,
                     const char *caption);
/* <h3> with the document's name, and what went wrong with it, if anything did. */
void kw_document_head(struct kw_html *page, const struct kw_report_document *d);

/* By name; 0s when the cell does not have it. */
struct kw_ratio kw_report_median(const struct kw_report *r,
                                 const struct kw_results_cell *c, const char *figure);
struct kw_ratio kw_report_ratio(const struct kw_report *r,
                                const struct kw_results_cell *upper,
                                const struct kw_results_cell *lower, const char *figure);

/* A member that is a number; NAN when it is not there or null. */
double kw_json_number(const json_t *object, const char *member);
/* A member that is text; "" when it is not there. */
const char *kw_json_text(const json_t *object, const char *member);

#endif
