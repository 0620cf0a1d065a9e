/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "token_internal.h"

static struct kw_token_facts facts_of(CK_TOKEN_INFO info)
{
    struct kw_token_facts facts = {0};
    kw_facts_of_token(&info, &facts);
    return facts;
}

static void room__as_the_token_tells_or_does_not(void **state)
{
    CK_TOKEN_INFO info = {.ulTotalPrivateMemory = 4096, .ulFreePrivateMemory = 100};
    (void)state;
    CHECK(facts_of(info).private_free_bytes == 100);
    info.ulFreePrivateMemory = 0;
    CHECK(facts_of(info).private_free_bytes == 0);
    info.ulTotalPrivateMemory = 0; /* no memory at all: it fills in nothing */
    CHECK(facts_of(info).private_free_bytes == KW_TOKEN_NOT_TOLD);
    info.ulTotalPrivateMemory = info.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    CHECK(facts_of(info).private_free_bytes == KW_TOKEN_NOT_TOLD);
}

static void sessions__all_taken_only_when_both_numbers_say_so(void **state)
{
    CK_TOKEN_INFO info = {.ulMaxRwSessionCount = 4, .ulRwSessionCount = 3};
    (void)state;
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

static void write_protection__its_flag(void **state)
{
    CK_TOKEN_INFO info = {.flags = CKF_TOKEN_INITIALIZED};
    (void)state;
    CHECK(!facts_of(info).write_protected);
    info.flags |= CKF_WRITE_PROTECTED;
    CHECK(facts_of(info).write_protected);
}

KW_CASES("hsm/token/facts", CASE(room__as_the_token_tells_or_does_not),
         CASE(sessions__all_taken_only_when_both_numbers_say_so),
         CASE(write_protection__its_flag))
