/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/wire.h>

static uint8_t buf[KW_WIRE_MAX], again[KW_WIRE_MAX];

static struct kw_wire_job wrap_job(void)
{
    return (struct kw_wire_job){.id = 7,
                                .op = KW_WIRE_WRAP,
                                .until_ns = 99,
                                .key_id = kw_span_str("kw1-1-0123456789abcdef01234567"),
                                .iv = kw_span_str("twelve bytes"),
                                .aad = kw_span_str("aad"),
                                .input = kw_span_str("plaintext")};
}

static kw_span written(const struct kw_wire_job *job)
{
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_job(job, &dst));
    return kw_dst_span(&dst);
}

TEST(put_job__field_out_of_bounds__bug_and_nothing_written)
{
    uint8_t big[KW_SEALED_MAX + 1] = {0};
    for (int i = 0; i < 9; i++) {
        struct kw_wire_job j = wrap_job();
        switch (i) {
        case 0: j.id = 0; break;
        case 1: j.until_ns = -1; break;
        case 2: j.op = (enum kw_wire_op)9; break;
        case 3: j.key_id.len = 0; break;
        case 4: j.input = kw_span_of(big, KW_INNER_MAX + 1); break;
        case 5: j.iv = kw_span_of(big, KW_IV_MAX + 1); break;
        case 6: j.aad = kw_span_of(big, KW_AAD_MAX + 1); break;
        case 7: j.closely = true; break; /* of a canary */
        default: j.n = 1; break;
        }
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        CHECK_CODE(kw_wire_encode_job(&j, &dst), KW_CODE_BUG);
        CHECK(dst.len == 0);
    }
}

/* The fields of a checkpoint, written by whoever writes them. */
static kw_span fields(void)
{
    static uint8_t room[KW_CHECKPOINT_FIELDS_MAX];
    const struct kw_checkpoint c = {.node = "cp-01", .covered = 17, .counts = {1, 2}};
    kw_dst dst = kw_dst_of(room, sizeof room);
    CHECK(kw_checkpoint_put(&dst, &c));
    return kw_dst_span(&dst);
}

TEST(sign__fields_of_a_checkpoint__reads_back)
{
    const struct kw_wire_job j = {
        .id = 7, .op = KW_WIRE_SIGN, .until_ns = 99, .input = fields()};
    struct kw_wire_job got = {.id = 42};
    const kw_span m = written(&j);
    CHECK_OK(kw_wire_decode_job(m, &got));
    CHECK(got.op == KW_WIRE_SIGN && kw_span_equal(got.input, j.input));
    CHECK(got.key_id.len == 0 && got.n == 0);
}

/* Nothing but a checkpoint can be had signed. */
TEST(sign__anything_else__bug_and_nothing_written)
{
    static const uint8_t hash[KW_SHA256] = {1};
    for (int i = 0; i < 7; i++) {
        struct kw_wire_job j = {
            .id = 7, .op = KW_WIRE_SIGN, .until_ns = 99, .input = fields()};
        switch (i) {
        case 0: j.input = kw_span_of(hash, sizeof hash); break;
        case 1: j.input.len--; break;
        case 2: j.input.len = 0; break;
        case 3: j.key_id = kw_span_str("kw1-1-0123456789abcdef01234567"); break;
        case 4: j.iv = kw_span_str("twelve bytes"); break;
        case 5: j.aad = kw_span_str("aad"); break;
        default: j.also_wrap = true; break;
        }
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        CHECK_CODE(kw_wire_encode_job(&j, &dst), KW_CODE_BUG);
        CHECK(dst.len == 0);
    }
}

/* The last byte of the message is that of the fields. */
TEST(sign__fields_of_another_spelling__refused)
{
    const struct kw_wire_job j = {
        .id = 7, .op = KW_WIRE_SIGN, .until_ns = 99, .input = fields()};
    struct kw_wire_job got;
    const kw_span m = written(&j);
    buf[m.len - 1] = 2;
    CHECK_CODE(kw_wire_decode_job(m, &got), KW_CODE_BAD_INPUT);
}

