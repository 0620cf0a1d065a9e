/* SPDX-License-Identifier: Apache-2.0 */
/* status_read - the running daemon's status document, as its socket gives it
 *
 * Blocking:  some seconds at most for each part of the answer.
 */
#ifndef KEYWARD_CLI_STATUS_READ_H
#define KEYWARD_CLI_STATUS_READ_H

#include <stddef.h>
#include <sys/types.h>

#include <keyward/err.h>
#include <keyward/limits.h>

/* IO         nobody answers, or not to this user
 * BAD_INPUT  `path` is too long for a socket
 * *ret_daemon, where it is wanted: who listens there, by the kernel's word; 0 = of another
 * pid namespace. */
KW_MUST_USE kw_err kw_status_read(const char *path, char *dst, size_t cap,
                                  size_t *ret_len, pid_t *ret_daemon,
                                  struct kw_note *note);

#endif
