/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and answers.
 *
 *   job     magic, kind, id 8, op 1, until 8, then
 *           WRAP, UNWRAP: key_id, iv, aad, input, each behind a length of two bytes
 *           CANARY:       n 4, also_wrap 1, closely 1
 *           SIGN:         the checkpoint's fields behind a length of two bytes
 *   answer  magic, kind, id 8, code 1, native 4, place 1, hsm_ns 8, looked 1, findings 1,
 *           reason and output, each behind a length of two bytes
 */
#include "wire_internal.h"

static bool canary_is_sane(const struct kw_wire_job *j)
{
    return j->n >= 1 && j->n <= KW_VERSION_N_MAX && j->key_id.len == 0 &&
           j->iv.len == 0 && j->aad.len == 0 && j->input.len == 0;
}

static bool work_is_sane(const struct kw_wire_job *j)
{
    size_t most = j->op == KW_WIRE_WRAP ? KW_INNER_MAX : KW_SEALED_MAX;
    return j->n == 0 && !j->also_wrap && !j->closely && j->key_id.len >= 1 &&
           j->key_id.len <= KW_KEY_ID_MAX && kw_is_text(j->key_id) &&
           j->iv.len <= KW_IV_MAX && j->aad.len <= KW_AAD_MAX && j->input.len >= 1 &&
           j->input.len <= most;
}

static bool sign_is_sane(const struct kw_wire_job *j)
{
    struct kw_checkpoint c;
    struct kw_src src = kw_src_of(j->input);
    if (j->n != 0 || j->also_wrap || j->closely || j->key_id.len != 0 || j->iv.len != 0 ||
        j->aad.len != 0)
        return false;
    kw_checkpoint_take(&src, &c);
    return kw_src_done(&src);
}

static bool job_is_sane(const struct kw_wire_job *j)
{
    if (j->id == 0 || j->until_ns < 0)
        return false;
    switch (j->op) {
    case KW_WIRE_WRAP:
    case KW_WIRE_UNWRAP: return work_is_sane(j);
    case KW_WIRE_CANARY: return canary_is_sane(j);
    case KW_WIRE_SIGN: return sign_is_sane(j);
    }
    return false;
}

kw_err kw_wire_encode_job(const struct kw_wire_job *j, kw_dst *dst)
{
    size_t before = dst->len;
    if (!job_is_sane(j))
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_JOB) && kw_dst_put_u64(dst, j->id) &&
              kw_dst_put_u8(dst, (uint8_t)j->op) &&
              kw_dst_put_u64(dst, (uint64_t)j->until_ns);
    if (j->op == KW_WIRE_CANARY)
        ok = ok && kw_dst_put_u32(dst, j->n) && kw_dst_put_u8(dst, j->also_wrap) &&
             kw_dst_put_u8(dst, j->closely);
    else if (j->op == KW_WIRE_SIGN)
        ok = ok && kw_dst_put_sized(dst, j->input);
    else
        ok = ok && kw_dst_put_sized(dst, j->key_id) && kw_dst_put_sized(dst, j->iv) &&
             kw_dst_put_sized(dst, j->aad) && kw_dst_put_sized(dst, j->input);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_job(kw_span message, struct kw_wire_job *ret_job)
{
    struct kw_wire_job j = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_JOB);
    j.id = kw_src_u64(&src);
    j.op = (enum kw_wire_op)kw_src_u8(&src);
    j.until_ns = (int64_t)kw_src_u64(&src);
    if (j.op == KW_WIRE_CANARY) {
        j.n = kw_src_u32(&src);
        j.also_wrap = kw_wire_take_bool(&src);
        j.closely = kw_wire_take_bool(&src);
    } else if (j.op == KW_WIRE_SIGN) {
        j.input = kw_src_sized(&src);
    } else {
        j.key_id = kw_src_sized(&src);
        j.iv = kw_src_sized(&src);
        j.aad = kw_src_sized(&src);
        j.input = kw_src_sized(&src);
    }
    if (!kw_src_done(&src) || !job_is_sane(&j))
        return kw_err_at(KW_CODE_BAD_INPUT, "wire");
    *ret_job = j;
    return KW_OK;
}

static bool answer_is_sane(const struct kw_wire_answer *a)
{
    return a->id != 0 && a->hsm_ns >= 0 && a->hsm_ns <= KW_WIRE_HSM_NS_MAX &&
           a->findings <= KW_WIRE_FINDINGS && a->reason.len <= KW_WIRE_REASON_MAX &&
           a->output.len <= KW_SEALED_MAX &&
           (kw_failed(a->err) ? a->output.len : a->reason.len) == 0;
}

kw_err kw_wire_encode_answer(const struct kw_wire_answer *a, kw_dst *dst)
{
    size_t before = dst->len;
    if (!answer_is_sane(a) || a->err.code >= KW_CODE_COUNT)
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_ANSWER) && kw_dst_put_u64(dst, a->id) &&
              kw_wire_put_err(dst, a->err) && kw_dst_put_u64(dst, (uint64_t)a->hsm_ns) &&
              kw_dst_put_u8(dst, a->looked) && kw_dst_put_u8(dst, (uint8_t)a->findings) &&
              kw_is_text(a->reason) && kw_dst_put_sized(dst, a->reason) &&
              kw_dst_put_sized(dst, a->output);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_answer(kw_span message, struct kw_wire_answer *ret_answer)
{
    struct kw_wire_answer a = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_ANSWER);
    a.id = kw_src_u64(&src);
    a.err = kw_wire_take_err(&src);
    a.hsm_ns = (int64_t)kw_src_u64(&src);
    a.looked = kw_wire_take_bool(&src);
    a.findings = kw_src_u8(&src);
    a.reason = kw_src_sized(&src);
    a.output = kw_src_sized(&src);
    if (!kw_src_done(&src) || !answer_is_sane(&a) || !kw_is_text(a.reason))
        return kw_err_at(KW_CODE_BAD_INPUT, "wire");
    *ret_answer = a;
    return KW_OK;
}
