/* SPDX-License-Identifier: Apache-2.0 */
/* Byte by byte: what a file says is looked at before anything else reads it. */
#include <keyward/clock.h>

#include <time.h>

enum { SECOND = sizeof "2026-01-31T12:00:00" - 1 };

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

static int time_number(kw_span text, size_t at, size_t digits)
{
    int n = 0;
    for (size_t i = at; i < at + digits; i++)
        n = 10 * n + (text.ptr[i] - '0');
    return n;
}

/* Six digits, whatever the text has of them. */
static int64_t time_fraction(kw_span text)
{
    int64_t us = 0;
    for (size_t i = SECOND + 1; i < SECOND + 7; i++)
        us = 10 * us + (i + 1 < text.len ? text.ptr[i] - '0' : 0);
    return us;
}

int64_t kw_time_us(kw_span text)
{
    KW_INVARIANT(kw_is_time(text));
    struct tm tm = {.tm_year = time_number(text, 0, 4) - 1900,
                    .tm_mon = time_number(text, 5, 2) - 1,
                    .tm_mday = time_number(text, 8, 2),
                    .tm_hour = time_number(text, 11, 2),
                    .tm_min = time_number(text, 14, 2),
                    .tm_sec = time_number(text, 17, 2)};
    return (int64_t)timegm(&tm) * 1000000 + time_fraction(text);
}
