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
    int fd;     /* waiting: the connection; handed over: our duplicate, never read */
    int number; /* handed over: what the reader's descriptor was called then */
    bool handed_over;
    bool told; /* to leave */
    struct kw_peer peer;
    struct event *readable; /* waiting only */
    struct event *timer;    /* waiting: for the preface; then for the first call */
};

struct kw_listener {
    char *name, *path;
    struct kw_bound bound;
    uint32_t *uids, *gids;
    struct kw_peer_rule rule; /* views of the two */
    unsigned connections_max, per_uid_max;
    int descriptor_max;
    struct timeval preface, silence;
    int64_t (*answered)(void *ctx, int fd);
    struct event_base *loop;
    bool (*adopt)(void *ctx, int fd, const struct kw_peer *peer);
    void *ctx;
    struct kw_acceptor *acceptor;
    struct kw_hangup hangup;
    struct kw_connection *connections;
    struct kw_listen_stats stats;
};

/* Takes over fd.  NO_MEMORY (fd is closed). */
KW_MUST_USE kw_err kw_connection_new(struct kw_listener *listener, int fd,
                                     const struct kw_peer *peer);
void kw_connection_end(void *connection);
/* The same, and the peer and gRPC see it: our duplicate is of the same socket. */
void kw_connection_cut(struct kw_connection *c);
/* See kw_listener_leave. */
void kw_connection_leave(struct kw_connection *c);
/* See kw_listener_cut. */
void kw_connection_cut_unread(struct kw_connection *c);
/* CLOCK_MONOTONIC; 0: never. */
int64_t kw_connection_answered(const struct kw_connection *c);
/* Cuts the oldest that never had a call answered, of this uid or (NULL) of any. */
bool kw_connection_make_room(struct kw_listener *listener, const uint32_t *uid);
unsigned kw_connections_of(const struct kw_listener *listener, uint32_t uid);

#endif
