/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the fields of a checkpoint and a signature in DER, read and written.  Input: what
 * the other side of the process wall, a token or a log says.  Useful maximum:
 * KW_CHECKPOINT_MAX and KW_SIGNATURE_DER_MAX.  Claim: what was read keeps its bounds, and a
 * failed read of a signature leaves its output alone; what is written fits, or nothing is
 * appended. */
#include "proof.h"

#include <keyward/checkpoint.h>

#include "proof_text_contract.h"

static uint8_t in[KW_CHECKPOINT_FIELDS_MAX + 1], out[KW_CHECKPOINT_MAX];

static void fields_of(size_t len)
{
    struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, len), len));
    struct kw_checkpoint c;
    kw_checkpoint_take(&src, &c);
    if (!src.bad) {
        /*@ assert node: c.node[KW_CHECKPOINT_NODE_MAX] == 0; */
        /*@ assert covered: c.covered <= INT64_MAX; */
        /*@ assert time: c.time_us <= INT64_MAX; */
        /*@ assert within: src.at <= len; */
    }
}

static void put(size_t room)
{
    struct kw_checkpoint c = {
        .covered = proof_size(0, UINT64_MAX),
        .time_us = proof_size(0, UINT64_MAX),
        .synchronised = proof_bool(),
    };
    Frama_C_make_unknown(c.node, KW_CHECKPOINT_NODE_MAX);
    PROOF_UNKNOWN(c.log);
    PROOF_UNKNOWN(c.head);
    PROOF_UNKNOWN(c.counts);
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    const kw_err e = kw_checkpoint_write(&c, &dst);
    /*@ assert nothing: e.code != KW_CODE_OK ==> dst.len == 0; */
    /*@ assert fits: e.code == KW_CODE_OK ==> 158 <= dst.len <= room; */
}

static void signature_of(size_t len)
{
    uint8_t plain[KW_SIGNATURE] = {7};
    const kw_err e = kw_signature_from_der(kw_span_of(PROOF_TAIL(in, len), len), plain);
    /*@ assert untouched: e.code != KW_CODE_OK ==> plain[0] == 7; */
    /*@ assert told: e.code == KW_CODE_OK || e.code == KW_CODE_BAD_INPUT; */
}

static void der_of(size_t room)
{
    uint8_t plain[KW_SIGNATURE];
    PROOF_UNKNOWN(plain);
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    const kw_err e = kw_signature_to_der(plain, &dst);
    /*@ assert nothing: e.code != KW_CODE_OK ==> dst.len == 0; */
    /*@ assert fits: e.code == KW_CODE_OK ==> 8 <= dst.len <= KW_SIGNATURE_DER_MAX; */
}

/* The shortest and the longest good ones, and one byte less and more. */
enum { LEAST = 138, SHORT = 12, ROOM = 32, STEP = 4 };

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SHORT; len++) {
        fields_of(len);
        signature_of(len);
    }
    for (size_t len = LEAST - 1; len <= LEAST + 1; len++)
        fields_of(len);
    for (size_t len = sizeof in - 2; len <= sizeof in; len++)
        fields_of(len);
    for (size_t len = KW_SIGNATURE_DER_MAX - 1; len <= KW_SIGNATURE_DER_MAX + 1; len++)
        signature_of(len);
    for (size_t room = 0; room <= SHORT; room++)
        der_of(room);
    for (size_t room = KW_SIGNATURE_DER_MAX - 1; room <= KW_SIGNATURE_DER_MAX + 1; room++)
        der_of(room);
    for (size_t room = 0; room <= ROOM; room += STEP)
        put(room);
    put(sizeof out - 1);
    put(sizeof out);
    return 0;
}