TEST(put_job__no_room__nothing_written)
{
    struct kw_wire_job j = wrap_job();
    size_t need = written(&j).len;
    kw_dst dst = kw_dst_of(buf, need - 1);
    CHECK_CODE(kw_wire_encode_job(&j, &dst), KW_CODE_NO_MEMORY);
    CHECK(dst.len == 0);
}

TEST(get_job__cut_or_longer_or_other_kind__refused)
{
    struct kw_wire_job j = wrap_job(), got = {.id = 42};
    kw_span m = written(&j);
    for (size_t n = 0; n < m.len; n++)
        CHECK_CODE(kw_wire_decode_job(kw_span_of(m.ptr, n), &got), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_wire_decode_job(kw_span_of(m.ptr, m.len + 1), &got), KW_CODE_BAD_INPUT);
    buf[1] = KW_WIRE_ANSWER;
    CHECK_CODE(kw_wire_decode_job(m, &got), KW_CODE_BAD_INPUT);
    buf[1] = KW_WIRE_JOB;
    buf[0] ^= 1;
    CHECK_CODE(kw_wire_decode_job(m, &got), KW_CODE_BAD_INPUT);
    CHECK(got.id == 42); /* a failure touches no output */
}

TEST(job__largest__fits_and_reads_back)
{
    uint8_t bytes[KW_SEALED_MAX];
    memset(bytes, 'x', sizeof bytes);
    struct kw_wire_job j = wrap_job(), got;
    j.op = KW_WIRE_UNWRAP;
    j.key_id = kw_span_of(bytes, KW_KEY_ID_MAX);
    j.iv = kw_span_of(bytes, KW_IV_MAX);
    j.aad = kw_span_of(bytes, KW_AAD_MAX);
    j.input = kw_span_of(bytes, KW_SEALED_MAX);
    j.until_ns = INT64_MAX;
    kw_span m = written(&j);
    CHECK_OK(kw_wire_decode_job(m, &got));
    CHECK(got.id == 7 && got.op == KW_WIRE_UNWRAP && got.until_ns == INT64_MAX);
    CHECK(kw_span_equal(got.input, j.input) && kw_span_equal(got.aad, j.aad));
    CHECK(kw_span_equal(got.iv, j.iv) && kw_span_equal(got.key_id, j.key_id));
    kw_dst dst = kw_dst_of(again, sizeof again);
    CHECK_OK(kw_wire_encode_job(&got, &dst));
    CHECK(kw_span_equal(kw_dst_span(&dst), m));
}

TEST(canary__round_trip_and_version_zero_refused)
{
    struct kw_wire_job j = {.id = 1, .op = KW_WIRE_CANARY, .n = 3, .also_wrap = true},
                       got;
    kw_span m = written(&j);
    CHECK_OK(kw_wire_decode_job(m, &got));
    CHECK(got.n == 3 && got.also_wrap && !got.closely);
    buf[m.len - 2] = 2; /* a bool has two spellings, not more */
    CHECK_CODE(kw_wire_decode_job(m, &got), KW_CODE_BAD_INPUT);
    j.closely = true;
    j.also_wrap = false;
    CHECK_OK(kw_wire_decode_job(written(&j), &got));
    CHECK(got.closely && !got.also_wrap);
    j.n = 0;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_job(&j, &dst), KW_CODE_BUG);
}

static kw_span answered(struct kw_wire_answer a)
{
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_answer(&a, &dst));
    return kw_dst_span(&dst);
}

TEST(answer__error_with_output__refused_on_both_sides)
{
    struct kw_wire_answer a = {.id = 5,
                               .err = kw_err_native(KW_CODE_HSM_DOWN, 0x30, "C_Decrypt"),
                               .output = kw_span_str("leak")},
                          got;
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_CODE(kw_wire_encode_answer(&a, &dst), KW_CODE_BUG);
    a.err = KW_OK;
    kw_span m = answered(a);
    buf[10] = KW_CODE_HSM_DOWN; /* behind magic, kind and id */
    buf[15] = 1;
    CHECK_CODE(kw_wire_decode_answer(m, &got), KW_CODE_BAD_INPUT);
}

