/* SPDX-License-Identifier: Apache-2.0 */
#include "listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/bytes.h>

enum { BACKLOG = 64, PORT_MAX = 65535 };

static bool listening_port_read(const char *text, uint16_t *ret_port)
{
    unsigned port = 0;
    const size_t len = strlen(text);
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret_port = htons((uint16_t)port);
    return port <= PORT_MAX;
}

static bool listening_host_read(const char *host, uint16_t port,
                                struct kw_listening_at *ret_at)
{
    if (inet_pton(AF_INET, host, &ret_at->at.v4.sin_addr) == 1) {
        ret_at->at.v4.sin_family = AF_INET;
        ret_at->at.v4.sin_port = port;
        ret_at->len = sizeof ret_at->at.v4;
        ret_at->is_local = ntohl(ret_at->at.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        return true;
    }
    const size_t len = strlen(host);
    char inner[INET6_ADDRSTRLEN];
    if (len < 2 || host[0] != '[' || host[len - 1] != ']' ||
        !kw_copy_str(inner, sizeof inner, kw_span_of(host + 1, len - 2)) ||
        inet_pton(AF_INET6, inner, &ret_at->at.v6.sin6_addr) != 1)
        return false;
    ret_at->at.v6.sin6_family = AF_INET6;
    ret_at->at.v6.sin6_port = port;
    ret_at->len = sizeof ret_at->at.v6;
    ret_at->is_local = IN6_IS_ADDR_LOOPBACK(&ret_at->at.v6.sin6_addr);
    return true;
}

kw_err kw_listening_parse(const char *text, struct kw_listening_at *ret_at,
                          struct kw_note *note)
{
    struct kw_listening_at at = {.len = 0};
    const char *colon = strrchr(text, ':');
    uint16_t port = 0;
    char host[INET6_ADDRSTRLEN + 2];
    if (colon == NULL || !listening_port_read(colon + 1, &port) ||
        !kw_copy_str(host, sizeof host, kw_span_of(text, (size_t)(colon - text))) ||
        !listening_host_read(host, port, &at)) {
        kw_note_set(note,
                    "--listen %.100s: no address and port; such as 127.0.0.1:9464 or "
                    "[::1]:9464",
                    text);
        return kw_err_at(KW_CODE_BAD_INPUT, "--listen");
    }
    *ret_at = at;
    return KW_OK;
}

kw_err kw_listening_open(const struct kw_listening_at *at, const char *text, int *ret_fd,
                         struct kw_note *note)
{
    const int on = 1;
    int fd = socket(at->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &at->at.any, at->len) == 0 && listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return KW_OK;
    }
    const int error = errno;
    kw_note_set(note, "--listen %.100s: %s", text, strerror(error));
    if (fd >= 0)
        close(fd);
    return kw_err_native(KW_CODE_IO, (uint32_t)error, "listen");
}

unsigned kw_listening_port(int fd)
{
    struct kw_listening_at at = {.len = sizeof at.at};
    if (getsockname(fd, &at.at.any, &at.len) != 0)
        return 0;
    return ntohs(at.at.any.sa_family == AF_INET ? at.at.v4.sin_port : at.at.v6.sin6_port);
}
