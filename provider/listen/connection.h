/* SPDX-License-Identifier: Apache-2.0 */
/* connection - one accepted connection: waiting for its preface, then counted until it
 * ends
 *
 * Threads:  main.
 */
#ifndef KEYWARD_LISTEN_CONNECTION_H
#define KEYWARD_LISTEN_CONNECTION_H

#include <event2/event.h>

#include <keyward/listen.h>

#include "bind.h"
#include "hangup.h"
#include "peer_limits.h"

struct kw_connection {
    struct kw_listener *listener;
    struct kw_connection *next, **prev;
    int fd; /* waiting: the connection; handed over: our duplicate, never read */
    bool handed_over;
    struct kw_peer peer;
    struct event *readable, *timer; /* waiting only */
};

struct kw_listener {
    char *name, *path;
    struct kw_bound bound;
    uint32_t *uids, *gids;
    struct kw_peer_rule rule; /* views of the two */
    unsigned connections_max, per_uid_max;
    struct timeval preface;
    struct event_base *loop;
    bool (*adopt)(void *ctx, int fd, const struct kw_peer *peer);
    void *ctx;
    struct event *acceptable;
    int spare; /* given up for a moment when descriptors run out */
    struct kw_hangup hangup;
    struct kw_connection *connections;
    struct kw_listen_stats stats;
};

/* Takes over fd.  NO_MEMORY (fd is closed). */
KW_MUST_USE kw_err kw_connection_new(struct kw_listener *listener, int fd,
                                     const struct kw_peer *peer);
void kw_connection_end(void *connection);
unsigned kw_connections_of(const struct kw_listener *listener, uint32_t uid);

#endif
