/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

#include "counts.h"

static struct kw_counts counts_of(const char *text)
{
    struct kw_counts c = {0};
    json_t *array = json_loads(text, 0, NULL);
    CHECK_OK(kw_counts_read(array, &c));
    json_decref(array);
    return c;
}

static void read__not_rising_pairs__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",       "[1]",       "[[1]]",       "[[1,2,3]]",     "[[1,0]]",
        "[[-1,1]]", "[[1,1.5]]", "[[\"1\",1]]", "[[2,1],[2,1]]", "[[2,1],[1,1]]"};
    struct kw_counts c = {NULL, 7};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *array = json_loads(bad[i], 0, NULL);
        CHECK(array != NULL);
        CHECK_CODE(kw_counts_read(array, &c), KW_CODE_BAD_INPUT);
        CHECK(c.count == 7);
        json_decref(array);
    }
    CHECK_CODE(kw_counts_read(NULL, &c), KW_CODE_BAD_INPUT);
}

static void add__no_memory__as_it_was(void **state)
{
    (void)state;
    struct kw_counts a = counts_of("[[1,2]]"), b = counts_of("[[3,4]]");
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_counts_add(&a, &b), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    CHECK(a.count == 1 && a.bucket[0].count == 2);
    kw_counts_wipe(&a);
    kw_counts_wipe(&b);
}

static void add__same_and_other_buckets__merged_in_order(void **state)
{
    (void)state;
    struct kw_counts sum = {0}, a = counts_of("[[10,1],[30,3]]"),
                     b = counts_of("[[5,7],[30,4],[40,9]]");
    CHECK_OK(kw_counts_add(&sum, &a));
    CHECK_OK(kw_counts_add(&sum, &b));
    CHECK_OK(kw_counts_add(&sum, &(struct kw_counts){0}));
    json_t *document = kw_counts_document(&sum);
    char *text = json_dumps(document, JSON_COMPACT);
    CHECK_STR(text, "[[5,7],[10,1],[30,7],[40,9]]");
    kw_free(text);
    json_decref(document);
    kw_counts_wipe(&sum);
    kw_counts_wipe(&a);
    kw_counts_wipe(&b);
}

static void at__too_few_beyond__nobody_knows(void **state)
{
    (void)state;
    struct kw_counts c = counts_of("[[10,900],[20,100]]");
    uint64_t ns = 7;
    CHECK(!kw_counts_at(&c, 901000, &ns)); /* 99 lie beyond */
    CHECK(ns == 7);
    CHECK(kw_counts_at(&c, 900000, &ns));
    CHECK(ns == 10);
    CHECK(kw_counts_at(&c, 500000, &ns) && ns == 10);
    CHECK(!kw_counts_at(&(struct kw_counts){0}, 500000, &ns));
    kw_counts_wipe(&c);
}

KW_CASES("bench/results/counts", CASE(read__not_rising_pairs__refused),
         CASE(add__no_memory__as_it_was),
         CASE(add__same_and_other_buckets__merged_in_order),
         CASE(at__too_few_beyond__nobody_knows))
