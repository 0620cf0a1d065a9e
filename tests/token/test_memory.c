/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation may fail, and the arena may be full. */
#include <keyward/alloc.h>

#include "token_fixture.h"

TEST(open__any_allocation_fails__no_memory)
{
    struct fixture f = {0};
    struct kw_token *token = NULL;
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f.hsm);
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    long n = 0;
    for (; token == NULL; n++) {
        kw_alloc_fail_from(n);
        kw_err e = kw_token_open(&options, &token, &f.note);
        kw_alloc_fail_from(-1);
        CHECK(kw_failed(e) == (token == NULL));
        if (kw_failed(e))
            CHECK_CODE(e, KW_CODE_NO_MEMORY);
    }
    CHECK(n > 3); /* uri, token, pin source, slots */
    kw_token_close(token);
    fixture_end(&f);
}

TEST(find__allocation_fails__no_memory)
{
    struct fixture f;
    struct kw_token_key *key = NULL;
    fixture_begin(&f, NULL);
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_token_find(f.token, KEK, (kw_span){0}, &key, &f.note),
               KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    CHECK(key == NULL);
    CHECK_OK(kw_token_find(f.token, KEK, (kw_span){0}, &key, &f.note));
    fixture_end(&f);
}

/* Takes the largest piece that the arena still has. */
static void fill(struct kw_secret *rest)
{
    struct kw_arena_info info;
    kw_arena_info(&info);
    size_t len = info.bytes - info.used;
    while (len > 0 && kw_failed(kw_secret_init(rest, len)))
        len--;
}

TEST(operation__arena_full__no_memory_and_the_session_stays)
{
    struct fixture f;
    struct sealed s, good;
    KW_AUTO_SECRET(back);
    struct kw_secret rest[8] = {{0}};
    fixture_begin(&f, "");
    CHECK_OK(seal_some(&f, &good));
    unsigned opened = kw_fault_count(&f.hsm, "C_OpenSession");
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        fill(&rest[i]);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_NO_MEMORY);
    CHECK_CODE(open_sealed(&f, &good, &back), KW_CODE_NO_MEMORY);
    CHECK_CODE(kw_token_self_test(f.token, &f.note), KW_CODE_NO_MEMORY);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        kw_secret_wipe(&rest[i]);
    works(&f);
    CHECK(kw_fault_count(&f.hsm, "C_OpenSession") == opened);
    fixture_end(&f);
}

TEST(login__arena_full__no_memory_and_nothing_tried)
{
    struct fixture f = {0};
    struct kw_secret rest[8] = {{0}};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f.hsm);
    kw_fault_between(&f.hsm);
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_open(&options, &f.token, &f.note));
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        fill(&rest[i]);
    CHECK_CODE(kw_token_login(f.token, &f.note), KW_CODE_NO_MEMORY);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        kw_secret_wipe(&rest[i]);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 0);
    CHECK_OK(kw_token_login(f.token, &f.note)); /* the one try is still to be had */
    fixture_end(&f);
}

KW_CASES("memory", CASE(open__any_allocation_fails__no_memory),
         CASE(find__allocation_fails__no_memory),
         CASE(operation__arena_full__no_memory_and_the_session_stays),
         CASE(login__arena_full__no_memory_and_nothing_tried))
