/* SPDX-License-Identifier: Apache-2.0 */
/* folder - a copy of a folder with all that lies in it, such as a token of SoftHSM's; and
 * the files below one
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_FOLDER_H
#define KEYWARD_TESTS_FOLDER_H

#include <stddef.h>

/* What is in src and not in dst, with its owner and mode.  dst is made when it is not there,
 * and is sealed as src is afterwards. */
void folder_copy(const char *src, const char *dst);

/* The paths of all files below it, at most `max`; how many there are. */
enum { FOLDER_PATH = 300 };
size_t folder_files(const char *dir, char dst[][FOLDER_PATH], size_t max);

#endif
