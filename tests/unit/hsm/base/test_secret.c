/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <pthread.h>
#include <signal.h>

#include "test_child.h"

enum { ARENA = 8192 };

static size_t used(void)
{
    struct kw_arena_info info;
    kw_arena_info(&info);
    return info.used;
}

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return false;
    return true;
}

TEST(init__arena_not_open__no_memory)
{
    KW_AUTO_SECRET(s);
    CHECK_CODE(kw_secret_init(&s, 1), KW_CODE_NO_MEMORY);
    CHECK(s.ptr == NULL && s.len == 0);
}

TEST(init__larger_than_the_arena__no_memory_and_empty)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(ARENA);
    CHECK_CODE(kw_secret_init(&s, ARENA), KW_CODE_NO_MEMORY); /* its head too */
    CHECK_CODE(kw_secret_init(&s, SIZE_MAX), KW_CODE_NO_MEMORY);
    CHECK_CODE(kw_secret_init(&s, SIZE_MAX - 8), KW_CODE_NO_MEMORY);
    CHECK(s.ptr == NULL && s.len == 0 && used() == 0);
}

TEST(init__arena_exhausted__no_memory_until_one_comes_back)
{
    struct kw_secret all[ARENA / 64] = {{0}};
    KW_AUTO_SECRET(more);
    unsigned n = 0;
    kw_test_arena(ARENA);
    while (n < ARENA / 64 && !kw_failed(kw_secret_init(&all[n], 32)))
        n++;
    CHECK(n > ARENA / 128); /* most of it can be lent */
    CHECK_CODE(kw_secret_init(&more, 32), KW_CODE_NO_MEMORY);
    CHECK_CODE(kw_secret_copy(&more, kw_span_of("x", 1)), KW_CODE_NO_MEMORY);
    CHECK(more.ptr == NULL && more.len == 0);
    kw_secret_wipe(&all[n / 2]);
    CHECK_OK(kw_secret_init(&more, 32));
    for (unsigned i = 0; i < n; i++)
        kw_secret_wipe(&all[i]);
}

static void init_full(void *arg)
{
    kw_err e = kw_secret_init(arg, 1);
    (void)e;
}

static void init_nothing(void *arg)
{
    struct kw_secret s = {0};
    kw_err e = kw_secret_init(&s, *(size_t *)arg);
    (void)e;
}

TEST(init__not_empty_or_no_length__aborts)
{
    KW_AUTO_SECRET(s);
    size_t none = 0;
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&s, 1));
    CHECK(child_signal(init_full, &s) == SIGABRT);
    CHECK(child_signal(init_nothing, &none) == SIGABRT);
}

static void grow(void *arg)
{
    kw_secret_shrink(arg, 33);
}

TEST(shrink__longer__aborts)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&s, 32));
    CHECK(child_signal(grow, &s) == SIGABRT);
}

TEST(init__after_others__zeroed_and_aligned)
{
    kw_test_arena(ARENA);
    for (unsigned round = 0; round < 3; round++) {
        struct kw_secret s = {0};
        CHECK_OK(kw_secret_init(&s, 4000));
        CHECK(s.len == 4000 && all_zero(s.ptr, 4000));
        CHECK((uintptr_t)s.ptr % _Alignof(max_align_t) == 0);
        memset(s.ptr, 0xaa, 4000);
        kw_secret_wipe(&s);
    }
}

TEST(copy__bytes__its_own)
{
    KW_AUTO_SECRET(s);
    char from[] = "seed";
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_copy(&s, kw_span_of(from, 4)));
    from[0] = 'x';
    CHECK(kw_span_equal_str(kw_secret_peek(&s), "seed"));
}

TEST(wipe__bytes__gone_from_memory)
{
    struct kw_secret s = {0};
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&s, 100));
    uint8_t *was = s.ptr;
    memset(s.ptr, 0xaa, 100);
    kw_secret_wipe(&s);
    CHECK(s.ptr == NULL && s.len == 0 && used() == 0);
    CHECK(all_zero(was - 16, 128)); /* the length in front of it too */
}

TEST(wipe__again_or_null__nothing)
{
    struct kw_secret s = {0}, other = {0};
    kw_test_arena(ARENA);
    kw_secret_wipe(NULL);
    kw_secret_wipe(&s);
    CHECK_OK(kw_secret_init(&s, 8));
    kw_secret_wipe(&s);
    CHECK_OK(kw_secret_copy(&other, kw_span_of("other", 5)));
    kw_secret_wipe(&s); /* may not hit who has the place now */
    CHECK(kw_span_equal_str(kw_secret_peek(&other), "other"));
    kw_secret_wipe(&other);
}

