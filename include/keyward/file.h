/* SPDX-License-Identifier: Apache-2.0 */
/* file - reading files that must be safe, writing files that must not tear
 *
 * Threads:   any.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_FILE_H
#define KEYWARD_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include <keyward/bytes.h>
#include <keyward/secret.h>

/* Owned bytes of a file that is no secret. */
struct kw_blob {
    uint8_t *ptr;
    size_t len;
};
void kw_blob_wipe(struct kw_blob *b);
static inline kw_span kw_blob_peek(const struct kw_blob *b)
{
    return (kw_span){b->ptr, b->len};
}

/* Reads a regular file of at most `max` bytes.  Follows symlinks.
 * MISSING    no such file
 * BAD_INPUT  not a regular file, or larger than max
 * IO         anything else, native = errno */
KW_MUST_USE kw_err kw_file_read(const char *path, size_t max, struct kw_blob *ret_blob,
                                struct kw_note *note);

/* `len` bytes from `at` on, wherever the descriptor stands; how many there were, fewer only
 * where the file ends; -1 with errno. */
KW_MUST_USE ssize_t kw_file_pread(int fd, uint8_t *dst, size_t len, uint64_t at);

/* Where the file has written bytes next, from `at` on: `at`, or the end of the hole that it
 * lies in, which reads as zeroes; where nothing follows, the file's end (`at`, when it lies
 * behind that).  A disk that knows of no holes has none.
 * Where the descriptor stands afterwards is not said. */
uint64_t kw_file_next_data(int fd, uint64_t at);
/* How far the written bytes at `at` go at least: more than `at`. */
uint64_t kw_file_data_end(int fd, uint64_t at);

/* Reads a file that says what is to be trusted, as kw_file_read does: nobody but root and
 * `uid` can have changed or exchanged it.  The path is walked folder by folder, on open
 * descriptors, and what is read is the descriptor that was judged, so that no moment lies
 * between the judgement and the reading.
 *   the file       is root's or uid's, and not writable by group or others
 *   every folder   above it is root's or uid's, and not writable by group or others; a
 *                  sticky one of root's may be (/tmp: there everybody's things are safe
 *                  from everybody else)
 *   a symlink      is followed, is root's or uid's, and its target is held to the same
 * An ACL that lets others write shows in the group's bits (acl(5)), and is refused too.
 * MISSING    no such file or folder
 * BAD_INPUT  not a regular file, larger than max, or a loop of symlinks
 * DENIED     owner or mode; the note names what is at fault and chmod or chown
 * IO         anything else, native = errno; NO_MEMORY */
KW_MUST_USE kw_err kw_file_read_trusted(const char *path, uid_t uid, size_t max,
                                        struct kw_blob *ret_blob, struct kw_note *note);
/* The same judgement; nothing is opened for reading. */
KW_MUST_USE kw_err kw_file_judge(const char *path, uid_t uid, struct kw_note *note);

/* Reads a file that holds a secret straight into the arena: a regular file, not a
 * symlink, owned by this process's uid or root, no right for group or others (mode, or
 * ACL: systemd lets a service's user at a credential by one), 1..max bytes.  One trailing
 * newline is stripped.
 * MISSING, BAD_INPUT (empty, too large, not regular), DENIED (owner or mode, or this uid
 * may not open it; the note names chmod or chown), IO, NO_MEMORY */
KW_MUST_USE kw_err kw_file_read_secret(const char *path, size_t max,
                                       struct kw_secret *ret_secret,
                                       struct kw_note *note);
/* Its three steps, for a file that one user opens and another one reads: opening (never a
 * symlink), judging owner and rights as this process's uid, reading from the beginning.
 * `path` is for the messages. */
KW_MUST_USE kw_err kw_file_open_secret(const char *path, int *ret_fd,
                                       struct kw_note *note);
KW_MUST_USE kw_err kw_file_judge_secret(int fd, const char *path, struct kw_note *note);
KW_MUST_USE kw_err kw_file_read_secret_fd(int fd, const char *path, size_t max,
                                          struct kw_secret *ret_secret,
                                          struct kw_note *note);

/* Replaces `path` with `bytes`: a new file beside it under a random name, fsync, rename,
 * fsync of the folder.  After a failure the file is whole, and nothing lies beside it: it
 * is the old one, unless kw_file_is_written(e): then it is the new one, and only a crash
 * of the machine may bring the old one back.  A symlink is replaced, not followed.  mode
 * is the new file's; owner and group are kept when the file was there and we may.
 * IO  native = errno; the note names the path, and says which of the two it is */
KW_MUST_USE kw_err kw_file_replace(const char *path, kw_span bytes, mode_t mode,
                                   struct kw_note *note);
/* Of an error of kw_file_replace: the new file is in its place, but not yet durable. */
bool kw_file_is_written(kw_err e);

#endif
