/* SPDX-License-Identifier: Apache-2.0 */
/* The listener: accepts, asks who it is, counts. */
#include "connection.h"
#include "id_map.h"

#include <limits.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/log.h>

enum { PER_UID = 64 };

static void refuse_peer(struct kw_listener *l, int fd, const struct kw_peer *peer)
{
    l->stats.refused_peer++;
    kw_log(KW_LOG_WARN, "peer-refused", KW_STR("class", l->name),
           KW_INT("uid", peer->uid), KW_INT("gid", peer->gid), KW_INT("pid", peer->pid));
    close(fd);
}

static void refuse_limit(struct kw_listener *l, int fd, const struct kw_peer *peer)
{
    l->stats.refused_limit++;
    kw_log(KW_LOG_WARN, "connection-limit", KW_STR("class", l->name),
           KW_INT("uid", peer->uid), KW_INT("pid", peer->pid));
    close(fd);
}

/* A uid that has its share makes room of its own. */
static bool listener_has_room(struct kw_listener *l, uint32_t uid)
{
    if (kw_connections_of(l, uid) >= l->per_uid_max)
        return kw_connection_make_room(l, &uid);
    if (l->stats.open + l->stats.waiting >= l->connections_max)
        return kw_connection_make_room(l, NULL);
    return true;
}

/* The kernel gives the lowest number that is free, so a high one says how many are in use:
 * also those of ended connections that gRPC has not closed yet. */
static void on_connection(void *self, int fd)
{
    struct kw_listener *l = self;
    struct kw_peer peer = {0};
    l->stats.accepted++;
    if (kw_failed(kw_peer_of(fd, &peer)) || !kw_peer_is_allowed(fd, &peer, &l->rule))
        refuse_peer(l, fd, &peer);
    else if (fd > l->descriptor_max || !listener_has_room(l, peer.uid))
        refuse_limit(l, fd, &peer);
    else if (kw_failed(kw_connection_new(l, fd, &peer)))
        l->stats.refused_limit++;
}

static uint32_t *copy_ids(const uint32_t *ids, size_t count)
{
    uint32_t *copy = kw_new(count + 1, sizeof *copy);
    if (copy != NULL && count > 0)
        kw_copy(copy, (count + 1) * sizeof *copy, kw_span_of(ids, count * sizeof *ids));
    return copy;
}

static struct timeval timeval_of(int64_t ns)
{
    return (struct timeval){ns / KW_S_NS, ns % KW_S_NS / 1000};
}

static bool copy_options(struct kw_listener *l, const struct kw_listen_options *o)
{
    l->name = kw_strdup(kw_span_str(o->name));
    l->path = kw_strdup(kw_span_str(o->path));
    l->uids = copy_ids(o->uids, o->uid_count);
    l->gids = copy_ids(o->gids, o->gid_count);
    l->rule = (struct kw_peer_rule){l->uids, l->gids, o->uid_count, o->gid_count};
    l->connections_max = o->connections_max > 0 ? o->connections_max : KW_CONNECTIONS_MAX;
    l->per_uid_max = o->per_uid_max > 0 ? o->per_uid_max : PER_UID;
    l->descriptor_max = o->descriptor_max > 0 ? o->descriptor_max : INT_MAX;
    l->preface = timeval_of(o->preface_ns > 0 ? o->preface_ns : 2 * KW_S_NS);
    l->silence = timeval_of(o->silence_ns > 0 ? o->silence_ns : 30 * KW_S_NS);
    l->loop = o->loop;
    l->adopt = o->adopt;
    l->answered = o->answered;
    l->ctx = o->ctx;
    return l->name != NULL && l->path != NULL && l->uids != NULL && l->gids != NULL;
}

static kw_err listen_watch(struct kw_listener *l)
{
    kw_err e = kw_hangup_init(&l->hangup, l->loop, kw_connection_end);
    if (kw_failed(e))
        return e;
    const struct kw_acceptor_options options = {.name = l->name,
                                                .listening = l->bound.fd,
                                                .loop = l->loop,
                                                .accepted = on_connection,
                                                .ctx = l};
    return kw_acceptor_new(&options, &l->acceptor);
}

/* Who is let in can be told from everybody else. */
static kw_err check_ids(const struct kw_listen_options *o, struct kw_note *note)
{
    kw_err e = kw_id_map_check("/proc/self/uid_map", "uid", o->uids, o->uid_count, note);
    if (!kw_failed(e))
        e = kw_id_map_check("/proc/self/gid_map", "gid", o->gids, o->gid_count, note);
    return e;
}

kw_err kw_listener_open(const struct kw_listen_options *options,
                        struct kw_listener **ret_listener, struct kw_note *note)
{
    struct kw_listener *l = kw_new(1, sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "listener");
    l->bound = (struct kw_bound){.fd = -1, .lock = -1};
    l->hangup.epoll = -1;
    kw_err e =
        copy_options(l, options) ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "listener");
    if (!kw_failed(e))
        e = check_ids(options, note);
    if (!kw_failed(e))
        e = options->inherited_fd >= 0
                ? kw_bind_inherited(l->path, options->mode, options->inherited_fd,
                                    &l->bound, note)
                : kw_bind(l->path, options->mode, &l->bound, note);
    if (!kw_failed(e))
        e = listen_watch(l);
    if (kw_failed(e))
        kw_listener_close(l);
    else
        *ret_listener = l;
    return e;
}

static void listen_no_more(struct kw_listener *l)
{
    kw_acceptor_free(l->acceptor);
    l->acceptor = NULL;
    if (l->bound.fd >= 0)
        kw_unbind(l->path, &l->bound);
    l->bound.fd = -1;
}

unsigned kw_listener_leave(struct kw_listener *listener)
{
    unsigned still = 0;
    listen_no_more(listener);
    for (struct kw_connection *c = listener->connections; c != NULL; c = c->next) {
        kw_connection_leave(c);
        still += kw_connection_answered(c) != 0;
    }
    return still;
}

void kw_listener_cut(struct kw_listener *listener)
{
    for (struct kw_connection *c = listener->connections, *next; c != NULL; c = next) {
        next = c->next;
        kw_connection_cut_unread(c);
    }
}

void kw_listener_close(struct kw_listener *listener)
{
    struct kw_listener *l = listener;
    if (l == NULL)
        return;
    listen_no_more(l);
    while (l->connections != NULL)
        kw_connection_end(l->connections);
    kw_hangup_wipe(&l->hangup);
    kw_free(l->name);
    kw_free(l->path);
    kw_free(l->uids);
    kw_free(l->gids);
    kw_free(l);
}

unsigned kw_listener_end(struct kw_listener *listener, int64_t since_ns)
{
    unsigned ended = 0;
    for (struct kw_connection *c = listener->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (since_ns != INT64_MAX && kw_connection_answered(c) >= since_ns)
            continue;
        kw_connection_cut(c);
        ended++;
    }
    return ended;
}

void kw_listener_hold(struct kw_listener *listener, bool held)
{
    kw_acceptor_hold(listener->acceptor, held);
}

void kw_listener_stats(const struct kw_listener *listener, struct kw_listen_stats *ret)
{
    *ret = listener->stats;
}
