/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

TEST(new__too_large__null)
{
    volatile size_t huge = SIZE_MAX / 2;
    CHECK(kw_new(huge, 4) == NULL); /* the product does not fit a size_t */
}

TEST(fail_from__n__that_call_and_all_later)
{
    kw_alloc_fail_from(2);
    void *a = kw_new(1, 1), *b = kw_new(1, 1), *c = kw_new(1, 1), *d = kw_new(1, 1);
    char *e = kw_strdup(kw_span_str("x")), *f = kw_format("x");
    kw_alloc_fail_from(-1);
    void *g = kw_new(1, 1);
    CHECK(a != NULL && b != NULL && c == NULL && d == NULL);
    CHECK(e == NULL && f == NULL && g != NULL);
    kw_alloc_fail_from(0);
    void *h = kw_new(1, 1);
    kw_alloc_fail_from(-1);
    CHECK(h == NULL);
    kw_free(a);
    kw_free(b);
    kw_free(g);
}

TEST(strdup__holds_nul__null)
{
    CHECK(kw_strdup(kw_span_of("a\0b", 3)) == NULL);
    CHECK(kw_strdup(kw_span_of("\0", 1)) == NULL);
}

TEST(new__nothing_asked__still_a_block)
{
    void *p = kw_new(0, 8), *q = kw_new(8, 0);
    CHECK(p != NULL && q != NULL && p != q);
    kw_free(p);
    kw_free(q);
    kw_free(NULL);
}

TEST(new__memory__zeroed)
{
    for (unsigned round = 0; round < 3; round++) {
        uint8_t *p = kw_new(64, 8);
        CHECK(p != NULL);
        for (unsigned i = 0; i < 512; i++)
            CHECK(p[i] == 0);
        memset(p, 0xaa, 512);
        kw_free(p);
    }
}

TEST(strdup__text__owned_copy)
{
    char from[] = "abc";
    char *copy = kw_strdup(kw_span_of(from, 2));
    from[0] = 'x';
    CHECK(copy != NULL);
    CHECK_STR(copy, "ab");
    kw_free(copy);
    copy = kw_strdup(kw_span_of(NULL, 0));
    CHECK(copy != NULL);
    CHECK_STR(copy, "");
    kw_free(copy);
}

TEST(format__any_length__whole)
{
    char *text = kw_format("%s-%d-%0900d", "kw", 7, 1);
    CHECK(text != NULL && strlen(text) == 905);
    CHECK(strncmp(text, "kw-7-0000", 9) == 0);
    kw_free(text);
}

KW_CASES("hsm/base/alloc", CASE(new__too_large__null),
         CASE(fail_from__n__that_call_and_all_later), CASE(strdup__holds_nul__null),
         CASE(new__nothing_asked__still_a_block), CASE(new__memory__zeroed),
         CASE(strdup__text__owned_copy), CASE(format__any_length__whole))
