/* SPDX-License-Identifier: Apache-2.0 */
/* peer_limits - who is connected, and may they
 *
 * Threads:  any.
 */
#ifndef KEYWARD_LISTEN_PEERS_H
#define KEYWARD_LISTEN_PEERS_H

#include <keyward/kms.h>

/* What SO_PEERCRED says: the peer as it was when it connected.
 * IO  native = errno */
KW_MUST_USE kw_err kw_peer_of(int fd, struct kw_peer *ret_peer);

/* Field 22 of /proc/<pid>/stat (proc(5)), or 0. */
uint64_t kw_pid_start(int32_t pid);

/* `stat` is the text of that file. */
uint64_t kw_pid_start_parse(kw_span stat);

struct kw_peer_rule {
    const uint32_t *uids, *gids;
    size_t uid_count, gid_count;
};
/* By uid, by gid, or by a supplementary group that the peer had when it connected
 * (SO_PEERGROUPS). */
bool kw_peer_is_allowed(int fd, const struct kw_peer *peer,
                        const struct kw_peer_rule *rule);

#endif
