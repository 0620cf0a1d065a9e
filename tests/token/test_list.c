/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a token by their labels: what a ceremony looks at before it makes one. */
#include "token_fixture.h"

static struct fixture f;
static struct kw_listed_key found[4];

static void begin(const char *control)
{
    fixture_begin(&f, "");
    kw_token_close(f.token);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_fault_set(&f.hsm, control);
}

TEST(list__token_in_trouble__told_and_nothing_given)
{
    size_t count = 7;
    begin("C_FindObjects rv=0x6\n");
    CHECK_CODE(kw_token_list(f.token, "kw1-", found, 4, &count, &f.note),
               KW_CODE_HSM_BUSY);
    CHECK(count == 7);
    CHECK_HAS(f.note.text, "CKR_FUNCTION_FAILED");
    fixture_end(&f);
}

TEST(list__more_than_fit__busy_with_the_first)
{
    size_t count = 0;
    begin("");
    (void)kw_softhsm_key(f.token, OTHER_KEK, text_span("fedcba9876543210"));
    CHECK_CODE(kw_token_list(f.token, "kw1-", found, 1, &count, &f.note), KW_CODE_BUSY);
    CHECK(count == 1);
    CHECK_HAS(f.note.text, "more than 1 keys");
    fixture_end(&f);
}

TEST(list__none__zero)
{
    size_t count = 7;
    begin("");
    CHECK_OK(kw_token_list(f.token, "kw2-", found, 4, &count, &f.note));
    CHECK(count == 0);
    fixture_end(&f);
}

TEST(list__labels_of_all_kinds__label_and_locator_of_those_that_begin_so)
{
    size_t count = 0;
    begin("");
    (void)raw_key(f.token, "kw1-short", "", false);
    (void)raw_key(f.token, "", "2", false);
    (void)raw_key(f.token, "kw1-this label is longer than any of ours can be", "3",
                  false);
    (void)raw_key(f.token, "not-kw1-x", "4", false);
    CHECK_OK(kw_token_list(f.token, "kw1-", found, 4, &count, &f.note));
    CHECK(count == 2);
    size_t kek = strcmp(found[0].label, KEK) == 0 ? 0 : 1;
    CHECK_STR(found[kek].label, KEK);
    CHECK(kw_span_equal(kw_span_of(found[kek].locator, found[kek].locator_len),
                        text_span(LOCATOR)));
    CHECK_STR(found[1 - kek].label, "kw1-short");
    CHECK(found[1 - kek].locator_len == 0);
    /* The search is over: the session does other work. */
    CHECK_OK(kw_token_find(f.token, KEK, text_span(LOCATOR), &f.key, &f.note));
    works(&f);
    fixture_end(&f);
}

KW_CASES("list", CASE(list__token_in_trouble__told_and_nothing_given),
         CASE(list__more_than_fit__busy_with_the_first), CASE(list__none__zero),
         CASE(list__labels_of_all_kinds__label_and_locator_of_those_that_begin_so))
