/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <keyward/alloc.h>

#include "histogram.h"

void kw_counts_wipe(struct kw_counts *c)
{
    kw_free(c->bucket);
    *c = (struct kw_counts){0};
}

/* Takes the lower one of the two next buckets, or both when they are the same. */
static struct kw_count next(const struct kw_counts *a, size_t *i,
                            const struct kw_counts *b, size_t *j)
{
    if (*j >= b->count ||
        (*i < a->count && a->bucket[*i].upper_ns < b->bucket[*j].upper_ns))
        return a->bucket[(*i)++];
    struct kw_count taken = b->bucket[(*j)++];
    if (*i < a->count && a->bucket[*i].upper_ns == taken.upper_ns)
        taken.count += a->bucket[(*i)++].count;
    return taken;
}

kw_err kw_counts_add(struct kw_counts *c, const struct kw_counts *more)
{
    struct kw_counts sum = {kw_new(c->count + more->count, sizeof *sum.bucket), 0};
    size_t i = 0, j = 0;
    if (more->count == 0) {
        kw_counts_wipe(&sum);
        return KW_OK;
    }
    if (sum.bucket == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "counts");
    while (i < c->count || j < more->count)
        sum.bucket[sum.count++] = next(c, &i, more, &j);
    kw_counts_wipe(c);
    *c = sum;
    return KW_OK;
}

static bool read_pair(const json_t *pair, struct kw_count *ret_count)
{
    const json_t *upper = json_array_get(pair, 0), *count = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_integer(upper) ||
        !json_is_integer(count) || json_integer_value(upper) < 0 ||
        json_integer_value(count) <= 0)
        return false;
    *ret_count = (struct kw_count){(uint64_t)json_integer_value(upper),
                                   (uint64_t)json_integer_value(count)};
    return true;
}

kw_err kw_counts_read(const json_t *array, struct kw_counts *ret_counts)
{
    struct kw_counts c = {NULL, json_array_size(array)};
    bool good = json_is_array(array);
    if (c.count > 0) {
        c.bucket = kw_new(c.count, sizeof *c.bucket);
        if (c.bucket == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "counts");
    }
    for (size_t i = 0; good && i < c.count; i++)
        good = read_pair(json_array_get(array, i), &c.bucket[i]) &&
               (i == 0 || c.bucket[i - 1].upper_ns < c.bucket[i].upper_ns);
    if (!good) {
        kw_counts_wipe(&c);
        return kw_err_at(KW_CODE_BAD_INPUT, "counts");
    }
    *ret_counts = c;
    return KW_OK;
}

json_t *kw_counts_document(const struct kw_counts *c)
{
    json_t *all = json_array();
    for (size_t i = 0; i < c->count; i++)
        if (json_array_append_new(all,
                                  json_pack("[I,I]", (json_int_t)c->bucket[i].upper_ns,
                                            (json_int_t)c->bucket[i].count)) != 0) {
            json_decref(all);
            return NULL;
        }
    return all;
}

bool kw_counts_at(const struct kw_counts *c, uint32_t ppm, uint64_t *ret_ns)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < c->count; i++)
        all += c->bucket[i].count;
    const uint64_t rank = kw_histogram_rank(all, ppm);
    if (all - rank < KW_HISTOGRAM_BEYOND)
        return false;
    for (size_t i = 0; i < c->count; i++) {
        seen += c->bucket[i].count;
        if (seen >= rank) {
            *ret_ns = c->bucket[i].upper_ns;
            return true;
        }
    }
    return false;
}
