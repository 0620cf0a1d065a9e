/* SPDX-License-Identifier: Apache-2.0 */
/* audit_copies - lines of the audit log, sent to the machine's system log as well
 *
 * One datagram for each line, to a unix socket as /dev/log, which journald and rsyslog have
 * alike, in syslog(3)'s local form and without a time of its own:
 *
 *   <86>keywardd-audit[PID]: LINE      (authpriv, info; LINE without its line feed)
 *
 * Best effort.  What the socket does not take at once (its queue is full, it is not there)
 * is counted, and never sent again.  Its path is looked up for each line, so a system log that was
 * restarted is found again.
 *
 * Threads:   send from one at a time, due from one at a time, dropped from any.
 * Blocking:  never on whoever reads the socket; only on its path, as stat(2) would.
 */
#ifndef KEYWARD_AUDIT_COPIES_H
#define KEYWARD_AUDIT_COPIES_H

#include <stdatomic.h>
#include <sys/un.h>

#include <keyward/bytes.h>

enum kw_audit_copied {
    KW_AUDIT_COPY_NONE,
    KW_AUDIT_COPY_CHECKPOINTS, /* and their signatures */
    KW_AUDIT_COPY_ALL,
};

/* Opaque; of its owner. */
struct kw_audit_copies {
    enum kw_audit_copied what;
    int fd, no_socket; /* no_socket: why there is none, errno */
    struct sockaddr_un at;
    char head[48];
    atomic_uint_fast64_t dropped;
    atomic_int why;
    uint64_t told; /* of these; who asks what is due has this and the next two */
    int64_t told_ns, every_ns;
};

/* `path` is absolute and of at most KW_SOCKET_PATH_MAX bytes (asserted).  Never fails: without
 * a descriptor all that is to be sent is dropped. */
void kw_audit_copies_open(struct kw_audit_copies *c, enum kw_audit_copied what,
                          const char *path);
void kw_audit_copies_close(struct kw_audit_copies *c);

/* Whole lines, each with its line feed; those that are wanted are sent. */
void kw_audit_copies_send(struct kw_audit_copies *c, kw_span lines);

/* So many were not sent, ever. */
uint64_t kw_audit_copies_dropped(const struct kw_audit_copies *c);
/* So many since the last answer that was not 0, or 0: none, or it is not time to tell.  That it is at
 * once, then after a minute, and each time after twice as long, an hour at most, until none was
 * dropped for twice that time: what is told becomes a record itself, and a checkpoint of it is
 * the next that is dropped.  *ret_why: the errno of the last. */
uint64_t kw_audit_copies_due(struct kw_audit_copies *c, int64_t now_ns, bool at_the_end,
                             int *ret_why);

#endif
