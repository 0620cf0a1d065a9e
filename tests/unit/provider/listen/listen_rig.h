/* SPDX-License-Identifier: Apache-2.0 */
/* listen_rig - a folder of its own, a loop, a listener, and what was handed over */
#ifndef KEYWARD_TESTS_LISTEN_RIG_H
#define KEYWARD_TESTS_LISTEN_RIG_H

#include <event2/event.h>

#include <keyward/listen.h>

#include "check.h"

struct rig {
    char dir[64], path[96];
    struct event_base *loop;
    struct kw_listen_options options;
    struct kw_listener *listener;
    uint32_t uids[4], gids[4];
    int adopted[16]; /* owned */
    struct kw_peer peers[16];
    size_t adopted_count;
    int64_t answered[16]; /* of each: when a call was answered last */
    bool adopts_none;     /* closes what it is given, and says so */
};

/* Nothing is opened yet; this uid may connect. */
void rig_init(struct rig *r);
void rig_open(struct rig *r);
void rig_wipe(struct rig *r);

struct kw_listen_stats rig_stats(const struct rig *r);
/* Runs the loop until the expression over `s` holds. */
#define RIG_UNTIL(r, cond)                                                               \
    for (struct kw_listen_stats s = rig_stats(r); !(cond); s = rig_stats(r))             \
    CHECK(event_base_loop((r)->loop, EVLOOP_ONCE) == 0)

/* A socket bound there, as a service manager makes one. */
int rig_socket(const char *path, int type, bool listens);
/* A connected blocking socket. */
int rig_connect(const struct rig *r);
void rig_say(int fd, const char *text);
/* The peer closed it (blocks until it does). */
bool rig_is_closed(int fd);
bool rig_exists(const char *path);

extern const char rig_preface[];

#endif
