/* SPDX-License-Identifier: Apache-2.0 */
/* What an error leaves behind: nothing. */
#include <stdio.h>

#include "token_fixture.h"

static void tell_once(struct fixture *f, const char *function, unsigned rv)
{
    char line[96];
    snprintf(line, sizeof line, "%s rv=0x%x count=1\n", function, rv);
    kw_fault_set(&f->hsm, line);
}

/* The code that an operation gives when the function answers rv once. */
static void wrap_gives(struct fixture *f, const char *function, unsigned rv,
                       enum kw_code code)
{
    struct sealed s;
    works(f);
    unsigned opened = kw_fault_count(&f->hsm, "C_OpenSession");
    unsigned closed = kw_fault_count(&f->hsm, "C_CloseSession");
    tell_once(f, function, rv);
    kw_err e = seal_some(f, &s);
    CHECK_CODE(e, code);
    CHECK(e.native == rv);
    CHECK_STR(e.where, function);
    CHECK(s.dst.len == 0);
    works(f);
    CHECK(kw_fault_count(&f->hsm, "C_OpenSession") == opened + 1);
    CHECK(kw_fault_count(&f->hsm, "C_CloseSession") == closed + 1);
}

TEST(wrap__any_error__its_code_and_another_session)
{
    struct fixture f;
    fixture_begin(&f, "");
    wrap_gives(&f, "C_EncryptInit", 0xb3, KW_CODE_SESSION);
    wrap_gives(&f, "C_EncryptInit", 0x82, KW_CODE_SESSION);
    wrap_gives(&f, "C_EncryptInit", 0x60, KW_CODE_SESSION);
    wrap_gives(&f, "C_EncryptInit", 0x90, KW_CODE_SESSION);
    wrap_gives(&f, "C_EncryptInit", 0x101, KW_CODE_HSM_DOWN);
    wrap_gives(&f, "C_EncryptInit", 0x70, KW_CODE_HSM_CONFIG);
    wrap_gives(&f, "C_Encrypt", 0x6, KW_CODE_HSM_BUSY);
    wrap_gives(&f, "C_Encrypt", 0x5, KW_CODE_HSM_DOWN);
    wrap_gives(&f, "C_Encrypt", 0x30, KW_CODE_HSM_DOWN);
    wrap_gives(&f, "C_Encrypt", 0x80000001, KW_CODE_HSM_DOWN);
    wrap_gives(&f, "C_Encrypt", 0x150, KW_CODE_BUG);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    CHECK(kw_fault_count(&f.hsm, "C_Logout") == 0);
    fixture_end(&f);
}

TEST(unwrap__any_error__its_code_and_another_session)
{
    static const struct {
        unsigned rv;
        enum kw_code code;
    } cases[] = {{0x40, KW_CODE_FORGED},  {0x42, KW_CODE_FORGED},
                 {0x21, KW_CODE_FORGED},  {0x5, KW_CODE_UNSURE},
                 {0x6, KW_CODE_UNSURE},   {0x30, KW_CODE_UNSURE},
                 {0x2, KW_CODE_UNSURE},   {0x7, KW_CODE_UNSURE},
                 {0xb3, KW_CODE_SESSION}, {0x80000001, KW_CODE_UNSURE}};
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "");
    CHECK_OK(seal_some(&f, &s));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        KW_AUTO_SECRET(back);
        unsigned opened = kw_fault_count(&f.hsm, "C_OpenSession");
        tell_once(&f, "C_Decrypt", cases[i].rv);
        CHECK_CODE(open_sealed(&f, &s, &back), cases[i].code);
        CHECK(back.ptr == NULL);
        CHECK(kw_fault_count(&f.hsm, "C_OpenSession") == opened + 1);
        CHECK_OK(open_sealed(&f, &s, &back));
    }
    fixture_end(&f);
}

TEST(renewal__always__opens_before_it_closes)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "");
    works(&f);
    tell_once(&f, "C_Encrypt", 0x6);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_BUSY);
    const char *at = strstr(kw_fault_calls(&f.hsm), "< C_Encrypt rv=0x00000006");
    CHECK(at != NULL);
    const char *opened = strstr(at, "< C_OpenSession rv=0x00000000");
    const char *closed = strstr(at, "> C_CloseSession");
    CHECK(opened != NULL && closed != NULL && opened < closed);
    works(&f);
    fixture_end(&f);
}

