/* SPDX-License-Identifier: Apache-2.0 */
/* hangup - when do connections end that somebody else reads?
 *
 * A second epoll descriptor, itself watched by the loop, which asks for nothing but the
 * peer's hang-up: data on the connections wakes nobody here.  (libevent's EV_CLOSED would
 * do, but it turns an error into readiness that nobody takes away.)
 *
 * Threads:  main.
 */
#ifndef KEYWARD_LISTEN_HANGUP_H
#define KEYWARD_LISTEN_HANGUP_H

#include <event2/event.h>

#include <keyward/err.h>

struct kw_hangup {
    int epoll;
    struct event *event;
    void (*ended)(void *connection);
};
/* NO_MEMORY, IO */
KW_MUST_USE kw_err kw_hangup_init(struct kw_hangup *h, struct event_base *loop,
                                  void (*ended)(void *connection));
void kw_hangup_wipe(struct kw_hangup *h);
/* ended(connection) is called until it is forgotten.  false: the kernel said no. */
bool kw_hangup_watch(struct kw_hangup *h, int fd, void *connection);
/* Before fd is closed: a duplicate elsewhere would keep it watched. */
void kw_hangup_forget(struct kw_hangup *h, int fd);

#endif
