/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that make their own IV, or answer wrongly, are recognised. */
#include "token_fixture.h"

static void self_test_gives(const char *control, enum kw_code code, const char *word)
{
    struct fixture f;
    fixture_begin(&f, control);
    kw_err e = kw_token_self_test(f.token, &f.note);
    CHECK_CODE(e, code);
    CHECK_HAS(f.note.text, word);
    kw_fault_set(&f.hsm, "");
    CHECK_OK(kw_token_self_test(f.token, &f.note));
    works(&f);
    fixture_end(&f);
}

TEST(self_test__token_demands_zeros__write_back_refused)
{
    self_test_gives("ivmode=1\n", KW_CODE_HSM_CONFIG, "writes it back");
}

TEST(self_test__token_writes_over_our_iv__refused)
{
    self_test_gives("ivmode=3\n", KW_CODE_HSM_CONFIG, "writes it back");
}

TEST(self_test__token_appends_its_iv__refused)
{
    self_test_gives("ivmode=2\n", KW_CODE_HSM_CONFIG, "appends it");
}

TEST(self_test__token_ignores_the_iv__wrong_answer)
{
    self_test_gives("ivmode=4\n", KW_CODE_WRONG_ANSWER, "IV was changed");
}

TEST(self_test__no_gcm__config)
{
    self_test_gives("nomech=0x1087\n", KW_CODE_HSM_CONFIG, "cannot do AES-256-GCM");
}

TEST(self_test__no_session_keys__config)
{
    self_test_gives("nomech=0x1080\n", KW_CODE_HSM_CONFIG, "session key");
}

TEST(self_test__answer_flipped__wrong_answer)
{
    self_test_gives("C_Decrypt flip count=1\n", KW_CODE_WRONG_ANSWER, "something else");
}

TEST(self_test__ciphertext_flipped__down)
{
    self_test_gives("C_Encrypt flip count=1\n", KW_CODE_HSM_DOWN, "decryption failed");
}

TEST(self_test__token_in_trouble__down)
{
    self_test_gives("C_Encrypt rv=0x30 count=1\n", KW_CODE_HSM_DOWN, "CKR_DEVICE_ERROR");
}

TEST(self_test__trouble_during_a_tamper_trial__not_taken_for_a_refusal)
{
    self_test_gives("C_DecryptInit rv=0x101 skip=2 count=1\n", KW_CODE_HSM_DOWN,
                    "CKR_USER_NOT_LOGGED_IN");
}

TEST(self_test__always__leaves_no_key_and_the_kek_alone)
{
    struct fixture f;
    CK_OBJECT_HANDLE found[2] = {0, 0};
    unsigned count = 0;
    fixture_begin(&f, "");
    CHECK_OK(kw_token_self_test(f.token, &f.note));
    CHECK_OK(kw_key_search(f.token, (kw_span){0}, (kw_span){0}, found, 2, &count));
    CHECK(count == 1 && found[0] == f.key->handle);
    fixture_end(&f);
}

/* A token that changes its ways under us, by firmware or mode: nothing is released. */
TEST(wrap__token_makes_its_own_iv__nothing_released)
{
    static const char *const modes[] = {"ivmode=1\n", "ivmode=2\n", "ivmode=3\n"};
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        kw_fault_set(&f.hsm, modes[i]);
        CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_CONFIG);
        CHECK(s.dst.len == 0);
    }
    kw_fault_set(&f.hsm, "");
    works(&f);
    fixture_end(&f);
}

KW_CASES("regime", CASE(self_test__token_demands_zeros__write_back_refused),
         CASE(self_test__token_writes_over_our_iv__refused),
         CASE(self_test__token_appends_its_iv__refused),
         CASE(self_test__token_ignores_the_iv__wrong_answer),
         CASE(self_test__no_gcm__config), CASE(self_test__no_session_keys__config),
         CASE(self_test__answer_flipped__wrong_answer),
         CASE(self_test__ciphertext_flipped__down),
         CASE(self_test__token_in_trouble__down),
         CASE(self_test__trouble_during_a_tamper_trial__not_taken_for_a_refusal),
         CASE(self_test__always__leaves_no_key_and_the_kek_alone),
         CASE(wrap__token_makes_its_own_iv__nothing_released))
