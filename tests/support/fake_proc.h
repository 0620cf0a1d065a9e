/* SPDX-License-Identifier: Apache-2.0 */
/* fake_proc - a /proc of the test's own */
#ifndef KEYWARD_TESTS_FAKE_PROC_H
#define KEYWARD_TESTS_FAKE_PROC_H

#include <stdint.h>

extern char fake_proc[64];
void fake_proc_begin(void);
void fake_proc_end(void);
/* A process of one thread; the same again replaces it.  */
void fake_proc_put(int32_t pid, int32_t parent, const char *comm, uint64_t cpu_ns);
/* One of its files; NULL: it is not there. */
void fake_proc_file(int32_t pid, const char *name, const char *text);

#endif
