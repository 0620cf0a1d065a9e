/* SPDX-License-Identifier: Apache-2.0 */
/* What the process gives up before it touches anything. */
#include "daemon_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors 0, 1 and 2 must be open, or a socket would become one of them. */
static bool fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static kw_err confine_refuse(const char *what, struct kw_note *note)
{
    const int error = errno;
    kw_note_set(note, "cannot %s: %s", what, strerror(error));
    return kw_err_native(KW_CODE_IO, (uint32_t)error, "confine");
}

kw_err kw_confine_early(struct kw_note *note)
{
    const struct rlimit none = {0, 0};
    umask(077);
    if (!fill_standard_descriptors())
        return confine_refuse("open /dev/null", note);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return confine_refuse("switch core dumps off", note);
    return KW_OK;
}

size_t kw_confine_descriptors(size_t want)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < want) {
        struct rlimit more = {limit.rlim_max < want ? limit.rlim_max : want,
                              limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    return limit.rlim_cur < INT_MAX ? (size_t)limit.rlim_cur : INT_MAX;
}

kw_err kw_confine_check_user(struct kw_note *note)
{
    if (geteuid() != 0 && getuid() != 0)
        return KW_OK;
    kw_note_set(note,
                "refuses to run as root: start it as its own user (User=keyward in the "
                "systemd unit, or setpriv --reuid keyward --regid keyward "
                "--clear-groups keywardd ...)");
    return kw_err_at(KW_CODE_DENIED, "uid 0");
}
