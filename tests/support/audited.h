/* SPDX-License-Identifier: Apache-2.0 */
/* audited - what is on record in an instance's audit log
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_AUDITED_H
#define KEYWARD_TESTS_AUDITED_H

#include "instance.h"

/* All files of the log in this folder, one after the other; good until the next call. */
const char *audited_text(const char *dir);
/* How often the text stands there. */
unsigned audited_lines(const char *dir, const char *what);
/* Both verifiers, and what the tool's ends with. */
void audited_verify(struct instance *h, const char *dir, int want);

/* The token makes the pair that signs checkpoints, and the configuration names it.  The line
 * is that of the configuration, for others that have the same pair. */
enum { AUDITED_KEY_LINE = 200 };
void audited_sign(struct instance *h, char ret_line[AUDITED_KEY_LINE]);
void audited_sign_too(struct instance *h, const char *line);
/* Writes to the file what grep finds in the log of a daemon that has ended, for --anchors;
 * gives the number of lines. */
unsigned audited_keep_anchors(const struct instance *h, const char *path);

#endif
