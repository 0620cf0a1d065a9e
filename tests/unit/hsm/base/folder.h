/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the test's own. */
#ifndef KEYWARD_TESTS_BASE_FOLDER_H
#define KEYWARD_TESTS_BASE_FOLDER_H

#include <sys/types.h>

struct folder {
    char path[64];
    char file[96]; /* "<path>/file", not made yet */
};
void folder_make(struct folder *f); /* below /tmp */
void folder_make_in(struct folder *f, const char *parent);
/* Removes the folder; fails when anything but "file" lies in it. */
void folder_remove(struct folder *f);
void put_file(const char *path, const char *text, mode_t mode);
/* The file's bytes are exactly text. */
void check_file(const char *path, const char *text);

#endif