TEST(shrink__shorter__tail_wiped_head_kept)
{
    struct kw_secret s = {0};
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&s, 200));
    memset(s.ptr, 0xaa, 200);
    uint8_t *was = s.ptr;
    size_t lent = used();
    kw_secret_shrink(&s, 200);
    CHECK(s.len == 200 && was[199] == 0xaa);
    kw_secret_shrink(&s, 10);
    CHECK(s.ptr == was && s.len == 10 && was[9] == 0xaa && all_zero(was + 10, 190));
    CHECK(used() == lent);
    kw_secret_wipe(&s); /* gives the whole loan back */
    CHECK(used() == 0 && all_zero(was, 200));
}

TEST(shrink__to_nothing__a_wipe)
{
    struct kw_secret s = {0};
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&s, 10));
    kw_secret_shrink(&s, 0);
    CHECK(s.ptr == NULL && s.len == 0 && used() == 0);
}

TEST(move__onto_another__that_one_wiped)
{
    struct kw_secret a = {0}, b = {0};
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_copy(&a, kw_span_of("aaaa", 4)));
    CHECK_OK(kw_secret_copy(&b, kw_span_of("bbbb", 4)));
    uint8_t *pa = a.ptr, *pb = b.ptr;
    kw_secret_move(&b, &a);
    CHECK(a.ptr == NULL && a.len == 0);
    CHECK(b.ptr == pa && kw_span_equal_str(kw_secret_peek(&b), "aaaa"));
    CHECK(all_zero(pb, 4));
    kw_secret_move(&b, &b);
    CHECK(kw_span_equal_str(kw_secret_peek(&b), "aaaa"));
    kw_secret_move(&b, &a); /* nothing moves in: what was there goes */
    CHECK(b.ptr == NULL && used() == 0);
}

static uint8_t *leave_early(void)
{
    KW_AUTO_SECRET(s);
    CHECK_OK(kw_secret_copy(&s, kw_span_of("scope", 5)));
    return s.ptr;
}

TEST(scope__left__wiped)
{
    kw_test_arena(ARENA);
    uint8_t *was = leave_early();
    CHECK(used() == 0 && all_zero(was, 5));
}

TEST(info__used_max__the_most_ever)
{
    struct kw_secret a = {0}, b = {0};
    struct kw_arena_info info;
    kw_test_arena(ARENA);
    CHECK_OK(kw_secret_init(&a, 1000));
    CHECK_OK(kw_secret_init(&b, 1000));
    size_t most = used();
    CHECK(most >= 2000);
    kw_secret_wipe(&a);
    kw_secret_wipe(&b);
    CHECK_OK(kw_secret_init(&a, 10));
    kw_arena_info(&info);
    CHECK(info.used_max == most && info.used < most);
    kw_secret_wipe(&a);
}

TEST(wipe__plain_bytes__zero)
{
    uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    kw_wipe(b + 1, 6);
    CHECK(b[0] == 1 && all_zero(b + 1, 6) && b[7] == 8);
    kw_wipe(NULL, 0);
}

/* Each thread writes its own byte over its own loans and finds nothing else there. */
static void *borrow(void *arg)
{
    uint8_t mine = *(uint8_t *)arg;
    for (unsigned i = 0; i < 3000; i++) {
        struct kw_secret s = {0};
        if (kw_failed(kw_secret_init(&s, 1 + (i * 37u + mine) % 500)))
            return NULL;
        bool clean = all_zero(s.ptr, s.len);
        memset(s.ptr, mine, s.len);
        for (size_t k = 0; k < s.len; k++)
            clean = clean && s.ptr[k] == mine;
        kw_secret_wipe(&s);
        if (!clean)
            return NULL;
    }
    return arg;
}

TEST(init__four_threads__no_loan_twice)
{
    static uint8_t bytes[4] = {0x11, 0x22, 0x33, 0x44};
    pthread_t t[4];
    kw_test_arena(ARENA);
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, borrow, &bytes[i]) == 0);
    for (unsigned i = 0; i < 4; i++) {
        void *done = NULL;
        pthread_join(t[i], &done);
        CHECK(done == &bytes[i]);
    }
    CHECK(used() == 0);
}

KW_CASES("hsm/base/secret", CASE(init__arena_not_open__no_memory),
         CASE(init__larger_than_the_arena__no_memory_and_empty),
         CASE(init__arena_exhausted__no_memory_until_one_comes_back),
         CASE(init__not_empty_or_no_length__aborts), CASE(shrink__longer__aborts),
         CASE(init__after_others__zeroed_and_aligned), CASE(copy__bytes__its_own),
         CASE(wipe__bytes__gone_from_memory), CASE(wipe__again_or_null__nothing),
         CASE(shrink__shorter__tail_wiped_head_kept), CASE(shrink__to_nothing__a_wipe),
         CASE(move__onto_another__that_one_wiped), CASE(scope__left__wiped),
         CASE(info__used_max__the_most_ever), CASE(wipe__plain_bytes__zero),
         CASE(init__four_threads__no_loan_twice))