TEST(answer__findings_reason_or_time_out_of_bounds__refused_on_both_sides)
{
    char long_text[KW_WIRE_REASON_MAX + 1];
    memset(long_text, 'r', sizeof long_text);
    const struct kw_wire_answer good = {.id = 5,
                                        .err = kw_err_at(KW_CODE_KEY_BAD, "key"),
                                        .looked = true,
                                        .findings = KW_WIRE_EXPOSED | KW_WIRE_DUPLICATE,
                                        .reason = kw_span_str("extractable")};
    struct kw_wire_answer got, bad[5] = {good, good, good, good, good};
    kw_span m = answered(good);
    CHECK_OK(kw_wire_decode_answer(m, &got));
    CHECK(got.looked && got.findings == (KW_WIRE_EXPOSED | KW_WIRE_DUPLICATE));
    CHECK(kw_span_equal_str(got.reason, "extractable") && got.output.len == 0);
    buf[25] = KW_WIRE_FINDINGS + 1;
    CHECK_CODE(kw_wire_decode_answer(m, &got), KW_CODE_BAD_INPUT);
    buf[25] = 0;
    buf[28] = 0x9b; /* the reason goes to log and terminal */
    CHECK_CODE(kw_wire_decode_answer(m, &got), KW_CODE_BAD_INPUT);
    buf[28] = 'e';
    CHECK_OK(kw_wire_decode_answer(m, &got));
    buf[16] = 0x7f; /* a time that another one could not be added to */
    CHECK_CODE(kw_wire_decode_answer(m, &got), KW_CODE_BAD_INPUT);
    bad[0].findings = KW_WIRE_FINDINGS + 1;
    bad[1].reason = kw_span_of(long_text, sizeof long_text);
    bad[2].reason = kw_span_str("\x9b");
    bad[3].err = KW_OK; /* and still a reason */
    bad[4].hsm_ns = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        CHECK(kw_failed(kw_wire_encode_answer(&bad[i], &dst)));
        CHECK(dst.len == 0);
    }
}

TEST(answer__where__survives_the_wall)
{
    struct kw_wire_answer got;
    CHECK_OK(kw_wire_decode_answer(
        answered((struct kw_wire_answer){
            .id = 5, .err = kw_err_native(KW_CODE_UNSURE, 5, "C_Decrypt"), .hsm_ns = 12}),
        &got));
    CHECK(got.id == 5 && got.err.code == KW_CODE_UNSURE && got.err.native == 5);
    CHECK_STR(got.err.where, "C_Decrypt");
    CHECK(got.hsm_ns == 12 && got.output.len == 0);
}

TEST(answer__where_not_in_the_table__reads_worker)
{
    struct kw_wire_answer got;
    CHECK_OK(
        kw_wire_decode_answer(answered((struct kw_wire_answer){
                                  .id = 5, .err = kw_err_at(KW_CODE_BUG, "elsewhere")}),
                              &got));
    CHECK_STR(got.err.where, "worker");
}

TEST(answer__ok__has_no_native_and_no_place)
{
    struct kw_wire_answer got;
    kw_span m = answered((struct kw_wire_answer){.id = 5, .output = kw_span_str("out")});
    CHECK_OK(kw_wire_decode_answer(m, &got));
    CHECK(got.err.where == NULL && kw_span_equal_str(got.output, "out"));
    buf[14] = 1; /* native */
    CHECK_CODE(kw_wire_decode_answer(m, &got), KW_CODE_BAD_INPUT);
}

KW_CASES("hsm/wire/job", CASE(put_job__field_out_of_bounds__bug_and_nothing_written),
         CASE(put_job__no_room__nothing_written),
         CASE(get_job__cut_or_longer_or_other_kind__refused),
         CASE(job__largest__fits_and_reads_back),
         CASE(canary__round_trip_and_version_zero_refused),
         CASE(answer__error_with_output__refused_on_both_sides),
         CASE(answer__findings_reason_or_time_out_of_bounds__refused_on_both_sides),
         CASE(answer__where__survives_the_wall),
         CASE(answer__where_not_in_the_table__reads_worker),
         CASE(answer__ok__has_no_native_and_no_place))
