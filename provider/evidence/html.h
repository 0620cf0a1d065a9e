/* SPDX-License-Identifier: Apache-2.0 */
/* html - parts of the page
 *
 * A FILE keeps its error; kw_evidence_html looks at it once, at the end. */
#ifndef KEYWARD_EVIDENCE_HTML_H
#define KEYWARD_EVIDENCE_HTML_H

#include <keyward/evidence.h>

/* Of a table of more rows the first are shown, and where all of them are. */
#define KW_HTML_ROWS 500u

/* Text within an element or a quoted attribute.  What may not be shown becomes \xNN. */
void kw_html_text(FILE *out, kw_span text);
void kw_html_string(FILE *out, const char *text);

/* An outcome in words, with the class that gives it its look. */
void kw_html_outcome(FILE *out, const char *word);

/* The rows of the table, or that there are none. */
void kw_html_table(const struct kw_evidence *e, enum kw_evidence_table table, FILE *out);

extern const char kw_html_style[];

#endif
