/* SPDX-License-Identifier: Apache-2.0 */
/* FROM..TO. */
#include "audit_period.h"

#include <stdio.h>
#include <string.h>

#include <keyward/audit.h>

#define PERIOD_SECOND "2026-01-31T12:00:00"
enum { WHOLE = sizeof PERIOD_SECOND - 1, DAY = sizeof "2026-01-31" - 1 };

/* What it stands for is written back as it was said: there is no 31st of February. */
static bool period_is_in_the_calendar(kw_span text, int64_t us)
{
    char back[KW_TIME_TEXT];
    const bool is_late = us >= INT64_C(7258118400) * 1000000; /* 2200-01-01T00:00:00Z */
    if (us < 0 || is_late)
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

bool kw_moment_read(const char *text, int64_t *ret_us)
{
    return period_time(kw_span_str(text), ret_us);
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
