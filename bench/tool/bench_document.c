/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_document.h"

#include <stdio.h>

bool kw_document_set(bool good, json_t *to, const char *name, json_t *value)
{
    int failed = json_object_set_new(to, name, value); /* takes it in every case */
    return good && failed == 0;
}

json_t *kw_document_or_null(json_t *document, bool good)
{
    if (good)
        return document;
    json_decref(document);
    return NULL;
}

bool kw_document_percentiles(bool good, json_t *to, const struct kw_histogram *h,
                             const char *unit)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } told[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000}};
    char name[16];
    uint64_t ns = 0;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (!kw_histogram_at(h, told[i].ppm, &ns))
            continue;
        snprintf(name, sizeof name, "%s_%s", told[i].name, unit);
        good = kw_document_set(good, to, name,
                               unit[0] == 'u' ? json_real((double)ns / 1e3)
                                              : json_integer((json_int_t)ns));
    }
    return good;
}

json_t *kw_document_histogram(const struct kw_histogram *h)
{
    json_t *all = json_array();
    for (unsigned i = 0; all != NULL && i < KW_HISTOGRAM_BUCKETS; i++)
        if (h->bucket[i] > 0)
            json_array_append_new(all,
                                  json_pack("[I, I]", (json_int_t)kw_histogram_top(i),
                                            (json_int_t)h->bucket[i]));
    return all;
}
