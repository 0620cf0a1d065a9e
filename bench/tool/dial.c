/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

int kw_dial(const char *path, int64_t patience_ns)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval patience = {patience_ns / KW_S_NS, patience_ns % KW_S_NS / 1000};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}
