/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) by hand: one datagram to the socket that the service manager named. */
#include "daemon_internal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/log.h>

/* A socket that sends there; -1 when nothing can be sent there. */
static int notify_connect(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_span name = kw_span_str(path);
    if (name.len >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    kw_copy(at.sun_path, sizeof at.sun_path, name);
    if (path[0] == '@')
        at.sun_path[0] = '\0'; /* abstract, unix(7) */
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, len) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void kw_notify_open(struct kw_daemon *d)
{
    const char *path = kw_env_get(KW_ENV_NOTIFY_SOCKET);
    if (path == NULL)
        return;
    d->notify_fd = notify_connect(path);
    if (d->notify_fd < 0)
        kw_log(KW_LOG_WARN, "notify-unreachable", KW_STR("socket", path));
}

void kw_notify(struct kw_daemon *d, const char *text)
{
    kw_span s = kw_span_str(text);
    if (d->notify_fd >= 0 && send(d->notify_fd, s.ptr, s.len, MSG_NOSIGNAL) < 0)
        kw_log_bare(KW_LOG_DEBUG, "notify-failed");
}

/* Proof of both threads: main runs this, and the rpc thread must have gone round. */
static void on_watchdog(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    (void)fd;
    (void)what;
    uint64_t beats = kw_rpc_beats(d->rpc);
    if (beats != d->beats_seen)
        kw_notify(d, "WATCHDOG=1");
    else
        kw_log_bare(KW_LOG_ERROR, "rpc-thread-silent");
    d->beats_seen = beats;
}

/* The rpc thread beats once a second at least, so a shorter watchdog could not be fed. */
enum { WATCHDOG_LEAST_USEC = 3000000 };

static bool watchdog_is_ours(const char *pid)
{
    char *end;
    return pid == NULL || (strtol(pid, &end, 10) == getpid() && *end == '\0');
}

static void watchdog_ignore(const char *usec, const char *reason)
{
    kw_log(KW_LOG_WARN, "watchdog-ignored", KW_STR("WATCHDOG_USEC", usec),
           KW_STR("reason", reason));
}

void kw_notify_watchdog(struct kw_daemon *d)
{
    const char *usec = kw_env_get(KW_ENV_WATCHDOG_USEC);
    char *end;
    if (usec == NULL || d->notify_fd < 0 ||
        !watchdog_is_ours(kw_env_get(KW_ENV_WATCHDOG_PID)))
        return;
    long long every = strtoll(usec, &end, 10) / 2;
    if (*end != '\0' || every < WATCHDOG_LEAST_USEC / 2) {
        watchdog_ignore(usec, "WatchdogSec= must be 3 s or more");
        return;
    }
    const struct timeval t = {every / 1000000, every % 1000000};
    d->watchdog = event_new(d->loop, -1, EV_PERSIST, on_watchdog, d);
    if (d->watchdog == NULL || event_add(d->watchdog, &t) != 0)
        watchdog_ignore(usec, "no timer could be made");
}
