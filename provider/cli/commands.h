/* SPDX-License-Identifier: Apache-2.0 */
/* commands - a way out or what comes next, as it is printed: commands, one a line, that
 * run as they stand; a line that begins with "# " says when or where those below it are
 * to be run
 *
 * What does not fit is left out whole: half a command is none.  Pure: text only.
 */
#ifndef KEYWARD_CLI_COMMANDS_H
#define KEYWARD_CLI_COMMANDS_H

#include <keyward/err.h>
#include <keyward/state.h>

struct kw_commands {
    char text[KW_CURE_MAX]; /* lines */
    size_t len;
};

/* One more line, as it is: what may hold blanks goes through kw_shell_word before. */
void kw_commands_add(struct kw_commands *w, const char *fmt, ...) KW_PRINTF(2, 3);
/* "# …" */
void kw_commands_when(struct kw_commands *w, const char *fmt, ...) KW_PRINTF(2, 3);
/* The words of one command, ended by NULL, quoted where a shell wants it. */
void kw_commands_command(struct kw_commands *w, const char *const words[]);
/* Puts a file in the place of `keyring`, whole at every moment. */
void kw_commands_install(struct kw_commands *w, const char *file, const char *keyring);

#endif