TEST(operation_left_active__next_call__not_disturbed)
{
    struct fixture f;
    struct sealed s;
    KW_AUTO_SECRET(back);
    fixture_begin(&f, "C_Encrypt rv=0x5 leave count=1\n");
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_DOWN);
    works(&f);
    CHECK_OK(seal_some(&f, &s));
    kw_fault_set(&f.hsm, "C_Decrypt rv=0x5 leave count=1\n");
    CHECK_CODE(open_sealed(&f, &s, &back), KW_CODE_UNSURE);
    works(&f);
    CHECK(strstr(kw_fault_calls(&f.hsm), "rv=0x00000090") == NULL);
    fixture_end(&f);
}

TEST(operation_active__on_a_fresh_session__busy)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "C_EncryptInit rv=0x90 count=2\n");
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_BUSY);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_BUSY);
    works(&f);
    fixture_end(&f);
}

TEST(session_error__key_deleted__missing)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, NULL);
    kw_token_close(f.token);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    CHECK_OK(kw_token_find(f.token, KEK, text_span(LOCATOR), &f.key, &f.note));
    CHECK(f.token->ck->C_DestroyObject(f.token->session, f.key->handle) == CKR_OK);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_MISSING);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_MISSING);
    (void)kw_softhsm_key(f.token, KEK, text_span(LOCATOR));
    works(&f);
    fixture_end(&f);
}

TEST(session_error__another_key__found_again_too)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, NULL);
    kw_token_close(f.token);
    kw_fault_between(&f.hsm);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    CHECK_OK(kw_token_find(f.token, KEK, text_span(LOCATOR), &f.key, &f.note));
    struct kw_token_key *kek = f.key;
    struct kw_token_key *other = kw_softhsm_key(f.token, OTHER_KEK, (kw_span){0});
    works(&f);
    tell_once(&f, "C_EncryptInit", 0xb3);
    CHECK_CODE(seal_some(&f, &s), KW_CODE_SESSION);
    unsigned found = kw_fault_count(&f.hsm, "C_FindObjectsInit");
    f.key = other;
    works(&f);
    CHECK(kw_fault_count(&f.hsm, "C_FindObjectsInit") == found + 1);
    f.key = kek;
    works(&f);
    CHECK(kw_fault_count(&f.hsm, "C_FindObjectsInit") == found + 1);
    fixture_end(&f);
}

TEST(renewal__no_session_to_be_had__next_call_tries_again)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "");
    works(&f);
    kw_fault_set(&f.hsm, "C_Encrypt rv=0xb3 count=1\nC_OpenSession rv=0xb1 count=1\n");
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_BUSY);
    works(&f);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    fixture_end(&f);
}

TEST(down__at_once__not_one_call_more)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "");
    works(&f);
    kw_fault_set(&f.hsm, "C_EncryptInit rv=0x32\n");
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_DOWN);
    const char *at = strstr(kw_fault_calls(&f.hsm), "< C_EncryptInit rv=0x00000032");
    CHECK(at != NULL && strchr(at, '>') == NULL);
    fixture_end(&f);
}

TEST(reply_lost__operation_done__nothing_released)
{
    struct fixture f;
    struct sealed s;
    fixture_begin(&f, "C_Encrypt rv=0x30 after count=1\n");
    CHECK_CODE(seal_some(&f, &s), KW_CODE_HSM_DOWN);
    CHECK(s.dst.len == 0);
    works(&f);
    fixture_end(&f);
}

KW_CASES("session", CASE(wrap__any_error__its_code_and_another_session),
         CASE(unwrap__any_error__its_code_and_another_session),
         CASE(renewal__always__opens_before_it_closes),
         CASE(operation_left_active__next_call__not_disturbed),
         CASE(operation_active__on_a_fresh_session__busy),
         CASE(session_error__key_deleted__missing),
         CASE(session_error__another_key__found_again_too),
         CASE(renewal__no_session_to_be_had__next_call_tries_again),
         CASE(down__at_once__not_one_call_more),
         CASE(reply_lost__operation_done__nothing_released))
