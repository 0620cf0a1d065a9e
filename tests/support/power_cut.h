/* SPDX-License-Identifier: Apache-2.0 */
/* power_cut - a disk of which only what was synced is sure to be there when the power goes
 *
 * The calls do what they say to a real folder, and on the side it is known what of that a
 * power cut could undo.  An image is one of the folders that it may leave:
 *   of a file      what was there at its last sync; of what was written or cut off since
 *                  then each page of 4 KiB in any of the states that it had, and a size of
 *                  any of them (what lies within the size and never came is zeros)
 *   of the folder  the names of its last sync, and any of the changes since then
 * POSIX promises no more, and a test that holds here holds on every file system.
 *
 * One folder at a time, at most POWER_FILES files in it.  Not for threads. */
#ifndef KEYWARD_TESTS_POWER_CUT_H
#define KEYWARD_TESTS_POWER_CUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { POWER_FILES = 512 };

/* All files of this folder are on the disk.  `step` is called before each change, and may
 * take an image; a disk that `lies` says that a file is synced, and does nothing. */
void power_begin(const char *folder, void (*step)(void), bool lies);
void power_end(void);

/* Any number below `limit`, the same ones after the same seed. */
void power_seed(uint64_t seed);
uint32_t power_random(uint32_t limit);

/* From now on one sync in `of` fails with EIO, but never two that follow each other; 0: none.
 * What was to be synced is as if nobody had tried. */
void power_fail_syncs(uint32_t of);

/* Makes the folder `to`, 0750, with what may be left if the power went now. */
void power_image(const char *to);

int power_create(int dir, const char *name);
ssize_t power_write(int fd, const void *bytes, size_t len);
int power_truncate(int fd, off_t size);
int power_sync(int fd);
int power_rename(int from_dir, const char *from, int to_dir, const char *to);
int power_remove(int dir, const char *name);
int power_sync_folder(int dir);

#endif
