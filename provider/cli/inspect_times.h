/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_times - do the times of a KEK version tell of a wrong clock?
 *
 * Pure.  Times are as kw_time_text writes them, so that their order is that of their
 * text;
 * "" where something has not happened.
 */
#ifndef KEYWARD_CLI_INSPECT_TIMES_H
#define KEYWARD_CLI_INSPECT_TIMES_H

#include <stdbool.h>

#include <keyward/err.h>

struct kw_version_times {
    const char *created, *accepted, *activated, *retired, *disabled, *destroyed;
    const char *previous; /* when the version before it was created; "" = none */
};

/* true: each is a time, none is later than `latest`, created ≤ accepted ≤ activated ≤
 * retired ≤ destroyed and created ≤ disabled, and the version before it was not created
 * later.  Else the note names the two that do not fit. */
bool kw_times_fit(const struct kw_version_times *t, const char *latest,
                  struct kw_note *note);

#endif
