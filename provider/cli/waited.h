/* SPDX-License-Identifier: Apache-2.0 */
/* waited - was a version in a state on this node for long enough? */
#ifndef KEYWARD_CLI_WAITED_H
#define KEYWARD_CLI_WAITED_H

#include "cli.h"
#include "context.h"

struct kw_wait {
    const char *state;    /* which one, as the words say it   */
    int64_t ns;           /* how long                         */
    const char *how_long; /* the same in words                */
    const char *why;      /* what the wait is for: ", so that" */
};

/* -1: it was, by the clock that nobody sets (moment.h); else the exit code, and it has
 * said since when, or what helps when that is not known. */
int kw_waited(const struct kw_cli *cli, const struct kw_context *context, uint32_t n,
              const struct kw_wait *wait);

#endif
