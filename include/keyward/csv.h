/* SPDX-License-Identifier: Apache-2.0 */
/* csv - cells of a table that a spreadsheet opens (RFC 4180), and computes nothing of
 *
 * Threads:   any; the FILE is the caller's.
 * Blocking:  only on the FILE, which keeps an error (ferror).
 * Secrets:   none come here.
 */
#ifndef KEYWARD_CSV_H
#define KEYWARD_CSV_H

#include <stdio.h>

#include <keyward/bytes.h>

/* A text as one cell, always in double quotes.  What may not be shown becomes \xNN, as
 * kw_text_shown has it, so that a cell is one line; a backslash stays one.  A ' stands
 * before what a spreadsheet would take for a formula: a text whose first character is = + -
 * or @, blanks before it or not.  A semicolon, at which many spreadsheets end a cell,
 * quoted or not, when the cell before it was one of commas, becomes \x3b. */
void kw_csv_cell(FILE *out, kw_span text);

#endif
