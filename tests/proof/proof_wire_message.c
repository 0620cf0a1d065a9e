/* SPDX-License-Identifier: Apache-2.0 */
/* Target: what all messages share: the head, errors by number, text with a bound.
 * Input: a message, at each place of it.  Useful maximum: none of its own, so messages of
 * each small size stand for all.
 * Claim: a text is within the message and ends within its room; an error is one of ours.
 */
#include "proof.h"

#include "wire_internal.h"
#include "proof_text_contract.h"

enum { SIZES = 7 };
static uint8_t in[SIZES], out[SIZES];

static void text_at(size_t len, size_t at, size_t cap)
{
    char text[SIZES];
    struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, len), len));
    src.at = at;
    kw_wire_take_text(&src, PROOF_TAIL(text, cap), cap);
    /*@ assert within: at <= src.at <= len; */
}

static void error_of(size_t len)
{
    struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, len), len));
    kw_err e = kw_wire_take_err(&src);
    /*@ assert ours: e.code < KW_CODE_COUNT; */
    src.bad = false;
    (void)kw_wire_take_bool(&src);
}

static void put_error(size_t room)
{
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    const kw_err e = {(enum kw_code)proof_u8(),
                      Frama_C_unsigned_int_interval(0, UINT32_MAX),
                      proof_bool()   ? NULL
                      : proof_bool() ? "C_Login"
                                     : "elsewhere"};
    (void)kw_wire_put_err(&dst, e);
    /*@ assert fits: dst.len <= room; */
    dst.len = 0;
    (void)kw_wire_put_text(&dst, proof_bool() ? "" : "text");
    /*@ assert text_fits: dst.len <= room; */
    (void)kw_wire_put_head(&dst, (enum kw_wire_kind)proof_u8());
    (void)kw_wire_finish(&dst, 0, proof_bool());
    /*@ assert message_fits: dst.len <= room; */
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SIZES; len++) {
        error_of(len);
        put_error(len);
        (void)kw_wire_kind_of(kw_span_of(PROOF_TAIL(in, len), len));
        (void)kw_wire_body(kw_span_of(PROOF_TAIL(in, len), len), KW_WIRE_READY);
        for (size_t at = 0; at <= len; at++)
            for (size_t cap = 1; cap <= SIZES; cap += 2)
                text_at(len, at, cap);
    }
    return 0;
}
