/* SPDX-License-Identifier: Apache-2.0 */
/* words - what the tool printed as the next commands, run as it stands there
 *
 * Commands are the lines that are indented by two and do not begin with "# ". */
#ifndef KEYWARD_TESTS_WORDS_H
#define KEYWARD_TESTS_WORDS_H

#include "site.h"

/* The n-th command (from 0) of `text` below the first comment that has `below` in it
 * (NULL: from the beginning); it must be there. */
void words_command(const char *text, const char *below, size_t n, char dst[2048]);

/* Runs one line with a shell that finds this build's keyward; gives its exit status. */
int words_run(struct site *s, const char *command);

#endif
