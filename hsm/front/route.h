/* SPDX-License-Identifier: Apache-2.0 */
/* route - which token a job goes to
 *
 * A token may try a job when it is in rotation (UP, a worker of the keyring in use is
 * ready, its breaker is closed), has nothing against the job's version and did not fail this job
 * before.  By `priority` the first one in the order of the configuration that may try it
 * gets it, never a later one because that one is busy; by `spread` whichever has room.
 * When none may, any token that has nothing against the version does, rather than none.
 *
 * While another token may still try it, an attempt takes a third of the deadline at most.
 * A token that is slower than that is no worse than any other when it is the only one
 * left, so a session hangs after a whole deadline, as with one token (supervisor.h).
 *
 * Any thread. */
#ifndef KEYWARD_FRONT_ROUTE_H
#define KEYWARD_FRONT_ROUTE_H

#include <keyward/clock.h>
#include <keyward/mutex.h>

struct kw_front;
struct kw_front_token;
struct kw_job;
struct kw_worker;

/* Does this worker's token get this job, and does the worker know its key? */
bool kw_route_goes(const struct kw_worker *w, const struct kw_job *j) KW_LOCKED;
/* A token other than this one may still try it. */
bool kw_route_has_other(const struct kw_front_token *t, const struct kw_job *j) KW_LOCKED;
bool kw_route_in_rotation(const struct kw_front_token *t) KW_LOCKED;
/* By priority, and all that wait is for the first token: nobody else needs to look. */
bool kw_route_all_for_the_first(const struct kw_front *f) KW_LOCKED;
/* Until when the job may be at this token. */
kw_deadline kw_route_attempt(const struct kw_front_token *t,
                             const struct kw_job *j) KW_LOCKED;
/* Jobs whose attempt is over go to another token. */
void kw_route_expire(struct kw_front *f, int64_t now_ns) KW_LOCKED;
/* Jobs that wait for a key which only lost tokens have end with HSM_DOWN. */
void kw_route_give_up(struct kw_front *f) KW_LOCKED;

/* A job failed at this token, or did well. */
void kw_route_failed(struct kw_front_token *t) KW_LOCKED;

#endif
