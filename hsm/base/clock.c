/* SPDX-License-Identifier: Apache-2.0 */
/* The system's clocks, deadlines, and how times and durations are spelled. */
#include <keyward/clock.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <keyward/err.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    KW_MUST(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * KW_S_NS + t.tv_nsec;
}

static int64_t mono(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t boot(void *self)
{
    (void)self;
    return read_clock(CLOCK_BOOTTIME);
}

static int64_t wall(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

const struct kw_clock kw_clock_system = {mono, boot, wall, NULL};

kw_deadline kw_deadline_in(const struct kw_clock *c, int64_t ns)
{
    int64_t now = kw_mono_ns(c);
    if (ns > INT64_MAX - now)
        return KW_NEVER;
    return (kw_deadline){now + ns};
}

void kw_time_text(char dst[KW_TIME_TEXT], int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / KW_S_NS);
    struct tm tm;
    KW_MUST(wall_ns >= 0 && gmtime_r(&seconds, &tm) != NULL);
    char day[24];
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(dst, KW_TIME_TEXT, "%s.%06dZ", day, (int)(wall_ns % KW_S_NS / 1000));
}

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"h", 3600 * KW_S_NS}, {"m", 60 * KW_S_NS}, {"s", KW_S_NS}, {"ms", KW_MS_NS}};
enum { UNITS = sizeof units / sizeof units[0] };

bool kw_duration_parse(const char *text, int64_t *ret_ns)
{
    int64_t n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > (INT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (*p - '0');
    }
    for (size_t i = 0; p != text && i < UNITS; i++)
        if (strcmp(p, units[i].name) == 0) {
            if (n > INT64_MAX / units[i].ns)
                return false;
            *ret_ns = n * units[i].ns;
            return true;
        }
    return false;
}

void kw_duration_text(char *dst, size_t cap, int64_t ns)
{
    size_t i = 0;
    while (i + 1 < UNITS && ns % units[i].ns != 0)
        i++;
    if (ns == 0)
        i = 2; /* "0s" */
    snprintf(dst, cap, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
}
