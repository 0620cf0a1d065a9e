/* SPDX-License-Identifier: Apache-2.0 */
/* clock - injected time
 *
 * Deadlines run on CLOCK_MONOTONIC, ages on CLOCK_BOOTTIME (a suspended machine grows
 * older), records on CLOCK_REALTIME.  Whoever needs the time is given a struct kw_clock;
 * tests give their own.
 *
 * Threads:  the system clock from any thread.
 */
#ifndef KEYWARD_CLOCK_H
#define KEYWARD_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <keyward/bytes.h>

#define KW_MS_NS INT64_C(1000000)
#define KW_S_NS INT64_C(1000000000)
/* Who looks several times a second and finds that more has passed has stood still: the
 * machine slept, or the process was stopped.  What is longer than this is charged to nobody;
 * so much is, or a process that is never let run for long would see no outage end. */
#define KW_PAUSE_NS (2 * KW_S_NS)

struct kw_clock {
    int64_t (*mono_ns)(void *self);
    int64_t (*boot_ns)(void *self);
    int64_t (*wall_ns)(void *self); /* since 1970-01-01T00:00:00Z */
    void *self;
};

extern const struct kw_clock kw_clock_system;

static inline int64_t kw_mono_ns(const struct kw_clock *c)
{
    return c->mono_ns(c->self);
}
static inline int64_t kw_boot_ns(const struct kw_clock *c)
{
    return c->boot_ns(c->self);
}
static inline int64_t kw_wall_ns(const struct kw_clock *c)
{
    return c->wall_ns(c->self);
}

/* An absolute point on CLOCK_MONOTONIC. */
typedef struct kw_deadline {
    int64_t mono_ns;
} kw_deadline;
#define KW_NEVER ((kw_deadline){INT64_MAX})

kw_deadline kw_deadline_in(const struct kw_clock *c, int64_t ns); /* saturates */
static inline bool kw_deadline_over(kw_deadline d, int64_t mono_now_ns)
{
    return mono_now_ns >= d.mono_ns;
}
static inline kw_deadline kw_deadline_first(kw_deadline a, kw_deadline b)
{
    return a.mono_ns < b.mono_ns ? a : b;
}

/* RFC 3339 in UTC with microseconds, such as 2026-01-31T12:00:00.000000Z. */
#define KW_TIME_TEXT 32
void kw_time_text(char dst[KW_TIME_TEXT], int64_t wall_ns);
/* RFC 3339 in UTC, with or without a fraction: 2026-01-31T12:00:00Z. */
bool kw_is_time(kw_span s);
/* Microseconds since 1970-01-01T00:00:00Z, of a text that kw_is_time took; what is finer is
 * left out. */
int64_t kw_time_us(kw_span text);

/* "1500ms", "10s", "15m", "1h", "0s": a whole number and one unit.  false for anything
 * else and for what does not fit. */
bool kw_duration_parse(const char *text, int64_t *ret_ns);
/* The shortest spelling that kw_duration_parse reads back; whole milliseconds only. */
void kw_duration_text(char *dst, size_t cap, int64_t ns);

#endif
