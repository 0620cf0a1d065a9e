/* SPDX-License-Identifier: Apache-2.0 */
/* Byte by byte: what a file says is looked at before anything else reads it. */
#include <keyward/clock.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Each '0' of the shape is a digit, everything else stands for itself. */
static bool has_shape(kw_span s, const char *shape)
{
    for (size_t i = 0; i < s.len; i++)
        if (shape[i] == '0' ? !is_digit(s.ptr[i]) : s.ptr[i] != (uint8_t)shape[i])
            return false;
    return true;
}

static unsigned two_digits(kw_span s, size_t at)
{
    return 10u * (unsigned)(s.ptr[at] - '0') + (unsigned)(s.ptr[at + 1] - '0');
}

/* Of a text that has the shape.  60 is a leap second. */
static bool is_on_the_clock(kw_span s)
{
    unsigned month = two_digits(s, 5);
    unsigned day = two_digits(s, 8);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           two_digits(s, 11) <= 23 && two_digits(s, 14) <= 59 && two_digits(s, 17) <= 60;
}

bool kw_is_time(kw_span s)
{
    static const char shape[] = "0000-00-00T00:00:00";
    const size_t whole = sizeof shape - 1;
    if (s.len < whole + 1 || !has_shape(kw_span_of(s.ptr, whole), shape) ||
        s.ptr[s.len - 1] != 'Z' || !is_on_the_clock(s))
        return false;
    kw_span fraction = kw_span_of(s.ptr + whole, s.len - whole - 1);
    return fraction.len == 0 ||
           (fraction.len >= 2 && fraction.ptr[0] == '.' &&
            kw_span_all(kw_span_of(fraction.ptr + 1, fraction.len - 1), is_digit));
}
