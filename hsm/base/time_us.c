/* SPDX-License-Identifier: Apache-2.0 */
/* A time that was looked at, as a number. */
#include <keyward/clock.h>

#include <time.h>

enum { SECOND = sizeof "2026-01-31T12:00:00" - 1 };

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
