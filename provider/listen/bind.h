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

#include <keyward/bytes.h>

struct kw_bound {
    int fd;   /* listening                    */
    int lock; /* -1 when inherited            */
    dev_t dev;
    ino_t ino; /* of the file that we bound    */
};

/* See kw_listener_open for the errors. */
KW_MUST_USE kw_err kw_bind(const char *path, mode_t mode, struct kw_bound *ret_bound,
                           struct kw_note *note);
/* An inherited descriptor: is it a listening unix stream socket of this path? */
KW_MUST_USE kw_err kw_bind_inherited(const char *path, int fd, struct kw_bound *ret_bound,
                                     struct kw_note *note);
/* Unlinks the file when it is still the one that was bound. */
void kw_unbind(const char *path, struct kw_bound *bound);

#endif
