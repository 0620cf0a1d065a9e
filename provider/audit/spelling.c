/* SPDX-License-Identifier: Apache-2.0 */
#include "spelling.h"

#include <stdio.h>

#include <keyward/clock.h>

static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

static bool spelling_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(uint8_t c)
{
    return spelling_is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_word_char(uint8_t c)
{
    return spelling_is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
}

static bool is_text_char(uint8_t c)
{
    return c < 0x80 && kw_is_printable_char(c) && c != '"' && c != '\\';
}

/* As kw_span_all, which the compiler does not look into from here. */
static inline bool spelling_all(kw_span s, bool (*accept)(uint8_t))
{
    for (size_t i = 0; i < s.len; i++)
        if (!accept(s.ptr[i]))
            return false;
    return true;
}

void kw_audit_make_text(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (!is_text_char((uint8_t)*c))
            *c = *c == '"' ? '\'' : '?';
}

/* In the shape 'x' is a digit of hex, everything else stands for itself. */
static bool spelling_has_shape(kw_span s, const char *shape, size_t len)
{
    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (shape[i] == 'x' ? !is_hex_digit(s.ptr[i]) : s.ptr[i] != (uint8_t)shape[i])
            return false;
    return true;
}

/* So long, with six digits behind the second and nothing else. */
bool kw_audit_is_time(kw_span s)
{
    return s.len == KW_AUDIT_TIME && kw_is_time(s);
}

kw_span kw_audit_digits(uint64_t number, uint8_t room[KW_AUDIT_DIGITS])
{
    size_t at = KW_AUDIT_DIGITS;
    do
        room[--at] = (uint8_t)('0' + number % 10);
    while ((number /= 10) > 0 && at > 0);
    return kw_span_of(room + at, KW_AUDIT_DIGITS - at);
}

bool kw_audit_take(struct kw_src *src, const char *literal)
{
    const kw_span want = kw_span_str(literal), rest = kw_src_rest(src);
    if (rest.len < want.len)
        return false;
    for (size_t i = 0; i < want.len; i++) /* few: a call of memcmp(3) costs more */
        if (rest.ptr[i] != want.ptr[i])
            return false;
    (void)kw_src_take(src, want.len);
    return true;
}

bool kw_audit_take_number(struct kw_src *src, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (kw_span rest = kw_src_rest(src);
         digits < rest.len && spelling_is_digit(rest.ptr[digits]); digits++) {
        const uint64_t digit = (uint64_t)(rest.ptr[digits] - '0');
        if (number > ((uint64_t)INT64_MAX - digit) / 10 || (digits > 0 && number == 0))
            return false; /* too much, or a leading zero */
        number = 10 * number + digit;
    }
    (void)kw_src_take(src, digits);
    *ret_number = number;
    return digits > 0;
}

/* "other:LENGTH:" and 16 digits of hex. */
static bool is_foreign(kw_span s)
{
    static const char head[] = "other:", tail[] = ":xxxxxxxxxxxxxxxx";
    struct kw_src src = kw_src_of(s);
    uint64_t length;
    return kw_span_equal_str(kw_src_take(&src, sizeof head - 1), head) &&
           kw_audit_take_number(&src, &length) &&
           spelling_has_shape(kw_src_rest(&src), tail, sizeof tail - 1);
}

/* kw_key_id_parse has more to say of it; here it is a form. */
static bool is_key_id(kw_span s)
{
    static const char head[] = "kw1-", tail[] = "-xxxxxxxxxxxxxxxxxxxxxxxx";
    struct kw_src src = kw_src_of(s);
    uint64_t n;
    return kw_span_equal_str(kw_src_take(&src, sizeof head - 1), head) &&
           kw_audit_take_number(&src, &n) && n <= UINT32_MAX &&
           spelling_has_shape(kw_src_rest(&src), tail, sizeof tail - 1);
}

static bool is_own(enum kw_audit_spelling spelling, kw_span s)
{
    return spelling == KW_AUDIT_KEY_ID ? is_key_id(s)
                                       : spelling_has_shape(s, uuid, sizeof uuid - 1);
}

bool kw_audit_is_spelled(const struct kw_audit_member *member, kw_span s)
{
    switch (member->spelling) {
    case KW_AUDIT_WORD:
        return s.len >= 1 && s.len <= member->most && spelling_all(s, is_word_char);
    case KW_AUDIT_TEXT: return s.len <= member->most && spelling_all(s, is_text_char);
    case KW_AUDIT_HEX: return s.len == 2u * member->most && spelling_all(s, is_hex_digit);
    case KW_AUDIT_REQUEST:
    case KW_AUDIT_KEY_ID: return is_own(member->spelling, s) || is_foreign(s);
    case KW_AUDIT_NUMBER: break;
    }
    return false;
}

kw_err kw_audit_name(enum kw_audit_spelling spelling, kw_span name,
                     char dst[KW_AUDIT_NAME])
{
    uint8_t digest[KW_SHA256];
    char hex[2 * 8 + 1];
    if (is_own(spelling, name)) {
        kw_copy_str(dst, KW_AUDIT_NAME, name);
        return KW_OK;
    }
    kw_err e = kw_sha256(name, digest);
    if (kw_failed(e))
        return e;
    kw_hex(hex, sizeof hex, kw_span_of(digest, 8));
    snprintf(dst, KW_AUDIT_NAME, "other:%zu:%s", name.len, hex);
    return KW_OK;
}
