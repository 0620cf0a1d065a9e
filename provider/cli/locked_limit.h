/* SPDX-License-Identifier: Apache-2.0 */
/* locked_limit - what a running process may lock and open, from /proc
 *
 * Pure: texts of proc(5) in, numbers out.
 */
#ifndef KEYWARD_CLI_LOCKED_LIMIT_H
#define KEYWARD_CLI_LOCKED_LIMIT_H

#include <keyward/bytes.h>

#define KW_UNLIMITED UINT64_MAX

/* The soft limit of /proc/PID/limits on locked memory, in bytes.  false: not there. */
bool kw_limits_locked(kw_span limits, uint64_t *ret_bytes);
/* The hard limit of the same file on open descriptors. */
bool kw_limits_descriptors(kw_span limits, uint64_t *ret_count);
/* CAP_IPC_LOCK among the effective ones of /proc/PID/status: the limit does not hold. */
bool kw_limits_may_lock_all(kw_span status);

#endif
