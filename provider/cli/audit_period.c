/* SPDX-License-Identifier: Apache-2.0 */
/* FROM..TO. */
#include "audit_period.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <keyward/audit.h>

#define PERIOD_SECOND "2026-01-31T12:00:00"
enum { WHOLE = sizeof PERIOD_SECOND - 1, DAY = sizeof "2026-01-31" - 1 };

static int period_number(kw_span text, size_t at, size_t digits)
{
    int n = 0;
    for (size_t i = at; i < at + digits; i++)
        n = 10 * n + (text.ptr[i] - '0');
    return n;
}

/* Six digits, whatever the text has of them. */
static int64_t period_fraction(kw_span text)
{
    int64_t us = 0;
    for (size_t i = WHOLE + 1; i < WHOLE + 7; i++)
        us = 10 * us + (i + 1 < text.len ? text.ptr[i] - '0' : 0);
    return us;
}

int64_t kw_time_us(kw_span text)
{
    KW_INVARIANT(kw_is_time(text));
    struct tm tm = {.tm_year = period_number(text, 0, 4) - 1900,
                    .tm_mon = period_number(text, 5, 2) - 1,
                    .tm_mday = period_number(text, 8, 2),
                    .tm_hour = period_number(text, 11, 2),
                    .tm_min = period_number(text, 14, 2),
                    .tm_sec = period_number(text, 17, 2)};
    return (int64_t)timegm(&tm) * 1000000 + period_fraction(text);
}

/* What it stands for is written back as it was said: there is no 31st of February. */
static bool period_is_in_the_calendar(kw_span text, int64_t us)
{
    char back[KW_TIME_TEXT];
    const int year = period_number(text, 0, 4);
    if (year < 1970 || year > 2199 || us < 0)
        return false;
    kw_time_text(back, us * 1000);
    return kw_span_equal(kw_span_of((const uint8_t *)back, WHOLE),
                         kw_span_of(text.ptr, WHOLE));
}

static bool period_time(kw_span said, int64_t *ret_us)
{
    char room[KW_TIME_TEXT];
    if (said.len > KW_AUDIT_TIME)
        return false;
    snprintf(room, sizeof room, "%.*s%s", (int)said.len, (const char *)said.ptr,
             said.len == DAY ? "T00:00:00Z" : "");
    const kw_span text = kw_span_str(room);
    if (!kw_is_time(text))
        return false;
    *ret_us = kw_time_us(text);
    return period_is_in_the_calendar(text, *ret_us);
}

bool kw_period_read(const char *text, struct kw_period *ret_period)
{
    struct kw_period p;
    const char *between = strstr(text, "..");
    if (between == NULL ||
        !period_time(kw_span_of((const uint8_t *)text, (size_t)(between - text)),
                     &p.from_us) ||
        !period_time(kw_span_str(between + 2), &p.to_us) || p.from_us >= p.to_us)
        return false;
    *ret_period = p;
    return true;
}
