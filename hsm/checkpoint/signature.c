/* SPDX-License-Identifier: Apache-2.0 */
/* An ECDSA signature on P-256: r and s side by side, or SEQUENCE { INTEGER, INTEGER }.
 *
 * A length in DER is one byte here: 72 bytes are the most there can be. */
#include <keyward/checkpoint.h>

enum { HALF = KW_SIGNATURE / 2, SEQUENCE = 0x30, INTEGER = 0x02, SIGN_BIT = 0x80 };

/* n, the order of the base point (FIPS 186-5, SP 800-186 3.2.1.3). */
static const uint8_t order[HALF] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                    0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static kw_err signature_refused(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "signature");
}

/* 1 to n - 1. */
static bool signature_is_scalar(const uint8_t half[HALF])
{
    bool some = false;
    int against = 0; /* the order: < 0 is below it */
    for (size_t i = 0; i < HALF; i++) {
        some = some || half[i] != 0;
        if (against == 0)
            against = (int)half[i] - (int)order[i];
    }
    return some && against < 0;
}

/* Without the zeros in front; a positive INTEGER begins with one of them when its first bit
 * would say that it is not. */
static size_t integer_begin(const uint8_t half[HALF])
{
    size_t zeros = 0;
    while (zeros < HALF - 1 && half[zeros] == 0)
        zeros++;
    return zeros;
}

static size_t integer_len(const uint8_t half[HALF])
{
    const size_t begin = integer_begin(half);
    return HALF - begin + (half[begin] >= SIGN_BIT ? 1 : 0);
}

static bool put_integer(kw_dst *dst, const uint8_t half[HALF])
{
    const size_t len = integer_len(half);
    bool ok = kw_dst_put_u8(dst, INTEGER) && kw_dst_put_u8(dst, (uint8_t)len);
    if (half[integer_begin(half)] >= SIGN_BIT)
        ok = ok && kw_dst_put_u8(dst, 0);
    for (size_t i = integer_begin(half); i < HALF; i++)
        ok = ok && kw_dst_put_u8(dst, half[i]);
    return ok;
}

kw_err kw_signature_to_der(const uint8_t signature[KW_SIGNATURE], kw_dst *dst)
{
    const size_t before = dst->len;
    if (!signature_is_scalar(signature) || !signature_is_scalar(signature + HALF))
        return signature_refused();
    const size_t len = 4 + integer_len(signature) + integer_len(signature + HALF);
    if (kw_dst_put_u8(dst, SEQUENCE) && kw_dst_put_u8(dst, (uint8_t)len) &&
        put_integer(dst, signature) && put_integer(dst, signature + HALF))
        return KW_OK;
    dst->len = before;
    return kw_err_at(KW_CODE_NO_MEMORY, "signature");
}

/* A positive number in its shortest spelling, and no other. */
static void take_integer(struct kw_src *src, uint8_t half[HALF])
{
    uint8_t digits[HALF + 1] = {
        0}; /* the number with as many zeros as there is room for */
    const uint8_t tag = kw_src_u8(src), len = kw_src_u8(src);
    if (tag != INTEGER || len == 0 || len > sizeof digits) {
        src->bad = true;
        return;
    }
    const size_t begin = sizeof digits - len;
    for (size_t i = begin; i < sizeof digits; i++)
        digits[i] = kw_src_u8(src);
    const bool is_negative = digits[begin] >= SIGN_BIT;
    const bool is_padded = digits[begin] == 0;
    if (is_negative || digits[0] != 0 ||
        (is_padded && (len == 1 || digits[begin + 1] < SIGN_BIT)))
        src->bad = true;
    kw_copy(half, HALF, kw_span_of(digits + 1, HALF));
}

kw_err kw_signature_from_der(kw_span der, uint8_t ret_signature[KW_SIGNATURE])
{
    uint8_t signature[KW_SIGNATURE] = {0};
    struct kw_src src = kw_src_of(der);
    const uint8_t tag = kw_src_u8(&src), len = kw_src_u8(&src);
    const bool whole = tag == SEQUENCE && len < SIGN_BIT && len == kw_src_left(&src);
    take_integer(&src, signature);
    take_integer(&src, signature + HALF);
    if (!whole || !kw_src_done(&src) || !signature_is_scalar(signature) ||
        !signature_is_scalar(signature + HALF))
        return signature_refused();
    kw_copy(ret_signature, KW_SIGNATURE, kw_span_of(signature, sizeof signature));
    return KW_OK;
}
