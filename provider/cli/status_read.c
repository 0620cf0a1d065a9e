/* SPDX-License-Identifier: Apache-2.0 */
/* Connect, read to the end. */
#include "status_read.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>

enum { PATIENCE_S = 5 };

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
    while (n != 0 && len < cap) {
        n = read(fd, dst + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        len += (size_t)n;
    }
    int saved = errno;
    close(fd);
    if (n == 0 && len > 0) {
        *ret_len = len;
        if (ret_daemon != NULL)
            *ret_daemon = daemon;
        return KW_OK;
    }
    kw_note_set(
        note, "%s: %s", path,
        n < 0      ? saved == EAGAIN ? "connected, but no answer came: the daemon hangs"
                                     : strerror(saved)
             : len == 0 ? "connected, and closed without an answer: this uid may not ask, or "
                          "the daemon is stopping"
                   : "the answer is too long");
    return kw_err_at(KW_CODE_IO, "status");
}
