/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_fakes - the world round a part of the daemon
 *
 * Log lines are kept to be looked at, timers are seen when they are set and run when a test
 * says so, and the user is whoever a test wants.
 */
#ifndef KEYWARD_TESTS_DAEMON_FAKES_H
#define KEYWARD_TESTS_DAEMON_FAKES_H

#include <sys/time.h>

#include "daemon_internal.h"

/* A log that is kept, from here on; cleared by each look. */
void daemon_log_begin(void);
const char *daemon_log_look(void);

/* A daemon with a loop of its own, and without anything else. */
void daemon_begin(struct kw_daemon *d, struct kw_config *config);
void daemon_end(struct kw_daemon *d);

/* How the last timer was set; runs it as if its time had come. */
extern struct timeval timer_set;
void timer_run(struct kw_daemon *d, struct event *timer);

#endif
