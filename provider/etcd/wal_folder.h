/* SPDX-License-Identifier: Apache-2.0 */
/* wal_folder - the folder of a write-ahead log: names, files, does a member run
 *
 * Nothing is followed, waited for or written.  etcd holds a write lock on each file that it
 * may append to, by open file description (F_OFD_SETLK), by flock(2) on kernels before
 * 3.15.  A member must be able to start while its log is read, so no lock is kept: whether
 * there is one is asked before and after.
 *
 * Threads:   any.
 * Blocking:  on the disk.
 * Sources:   etcd-io/etcd: client/pkg/fileutil/lock_{linux,flock}.go,
 *            server/storage/wal/{wal,util,repair}.go
 */
#ifndef KEYWARD_ETCD_WAL_FOLDER_H
#define KEYWARD_ETCD_WAL_FOLDER_H

#include <limits.h>

#include <keyward/bytes.h>

enum { KW_WAL_NAMES_MAX = 65536 };

enum kw_wal_sort {
    KW_WAL_SEGMENT, /* `<seq>-<index>.wal`: 16 lower-case hex digits each */
    KW_WAL_BROKEN,  /* `….wal.broken`: what etcd's repair set aside */
    KW_WAL_ODD,     /* another name that ends in .wal */
};

struct kw_wal_name {
    char text[NAME_MAX + 1];
    enum kw_wal_sort sort;
    uint64_t seq, index; /* of a segment */
};

/* false when it ends neither in .wal nor in .wal.broken. */
bool kw_wal_name_of(const char *text, struct kw_wal_name *ret_name);

struct kw_wal_folder {
    const char *path; /* borrowed */
    int fd;
    struct kw_wal_name *names; /* ascending, byte by byte */
    size_t count, room;
};

/* MISSING (none that ends in .wal, too), BAD_INPUT (no folder; more than
 * KW_WAL_NAMES_MAX names), IO, NO_MEMORY.  Always ended by kw_wal_folder_close. */
KW_MUST_USE kw_err kw_wal_folder_open(const char *path, struct kw_wal_folder *folder,
                                      struct kw_note *note);
void kw_wal_folder_close(struct kw_wal_folder *folder);

struct kw_wal_file {
    const struct kw_wal_folder *folder;
    const char *name;
    int fd;        /* -1: no regular file */
    uint64_t size; /* bytes, when it was opened */
};

/* BUSY (locked for writing, or gone since its name was read), IO */
KW_MUST_USE kw_err kw_wal_file_open(const struct kw_wal_folder *folder,
                                    const struct kw_wal_name *name,
                                    struct kw_wal_file *ret_file, struct kw_note *note);
void kw_wal_file_close(struct kw_wal_file *file);

/* `len` bytes from `at` on; both lie within its size.
 * BUSY (it has become shorter), IO */
KW_MUST_USE kw_err kw_wal_file_read(const struct kw_wal_file *file, uint64_t at,
                                    uint8_t *dst, size_t len, struct kw_note *note);

#endif
