/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd_sample.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "wal_sample.h"

enum { SAMPLE_PAGES = 600, SAMPLE_PATHS = 8 };

struct kw_run audited;
static char folder[64];
static struct bolt b;
static uint64_t revision;

void sample_begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/keyward-etcd-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    bolt_begin(&b, 4096, SAMPLE_PAGES);
    revision = 1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void sample_end(void)
{
    bolt_end(&b);
    CHECK(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

const char *sample_at(const char *name)
{
    static char paths[SAMPLE_PATHS][PATH_MAX];
    static size_t next;
    char *path = paths[next++ % SAMPLE_PATHS];
    CHECK((size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
    return path;
}

void sample_write(const char *name, kw_span bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", sample_at(name));
    for (char *s = path + strlen(folder) + 1; (s = strchr(s, '/')) != NULL; s++) {
        *s = '\0';
        (void)mkdir(path, 0700);
        *s = '/';
    }
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(bytes.len == 0 || write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    CHECK(close(fd) == 0);
}

void sample_text(const char *name, const char *text)
{
    sample_write(name, kw_span_str(text));
}

struct bolt_item sample_put(const char *key, const char *value)
{
    return bolt_put(&b, ++revision, key, kw_span_str(value));
}

void sample_db(const char *name, const struct bolt_item *items, uint16_t count,
               const struct bolt_item *freed, uint16_t freed_count)
{
    static const uint8_t index[8] = {[7] = 1};
    memset(b.bytes, 0, b.len);
    bolt_metas(&b, 2);
    /* All of the log is in it, and no more. */
    const struct bolt_item meta = bolt_pair("consistent_index", kw_span_of(index, 8));
    bolt_leaf(&b, 2,
              (const struct bolt_item[]){bolt_bucket(&b, "key", 4),
                                         bolt_inline(&b, "meta", &meta, 1)},
              2);
    if (freed_count > 0)
        bolt_leaf(&b, 3, freed, freed_count);
    bolt_leaf(&b, 4, items, count);
    sample_write(name, kw_span_of(b.bytes, b.len));
}

void sample_secret(const char *name, const char *value)
{
    const struct bolt_item item = sample_put("/registry/secrets/default/one", value);
    sample_db(name, &item, 1, NULL, 0);
}

void sample_log(const char *name, const char *key, const char *value)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    wal_sample_put(&log, 1, 1, key, value);
    sample_write(name, kw_dst_span(&log.dst));
}
