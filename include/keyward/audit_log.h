/* SPDX-License-Identifier: Apache-2.0 */
/* audit_log - the files of the audit log: records are made durable, files change, what a
 * crash left is put right
 *
 * In the folder lie the running file, audit.jsonl, those before it under the first and the
 * last record that they hold (audit-000000000000-000000004711.jsonl), and what was cut off
 * behind a last whole record (audit-000000004712-0.torn).  Nothing of them is ever deleted here.
 * A new file is audit.new until its first record is on the disk.  Logs of other names may lie
 * beside it: operator.jsonl, operator-….
 *
 * A record is in the log when its bytes are on the disk, and not before: the head advances
 * only after a write and an fdatasync that succeeded; in a log that is lazy after the write.  A file whose fdatasync failed is
 * never written again, as Linux marks its pages clean and a second try would succeed
 * without having done anything (fsync(2); PostgreSQL's fsyncgate, 2018): the next records go
 * into a new file, which says so.
 *
 * Outside of the folder, with the other state, lies what is remembered of the log: its id, and
 * number and hash of a late record.  A log that is gone, shorter, or another one is found by
 * it when it is opened, and goes on with a record log-lost of what was remembered: the same
 * log when it only lacks something, else a new one.
 *
 * Threads:   one at a time.
 * Blocking:  on the disk, for as long as that takes.
 */
#ifndef KEYWARD_AUDIT_LOG_H
#define KEYWARD_AUDIT_LOG_H

#include <sys/types.h>

#include <keyward/audit.h>
#include <keyward/clock.h>

/* The system calls that change what is on the disk; each sets errno when it fails.  Tests
 * give their own. */
struct kw_audit_disk {
    int (*create)(int dir, const char *name); /* a new file, 0640, that is appended to */
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    int (*truncate)(int fd, off_t size);
    int (*sync)(int fd); /* fdatasync */
    /* Never over another file: renameat2 with RENAME_NOREPLACE. */
    int (*rename)(int from_dir, const char *from, int to_dir, const char *to);
    int (*remove)(int dir, const char *name);
    int (*sync_folder)(int dir); /* fsync: names are durable only then */
};
extern const struct kw_audit_disk kw_audit_disk_system;

enum { KW_AUDIT_RESERVE = 64 * 1024 }; /* bytes */

struct kw_audit_log_options {
    const char *dir;  /* is there, and ours: 0750 or less */
    const char *name; /* of its files: 1 to 16 of a-z; NULL: audit.  Its lock is the file
                         NAME.lock */
    const struct kw_clock *clock;
    const struct kw_audit_disk *disk;
    const char *memory;    /* path of what is remembered; NULL: nothing is */
    uint64_t rotate_bytes; /* a file that would be longer ends before; 0: never */
    bool
        is_lazy; /* only the kernel has a commit, and a power cut may take it back, but for
                     what was remembered and for files that ended */
    bool reserves;    /* keeps room for last words: NAME.reserve */
    bool keeps_lines; /* for kw_audit_log_take_lines, which has to be called then */
    /* The values of a GENESIS but for format, log and before: what a new log says of
     * itself. */
    struct kw_audit_value genesis[KW_AUDIT_GENESIS_VALUES];
};

struct kw_audit_log;

/* Opens the log, or begins one.  What lies behind the last record that follows from those
 * before it is cut off, kept under a name of its own, and on record.  A log whose genesis is
 * another machine's (a disk was cloned), or that is not the remembered one, is put aside in
 * a folder of its own, and a new one begins, whose genesis names it, or the remembered one.
 * Then what was found is what is remembered.  The options are copied; what they point at is
 * borrowed until the end.
 * MISSING    there is no such folder
 * DENIED     folder or file is somebody else's, or others may write to it
 * BUSY       another process has the log
 * FORGED     the running file begins with no record of a log: it is not ours to go on with;
 *            the note says what to do
 * BAD_INPUT  what is remembered cannot be read as such; the note names file and way out
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_audit_log_open(const struct kw_audit_log_options *options,
                                     struct kw_audit_log **ret_log, struct kw_note *note);
/* NULL does nothing.  Nothing is pending: a commit has ended. */
void kw_audit_log_close(struct kw_audit_log *log);

/* Puts these records into the log, in this order: seq, time and mono_us are given here, and
 * to a CHECKPOINT, of which there is one at most, what it covers: what is before it then.  Its
 * texts are the log's until the next commit.
 * Before, the running file is looked at: when it is not as it was left (moved, longer,
 * shorter, a second name) a new one begins, and that is on record.  After a failure also the
 * folder: when there is another one at its path, the log goes on there.
 * BAD_INPUT  a record is not spelled as it must be (kw_audit_write); nothing is written
 * DENIED, BUSY  such a folder is not ours, or another process's; nothing is written
 * IO         they are not in the log, and no other commit shall say that they are; the next
 *            commit tries anew, in a new file if need be.  native = errno
 * NO_MEMORY  as BAD_INPUT */
KW_MUST_USE kw_err kw_audit_log_commit(struct kw_audit_log *log,
                                       struct kw_audit_record *records, size_t count);

/* Lines as they are in the files, each with its line feed; each kw_free's. */
struct kw_audit_lines {
    struct kw_audit_lines *next;
    kw_dst text; /* in `room` */
    uint8_t room[];
};
/* All that came into the log since they were taken last, in its order, with what the log put
 * there by itself; NULL: nothing did.  What a failed commit left out is not among them. */
struct kw_audit_lines *kw_audit_log_take_lines(struct kw_audit_log *log);

/* What is committed is remembered: the file is replaced, and durable.  Now and then, and
 * before the end; what comes later is in the log, but nobody would miss it.  Of a log that is
 * lazy the disk is asked first: when it fails, a new file begins that says so, at once or with
 * the next commit.
 * IO  native = errno; what was remembered before still is, or already this */
KW_MUST_USE kw_err kw_audit_log_remember(struct kw_audit_log *log);

/* Could a log be opened with what is remembered at `path`?  What is not there can.
 * BAD_INPUT, IO  as kw_audit_log_open */
KW_MUST_USE kw_err kw_audit_log_judge_memory(const char *path, struct kw_note *note);

/* Gives up the room that was kept, for the last commit on a disk that is full; the next
 * kw_audit_log_open keeps it anew.  false: there is none. */
bool kw_audit_log_last_words(struct kw_audit_log *log);

/* What the last record `tampered` says, since it was asked for the last time; NULL: there is
 * none.  Static. */
const char *kw_audit_log_tampered(struct kw_audit_log *log);

/* The running file ends here; the next commit begins another one. */
void kw_audit_log_rotate(struct kw_audit_log *log);

struct kw_audit_head {
    uint8_t log[KW_SHA256], hash[KW_SHA256];
    uint64_t next_seq;
};
void kw_audit_log_head(const struct kw_audit_log *log, struct kw_audit_head *ret_head);

#endif
