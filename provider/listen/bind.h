/* SPDX-License-Identifier: Apache-2.0 */
/* bind - one socket file, ours alone
 *
 * The lock <path>.lock is held from before the look at the path until close; its file
 * stays, because removing a lock file races with whoever opens it.  The socket is bound
 * under another name and renamed over the path when it listens, so nobody meets it half
 * made.
 *
 * Threads:  main.
 */
#ifndef KEYWARD_LISTEN_BIND_H
#define KEYWARD_LISTEN_BIND_H

#include <sys/stat.h>

#include <keyward/listen.h>

/* An inherited descriptor: is it a listening unix stream socket of this path, and the file
 * there of this mode, and root's or this uid's?  The same errors as kw_listener_open. */
KW_MUST_USE kw_err kw_bind_inherited(const char *path, mode_t mode, int fd,
                                     struct kw_bound *ret_bound, struct kw_note *note);

#endif
