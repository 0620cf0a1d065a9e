/* SPDX-License-Identifier: Apache-2.0 */
/* probe_progress - one line of a terminal that says what is waited for
 *
 * Nothing in the first second of a run; then the line is written anew once a second, until
 * it is taken away.
 *
 * Threads:   one.
 */
#ifndef KEYWARD_CLI_PROBE_PROGRESS_H
#define KEYWARD_CLI_PROBE_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

struct kw_clock;

struct kw_probe_progress {
    FILE *out; /* NULL: no terminal, nothing is shown */
    const struct kw_clock *clock;
    const char *what;
    size_t at, of;
    int64_t since_ns, due_ns;
    int width; /* of the line that stands there */
};
void kw_probe_progress_begin(struct kw_probe_progress *p, FILE *out,
                             const struct kw_clock *clock);
/* Call `at` of `of` is next; `what` (a literal) is another one: the seconds count anew. */
void kw_probe_progress_step(struct kw_probe_progress *p, const char *what, size_t at,
                            size_t of);
/* Time went by. */
void kw_probe_progress_tick(void *progress);
/* Takes the line away, before anything else is written to the terminal. */
void kw_probe_progress_clear(struct kw_probe_progress *p);

#endif
