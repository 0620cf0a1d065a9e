/* SPDX-License-Identifier: Apache-2.0 */
/* child - work that is done in a process of its own, under another uid
 *
 * A login rewrites the files of a soft token, and a vendor library may crash or hang: so
 * each one happens in a child, under the uid that owns the files, with an environment
 * that holds nothing but what the token's configuration names.
 *
 * A child of root becomes the user for good, with the group and the further groups that a
 * login of that user would have, root's group never among them.  It has no controlling
 * terminal (a session of its own), dumps no core and cannot be traced: PR_SET_DUMPABLE is
 * cleared once more after the change of uid, which sets it to fs.suid_dumpable.
 *
 * Threads:   fork(2) without exec: only before the first thread.
 * Blocking:  until the child ends.  SIGINT, SIGTERM, SIGHUP and SIGQUIT reach it through
 *            the parent (interrupt.h); it ignores them while kw_child_hold says so.
 * Secrets:   the child's arena only; nothing secret may lie in shared memory.
 */
#ifndef KEYWARD_CLI_CHILD_H
#define KEYWARD_CLI_CHILD_H

#include <sys/types.h>

#include <keyward/config.h>
#include <keyward/err.h>

struct kw_child {
    uid_t uid; /* who the child becomes; this process's own when it is not root */
    gid_t gid; /* its group, for a uid that no user has: others have their own */
    const struct kw_config_var *env; /* all of its environment */
    size_t env_count;
    size_t arena_bytes; /* 0 = no arena */
    bool stays; /* short work that must not be half done: ignores the four signals from
                   its first moment, and is begun even when one was noted */
    /* In the parent, with the same `shared`, while the child runs; it comes back at the
     * latest when the child is gone.  May run children that stay.  NULL: nothing. */
    void (*attend)(void *shared);
};

/* Zeroed memory that a child shares with its parent; NULL when there is none. */
void *kw_shared_new(size_t size);
void kw_shared_free(void *p, size_t size); /* NULL does nothing */

typedef kw_err kw_child_work(void *shared, struct kw_note *note);

/* Runs work(shared) in the child and gives back what it gave back.
 * DENIED     this process may not become `uid`, or the group of `uid` is root's
 * CANCELLED  a signal came from outside, and the child ended of it or was not begun
 * HSM_DOWN   the child died of another signal (the note says which) */
KW_MUST_USE kw_err kw_child_run(const struct kw_child *child, kw_child_work *work,
                                void *shared, struct kw_note *note);

/* In the child: from now on the terminal's signals are ignored, or not any more. */
void kw_child_hold(bool hold);
/* In the child: the kernel ends it (SIGKILL) after so many seconds, with or without its
 * parent, unless 0 is said before.  false: there is no such timer; nothing is limited. */
bool kw_child_limit(unsigned seconds);

#endif
