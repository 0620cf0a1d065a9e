/* SPDX-License-Identifier: Apache-2.0 */
/* Connect, read to the end. */
#include "status_read.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

enum { PATIENCE_S = 5 }; /* to be connected, and as much for the whole answer */

static kw_err connect_to(const char *path, int *ret_fd, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "%s: too long for a socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "--socket");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) {
        *ret_fd = fd;
        return KW_OK;
    }
    int saved = errno;
    kw_note_set(note, "%s: %s; is keywardd running? (systemctl status keywardd)", path,
                strerror(saved));
    if (fd >= 0)
        close(fd);
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "status");
}

static pid_t listener_of(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.pid : 0;
}

/* 0: the end of the answer.  -1: errno, ETIMEDOUT among them when it is over. */
static ssize_t read_until(int fd, char *dst, size_t cap, int64_t until_ns)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (;;) {
        const int64_t left_ms = (until_ns - kw_mono_ns(&kw_clock_system)) / KW_MS_NS;
        const int ready = left_ms > 0 ? poll(&readable, 1, (int)left_ms) : 0;
        if (ready == 0)
            errno = ETIMEDOUT;
        const ssize_t n = ready > 0 ? recv(fd, dst, cap, MSG_DONTWAIT) : -1;
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n;
    }
}

static const char *read_failed(ssize_t n, size_t len, int error)
{
    if (n < 0 && error == ETIMEDOUT)
        return len == 0 ? "connected, but no answer came: the daemon hangs"
                        : "connected, but no end of the answer came: the daemon hangs";
    if (n < 0)
        return strerror(error);
    return len == 0 ? "connected, and closed without an answer: this uid may not ask, or "
                      "the daemon is stopping"
                    : "the answer is too long";
}

kw_err kw_status_read(const char *path, char *dst, size_t cap, size_t *ret_len,
                      pid_t *ret_daemon, struct kw_note *note)
{
    int fd = -1;
    size_t len = 0;
    ssize_t n = 1;
    kw_err e = connect_to(path, &fd, note);
    if (kw_failed(e))
        return e;
    pid_t daemon = listener_of(fd);
    const int64_t until_ns = kw_mono_ns(&kw_clock_system) + PATIENCE_S * KW_S_NS;
    while (n > 0 && len < cap) {
        n = read_until(fd, dst + len, cap - len, until_ns);
        len += n > 0 ? (size_t)n : 0;
    }
    int saved = errno;
    close(fd);
    if (n == 0 && len > 0) {
        *ret_len = len;
        if (ret_daemon != NULL)
            *ret_daemon = daemon;
        return KW_OK;
    }
    kw_note_set(note, "%s: %s", path, read_failed(n, len, saved));
    return kw_err_at(KW_CODE_IO, "status");
}
