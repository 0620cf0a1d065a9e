/* SPDX-License-Identifier: Apache-2.0 */
/* Two tokens, one worker each, and whose word about an input counts: fake 0 is of the first,
 * fake 1 of the second. */
#include "stage.h"

#define TEXT                                                                             \
    "sealed text 1234567"                                                                \
    "8"

enum { FIRST, SECOND, SECOND_AGAIN };
static struct stage s;

static void begin(void)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready(&s, FIRST);
    fake_ready(&s, SECOND);
}

static uint64_t unwrap_of(unsigned i)
{
    return fake_take(&s, i, KW_WIRE_UNWRAP);
}

static void says(unsigned i, enum kw_code code)
{
    fake_answer(&s, i, unwrap_of(i), kw_err_native(code, 0x40, "C_Decrypt"), "");
}

static void canary_is_good(unsigned i)
{
    stage_pass(&s, KW_S_NS / 4);
    fake_answer(&s, i, fake_take(&s, i, KW_WIRE_CANARY), KW_OK, "");
}

static void dies(unsigned i)
{
    s.fakes[i].killed = true;
    fake_dies(&s, i);
}

/* The other one never said a word: what the first one says twice is one token's word. */
TEST(forged_twice_by_the_same_one__a_canary_decides)
{
    struct outcome o;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    says(FIRST, KW_CODE_FORGED);
    (void)unwrap_of(SECOND);
    dies(SECOND);
    says(FIRST, KW_CODE_FORGED);
    CHECK(!o.done);
    canary_is_good(FIRST);
    fake_answer(&s, FIRST, unwrap_of(FIRST), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

/* The canary was the first one's: it says nothing about the second one. */
TEST(unclear_for_one_and_vouched_for__unclear_for_the_other__its_own_canary_decides)
{
    struct outcome o;
    begin();
    dies(SECOND);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    says(FIRST, KW_CODE_UNSURE);
    stage_pass(&s, KW_S_NS / 4);
    fake_ready(&s, SECOND_AGAIN);
    canary_is_good(FIRST);
    (void)unwrap_of(FIRST); /* once more: it is well */
    dies(FIRST);
    says(SECOND_AGAIN, KW_CODE_UNSURE);
    CHECK(!o.done);
    canary_is_good(SECOND_AGAIN);
    fake_answer(&s, SECOND_AGAIN, unwrap_of(SECOND_AGAIN), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

KW_SUITE("hsm/front/token_words")
