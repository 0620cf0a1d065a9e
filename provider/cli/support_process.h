/* SPDX-License-Identifier: Apache-2.0 */
/* support_process - processes by what they call themselves
 *
 * Source:    proc(5): /proc/PID/comm, /proc/PID/fdinfo.
 * Threads:   one.
 */
#ifndef KEYWARD_CLI_SUPPORT_PROCESS_H
#define KEYWARD_CLI_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { KW_SUPPORT_PROCESSES_MAX = 256 };

/* Gives how many there are, at most max. */
size_t kw_support_process_find(const char *name, pid_t *ret_pids, size_t max);
/* Was this descriptor opened for writing?  Who may only look at a file, or not even that
 * (O_PATH), has no log in it. */
bool kw_support_process_writes(pid_t pid, int fd);

#endif
