/* SPDX-License-Identifier: Apache-2.0 */
/* audit_period - a period as the command line says it
 *
 * Pure.  A period is half open: from its first microsecond to before its last.
 */
#ifndef KEYWARD_CLI_AUDIT_PERIOD_H
#define KEYWARD_CLI_AUDIT_PERIOD_H

#include <keyward/clock.h>

struct kw_period {
    int64_t from_us, to_us; /* since 1970-01-01T00:00:00Z */
};

static inline bool kw_period_has(const struct kw_period *period, int64_t us)
{
    return period->from_us <= us && us < period->to_us;
}

/* A date (2026-01-01: its midnight, UTC) or a time as records have it, of the years 1970 to
 * 2199.  false: it is none, or the day is in no calendar. */
KW_MUST_USE bool kw_moment_read(const char *text, int64_t *ret_us);
/* FROM..TO, each of them such a moment.  false: one is not, or FROM is not before TO. */
KW_MUST_USE bool kw_period_read(const char *text, struct kw_period *ret_period);

#endif
