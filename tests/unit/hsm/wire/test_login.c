/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/wire.h>

static uint8_t buf[KW_WIRE_MAX], again[KW_WIRE_MAX];

static struct kw_pin_facts some_pin(void)
{
    struct kw_pin_facts p = {
        .serial = "0123456789abcdef",
        .label = "12345678901234567890123456789012",
        .count_low = true,
        .locked = true,
        .source = {.dev = UINT64_MAX, .ino = 2, .ctime_ns = -3, .size = 4},
        .mark = {.key_len = 8, .digest_len = 16}};
    memset(p.mark.key, 0xaa, sizeof p.mark.key);
    memset(p.mark.digest, 0xbb, sizeof p.mark.digest);
    return p;
}

static kw_span pin_message(const struct kw_pin_facts *p)
{
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_pin(p, &dst));
    return kw_dst_span(&dst);
}

TEST(pin__half_a_mark__bug_and_nothing_written)
{
    for (int i = 0; i < 3; i++) {
        struct kw_pin_facts p = some_pin();
        p.mark.key_len = i == 0 ? 0 : i == 1 ? 7 : 8;
        p.mark.digest_len = i == 2 ? 0 : 16;
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        CHECK_CODE(kw_wire_encode_pin(&p, &dst), KW_CODE_BUG);
        CHECK(dst.len == 0);
    }
}

TEST(pin__cut_longer_other_kind_or_bad_flag__refused)
{
    struct kw_pin_facts p = some_pin(), got = {.serial = "mine"};
    kw_span m = pin_message(&p);
    for (size_t n = 0; n < m.len; n++)
        CHECK_CODE(kw_wire_decode_pin(kw_span_of(m.ptr, n), &got), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_wire_decode_pin(kw_span_of(m.ptr, m.len + 1), &got), KW_CODE_BAD_INPUT);
    buf[1] = KW_WIRE_PERMIT;
    CHECK_CODE(kw_wire_decode_pin(m, &got), KW_CODE_BAD_INPUT);
    buf[1] = KW_WIRE_PIN;
    buf[2 + 18 + 34] = 2; /* behind head, serial and label */
    CHECK_CODE(kw_wire_decode_pin(m, &got), KW_CODE_BAD_INPUT);
    CHECK_STR(got.serial, "mine"); /* a failure touches no output */
}

TEST(pin__longest__reads_back)
{
    struct kw_pin_facts p = some_pin(), got;
    kw_span m = pin_message(&p);
    CHECK(kw_wire_kind_of(m) == KW_WIRE_PIN);
    CHECK_OK(kw_wire_decode_pin(m, &got));
    CHECK_STR(got.serial, p.serial);
    CHECK_STR(got.label, p.label);
    CHECK(got.count_low && !got.final_try && got.locked);
    CHECK(kw_pin_source_same(&got.source, &p.source));
    CHECK(got.mark.key_len == 8 && got.mark.digest_len == 16);
    CHECK(got.mark.key[7] == 0xaa && got.mark.digest[15] == 0xbb);
    kw_dst dst = kw_dst_of(again, sizeof again);
    CHECK_OK(kw_wire_encode_pin(&got, &dst));
    CHECK(kw_span_equal(kw_dst_span(&dst), m));
}

TEST(pin__no_mark__reads_back)
{
    struct kw_pin_facts p = {.serial = ""}, got = some_pin();
    CHECK_OK(kw_wire_decode_pin(pin_message(&p), &got));
    CHECK(got.mark.key_len == 0 && got.mark.digest_len == 0 && got.serial[0] == '\0');
}

TEST(word__go_with_a_note__refused_on_both_sides)
{
    struct kw_wire_permit w = {.err = KW_OK, .note = {"but"}}, got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_permit(&w, &dst), KW_CODE_BUG);
    w.err = kw_err_at(KW_CODE_PIN_STOP, "pin latch");
    CHECK_OK(kw_wire_encode_permit(&w, &dst));
    kw_span m = kw_dst_span(&dst);
    CHECK_OK(kw_wire_decode_permit(m, &got));
    CHECK(got.err.code == KW_CODE_PIN_STOP);
    CHECK_STR(got.err.where, "pin latch");
    CHECK_STR(got.note.text, "but");
    buf[2] = KW_CODE_OK;
    buf[7] = 0; /* the step */
    CHECK_CODE(kw_wire_decode_permit(m, &got), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_wire_decode_login(m, (struct kw_wire_login *)(void *)&got),
               KW_CODE_BAD_INPUT);
}

TEST(word_and_login__good_and_longest_note__read_back)
{
    struct kw_wire_permit w = {.err = KW_OK}, permit;
    struct kw_wire_login l = {.err = kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login")},
                         login;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_permit(&w, &dst));
    CHECK(kw_wire_kind_of(kw_dst_span(&dst)) == KW_WIRE_PERMIT);
    CHECK_OK(kw_wire_decode_permit(kw_dst_span(&dst), &permit));
    CHECK(!kw_failed(permit.err));
    memset(l.note.text, 'n', sizeof l.note.text - 1);
    dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    CHECK(kw_wire_kind_of(kw_dst_span(&dst)) == KW_WIRE_LOGIN);
    CHECK_OK(kw_wire_decode_login(kw_dst_span(&dst), &login));
    CHECK(login.err.native == 0xa0 && strlen(login.note.text) == 511);
    CHECK_CODE(kw_wire_decode_permit(kw_dst_span(&dst), &permit), KW_CODE_BAD_INPUT);
}

TEST(login__was_in__reads_back_and_only_with_ok)
{
    struct kw_wire_login l = {.err = KW_OK, .was_in = true}, got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    CHECK_OK(kw_wire_decode_login(kw_dst_span(&dst), &got));
    CHECK(got.was_in && !kw_failed(got.err));
    buf[dst.len - 1] = 2;
    CHECK_CODE(kw_wire_decode_login(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
    l.err = kw_err_at(KW_CODE_PIN_STOP, "C_Login");
    dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_login(&l, &dst), KW_CODE_BUG);
    l.was_in = false;
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    buf[dst.len - 1] = 1;
    CHECK_CODE(kw_wire_decode_login(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
}

TEST(word_and_login__note_that_is_no_text__gets_through_all_the_same)
{
    struct kw_wire_permit w = {.err = kw_err_at(KW_CODE_IO, "pin latch"),
                               .note = {"/a\xff/b: caf\xc3"}},
                          permit;
    struct kw_wire_login l = {.err = w.err, .note = w.note}, login;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_permit(&w, &dst));
    CHECK_OK(kw_wire_decode_permit(kw_dst_span(&dst), &permit));
    CHECK_STR(permit.note.text, "/a?/b: caf?");
    dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    CHECK_OK(kw_wire_decode_login(kw_dst_span(&dst), &login));
    CHECK_STR(login.note.text, "/a?/b: caf?");
}

KW_CASES("hsm/wire/login",
         CASE(word_and_login__note_that_is_no_text__gets_through_all_the_same),
         CASE(pin__half_a_mark__bug_and_nothing_written),
         CASE(pin__cut_longer_other_kind_or_bad_flag__refused),
         CASE(pin__longest__reads_back), CASE(pin__no_mark__reads_back),
         CASE(word__go_with_a_note__refused_on_both_sides),
         CASE(word_and_login__good_and_longest_note__read_back),
         CASE(login__was_in__reads_back_and_only_with_ok))
