/* SPDX-License-Identifier: Apache-2.0 */
/* bench_document - what the JSON documents of the verbs have in common
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_DOCUMENT_H
#define KEYWARD_BENCH_DOCUMENT_H

#include <jansson.h>

#include "histogram.h"

/* Adds `value`, which it takes, unless something failed before. */
bool kw_document_set(bool good, json_t *to, const char *name, json_t *value);
/* Gives the document back, and NULL, unless all was `good`. */
json_t *kw_document_or_null(json_t *document, bool good);
/* p50_UNIT, p90, p99 and p99.9: whole "ns", or "us" of a thousandth; those that nobody can
 * know are left out. */
bool kw_document_percentiles(bool good, json_t *to, const struct kw_histogram *h,
                             const char *unit);
/* [[upper_ns, count], …]: every bucket that holds something. */
json_t *kw_document_histogram(const struct kw_histogram *h);

#endif
