/* SPDX-License-Identifier: Apache-2.0 */
/* audit_lines - the lines of a file of the audit log, in constant memory
 *
 * What a file of the log may hold is anything at all: every verb that reads one reads it here.
 */
#ifndef KEYWARD_CLI_AUDIT_LINES_H
#define KEYWARD_CLI_AUDIT_LINES_H

#include <keyward/bytes.h>
#include <keyward/err.h>

/* A line with its line feed; without one when the file ends there.  Of one that is longer than
 * KW_AUDIT_LINE_MAX comes the beginning, one byte more than that, and no line feed.  Returns
 * false when no more is wanted. */
typedef bool kw_audit_line_take(void *self, kw_span line);

/* Gives each line of `path` ("-": standard input) to `take`, in their order.  Blocks on the
 * file.
 * IO  it could not be read; the note says which, and why.  Lines may have been given */
KW_MUST_USE kw_err kw_audit_lines(const char *path, kw_audit_line_take *take, void *self,
                                  struct kw_note *note);
/* The same of a file that is open, from where it stands; the note calls it `path`. */
KW_MUST_USE kw_err kw_audit_lines_of(int fd, const char *path, kw_audit_line_take *take,
                                     void *self, struct kw_note *note);

#endif
