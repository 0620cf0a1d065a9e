/* SPDX-License-Identifier: Apache-2.0 */
/* new_file - a file that appears under its name whole and durable, or not at all
 *
 * It is written without a name (O_TMPFILE), and gets the name at its end: a process that
 * is killed, or a disk that is full, leaves nothing under it.  Where the disk has no such
 * files it is written as .NAME.part-PID beside it, which a killed process leaves behind.
 * What is there already is never written over.
 *
 * Threads:   one a struct kw_new_file.
 * Blocking:  on the disk.
 * Secrets:   none.
 */
#ifndef KEYWARD_CLI_NEW_FILE_H
#define KEYWARD_CLI_NEW_FILE_H

#include <limits.h>
#include <stdio.h>

#include <keyward/err.h>

/* Owned; ended or dropped. */
struct kw_new_file {
    FILE *out; /* to be written to; not to be closed */
    const char *path;
    int folder;
    char name[NAME_MAX + 1], part[NAME_MAX + 1]; /* part: "" without a name */
};

enum kw_new_file_way {
    KW_NEW_FILE_NAMELESS, /* BESIDE where the disk cannot */
    KW_NEW_FILE_BESIDE,
};

/* Mode 0600, whatever the umask.  `path` is borrowed until the end.
 * DENIED  there is something of this name, or of that of the part; native = EEXIST
 * IO      native = errno; the note names the path */
KW_MUST_USE kw_err kw_new_file_begin(const char *path, enum kw_new_file_way way,
                                     struct kw_new_file *ret_file, struct kw_note *note);
/* Flushes, makes it durable and names it.  After a failure nothing of it is left.
 * DENIED  somebody else made one of this name meanwhile, which stays
 * IO      also what `out` met before */
KW_MUST_USE kw_err kw_new_file_end(struct kw_new_file *file, struct kw_note *note);
/* Nothing of it is left. */
void kw_new_file_drop(struct kw_new_file *file);

#endif
