/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/wire.h>

static uint8_t buf[KW_WIRE_MAX];

TEST(kind__foreign_bytes__none)
{
    CHECK(kw_wire_kind_of(kw_span_str("")) == 0);
    CHECK(kw_wire_kind_of(kw_span_str("k")) == 0);
    CHECK(kw_wire_kind_of(kw_span_of("k\0", 2)) == 0);
    CHECK(kw_wire_kind_of(kw_span_of("k\x7f", 2)) == 0);
    CHECK(kw_wire_kind_of(kw_span_of("j\x01", 2)) == 0);
    CHECK(kw_wire_kind_of(kw_span_of("k\x01", 2)) == KW_WIRE_JOB);
}

TEST(facts__round_trip__and_too_long_refused)
{
    struct kw_wire_facts f = {.library = "SoftHSM",
                              .label = "kw",
                              .softhsm = true,
                              .gcm = true,
                              .gcm_key_min = 16,
                              .gcm_key_max = 32},
                         got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_facts(&f, &dst));
    CHECK_OK(kw_wire_decode_facts(kw_dst_span(&dst), &got));
    CHECK_STR(got.library, "SoftHSM");
    CHECK_STR(got.label, "kw");
    CHECK_STR(got.serial, "");
    CHECK(got.softhsm && got.gcm && got.gcm_key_min == 16 && got.gcm_key_max == 32);
    dst =
        kw_dst_of(buf, sizeof buf); /* a library name of 33 bytes has no room for a NUL */
    CHECK(kw_dst_put_u8(&dst, 0x6b) && kw_dst_put_u8(&dst, KW_WIRE_FACTS));
    uint8_t name[33];
    memset(name, 'a', sizeof name);
    CHECK(kw_dst_put_sized(&dst, kw_span_of(name, sizeof name)));
    for (int i = 0; i < 6; i++)
        CHECK(kw_dst_put_u16(&dst, 0));
    CHECK(kw_dst_put_u8(&dst, 0) && kw_dst_put_u8(&dst, 0));
    CHECK(kw_dst_put_u32(&dst, 0) && kw_dst_put_u32(&dst, 0));
    CHECK_CODE(kw_wire_decode_facts(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
}

/* What a worker that was taken over says ends up on a terminal. */
TEST(facts__label_that_steers_a_terminal__refused)
{
    struct kw_wire_facts f = {.label = "Schlüssel 1"}, got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_facts(&f, &dst));
    CHECK_OK(kw_wire_decode_facts(kw_dst_span(&dst), &got));
    CHECK_STR(got.label, f.label);
    uint8_t *at = memchr(buf, 'S', dst.len);
    CHECK(at != NULL);
    kw_copy(at, 2, kw_span_of("\xc2\x9b", 2));
    CHECK_CODE(kw_wire_decode_facts(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
    kw_copy(f.label, sizeof f.label, kw_span_of("\xc2\x9b", 2));
    dst.len = 0;
    CHECK(kw_failed(kw_wire_encode_facts(&f, &dst)) && dst.len == 0);
}

TEST(verdict__version_zero__refused)
{
    struct kw_wire_verdict v = {.n = 0}, got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_verdict(&v, &dst), KW_CODE_BUG);
    v = (struct kw_wire_verdict){
        .n = 2, .err = kw_err_at(KW_CODE_MISSING, "find"), .reason = "no such key"};
    v.findings = KW_WIRE_FINDINGS + 1;
    CHECK_CODE(kw_wire_encode_verdict(&v, &dst), KW_CODE_BUG);
    v.findings = KW_WIRE_DUPLICATE;
    CHECK_OK(kw_wire_encode_verdict(&v, &dst));
    CHECK_OK(kw_wire_decode_verdict(kw_dst_span(&dst), &got));
    CHECK(got.n == 2 && got.err.code == KW_CODE_MISSING);
    CHECK(got.findings == KW_WIRE_DUPLICATE);
    CHECK_STR(got.reason, "no such key");
    buf[12] = KW_WIRE_FINDINGS + 1;
    CHECK_CODE(kw_wire_decode_verdict(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
}

TEST(ready__more_verdicts_than_versions__refused)
{
    struct kw_wire_ready r = {.sessions = KW_SESSIONS_MAX,
                              .keyring_sha256 = {1, 2, 3},
                              .verdicts = KW_VERSIONS_MAX + 1},
                         got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_ready(&r, &dst), KW_CODE_BUG);
    r.verdicts = 2;
    r.sessions = KW_SESSIONS_MAX + 1;
    CHECK_CODE(kw_wire_encode_ready(&r, &dst), KW_CODE_BUG);
    r.sessions = 0;
    CHECK_CODE(kw_wire_encode_ready(&r, &dst), KW_CODE_BUG);
    r.sessions = KW_SESSIONS_MAX;
    CHECK_OK(kw_wire_encode_ready(&r, &dst));
    CHECK_OK(kw_wire_decode_ready(kw_dst_span(&dst), &got));
    CHECK(got.verdicts == 2 && got.keyring_sha256[2] == 3);
    CHECK(got.sessions == KW_SESSIONS_MAX);
    CHECK(kw_wire_kind_of(kw_dst_span(&dst)) == KW_WIRE_READY);
    buf[dst.len - 1] = 0;
    CHECK_CODE(kw_wire_decode_ready(kw_dst_span(&dst), &got), KW_CODE_BAD_INPUT);
}

TEST(failed__without_an_error__refused)
{
    struct kw_wire_failed f = {.err = KW_OK}, got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_failed(&f, &dst), KW_CODE_BUG);
    f.err = kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login");
    memset(f.note.text, 'n', sizeof f.note.text - 1); /* the longest note fits */
    CHECK_OK(kw_wire_encode_failed(&f, &dst));
    CHECK_OK(kw_wire_decode_failed(kw_dst_span(&dst), &got));
    CHECK(got.err.code == KW_CODE_PIN_STOP && got.err.native == 0xa0);
    CHECK_STR(got.note.text, f.note.text);
}

KW_CASES("hsm/wire/startup", CASE(kind__foreign_bytes__none),
         CASE(facts__round_trip__and_too_long_refused),
         CASE(facts__label_that_steers_a_terminal__refused),
         CASE(verdict__version_zero__refused),
         CASE(ready__more_verdicts_than_versions__refused),
         CASE(failed__without_an_error__refused))
