/* SPDX-License-Identifier: Apache-2.0 */
/* scan - does a secret lie anywhere in the memory of another process?
 *
 * Needles are kept masked, so that what looks for them is no copy of them. */
#ifndef KEYWARD_TESTS_SCAN_H
#define KEYWARD_TESTS_SCAN_H

#include "check.h"

#include <sys/types.h>

enum { SCAN_NEEDLES_MAX = 4096, SCAN_NEEDLE_MIN = 8, SCAN_NEEDLE_MAX = 64 };

struct scan;
struct scan *scan_new(void);
void scan_free(struct scan *s);
/* A whole copy of these bytes (8 to 64) is a hit. */
void scan_add(struct scan *s, kw_span needle);

/* May this process read the other one's memory at all? */
bool scan_may(pid_t pid);
/* How many copies lie in all readable memory of the process.  With a name, each is shown
 * with its mapping; pages that nobody may read (memfd_secret) are passed over. */
unsigned scan_process(const struct scan *s, pid_t pid, const char *name);
/* The same without what lies in memory that is locked (mlock(2)). */
unsigned scan_unlocked(const struct scan *s, pid_t pid, const char *name);

#endif
