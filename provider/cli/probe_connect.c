/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_connect.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

/* The preface, and a SETTINGS frame without settings. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                              "\0\0\0\4\0\0\0\0";

static kw_err probe_connect_failed(const char *path, int native, struct kw_note *note)
{
    const kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)native, "connect");
    if (native == ECONNREFUSED)
        kw_note_set(note,
                    "%s: nobody listens there (%s); is keywardd running? (systemctl "
                    "status keywardd; its log says why it ended)",
                    path, strerror(native));
    else if (native == EACCES || native == EPERM)
        kw_note_set(note,
                    "%s: uid %u may not connect (%s); run it as root, or as a user whom "
                    "the folder's mode, the socket's and classes[].peers let in",
                    path, (unsigned)geteuid(), strerror(native));
    else if (native == EAGAIN)
        kw_note_set(note,
                    "%s: nobody accepts connections there (%s); does keywardd hang? "
                    "(keyward status, and the daemon's log)",
                    path, strerror(native));
    else
        kw_note_set(note, "%s: %s; is it a class's socket? (classes[].socket)", path,
                    strerror(native));
    return e;
}

/* Every kind of wrong file refuses connections as a socket does whose server is gone. */
static kw_err probe_connect_look(const char *path, struct kw_note *note)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return probe_connect_failed(path, errno, note);
        kw_note_set(note,
                    "%s: there is no such socket; is keywardd running? (systemctl "
                    "status keywardd; classes[].socket says where its sockets are)",
                    path);
        return kw_err_at(KW_CODE_MISSING, "SOCKET");
    }
    if (S_ISSOCK(st.st_mode))
        return KW_OK;
    kw_note_set(note,
                "%s: %s, no socket; it wants the socket of a class (classes[].socket)",
                path, S_ISDIR(st.st_mode) ? "a folder" : "a file of another kind");
    return kw_err_at(KW_CODE_BAD_INPUT, "SOCKET");
}

/* The wait of connect and of each call after it. */
static bool probe_connect_bound(int fd, int64_t timeout_ns)
{
    const struct timeval bound = {.tv_sec = timeout_ns / KW_S_NS,
                                  .tv_usec = timeout_ns % KW_S_NS / 1000};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) == 0;
}

/* Whether there is an answer; which one is gRPC's business. */
static kw_err probe_connect_speak(int fd, const char *path, struct kw_note *note)
{
    char first;
    ssize_t n = send(fd, preface, sizeof preface, MSG_NOSIGNAL);
    if (n > 0)
        n = recv(fd, &first, sizeof first, 0);
    if (n > 0)
        return KW_OK;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        kw_note_set(note,
                    "%s: the server takes connections and says nothing; is it keywardd, "
                    "and does it hang? (keyward status, and the daemon's log)",
                    path);
        return kw_err_at(KW_CODE_DEADLINE, "SOCKET");
    }
    kw_note_set(note,
                "%s: the server closes each connection at once; is uid %u among the "
                "class's peers (classes[].peers)? The daemon's log says why: "
                "peer-refused, connection-refused",
                path, (unsigned)geteuid());
    return kw_err_at(KW_CODE_DENIED, "SOCKET");
}

kw_err kw_probe_connect(const char *path, int64_t timeout_ns, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (path[0] == '\0' ||
        !kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "\"%s\": no path of a unix socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "SOCKET");
    }
    kw_err e = probe_connect_look(path, note);
    if (kw_failed(e))
        return e;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !probe_connect_bound(fd, timeout_ns) ||
        connect(fd, (const struct sockaddr *)&at, sizeof at) != 0)
        e = probe_connect_failed(path, errno, note);
    else
        e = probe_connect_speak(fd, path, note);
    if (fd >= 0)
        (void)close(fd);
    return e;
}
