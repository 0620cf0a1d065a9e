/* SPDX-License-Identifier: Apache-2.0 */
#include "wal_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"

void wal_files_make(struct wal_files *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/keyward-wal-XXXXXX");
    CHECK(mkdtemp(f->path) != NULL);
}

const char *wal_files_at(const struct wal_files *f, const char *name)
{
    static char path[sizeof f->path + 256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

void wal_files_remove(struct wal_files *f)
{
    DIR *dir = opendir(f->path);
    const struct dirent *entry;
    CHECK(dir != NULL);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            CHECK(unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0);
    closedir(dir);
    CHECK(rmdir(f->path) == 0);
}

void wal_files_put(const struct wal_files *f, const char *name, kw_span bytes)
{
    const int fd =
        open(wal_files_at(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(bytes.len == 0 || write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    CHECK(close(fd) == 0);
}

int wal_files_open(const struct wal_files *f, const char *name)
{
    const int fd = open(wal_files_at(f, name), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static kw_err walked_call(struct walked *w)
{
    const long call = w->calls++;
    if (w->before != NULL)
        w->before(w->about, call);
    return call == w->stop ? kw_err_at(KW_CODE_CANCELLED, "the visitor") : KW_OK;
}

static kw_err take_put(void *self, const struct kw_etcd_put *put)
{
    struct walked *const w = self;
    struct walked_put *const p = &w->put[w->puts % WALKED_PUTS];
    p->term = put->term;
    p->index = put->index;
    (void)kw_copy_str(p->key, sizeof p->key, put->key);
    (void)kw_copy_str(p->value, sizeof p->value, put->value);
    w->puts++;
    return walked_call(w);
}

static kw_err take_unread(void *self, const struct kw_etcd_wal_unread *unread)
{
    struct walked *const w = self;
    struct walked_unread *const u = &w->fault[w->unread % WALKED_UNREAD];
    (void)kw_copy_str(u->file, sizeof u->file, kw_span_str(unread->file));
    (void)kw_copy_str(u->why, sizeof u->why, kw_span_str(unread->why));
    u->offset = unread->offset;
    u->len = unread->bytes.len;
    CHECK(u->len <= KW_ETCD_WAL_PIECE);
    if (w->mark != NULL &&
        memmem(unread->bytes.ptr, unread->bytes.len, w->mark, strlen(w->mark)) != NULL)
        w->marks++;
    w->unread++;
    return walked_call(w);
}

static void take_progress(void *self, uint64_t bytes, uint64_t of_bytes)
{
    struct walked *const w = self;
    CHECK(bytes >= w->seen && bytes <= of_bytes);
    w->seen = bytes;
    w->of = of_bytes;
}

void wal_files_walk(const struct wal_files *f, struct walked *w)
{
    const struct kw_etcd_wal_visitor visitor = {
        .self = w, .put = take_put, .unread = take_unread, .progress = take_progress};
    w->err = kw_etcd_wal_walk(f->path, &visitor, &w->info, &w->note);
}

void wal_files_walk_all(const struct wal_files *f, struct walked *w)
{
    *w = (struct walked){.stop = -1};
    wal_files_walk(f, w);
}

bool walked_has(const struct walked *w, size_t i, uint64_t index, const char *key,
                const char *value)
{
    return i < w->puts && w->put[i].index == index && strcmp(w->put[i].key, key) == 0 &&
           strcmp(w->put[i].value, value) == 0;
}

bool walked_unread_is(const struct walked *w, size_t i, const char *file, const char *why)
{
    return i < w->unread && strcmp(w->fault[i].file, file) == 0 &&
           strcmp(w->fault[i].why, why) == 0;
}
