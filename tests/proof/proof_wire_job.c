/* SPDX-License-Identifier: Apache-2.0 */
/* Target: jobs and answers, read and written.  Input: what the other side of the process
 * wall sends; a spoilt vendor's library may write anything into an answer.  Useful
 * maximum: KW_WIRE_MAX. Claim: a failed read leaves its output alone, a good one's fields
 * keep their bounds; what is written fits a message, or nothing is appended. */
#include "proof.h"

#include <keyward/wire.h>

#include "proof_text_contract.h"

enum { UNTOUCHED = 77777, SHORT = 16, ROOM = 30, STEP = 1 };

static void job_of(const uint8_t *bytes, size_t len)
{
    struct kw_wire_job job = {.id = UNTOUCHED};
    kw_err e = kw_wire_decode_job(kw_span_of(bytes, len), &job);
    /*@ assert untouched: e.code != KW_CODE_OK ==> job.id == UNTOUCHED; */
    /*@ assert told: e.code == KW_CODE_OK || e.code == KW_CODE_BAD_INPUT; */
    /*@ assert time: job.until_ns >= 0; */
}

static void answer_of(const uint8_t *bytes, size_t len)
{
    struct kw_wire_answer answer = {.id = UNTOUCHED};
    kw_err e = kw_wire_decode_answer(kw_span_of(bytes, len), &answer);
    /*@ assert untouched: e.code != KW_CODE_OK ==> answer.id == UNTOUCHED; */
    /*@ assert told: e.code == KW_CODE_OK || e.code == KW_CODE_BAD_INPUT; */
    /*@ assert code: answer.err.code < KW_CODE_COUNT; */
    /*@ assert findings: answer.findings <= KW_WIRE_FINDINGS; */
}

static uint8_t in[KW_WIRE_MAX + 1], out[KW_WIRE_MAX + 100];

static void written(kw_err e, const kw_dst *dst)
{
    /*@ assert nothing: e.code != KW_CODE_OK ==> dst->len == 0; */
    /*@ assert message: e.code == KW_CODE_OK ==> 2 < dst->len <= KW_WIRE_MAX; */
}

static void put_job(size_t key_id, size_t iv, size_t aad, size_t room)
{
    const struct kw_wire_job job = {
        .id = proof_size(0, UINT64_MAX),
        .op = (enum kw_wire_op)proof_u8(),
        .until_ns = Frama_C_long_interval(INT64_MIN, INT64_MAX),
        .key_id = kw_span_of(PROOF_TAIL(in, key_id), key_id),
        .iv = kw_span_of(PROOF_TAIL(in, iv), iv),
        .aad = kw_span_of(PROOF_TAIL(in, aad), aad),
        .input = kw_span_of(in, proof_size(0, sizeof in)),
        .n = Frama_C_unsigned_int_interval(0, UINT32_MAX),
        .also_wrap = proof_bool(),
        .closely = proof_bool(),
    };
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_job(&job, &dst), &dst);
}

static void put_answer(size_t reason, size_t room)
{
    const struct kw_wire_answer answer = {
        .id = proof_size(0, UINT64_MAX),
        .err = {(enum kw_code)proof_u8(), Frama_C_unsigned_int_interval(0, UINT32_MAX),
                proof_bool() ? "C_Decrypt" : NULL},
        .hsm_ns = Frama_C_long_interval(INT64_MIN, INT64_MAX),
        .looked = proof_bool(),
        .findings = proof_u8(),
        .reason = kw_span_of(PROOF_TAIL(in, reason), reason),
        .output = kw_span_of(in, proof_size(0, sizeof in)),
    };
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_answer(&answer, &dst), &dst);
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SHORT; len++) {
        job_of(PROOF_TAIL(in, len), len);
        answer_of(PROOF_TAIL(in, len), len);
    }
    for (size_t len = KW_WIRE_MAX - 1; len <= sizeof in; len++) {
        job_of(PROOF_TAIL(in, len), len);
        answer_of(PROOF_TAIL(in, len), len);
    }
    for (size_t len = 0; len <= KW_KEY_ID_MAX + 1; len += KW_KEY_ID_MAX) {
        put_job(len, 0, 0, sizeof out);
        put_job(len, KW_IV_MAX, KW_AAD_MAX, sizeof out);
        put_job(len, KW_IV_MAX + 1, KW_AAD_MAX + 1, sizeof out);
    }
    for (size_t len = 0; len <= KW_WIRE_REASON_MAX + 1; len += KW_WIRE_REASON_MAX)
        put_answer(len, sizeof out);
    for (size_t room = 0; room <= ROOM; room += STEP) {
        put_job(1, 1, 1, room);
        put_answer(1, room);
    }
    return 0;
}
