/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor - when a worker may be started, and what to do with one that does not move
 *
 * Three times, not one: the call's deadline; the attempt, after which a job goes to another
 * token if there is one (route.h); the patience with a worker whose one operation has run
 * longer than a deadline.
 * A worker is never blamed because jobs waited.  While one of several sessions hangs the
 * others work on; when it is still not back after the patience, the worker leaves.
 *
 * Pure: the caller brings the time and the page. */
#ifndef KEYWARD_FRONT_SUPERVISOR_H
#define KEYWARD_FRONT_SUPERVISOR_H

#include <keyward/wire.h>

#include "life.h"

#define KW_LOGIN_EVERY_NS INT64_C(10000000000) /* after a failure */

struct kw_supervisor {
    unsigned failures; /* in a row, to become ready and answer something well */
    unsigned
        in_vain; /* in a row: became ready, and ended before they did any good      */
    int64_t not_before_ns; /* no start earlier          */
};
/* A worker became ready; one that did has answered something well. */
void kw_supervisor_ready(struct kw_supervisor *s);
void kw_supervisor_served(struct kw_supervisor *s);
/* One ended before it was ready.  `login_spent`: it tried to log in and nothing says that the
 * login went well, or it failed by itself afterwards. */
void kw_supervisor_failed(struct kw_supervisor *s, bool login_spent, int64_t now_ns,
                          uint64_t random);
/* One became ready, and ended by itself before it answered anything well: it could do no
 * more, crashed, left or broke the protocol.  The first one is replaced at once, as any that
 * had been ready. */
void kw_supervisor_in_vain(struct kw_supervisor *s, int64_t now_ns, uint64_t random);
bool kw_supervisor_may_start(const struct kw_supervisor *s, int64_t now_ns);

struct kw_worker_times {
    int64_t deadline_ns, patience_ns, login_grace_ns;
};
struct kw_worker_view {
    struct kw_life life;
    int64_t since_ns;       /* when that began                    */
    int64_t phase_since_ns; /* when the phase was first seen      */
    enum kw_page_phase phase;
    size_t sessions,
        overdue;        /* of them at one operation for longer than a deadline     */
    int64_t longest_ns; /* how long the slowest one is at its operation, 0: none   */
    int64_t
        idle_ns; /* jobs lie in its socket, and no session has taken one for so long */
    bool moved;  /* STUCK: a session took or answered a job since                    */
};
enum kw_order { KW_ORDER_NONE, KW_ORDER_STUCK, KW_ORDER_DRAIN, KW_ORDER_KILL };
enum kw_order kw_supervisor_judge(const struct kw_worker_view *w,
                                  const struct kw_worker_times *times, int64_t now_ns);

#endif
