/* SPDX-License-Identifier: Apache-2.0 */
/* Room for the last words on a disk that is full. */
#include "log_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void reserve_name(const struct kw_audit_log *log, char dst[KW_AUDIT_FILE_NAME])
{
    snprintf(dst, KW_AUDIT_FILE_NAME, "%s.reserve", log->o.name);
}

static bool reserve_is_there(const struct kw_audit_log *log, const char *name)
{
    struct stat st;
    return fstatat(log->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_size == KW_AUDIT_RESERVE;
}

/* Bytes that are written take room on every file system, which fallocate(2) does not. */
void kw_audit_log_reserve(const struct kw_audit_log *log)
{
    static const uint8_t zeros[KW_AUDIT_RESERVE];
    char name[KW_AUDIT_FILE_NAME];
    reserve_name(log, name);
    if (!log->o.reserves || reserve_is_there(log, name))
        return;
    (void)log->o.disk->remove(log->dir, name);
    const int fd = log->o.disk->create(log->dir, name);
    if (fd < 0)
        return;
    const bool good = kw_audit_log_put(log, fd, kw_span_of(zeros, sizeof zeros)) &&
                      log->o.disk->sync(fd) == 0;
    close(fd);
    if (!good)
        (void)log->o.disk->remove(log->dir, name);
}

bool kw_audit_log_last_words(struct kw_audit_log *log)
{
    char name[KW_AUDIT_FILE_NAME];
    reserve_name(log, name);
    return log->o.reserves && log->o.disk->remove(log->dir, name) == 0;
}
