/* SPDX-License-Identifier: Apache-2.0 */
/* reach - a path as one user sees it: can it be got at, and who else could exchange it
 *
 * Each call speaks of the uid it runs under, so it is made in a child of the daemon's
 * user (child.h).  That user and root are trusted, and nobody else: what others may write
 * they may exchange.  A folder with the sticky bit (/tmp) is safe, as nobody moves there
 * what belongs to somebody else.
 *
 * Threads:   any.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_CLI_REACH_H
#define KEYWARD_CLI_REACH_H

#include <keyward/err.h>

/* Every folder above `path` (absolute), from / on; the true ones too, when a symbolic
 * link leads elsewhere. MISSING  one is not there DENIED   this user cannot pass one, or
 * others could exchange what lies in it: the note names the folder and what to do */
KW_MUST_USE kw_err kw_reach_folders(const char *path, struct kw_note *note);

/* The file itself: a regular one, which this user can read and nobody else can change.
 * MISSING, DENIED, BAD_INPUT */
KW_MUST_USE kw_err kw_reach_file(const char *path, struct kw_note *note);

/* Writes a file into `folder`, as large as the largest that keyward keeps there, and
 * removes it (".keyward-check-…"; one that is left of a killed process may be removed).
 * IO  native = errno: no rights, a read-only or full file system */
KW_MUST_USE kw_err kw_reach_writable(const char *folder, struct kw_note *note);

#endif
