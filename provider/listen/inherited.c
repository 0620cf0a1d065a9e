/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that systemd passed, as sd_listen_fds(3) describes them. */
#include <keyward/listen.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/env.h>

enum { FIRST = 3 }; /* SD_LISTEN_FDS_START */

/* A whole positive number, else 0; what is too large is INT32_MAX. */
static long inherited_number_of(const char *text)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (*end != '\0')
        return 0;
    return errno != 0 || v > INT32_MAX ? INT32_MAX : v;
}

static kw_err inherited_refuse(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "LISTEN_FDS");
}

/* The class of that name, or `count`. */
static size_t inherited_class_of(kw_span name, const char *const *classes, size_t count)
{
    size_t i = 0;
    while (i < count && !kw_span_equal_str(name, classes[i]))
        i++;
    return i;
}

static kw_err take_one(int fd, kw_span name, const char *const *classes, size_t count,
                       int *fds, struct kw_note *note)
{
    char shown[64];
    const size_t i = inherited_class_of(name, classes, count);
    kw_copy_printable(shown, sizeof shown, name);
    if (i == count) {
        kw_note_set(note,
                    "the passed socket \"%s\" (descriptor %d) is no class's: give it the "
                    "name of one (FileDescriptorName= in its socket unit), or stop and "
                    "disable that unit",
                    shown, fd);
        return inherited_refuse();
    }
    if (fds[i] >= 0) {
        kw_note_set(note,
                    "two passed sockets are called \"%s\" (descriptors %d and %d): stop "
                    "one of their units, or give it the name of another class "
                    "(FileDescriptorName=)",
                    shown, fds[i], fd);
        return inherited_refuse();
    }
    fds[i] = fd;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0
               ? KW_OK
               : kw_err_native(KW_CODE_IO, (uint32_t)errno, "LISTEN_FDS");
}

/* Its clients would wait in a socket that nobody serves, or for one that is not there. */
static kw_err check_all_have_one(const char *const *classes, size_t count, const int *fds,
                                 struct kw_note *note)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] < 0) {
            kw_note_set(note,
                        "other classes have a passed socket and %s has none: with "
                        "keyward.service "
                        "and its sockets stopped, systemctl enable keyward@%s.socket and "
                        "start all of them",
                        classes[i], classes[i]);
            return inherited_refuse();
        }
    return KW_OK;
}

kw_err kw_listen_inherited(const char *const *classes, size_t count, int *ret_fds,
                           struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < count; i++)
        ret_fds[i] = -1;
    if (inherited_number_of(kw_env_get(KW_ENV_LISTEN_PID)) != getpid())
        return KW_OK;
    const long passed = inherited_number_of(kw_env_get(KW_ENV_LISTEN_FDS));
    const char *rest = kw_env_get(KW_ENV_LISTEN_FDNAMES);
    /* One more than there are classes has no class, or one that has another. */
    for (long i = 0; i < passed && !kw_failed(e); i++) {
        size_t len = rest != NULL ? strcspn(rest, ":") : 0;
        kw_span name = len > 0 ? kw_span_of(rest, len) : kw_span_str("unknown");
        e = take_one(FIRST + (int)i, name, classes, count, ret_fds, note);
        if (rest != NULL)
            rest = rest[len] == ':' ? rest + len + 1 : NULL;
    }
    if (passed > 0 && !kw_failed(e))
        e = check_all_have_one(classes, count, ret_fds, note);
    return e;
}
