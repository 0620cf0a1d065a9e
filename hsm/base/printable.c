/* SPDX-License-Identifier: Apache-2.0 */
/* printable - which characters of foreign text a terminal or a log may be given
 *
 * Text from a file, a peer or a vendor's library is shown as it is only when it can do no
 * more than stand there.  This is one rule for every place: the keyring's members, the
 * log, notes, the status document, the tool. */
#include <keyward/bytes.h>

struct range {
    uint32_t first, last;
};

/* Ascending.  ECMA-48: the controls of terminals.  UAX #9: the directional controls, with
 * which a text can read otherwise than it is (Trojan Source, CVE-2021-42574).  Joiners of
 * no width stay: words in Persian and in Indic scripts need them. */
static const struct range unprintable[] = {
    {0x00, 0x1f},           /* C0 (ECMA-48 5.2): escape, newline, backspace             */
    {0x7f, 0x9f},           /* DELETE and C1 (ECMA-48 5.3): U+009B alone begins a CSI   */
    {0x61c, 0x61c},         /* ARABIC LETTER MARK (UAX #9, 2.6)                         */
    {0x200e, 0x200f},       /* LEFT-TO-RIGHT MARK, RIGHT-TO-LEFT MARK (UAX #9, 2.6)     */
    {0x2028, 0x202e},       /* LINE and PARAGRAPH SEPARATOR (UAX #14, BK: a line of the
                               log is one line), embeddings and overrides (UAX #9, 2.1) */
    {0x2066, 0x206f},       /* isolates (UAX #9, 2.4), and the deprecated format
                               characters that swap mirrors and digits (Unicode, 23.3)  */
    {0xd800, 0xdfff},       /* surrogates: no characters (RFC 3629, 3)                  */
    {0xfeff, 0xfeff},       /* BYTE ORDER MARK: readers swallow it (Unicode, 23.8)      */
    {0xe0000, 0xe007f},     /* TAGS: a second text that nobody sees (Unicode, 23.9)     */
    {0x110000, UINT32_MAX}, /* beyond Unicode, KW_NO_CHARACTER: ends every search     */
};

bool kw_is_printable_char(uint32_t point)
{
    size_t i = 0;
    while (point > unprintable[i].last)
        i++;
    return point < unprintable[i].first;
}

bool kw_is_printable_text(kw_span s)
{
    while (s.len > 0) {
        uint32_t point;
        size_t n = kw_text_first(s, &point);
        if (!kw_is_printable_char(point))
            return false;
        s = kw_span_of(s.ptr + n, s.len - n);
    }
    return true;
}

bool kw_copy_printable(char *dst, size_t cap, kw_span s)
{
    size_t len = 0;
    bool whole = true;
    KW_INVARIANT(cap > 0);
    while (s.len > 0) {
        uint32_t point;
        size_t n = kw_text_first(s, &point);
        bool shown = kw_is_printable_char(point);
        kw_span one = shown ? kw_span_of(s.ptr, n) : kw_span_str("?");
        whole = whole && shown;
        if (one.len > cap - 1 - len) {
            whole = false;
            break;
        }
        kw_copy(dst + len, cap - len, one);
        len += one.len;
        s = kw_span_of(s.ptr + n, s.len - n);
    }
    dst[len] = '\0';
    return whole;
}

size_t kw_text_shown(kw_span s, char ret_text[KW_SHOWN_MAX])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t point;
    const size_t n = kw_text_first(s, &point);
    if (kw_is_printable_char(point)) {
        (void)kw_copy_str(ret_text, KW_SHOWN_MAX, kw_span_of(s.ptr, n));
        return n;
    }
    char *at = ret_text;
    for (size_t i = 0; i < n; i++) {
        *at++ = '\\';
        *at++ = 'x';
        *at++ = digits[s.ptr[i] >> 4];
        *at++ = digits[s.ptr[i] & 0xf];
    }
    *at = '\0';
    return n;
}
