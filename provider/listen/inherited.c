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

/* A whole positive number up to `max`, else 0. */
static long inherited_number_of(const char *text, long max)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    long v = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && v <= max ? v : 0;
}

size_t kw_listen_inherited(struct kw_note *note, int fds[KW_CLASSES_MAX],
                           char names[KW_CLASSES_MAX][64])
{
    if (inherited_number_of(kw_env_get(KW_ENV_LISTEN_PID), INT32_MAX) != getpid())
        return 0;
    long count = inherited_number_of(kw_env_get(KW_ENV_LISTEN_FDS), 1024);
    if (count > (long)KW_CLASSES_MAX) {
        kw_note_set(note, "LISTEN_FDS=%ld: at most %u sockets can be taken over", count,
                    KW_CLASSES_MAX);
        count = (long)KW_CLASSES_MAX;
    }
    const char *rest = kw_env_get(KW_ENV_LISTEN_FDNAMES);
    for (size_t i = 0; i < (size_t)count; i++) {
        size_t len = rest != NULL ? strcspn(rest, ":") : 0;
        kw_span name = len > 0 ? kw_span_of(rest, len) : kw_span_str("unknown");
        (void)kw_copy_str(names[i], 64, name);
        fds[i] = FIRST + (int)i;
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        if (rest != NULL)
            rest = rest[len] == ':' ? rest + len + 1 : NULL;
    }
    return (size_t)count;
}
