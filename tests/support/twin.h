/* SPDX-License-Identifier: Apache-2.0 */
/* twin - an instance with two or three tokens that hold the same keys
 *
 * Each further one is a copy of the first one's folder with a serial number of its own (a
 * cloned partition has one too), below its own softhsm2.conf.  Each token has a fault
 * module with a control file of its own.  The configuration names them TWIN_FIRST,
 * TWIN_SECOND and TWIN_THIRD.
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_TWIN_H
#define KEYWARD_TESTS_TWIN_H

#include "acts.h"

enum { FIRST, SECOND, THIRD, TWINS_MAX };
#define TWIN_FIRST "keyward"
#define TWIN_SECOND "token-2"
#define TWIN_THIRD "token-3"
const char *twin_name(unsigned token);

/* After instance_build and what the ceremony shall have made in both, before the daemon
 * starts.  `order`: "priority" or "spread".  Nothing is cached: every Decrypt is a job. */
void twin_make(struct instance *h, const char *order);
/* The same with more of each. */
struct twin_shape {
    const char *order;
    unsigned tokens;            /* 2..TWINS_MAX, with the first one */
    unsigned workers, sessions; /* of each token, of each worker    */
    bool calls;                 /* are logged: twin_logins          */
};
void twin_make_many(struct instance *h, const struct twin_shape *shape);
/* The second one has the first one's serial number, as a mere copy has. */
void twin_share_serial(struct instance *h);
/* The others get what was made in the first one since. */
void twin_clone_again(struct instance *h);
/* How often workers and the tool called this token's C_Login so far; fails when one began
 * before another one had ended. */
unsigned twin_logins(struct instance *h, unsigned token);

/* ---- accidents of one of them */

void twin_fault_set(struct instance *h, unsigned token, const char *control);
/* Every call of any use says that the device was removed, until it is honest again. */
void twin_pull_out(struct instance *h, unsigned token);
void twin_be_honest(struct instance *h, unsigned token);
/* Its folder is moved away and back. */
void twin_away(struct instance *h, unsigned token);
void twin_back(struct instance *h, unsigned token);
/* A signal to each of its workers that is ready; none is in C_Login then. */
void twin_signal_workers(struct instance *h, unsigned token, int signo);

/* ---- what is waited for: asked again after each line of the log */

/* So many workers of this token, all ready. */
void twin_await_workers(struct instance *h, unsigned token, size_t want);
/* keyward status ends with `want` and, unless it is NULL, says `text`. */
void twin_await_status(struct instance *h, int want, const char *text);

#endif
