/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: hex and UTF-8. */
#include <keyward/bytes.h>

static const char digits[] = "0123456789abcdef";

void kw_hex(char *dst, size_t cap, kw_span s)
{
    KW_INVARIANT(cap / 2 >= s.len && cap > 2 * s.len);
    for (size_t i = 0; i < s.len; i++) {
        dst[2 * i] = digits[s.ptr[i] >> 4];
        dst[2 * i + 1] = digits[s.ptr[i] & 15];
    }
    dst[2 * s.len] = '\0';
}

/* One more than the digit's value; 0: it is none. */
static const uint8_t values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

bool kw_unhex(uint8_t *dst, size_t len, kw_span hex)
{
    if (hex.len / 2 != len || hex.len % 2 != 0)
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (values[hex.ptr[i]] == 0)
            return false;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)((values[hex.ptr[2 * i]] - 1u) << 4 |
                           (values[hex.ptr[2 * i + 1]] - 1u));
    return true;
}

/* How many continuation bytes follow a lead byte, and the least and greatest value the
 * first of them may have (RFC 3629 section 4: this is what forbids overlong forms,
 * surrogates and values above U+10FFFF).  -1: no lead byte. */
static int base_text_follow(uint8_t lead, uint8_t *ret_low, uint8_t *ret_high)
{
    *ret_low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *ret_high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80)
        return 0;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 1;
    if (lead >= 0xe0 && lead <= 0xef)
        return 2;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 3;
    return -1;
}

size_t kw_text_first(kw_span s, uint32_t *ret_point)
{
    static const uint8_t lead_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint8_t low, high;
    int more = base_text_follow(s.ptr[0], &low, &high);
    *ret_point = KW_NO_CHARACTER;
    if (more < 0 || (size_t)more >= s.len)
        return 1;
    uint32_t point = s.ptr[0] & lead_bits[more];
    for (size_t i = 1; i <= (size_t)more; i++, low = 0x80, high = 0xbf) {
        if (s.ptr[i] < low || s.ptr[i] > high)
            return 1;
        point = point << 6 | (s.ptr[i] & 0x3f);
    }
    *ret_point = point;
    return (size_t)more + 1;
}

bool kw_is_text(kw_span s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] > 0 && s.ptr[i] < 0x80)
        i++; /* nearly all text is ASCII to its end */
    while (i < s.len) {
        uint32_t point;
        i += kw_text_first(kw_span_of(s.ptr + i, s.len - i), &point);
        if (point == 0 || point == KW_NO_CHARACTER)
            return false;
    }
    return true;
}
