/* SPDX-License-Identifier: Apache-2.0 */
/* Target: facts, verdicts, ready, failed, read and written.  Input: what the other side
 * of the process wall sends.  Useful maximum: KW_WIRE_MAX.
 * Claim: a failed read leaves its output alone, a good one's fields keep their bounds;
 * what is written fits a message, or nothing is appended. */
#include "proof.h"

#include "proof_text_contract.h"
#include "proof_wire_contract.h"

enum { UNTOUCHED = 77777, SHORT = 32, LENGTHS = SHORT + 3, ROOM = 64, STEP = 4 };
static uint8_t in[KW_WIRE_MAX + 1], out[KW_WIRE_MAX + 100];

static void facts_of(kw_span bytes)
{
    struct kw_wire_facts facts = {.gcm_key_min = UNTOUCHED};
    kw_err e = kw_wire_decode_facts(bytes, &facts);
    /*@ assert untouched: e.code != KW_CODE_OK ==> facts.gcm_key_min == UNTOUCHED; */
}

static void verdict_of(kw_span bytes)
{
    struct kw_wire_verdict verdict = {.n = UNTOUCHED};
    kw_err e = kw_wire_decode_verdict(bytes, &verdict);
    /*@ assert untouched: e.code != KW_CODE_OK ==> verdict.n == UNTOUCHED; */
    /*@ assert version: 1 <= verdict.n <= KW_VERSION_N_MAX; */
    /*@ assert findings: verdict.findings <= KW_WIRE_FINDINGS; */
}

static void ready_of(kw_span bytes)
{
    struct kw_wire_ready ready = {.verdicts = 0, .sessions = 1};
    kw_err e = kw_wire_decode_ready(bytes, &ready);
    /*@ assert verdicts: ready.verdicts <= KW_VERSIONS_MAX; */
    /*@ assert sessions: 1 <= ready.sessions <= KW_SESSIONS_MAX; */
}

static void failed_of(kw_span bytes)
{
    struct kw_wire_failed failed = {.err = {KW_CODE_BUG, 0, NULL}};
    kw_err e = kw_wire_decode_failed(bytes, &failed);
    /*@ assert failed: failed.err.code != KW_CODE_OK && failed.err.code < KW_CODE_COUNT;
     */
}

static void written(kw_err e, const kw_dst *dst)
{
    /*@ assert nothing: e.code != KW_CODE_OK ==> dst->len == 0; */
    /*@ assert message: e.code == KW_CODE_OK ==> 2 < dst->len <= KW_WIRE_MAX; */
}

static kw_err any_err(void)
{
    return (kw_err){(enum kw_code)proof_u8(),
                    Frama_C_unsigned_int_interval(0, UINT32_MAX),
                    proof_bool() ? "C_Login" : NULL};
}

static void put_facts(size_t room)
{
    const struct kw_wire_facts facts = {.label = "label", .serial = "1", .gcm = true};
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_facts(&facts, &dst), &dst);
}

static void put_verdict(size_t room)
{
    const struct kw_wire_verdict verdict = {
        .n = Frama_C_unsigned_int_interval(0, UINT32_MAX),
        .err = any_err(),
        .findings = proof_u8(),
        .reason = "because"};
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_verdict(&verdict, &dst), &dst);
}

static void put_ready(size_t room)
{
    const struct kw_wire_ready ready = {
        .verdicts = Frama_C_unsigned_int_interval(0, UINT32_MAX),
        .sessions = Frama_C_unsigned_int_interval(0, UINT32_MAX)};
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_ready(&ready, &dst), &dst);
}

static void put_failed(size_t room)
{
    const struct kw_wire_failed failed = {.err = any_err(), .note = {"why"}};
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_failed(&failed, &dst), &dst);
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t i = 0; i <= LENGTHS; i++) {
        const size_t len = i <= SHORT ? i : sizeof in - (LENGTHS - i);
        const kw_span bytes = kw_span_of(PROOF_TAIL(in, len), len);
        facts_of(bytes);
        verdict_of(bytes);
        ready_of(bytes);
        failed_of(bytes);
    }
    for (size_t room = 0; room <= ROOM; room += STEP) {
        put_facts(room);
        put_verdict(room);
        put_ready(room);
        put_failed(room);
    }
    return 0;
}
