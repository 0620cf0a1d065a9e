/* SPDX-License-Identifier: Apache-2.0 */
/* A valid configuration, and what changes in it are answered with. */
#ifndef KEYWARD_TESTS_CONFIG_SAMPLE_H
#define KEYWARD_TESTS_CONFIG_SAMPLE_H

#include "check.h"

#include <keyward/config.h>

/* One line of the sample replaced by others, or (with line 0) the whole text. */
struct change {
    unsigned line;      /* counted from 1              */
    const char *with;   /* may hold several lines      */
    const char *answer; /* what the note begins with, after "c.yaml:" */
    const char *also;   /* and holds; NULL for nothing */
};

extern const char *const sample_text;

/* The sample with a change, in `dst`. */
#define SAMPLE_MAX 8192
void sample_with(const struct change *c, char dst[SAMPLE_MAX]);
/* Parses the sample with a change; the caller frees. */
struct kw_config *sample_accept(unsigned line, const char *with);
/* Fails the case unless every change is refused exactly as it says. */
void check_refused(const struct change *changes, size_t count);
#define CHECK_REFUSED(changes)                                                           \
    check_refused(changes, sizeof(changes) / sizeof((changes)[0]))

#endif
