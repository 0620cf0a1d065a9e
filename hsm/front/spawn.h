/* SPDX-License-Identifier: Apache-2.0 */
/* spawn - one worker process with exactly what it may have
 *
 * posix_spawn and never fork: descriptors 0 (nothing), 1 and 2 (our pipe), 3-5 (wire.h)
 * and no other, SIGTERM blocked and no other signal, default signal actions, a process group of its own,
 * and as environment the token's variables and nothing else. */
#ifndef KEYWARD_FRONT_SPAWN_H
#define KEYWARD_FRONT_SPAWN_H

#include <sys/types.h>

#include <keyward/wire.h>

struct kw_spawned {
    pid_t pid;
    int pidfd;  /* readable when the process has ended           */
    int socket; /* SOCK_SEQPACKET                                */
    int output; /* what it writes to its descriptors 1 and 2     */
    struct kw_page *page;
};
/* envp is NULL-terminated "NAME=value".  IO with native = errno, NO_MEMORY, BUG. */
KW_MUST_USE kw_err kw_spawn(const char *path, const char *label, char *const *envp,
                            const struct kw_brief *brief, struct kw_spawned *ret);

#endif
