/* SPDX-License-Identifier: Apache-2.0 */
/* printed - commands that a text for people has, to be run as they stand there
 *
 * Commands are the lines that are indented by two and do not begin with "# ". */
#ifndef KEYWARD_TESTS_PRINTED_H
#define KEYWARD_TESTS_PRINTED_H

#include <stddef.h>

/* The n-th command (from 0) of `text` below the first comment that has `below` in it
 * (NULL: from the beginning); it must be there. */
void printed_command(const char *text, const char *below, size_t n, char dst[2048]);

#endif
