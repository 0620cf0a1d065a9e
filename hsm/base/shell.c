/* SPDX-License-Identifier: Apache-2.0 */
/* shell - a text as one word of sh(1) (POSIX.1-2017, XCU 2.2) */
#include <keyward/bytes.h>

#include <string.h>

static bool shell_is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._-+@%:,=", c) != NULL);
}

/* 'it'\''s': in single quotes everything but a single quote stands for itself. */
static bool shell_put_quoted(kw_dst *dst, kw_span text)
{
    bool fits = kw_dst_put_u8(dst, '\'');
    for (size_t i = 0; fits && i < text.len; i++)
        fits = text.ptr[i] == '\'' ? kw_dst_put(dst, kw_span_str("'\\''"))
                                   : kw_dst_put_u8(dst, text.ptr[i]);
    return fits && kw_dst_put_u8(dst, '\'');
}

bool kw_shell_word(char *ret_word, size_t cap, const char *text)
{
    kw_span s = kw_span_str(text);
    kw_dst dst = kw_dst_of(ret_word, cap - 1);
    bool fits = s.len > 0 && kw_span_all(s, shell_is_plain) ? kw_dst_put(&dst, s)
                                                            : shell_put_quoted(&dst, s);
    ret_word[fits ? dst.len : 0] = '\0';
    return fits;
}
