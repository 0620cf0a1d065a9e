/* SPDX-License-Identifier: Apache-2.0 */
/* support_process - processes by what they call themselves
 *
 * Source:    proc(5), /proc/PID/comm.
 * Threads:   one.
 */
#ifndef KEYWARD_CLI_SUPPORT_PROCESS_H
#define KEYWARD_CLI_SUPPORT_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

enum { KW_SUPPORT_PROCESSES_MAX = 256 };

/* Gives how many there are, at most max. */
size_t kw_support_process_find(const char *name, pid_t *ret_pids, size_t max);

#endif
