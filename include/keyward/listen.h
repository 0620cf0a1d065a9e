/* SPDX-License-Identifier: Apache-2.0 */
/* listen - unix sockets: bind or inherit, lock, who may connect, what they must say first
 *
 * A connection is handed over only when the peer is allowed (SO_PEERCRED, unix(7)) and
 * the whole HTTP/2 client preface (RFC 9113 3.4) can be peeked within 2 s; until then it
 * costs one descriptor and one timer.  Limits hold per uid and in all; where one is
 * reached, the oldest connection that never had a call answered makes room.  One that has
 * had none for 30 s is ended.  Who has had one may be silent for ever, as kube-apiserver
 * is.
 *
 * Threads:   main thread only; everything runs on its libevent loop.
 */
#ifndef KEYWARD_LISTEN_H
#define KEYWARD_LISTEN_H

#include <sys/types.h>

#include <keyward/bytes.h>
#include <keyward/kms.h>
#include <keyward/limits.h>

struct event_base;

struct kw_listen_options {
    const char *name;            /* class, for the log and for LISTEN_FDNAMES      */
    const char *path;            /* absolute, at most KW_SOCKET_PATH_MAX bytes     */
    mode_t mode;                 /* of the socket file, such as 0660               */
    const uint32_t *uids, *gids; /* who may connect; both empty: nobody */
    size_t uid_count, gid_count;
    int inherited_fd;         /* from systemd, or -1 to bind                    */
    unsigned connections_max; /* of this listener; 0 = KW_CONNECTIONS_MAX */
    unsigned per_uid_max;     /* 0 = 64                                 */
    int descriptor_max;       /* no connection has a higher number; 0 = any      */
    int64_t preface_ns;       /* 0 = 2 s                                */
    struct event_base *loop;
    /* When a call of the connection that was handed over as this number was answered last
     * (CLOCK_MONOTONIC); 0: none was yet.  NULL: nobody knows, and all count as answered. */
    int64_t (*answered)(void *ctx, int fd);
    int64_t silence_ns; /* 0 = 30 s */
    /* A connection that may speak; the callee owns fd (non-blocking, close-on-exec).
     * false: it has closed fd, and the connection is to end. */
    bool (*adopt)(void *ctx, int fd, const struct kw_peer *peer);
    void *ctx;
};

struct kw_listener;

/* Binds (or checks the inherited socket), listens, watches.  A stale socket file is
 * removed only while holding <path>.lock and when nobody answers on it.  The lock file
 * stays behind: removing one races with whoever opens it.
 * BUSY       another process holds the lock, or somebody answers on the socket
 * DENIED     the directory is writable by group or others, or is not owned by root or
 *            this uid; the note names chmod.  Or a uid or gid that may connect is not
 *            mapped in this user namespace, where nobody could tell it from others
 * BAD_INPUT  the path, or an inherited descriptor that is no listening unix stream socket
 *            of that path, or whose file has another mode or is neither root's nor ours
 * IO         native = errno */
KW_MUST_USE kw_err kw_listener_open(const struct kw_listen_options *options,
                                    struct kw_listener **ret_listener,
                                    struct kw_note *note);
/* Before the end, as often as wanted: nothing is accepted any more, the socket file goes as
 * close takes it away, and each connection that had a call answered is told once (GOAWAY,
 * RFC 9113 6.8, of no stream: all that it has sent is served) to take its next calls to a
 * new connection.  Those may wait in an inherited socket for who gets it next.  Only one that
 * has read all there was is told, so that no frame of the other reader is torn; but of a
 * client that had let a full buffer of answers lie, and has read all of it at this moment and
 * before the rest is written, the connection breaks.  Returns how many that had a call
 * answered are still connected. */
unsigned kw_listener_leave(struct kw_listener *listener);
/* At the very end: whoever has not read all that was sent is disconnected, and so is the
 * other reader of the connection; what lies there can still be read.  gRPC core ends a
 * connection only when it has written what it was writing, however long that takes. */
void kw_listener_cut(struct kw_listener *listener);
/* Stops accepting; unlinks the socket file only when it is still ours (same inode) and
 * was bound by us.  Handed-over connections stay.  NULL does nothing. */
void kw_listener_close(struct kw_listener *listener);

/* Ends the connections that had no call answered since then (CLOCK_MONOTONIC; INT64_MAX:
 * all); returns how many. */
unsigned kw_listener_end(struct kw_listener *listener, int64_t since_ns);
/* While it is held, nothing is accepted; connections that there are go on. */
void kw_listener_hold(struct kw_listener *listener, bool held);

struct kw_listen_stats {
    uint64_t accepted, handed_over, refused_peer, refused_limit, refused_preface,
        refused_adopt;      /* adopt said no */
    uint64_t ended;         /* by us: to make room, or for no call */
    unsigned open, waiting; /* connections handed over and still open; before preface */
};
void kw_listener_stats(const struct kw_listener *listener, struct kw_listen_stats *ret);

/* A listening socket that is no class's (the status socket): the same rules for folder,
 * lock and stale files, and the same errors as kw_listener_open; nothing is accepted. */
struct kw_bound {
    int fd;   /* listening, non-blocking      */
    int lock; /* -1 when inherited            */
    dev_t dev;
    ino_t ino; /* of the file that we bound    */
};
KW_MUST_USE kw_err kw_bind(const char *path, mode_t mode, struct kw_bound *ret_bound,
                           struct kw_note *note);
/* Closes; unlinks the file when it is still the one that was bound. */
void kw_unbind(const char *path, struct kw_bound *bound);

/* Accepts from such a socket.  When no descriptor is left for a connection, nothing is
 * accepted for a tenth of a second at a time; the log says it once. */
struct kw_acceptor_options {
    const char *name; /* for the log; stays the caller's */
    int listening;    /* stays the caller's              */
    struct event_base *loop;
    /* The callee owns fd (non-blocking, close-on-exec). */
    void (*accepted)(void *ctx, int fd);
    void *ctx;
};
struct kw_acceptor;
/* NO_MEMORY */
KW_MUST_USE kw_err kw_acceptor_new(const struct kw_acceptor_options *options,
                                   struct kw_acceptor **ret_acceptor);
/* While it is held, nothing is accepted. */
void kw_acceptor_hold(struct kw_acceptor *acceptor, bool held);
void kw_acceptor_free(struct kw_acceptor *acceptor); /* NULL does nothing */

/* The descriptors that systemd passed (sd_listen_fds(3), read by hand), by their names:
 * ret_fds[i] is that of classes[i], close-on-exec.  Either each class has its own, or none
 * was passed to this process and all are -1.
 * BAD_INPUT  one has the name of no class, two have one name, or a class has none while
 *            another has: its clients would hang; *note names it and its unit
 * IO         one is not open; native = errno */
KW_MUST_USE kw_err kw_listen_inherited(const char *const *classes, size_t count,
                                       int *ret_fds, struct kw_note *note);

#endif
