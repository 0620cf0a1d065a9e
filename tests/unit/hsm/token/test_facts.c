/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "token_internal.h"

static struct kw_token_facts facts_of(CK_TOKEN_INFO info)
{
    struct kw_token_facts facts = {0};
    kw_facts_of_token(&info, &facts);
    return facts;
}

TEST(room__as_the_token_tells_or_does_not)
{
    CK_TOKEN_INFO info = {.ulTotalPrivateMemory = 4096, .ulFreePrivateMemory = 100};
    CHECK(facts_of(info).private_free_bytes == 100);
    info.ulFreePrivateMemory = 0;
    CHECK(facts_of(info).private_free_bytes == 0);
    info.ulTotalPrivateMemory = 0; /* no memory at all: it fills in nothing */
    CHECK(facts_of(info).private_free_bytes == KW_TOKEN_NOT_TOLD);
    info.ulTotalPrivateMemory = info.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    CHECK(facts_of(info).private_free_bytes == KW_TOKEN_NOT_TOLD);
}

TEST(sessions__all_taken_only_when_both_numbers_say_so)
{
    CK_TOKEN_INFO info = {.ulMaxRwSessionCount = 4, .ulRwSessionCount = 3};
    CHECK(!facts_of(info).no_rw_session);
    info.ulRwSessionCount = 4;
    CHECK(facts_of(info).no_rw_session);
    info.ulRwSessionCount = CK_UNAVAILABLE_INFORMATION;
    CHECK(!facts_of(info).no_rw_session);
    info.ulRwSessionCount = 4;
    info.ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
    CHECK(!facts_of(info).no_rw_session);
    info.ulMaxRwSessionCount = CK_UNAVAILABLE_INFORMATION;
    CHECK(!facts_of(info).no_rw_session);
}

TEST(write_protection__its_flag)
{
    CK_TOKEN_INFO info = {.flags = CKF_TOKEN_INITIALIZED};
    CHECK(!facts_of(info).write_protected);
    info.flags |= CKF_WRITE_PROTECTED;
    CHECK(facts_of(info).write_protected);
}

KW_CASES("hsm/token/facts", CASE(room__as_the_token_tells_or_does_not),
         CASE(sessions__all_taken_only_when_both_numbers_say_so),
         CASE(write_protection__its_flag))
