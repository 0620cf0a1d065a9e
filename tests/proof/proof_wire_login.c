/* SPDX-License-Identifier: Apache-2.0 */
/* Target: what is said before C_Login: PIN, PERMIT, LOGIN, read and written.  Input: what
 * the other side of the process wall sends, and notes that may quote anything.
 * Useful maximum: KW_WIRE_MAX.
 * Claim: a failed read leaves its output alone, a good one's fields keep their bounds;
 * what is written fits a message, or nothing is appended. */
#include "proof.h"

#include "proof_text_contract.h"
#include "proof_wire_contract.h"

enum { UNTOUCHED = 77777, SHORT = 24, LENGTHS = SHORT + 3, ROOM = 80, STEP = 8 };
static uint8_t in[KW_WIRE_MAX + 1], out[KW_WIRE_MAX + 100];

static void pin_of(kw_span bytes)
{
    struct kw_pin_facts pin = {.source = {.dev = UNTOUCHED}};
    kw_err e = kw_wire_decode_pin(bytes, &pin);
    /*@ assert untouched: e.code != KW_CODE_OK ==> pin.source.dev == UNTOUCHED; */
    /*@ assert key: pin.mark.key_len <= sizeof(pin.mark.key); */
    /*@ assert digest: pin.mark.digest_len <= sizeof(pin.mark.digest); */
}

static void permit_of(kw_span bytes)
{
    struct kw_wire_permit permit = {.err = {KW_CODE_BUG, UNTOUCHED, NULL}};
    kw_err e = kw_wire_decode_permit(bytes, &permit);
    /*@ assert permit: permit.err.code < KW_CODE_COUNT; */
}

static void login_of(kw_span bytes)
{
    struct kw_wire_login login = {.err = {KW_CODE_BUG, UNTOUCHED, NULL}};
    kw_err e = kw_wire_decode_login(bytes, &login);
    /*@ assert login: login.err.code < KW_CODE_COUNT; */
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

static void put_pin(size_t room)
{
    struct kw_pin_facts pin = {.serial = "1", .label = "label"};
    pin.mark.key_len = proof_bool() ? 0 : proof_u8();
    pin.mark.digest_len = proof_bool() ? 0 : proof_u8();
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_pin(&pin, &dst), &dst);
}

static void put_permit(size_t room)
{
    struct kw_wire_permit permit = {.err = any_err(), .note = {"a?"}};
    permit.note.text[0] = (char)proof_u8();
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_permit(&permit, &dst), &dst);
}

static void put_login(size_t room)
{
    struct kw_wire_login login = {
        .err = any_err(), .note = {"a?"}, .was_in = proof_bool()};
    login.note.text[0] = (char)proof_u8();
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    written(kw_wire_encode_login(&login, &dst), &dst);
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t i = 0; i <= LENGTHS; i++) {
        const size_t len = i <= SHORT ? i : sizeof in - (LENGTHS - i);
        const kw_span bytes = kw_span_of(PROOF_TAIL(in, len), len);
        pin_of(bytes);
        permit_of(bytes);
        login_of(bytes);
    }
    for (size_t room = 0; room <= ROOM; room += STEP) {
        put_pin(room);
        put_permit(room);
        put_login(room);
    }
    return 0;
}
