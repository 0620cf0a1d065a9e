/* SPDX-License-Identifier: Apache-2.0 */
/* wal_files - a folder of the test's own, and what a walk over it found */
#ifndef KEYWARD_TESTS_ETCD_WAL_FILES_H
#define KEYWARD_TESTS_ETCD_WAL_FILES_H

#include <keyward/etcd_wal.h>

struct wal_files {
    char path[256];
};
void wal_files_make(struct wal_files *f);
void wal_files_remove(struct wal_files *f); /* with all that lies in it */
void wal_files_put(const struct wal_files *f, const char *name, kw_span bytes);
/* "<path>/<name>"; until the next call. */
const char *wal_files_at(const struct wal_files *f, const char *name);
int wal_files_open(const struct wal_files *f, const char *name); /* to read and write */

enum { WALKED_PUTS = 16, WALKED_UNREAD = 16, WALKED_TEXT = 64 };

struct walked_put {
    uint64_t term, index;
    char key[WALKED_TEXT], value[WALKED_TEXT];
};
struct walked_unread {
    char file[WALKED_TEXT], why[WALKED_TEXT];
    uint64_t offset;
    size_t len;
};
struct walked {
    kw_err err;
    struct kw_note note;
    struct kw_etcd_wal_info info;
    size_t puts, unread; /* how many came; the first ones are kept */
    struct walked_put put[WALKED_PUTS];
    struct walked_unread fault[WALKED_UNREAD];
    const char *mark;  /* looked for in what is unread */
    size_t marks;      /* pieces that hold it          */
    long stop;         /* the n-th call of the visitor (0 = first) fails; -1: none */
    uint64_t seen, of; /* as told last */
    void (*before)(void *about, long call); /* each call of the visitor; may be NULL */
    void *about;
    long calls;
};
void wal_files_walk(const struct wal_files *f, struct walked *w);
/* From zero, without a stop. */
void wal_files_walk_all(const struct wal_files *f, struct walked *w);
bool walked_has(const struct walked *w, size_t i, uint64_t index, const char *key,
                const char *value);
bool walked_unread_is(const struct walked *w, size_t i, const char *file,
                      const char *why);

#endif
