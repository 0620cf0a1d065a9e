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

#endif
