/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_site - the folder of a control plane with its logs, and the rows of a bundle
 *
 * Any failure here fails the case. */
#ifndef KEYWARD_TESTS_BUNDLE_SITE_H
#define KEYWARD_TESTS_BUNDLE_SITE_H

#include "bundle_log.h"
#include "log_sample.h"

struct bundle_site {
    char root[64], folder[96]; /* the folder is root/cp-1 */
    struct kw_bundle_log_asked asked;
    struct kw_evidence *e;
};

/* The bundle's period is `period` (FROM..TO); the folder has no `audit` yet. */
void site_begin(struct bundle_site *s, const char *period);
void site_end(struct bundle_site *s);
/* A new bundle with this period. */
void site_anew(struct bundle_site *s, const char *period);

/* A path below the root; good until the next call. */
const char *site_path(const struct bundle_site *s, const char *name);
void site_put(const struct bundle_site *s, const char *name, kw_span bytes);
/* cp-1/audit/NAME, of the sample, or of tests/vectors. */
void site_log(const struct bundle_site *s, const char *name,
              const struct log_sample *log);
void site_vector(const struct bundle_site *s, const char *name, const char *vector);

/* Adds the node's rows. */
void site_run(struct bundle_site *s);
/* Of a row of a table, as tests/support/document.h has claims. */
void site_row(const struct bundle_site *s, enum kw_evidence_table table, size_t i,
              const char *claims);
/* Of the row `audit` (0) or `operator` (1): its text, "" for null. */
const char *site_why(const struct bundle_site *s, size_t i);
size_t site_rows(const struct bundle_site *s, enum kw_evidence_table table);
/* All that was added, as text; the caller's, free(3). */
char *site_text(const struct bundle_site *s);

#endif
