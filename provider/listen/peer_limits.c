/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>

kw_err kw_peer_of(int fd, struct kw_peer *ret_peer)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "SO_PEERCRED");
    *ret_peer = (struct kw_peer){cred.uid, cred.gid, cred.pid, kw_pid_start(cred.pid)};
    return KW_OK;
}

/* The name in field 2 may hold anything, spaces and parentheses too; the last ')' ends
 * it, and field 3 follows. */
uint64_t kw_pid_start_parse(kw_span stat)
{
    size_t i = stat.len;
    uint64_t v = 0;
    while (i > 0 && stat.ptr[i - 1] != ')')
        i--;
    if (i == 0)
        return 0;
    for (unsigned spaces = 0; i < stat.len && spaces < 20; i++)
        if (stat.ptr[i] == ' ')
            spaces++;
    for (; i < stat.len && stat.ptr[i] >= '0' && stat.ptr[i] <= '9'; i++)
        v = v * 10 + (uint64_t)(stat.ptr[i] - '0');
    return v;
}

uint64_t kw_pid_start(int32_t pid)
{
    char path[32], text[1024];
    if (pid <= 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 ? kw_pid_start_parse(kw_span_of(text, (size_t)n)) : 0;
}

static bool is_in(uint32_t id, const uint32_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool group_is_allowed(int fd, const struct kw_peer_rule *rule)
{
    enum { GROUPS_MAX = 65536 }; /* NGROUPS_MAX of Linux */
    socklen_t len = 0;
    bool allowed = false;
    /* The first call only asks how many there are. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
        return false;
    if (len > GROUPS_MAX * sizeof(gid_t))
        return false;
    gid_t *groups = kw_new(len / sizeof(gid_t), sizeof(gid_t));
    if (groups != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
        for (size_t i = 0; i < len / sizeof(gid_t) && !allowed; i++)
            allowed = is_in(groups[i], rule->gids, rule->gid_count);
    kw_free(groups);
    return allowed;
}

bool kw_peer_is_allowed(int fd, const struct kw_peer *peer,
                        const struct kw_peer_rule *rule)
{
    if (is_in(peer->uid, rule->uids, rule->uid_count) ||
        is_in(peer->gid, rule->gids, rule->gid_count))
        return true;
    return rule->gid_count > 0 && group_is_allowed(fd, rule);
}
