/* SPDX-License-Identifier: Apache-2.0 */
/* way - a way out, as it is printed: commands, one a line, that run as they stand; a line
 * that begins with "# " says when those below it are the ones to run
 *
 * What does not fit is cut at a line: half a command is none.
 */
#ifndef KEYWARD_CLI_WAY_H
#define KEYWARD_CLI_WAY_H

#include <keyward/err.h>
#include <keyward/state.h>

struct kw_way {
    char text[KW_CURE_MAX];
    size_t len;
};

/* "# …" */
void kw_way_when(struct kw_way *w, const char *fmt, ...) KW_PRINTF(2, 3);
/* The words of one command, ended by NULL, quoted where a shell wants it. */
void kw_way_command(struct kw_way *w, const char *const words[]);
/* Puts a file in the place of `keyring`, whole at every moment. */
void kw_way_install(struct kw_way *w, const char *file, const char *keyring);

#endif
