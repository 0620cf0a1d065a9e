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

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool kw_unhex(uint8_t *dst, size_t len, kw_span hex)
{
    if (hex.len / 2 != len || hex.len % 2 != 0)
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (digit(hex.ptr[i]) < 0)
            return false;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)((unsigned)digit(hex.ptr[2 * i]) << 4 |
                           (unsigned)digit(hex.ptr[2 * i + 1]));
    return true;
}

/* How many continuation bytes follow a lead byte, and the least and greatest value the
 * first of them may have (RFC 3629 section 4: this is what forbids overlong forms,
 * surrogates and values above U+10FFFF).  -1: no lead byte. */
static int follow(uint8_t lead, uint8_t *ret_low, uint8_t *ret_high)
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

bool kw_is_text(kw_span s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] > 0 && s.ptr[i] < 0x80)
        i++; /* nearly all text is ASCII to its end */
    while (i < s.len) {
        uint8_t low, high;
        uint8_t lead = s.ptr[i++];
        int more = follow(lead, &low, &high);
        if (lead == 0 || more < 0 || (size_t)more > s.len - i)
            return false;
        for (; more > 0; more--, low = 0x80, high = 0xbf, i++)
            if (s.ptr[i] < low || s.ptr[i] > high)
                return false;
    }
    return true;
}
