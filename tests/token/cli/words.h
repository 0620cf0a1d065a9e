/* SPDX-License-Identifier: Apache-2.0 */
/* words - what the tool printed as the next commands, run as it stands there */
#ifndef KEYWARD_TESTS_WORDS_H
#define KEYWARD_TESTS_WORDS_H

#include "printed.h"
#include "site.h"

/* Runs one line with a shell that finds this build's keyward; gives its exit status. */
int words_run(struct site *s, const char *command);

#endif
