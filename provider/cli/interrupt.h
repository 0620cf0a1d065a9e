/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt - Ctrl-C and its like, put off while something must not stay half done
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT end keyward at once, as they end any program, but
 *   - while a child works (child.h) they are passed on to it, and the parent stays so
 *     that it can tidy up: the child is in a session of its own, where the terminal does
 *     not reach it;
 *   - from kw_interrupt_hold on they are noted and passed on, and no further child is
 *     begun, except those that tidy up (kw_child.stays);
 *   - from kw_interrupt_finish on they are noted and nothing else: what was begun is done
 *     and only to be written down.
 * A signal that was ignored when keyward started (nohup, a background job) stays so.
 *
 * Threads:   one.
 */
#ifndef KEYWARD_CLI_INTERRUPT_H
#define KEYWARD_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Each forgets what was noted before. */
void kw_interrupt_hold(void);
void kw_interrupt_finish(void);
void kw_interrupt_release(void);

/* The number of the last signal noted; 0 when none was. */
int kw_interrupt_seen(void);

/* ---- for child.c ------------------------------------------------------------------- */

/* Around each child: notes and passes on, whether held or not. */
void kw_interrupt_enter(void);
void kw_interrupt_leave(void);
/* No child may be begun: held, and a signal was noted. */
bool kw_interrupt_refuses(void);

/* The four are blocked, so that a child's number and its life change together. */
void kw_interrupt_block(sigset_t *ret_old);
void kw_interrupt_pass_to(pid_t child); /* 0 = to nobody */
pid_t kw_interrupt_target(void);        /* to whom now                  */

/* In the child: they end it again, or are ignored. */
void kw_interrupt_ignore(bool ignore);

#endif
