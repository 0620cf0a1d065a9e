/* SPDX-License-Identifier: Apache-2.0 */
/* member - one child of a measurement: started, heard, reaped, or left alone
 *
 * Threads:   one; there must be no other when it forks.
 * Blocking:  as each function says; every wait looks up at Ctrl-C.
 */
#ifndef KEYWARD_BENCH_TOKEN_MEMBER_H
#define KEYWARD_BENCH_TOKEN_MEMBER_H

#include <sys/types.h>

#include "board.h"

enum {
    KW_LOOK_MS = 100, /* at Ctrl-C, and at --stop-p99 */
    KW_PATIENCE_SETUP_S = 30,
};

struct kw_member {
    pid_t pid; /* 0: none, or gone */
    int fd;
};

typedef void kw_member_main(const struct kw_errand *errand); /* ends the process */

/* Forks a child that runs `run` with the errand and its end of a socket.  all[0..count)
 * are those that the child must not keep the ends of. */
KW_MUST_USE kw_err kw_member_start(const struct kw_member *all, size_t count,
                                   struct kw_member *m, kw_member_main *run,
                                   struct kw_errand *errand);
/* Blocks for what the child says next: READY, DONE, or 0 when it is dead.  false: it says
 * nothing KW_PATIENCE_SETUP_S after it was asked to stop. */
KW_MUST_USE bool kw_member_hear(const struct kw_member *m, struct kw_board *b,
                                char *ret_what);
/* Ctrl-C becomes board->stop; *until_ns becomes the end of patience, once it is set. */
void kw_member_look_up(struct kw_board *b, int64_t *until_ns, int64_t patience_s);
/* Reaps a child that has said DONE or is dead; gives its wait status. */
int kw_member_reap(struct kw_member *m);
/* The error of a child that died without a word. */
KW_MUST_USE kw_err kw_member_died(int status, const char *name, struct kw_note *note);
/* Leaves a child that hangs in the module to itself: it goes, and a keeper destroys its
 * key, when the module lets it. */
kw_err kw_member_leave(struct kw_member *m, const char *name, struct kw_note *note);

#endif
