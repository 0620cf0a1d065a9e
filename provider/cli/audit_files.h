/* SPDX-License-Identifier: Apache-2.0 */
/* audit_files - the files of an audit log, as words of the command line say them
 *
 * A word is a file, "-" for standard input, or the folder of a log: in its place stand the
 * files audit-*.jsonl in their order, and audit.jsonl.  Of a log that is being written that is
 * what it was at one moment: a file that ends meanwhile is not read twice, and none is left out.
 */
#ifndef KEYWARD_CLI_AUDIT_FILES_H
#define KEYWARD_CLI_AUDIT_FILES_H

#include <keyward/args.h>

#include "audit_lines.h"

struct kw_audit_reader {
    void (*begins)(void *self, const char *path); /* borrowed until the next one begins */
    kw_audit_line_take *take;                     /* false: no more, of no file */
    void *self;
};

/* Gives all lines of all of them.  Blocks on the files.
 * IO         one could not be read; the note says which, and why
 * MISSING    a folder has no file of a log; the note names it
 * NO_MEMORY */
KW_MUST_USE kw_err kw_audit_files(const struct kw_words *words,
                                  const struct kw_audit_reader *reader,
                                  struct kw_note *note);
/* The same of one folder, and of the log of this name in it: `audit`, `operator`.  When none
 * of its files is there, or no folder, nothing begins.
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_audit_folder(const char *folder, const char *name,
                                   const struct kw_audit_reader *reader,
                                   struct kw_note *note);

#endif
