/* SPDX-License-Identifier: Apache-2.0 */
/* A start without a keyring file, or with a bad one, is not the end: the file may be
 * copied here a moment later, a disk mounted, a mode corrected.  It is looked for until
 * it was taken once; from then on a change waits for SIGHUP, as always. */
#include "daemon_internal.h"

#include <errno.h>
#include <sys/stat.h>

#include <keyward/log.h>

enum { EVERY_S = 2 };

static struct kw_sight sight(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct kw_sight){.error = errno};
    return (struct kw_sight){.dev = st.st_dev,
                             .ino = st.st_ino,
                             .size = st.st_size,
                             .ctime_s = st.st_ctim.tv_sec,
                             .ctime_ns = st.st_ctim.tv_nsec};
}

static bool seek_is_same(const struct kw_sight *a, const struct kw_sight *b)
{
    return a->error == b->error && a->dev == b->dev && a->ino == b->ino &&
           a->size == b->size && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

/* While the last good copy serves, only another file is worth reading.  While nothing
 * does, there is nothing to disturb, and what was wrong may lie elsewhere: in a folder's
 * mode, or in the state directory. */
static void on_time(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    (void)fd;
    (void)what;
    struct kw_sight now = sight(d->config->keyring);
    bool other = !seek_is_same(&now, &d->sighted);
    d->sighted = now;
    if (d->stopping)
        return;
    kw_log(KW_LOG_DEBUG, "keyring-sought", KW_INT("errno", now.error));
    if (other || d->ring == NULL)
        kw_reload_again(d);
}

void kw_seek_begin(struct kw_daemon *d)
{
    const struct timeval every = {EVERY_S, 0};
    d->seek = event_new(d->loop, -1, EV_PERSIST, on_time, d);
    if (d->seek == NULL || event_add(d->seek, &every) != 0)
        kw_log_bare(KW_LOG_ERROR, "keyring-not-sought");
}

void kw_seek_end(struct kw_daemon *d)
{
    if (d->seek != NULL)
        event_free(d->seek);
    d->seek = NULL;
}
