/* SPDX-License-Identifier: Apache-2.0 */
/* Target: bytes as text: hex, UTF-8, what may be shown.  Input: any bytes.
 * Useful maximum: none of their own; one character has four bytes, so arrays of each size
 * up to five stand for all.
 * Claim: a character lies within the text, what is shown lies within its room and ends in
 * a NUL, bytes come from twice as many digits or not at all. */
#include "proof.h"

enum { SIZES = 5 };
static uint8_t in[SIZES];

static void hex_of(size_t len)
{
    char text[2 * SIZES + 1];
    uint8_t back[SIZES];
    kw_hex(PROOF_TAIL(text, 2 * len + 1), 2 * len + 1,
           kw_span_of(PROOF_TAIL(in, len), len));
    /*@ assert ends: text[2 * SIZES] == '\0'; */
    for (size_t bytes = 0; bytes <= len; bytes++) {
        bool ok = kw_unhex(PROOF_TAIL(back, bytes), bytes,
                           kw_span_of(PROOF_TAIL(in, len), len));
        /*@ assert twice: ok ==> len == 2 * bytes; */
    }
}

static void text_of(size_t len)
{
    const kw_span s = kw_span_of(PROOF_TAIL(in, len), len);
    if (len > 0) {
        uint32_t point;
        size_t n = kw_text_first(s, &point);
        /*@ assert character: 1 <= n <= 4 && n <= len; */
    }
    if (len > 0) {
        char shown[KW_SHOWN_MAX];
        size_t n = kw_text_shown(s, shown);
        /*@ assert shown: 1 <= n <= 4 && n <= len; */
    }
    (void)kw_is_text(s);
    (void)kw_is_printable_text(s);
}

static void show(size_t cap, size_t len)
{
    char out[SIZES];
    (void)kw_copy_printable(PROOF_TAIL(out, cap), cap,
                            kw_span_of(PROOF_TAIL(in, len), len));
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SIZES; len++) {
        hex_of(len);
        text_of(len);
        for (size_t cap = 1; cap <= SIZES; cap++)
            show(cap, len);
    }
    (void)kw_is_printable_char(Frama_C_unsigned_int_interval(0, UINT32_MAX));
    return 0;
}
