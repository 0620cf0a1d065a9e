/* SPDX-License-Identifier: Apache-2.0 */
/* sample - a bundle's tables, filled without what was collected
 *
 * Nothing of it is random: two are alike. */
#ifndef KEYWARD_TESTS_EVIDENCE_SAMPLE_H
#define KEYWARD_TESTS_EVIDENCE_SAMPLE_H

#include <keyward/evidence.h>

/* No row at all. */
struct kw_evidence *sample_empty(void);
/* Of three control planes with two tokens each, of which one fails and one was not there. */
struct kw_evidence *sample_cluster(void);
/* In each table a row whose texts are this one, and one of nulls. */
struct kw_evidence *sample_of_text(const char *text);

/* A row of values in the columns' order: "[\"cp-1\", true, null]". */
void sample_row(struct kw_evidence *e, enum kw_evidence_table table, const char *values);

#endif
