/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_rows - rows of an evidence.json, chosen by what they say
 *
 *   EVIDENCE_COUNT(document, "checks", "check", "log-sound", "outcome", "pass")
 *
 * Columns and texts in pairs; a column that is no text has the text "".
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_EVIDENCE_ROWS_H
#define KEYWARD_TESTS_EVIDENCE_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A document of any kind; the caller's, json_decref. */
json_t *evidence_load(const char *path);

const char *evidence_text(const json_t *row, const char *column);
/* Has the row each of these texts?  NULL ends the pairs. */
bool evidence_has(const json_t *row, const char *const pairs[]);

size_t evidence_count(const json_t *document, const char *table,
                      const char *const pairs[]);
#define EVIDENCE_COUNT(document, table, ...)                                             \
    evidence_count(document, table, (const char *const[]){__VA_ARGS__, NULL})
/* The only one; borrowed. */
const json_t *evidence_one(const json_t *document, const char *table,
                           const char *const pairs[]);
#define EVIDENCE_ONE(document, table, ...)                                               \
    evidence_one(document, table, (const char *const[]){__VA_ARGS__, NULL})

#endif
