/* SPDX-License-Identifier: Apache-2.0 */
/* The listener: accepts, asks who it is, counts. */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/log.h>

enum { CONNECTIONS = 256, PER_UID = 64, ACCEPT_AT_ONCE = 16 };

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

static bool is_full(const struct kw_listener *l, uint32_t uid)
{
    return l->stats.open + l->stats.waiting >= l->connections_max ||
           kw_connections_of(l, uid) >= l->per_uid_max;
}

static void on_connection(struct kw_listener *l, int fd)
{
    struct kw_peer peer = {0};
    l->stats.accepted++;
    if (kw_failed(kw_peer_of(fd, &peer)) || !kw_peer_is_allowed(fd, &peer, &l->rule))
        refuse_peer(l, fd, &peer);
    else if (is_full(l, peer.uid))
        refuse_limit(l, fd, &peer);
    else if (kw_failed(kw_connection_new(l, fd, &peer)))
        l->stats.refused_limit++;
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left for the connection at the head of the queue, which would keep the
 * socket readable for ever: the spare one lets us take it and close it. */
static void shed(struct kw_listener *l)
{
    if (l->spare < 0)
        return;
    close(l->spare);
    int fd = accept4(l->bound.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    l->spare = open_spare();
    l->stats.refused_limit++;
    kw_log(KW_LOG_ERROR, "connection-no-descriptor", KW_STR("class", l->name));
}

static void on_acceptable(evutil_socket_t listening, short what, void *self)
{
    struct kw_listener *l = self;
    (void)what;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            on_connection(l, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE)
            shed(l);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static uint32_t *copy_ids(const uint32_t *ids, size_t count)
{
    uint32_t *copy = kw_new(count + 1, sizeof *copy);
    if (copy != NULL && count > 0)
        kw_copy(copy, (count + 1) * sizeof *copy, kw_span_of(ids, count * sizeof *ids));
    return copy;
}

static bool copy_options(struct kw_listener *l, const struct kw_listen_options *o)
{
    int64_t preface_ns = o->preface_ns > 0 ? o->preface_ns : 2 * KW_S_NS;
    l->name = kw_strdup(kw_span_str(o->name));
    l->path = kw_strdup(kw_span_str(o->path));
    l->uids = copy_ids(o->uids, o->uid_count);
    l->gids = copy_ids(o->gids, o->gid_count);
    l->rule = (struct kw_peer_rule){l->uids, l->gids, o->uid_count, o->gid_count};
    l->connections_max = o->connections_max > 0 ? o->connections_max : CONNECTIONS;
    l->per_uid_max = o->per_uid_max > 0 ? o->per_uid_max : PER_UID;
    l->preface = (struct timeval){preface_ns / KW_S_NS, preface_ns % KW_S_NS / 1000};
    l->loop = o->loop;
    l->adopt = o->adopt;
    l->ctx = o->ctx;
    return l->name != NULL && l->path != NULL && l->uids != NULL && l->gids != NULL;
}

static kw_err listen_watch(struct kw_listener *l)
{
    kw_err e = kw_hangup_init(&l->hangup, l->loop, kw_connection_end);
    if (kw_failed(e))
        return e;
    l->acceptable =
        event_new(l->loop, l->bound.fd, EV_READ | EV_PERSIST, on_acceptable, l);
    if (l->acceptable == NULL || event_add(l->acceptable, NULL) != 0)
        return kw_err_at(KW_CODE_NO_MEMORY, "event");
    return KW_OK;
}

kw_err kw_listener_open(const struct kw_listen_options *options,
                        struct kw_listener **ret_listener, struct kw_note *note)
{
    struct kw_listener *l = kw_new(1, sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "listener");
    l->bound = (struct kw_bound){.fd = -1, .lock = -1};
    l->hangup.epoll = -1;
    l->spare = open_spare();
    kw_err e =
        copy_options(l, options) ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "listener");
    if (!kw_failed(e))
        e = options->inherited_fd >= 0
                ? kw_bind_inherited(l->path, options->inherited_fd, &l->bound, note)
                : kw_bind(l->path, options->mode, &l->bound, note);
    if (!kw_failed(e))
        e = listen_watch(l);
    if (kw_failed(e))
        kw_listener_close(l);
    else
        *ret_listener = l;
    return e;
}

void kw_listener_close(struct kw_listener *listener)
{
    struct kw_listener *l = listener;
    if (l == NULL)
        return;
    if (l->acceptable != NULL)
        event_free(l->acceptable);
    while (l->connections != NULL)
        kw_connection_end(l->connections);
    kw_hangup_wipe(&l->hangup);
    if (l->bound.fd >= 0)
        kw_unbind(l->path, &l->bound);
    if (l->spare >= 0)
        close(l->spare);
    kw_free(l->name);
    kw_free(l->path);
    kw_free(l->uids);
    kw_free(l->gids);
    kw_free(l);
}

void kw_listener_stats(const struct kw_listener *listener, struct kw_listen_stats *ret)
{
    *ret = listener->stats;
}
