/* SPDX-License-Identifier: Apache-2.0 */
/* A log that does not go on here makes room for another: its files keep their names, in a
 * folder of their own. */
#include "log_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static kw_err away_failed(const struct kw_audit_log *log, const char *what,
                          struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "audit log %s: putting aside the one that is there: %s: %s",
                log->o.dir, what, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, "audit away");
}

/* audit-ID-I: the first 8 bytes of the log's id, and the first number that is free. */
static int away_make(const struct kw_audit_log *log, char name[64])
{
    char id[2 * 8 + 1];
    int made = -1;
    kw_hex(id, sizeof id, kw_span_of(log->chain.log, 8));
    for (unsigned i = 0; made != 0 && i < 100 && (i == 0 || errno == EEXIST); i++) {
        snprintf(name, 64, "audit-%s-%u", id, i);
        made = mkdirat(log->dir, name, 0750);
    }
    return made != 0
               ? -1
               : openat(log->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool away_is_older(const char *name)
{
    static const char *const ends[] = {".jsonl", ".torn", ".foreign"};
    const size_t len = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strncmp(name, "audit-", 6) == 0 && len > strlen(ends[i]) &&
            strcmp(name + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Everything but the running file. */
static bool away_move_older(const struct kw_audit_log *log, int to)
{
    int own = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    bool ok = dir != NULL;
    for (const struct dirent *d; ok && (d = readdir(dir)) != NULL;)
        ok = !away_is_older(d->d_name) ||
             log->o.disk->rename(log->dir, d->d_name, to, d->d_name) == 0;
    const int native = errno;
    if (dir != NULL)
        closedir(dir);
    else if (own >= 0)
        close(own);
    errno = native;
    return ok;
}

/* The last to go: as long as it is there, the log is found again. */
static bool away_move_running(const struct kw_audit_log *log, int to)
{
    char name[64];
    if (log->fd < 0)
        return true;
    if (log->size == 0)
        return log->o.disk->remove(log->dir, log->running) == 0;
    kw_audit_log_name(log, name);
    return log->o.disk->rename(log->dir, log->running, to, name) == 0;
}

kw_err kw_audit_log_away(struct kw_audit_log *log, struct kw_note *note)
{
    char name[64];
    int to = away_make(log, name);
    if (to < 0)
        return away_failed(log, name, note);
    const bool ok = away_move_older(log, to) && log->o.disk->sync_folder(to) == 0 &&
                    away_move_running(log, to) && log->o.disk->sync_folder(to) == 0 &&
                    log->o.disk->sync_folder(log->dir) == 0;
    kw_err e = ok ? KW_OK : away_failed(log, name, note);
    close(to);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
    log->size = log->first_seq = 0;
    log->chain = (struct kw_audit_chain){0};
    return e;
}
