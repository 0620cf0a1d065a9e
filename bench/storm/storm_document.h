/* SPDX-License-Identifier: Apache-2.0 */
/* storm_document - what a storm came to, as a document
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_STORM_DOCUMENT_H
#define KEYWARD_BENCH_STORM_DOCUMENT_H

#include <jansson.h>

#include "play.h"

enum kw_storm_cache {
    KW_CACHE_UNKNOWN, /* the ciphertexts were there before this process           */
    KW_CACHE_COLD,    /* the plugin's cache was empty                             */
    KW_CACHE_WARM,    /* the plugin may have had seeds in its cache: it made them */
};

struct kw_storm_report {
    const struct kw_play_options *o;
    const struct kw_play_result *r;
    enum kw_storm_cache cache;
    uint64_t compress; /* of a day */
};

/* NULL: out of memory.  A figure that nobody can know is not there. */
json_t *kw_storm_document(const struct kw_storm_report *s);
/* What would be done (--dry-run): the options alone; r is not looked at. */
json_t *kw_storm_plan_document(const struct kw_storm_report *s);

#endif
