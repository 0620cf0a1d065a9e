/* SPDX-License-Identifier: Apache-2.0 */
/* time_text - how times are spelled in our JSON files */
#ifndef KEYWARD_KEYRING_TIME_TEXT_H
#define KEYWARD_KEYRING_TIME_TEXT_H

#include <keyward/bytes.h>

/* RFC 3339 in UTC, with or without a fraction: 2026-01-31T12:00:00Z. */
bool kw_is_time(kw_span s);

#endif
