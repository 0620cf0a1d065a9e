/* SPDX-License-Identifier: Apache-2.0 */
/* audit_writer - the thread that makes records durable, many with one fdatasync
 *
 * Records from all threads go into one queue; a thread of its own commits whatever waits,
 * and the main thread tells those that asked (kw_audit_writer_collect).  While the disk is
 * busy or broken nobody but that thread waits for it.
 *
 * When a commit fails, or takes longer than the deadline, the log is *ill* (health) until one
 * succeeds.  Calls without a record are then counted by class, method and outcome; the counts
 * are kept, tried once a second, and come first when the disk is back.  What nobody waits for
 * (a change, not a call) is kept too, as far as there is room.
 *
 * Copies of what is in the log are sent by that thread too, behind all that somebody waits for.
 *
 * Threads:   put, event and the door from any thread; the rest on the main thread.
 * Blocking:  stop alone, for as long as its grace.
 */
#ifndef KEYWARD_AUDIT_WRITER_H
#define KEYWARD_AUDIT_WRITER_H

#include <keyward/audit_checkpoint.h>
#include <keyward/audit_copies.h>
#include <keyward/audit_door.h>
#include <keyward/audit_log.h>
#include <keyward/limits.h>

enum {
    KW_AUDIT_WAITING_MAX = 8192, /* records */
    KW_AUDIT_SERIAL = 33,
    KW_AUDIT_REFUSED_EACH =
        10, /* a second, of one peer and reason: further are counted */
};

struct kw_audit_writer_options {
    struct kw_audit_log *log; /* the writer's until its end, which closes it */
    const struct kw_clock *clock;
    const char *const *class_names; /* borrowed */
    size_t class_count;
    /* Folder of operator.jsonl, beside this log; borrowed.  Where that stands is on record
     * before each checkpoint, when it is news.  NULL: nobody looks. */
    const char *operator_dir;
    int64_t deadline_ns;
    bool allow;                            /* see kw_audit_door */
    struct kw_audit_copies *copies;        /* borrowed until the end; NULL: none.  The
                                              log keeps its lines for them */
    kw_audit_told *told;                   /* main thread, from collect */
    unsigned (*grpc_code)(enum kw_code c); /* as it is answered */
    /* Main thread: serial number of the token of this name; "" = not known. */
    void (*serial)(void *ctx, const char *token, char dst[KW_AUDIT_SERIAL]);
    void *ctx;
};

struct kw_audit_writer;
/* NO_MEMORY, IO; the log stays the caller's then. */
KW_MUST_USE kw_err kw_audit_writer_new(const struct kw_audit_writer_options *options,
                                       struct kw_audit_writer **ret_writer);
/* Whoever waits now is told that it is late, and nobody may wait any more. */
void kw_audit_writer_abandon(struct kw_audit_writer *writer);
/* Commits what waits, closes the log and frees the writer; says when something could not be
 * put on record.  false: the disk did not answer within the grace; the thread and what it
 * holds are left as they are, and goes on with the options and what they point at: these must
 * stay until the process ends.  NULL does nothing.  Nobody waits any more (asserted). */
bool kw_audit_writer_stop(struct kw_audit_writer *writer, int64_t grace_ns);

struct kw_audit_door kw_audit_writer_door(struct kw_audit_writer *writer);
/* Readable when there is something to collect. */
int kw_audit_writer_fd(const struct kw_audit_writer *writer);
/* Tells whose record is committed, or failed, or late; about ten times a second besides. */
void kw_audit_writer_collect(struct kw_audit_writer *writer);

/* A change, which nobody waits for; its texts are copied.  One that is not spelled as it
 * must be, or has no room, is counted as missed. */
void kw_audit_writer_event(struct kw_audit_writer *writer,
                           const struct kw_audit_record *record);
/* The running file ends, and another one begins. */
void kw_audit_writer_rotate(struct kw_audit_writer *writer);

/* A checkpoint of what is in the log when its turn comes: node, counts and clock are the
 * caller's, log, covered and head are told by the standing once it is in the log.  One at a
 * time.  false: there is no room now, and nothing is missed for it. */
bool kw_audit_writer_checkpoint(struct kw_audit_writer *writer,
                                const struct kw_checkpoint *checkpoint);

/* Where the log stands; checkpoints and signatures are no records here. */
struct kw_audit_standing {
    uint64_t uncovered;        /* records in the log behind the last checkpoint       */
    int64_t uncovered_ns;      /* when the first of them was there, monotonic         */
    bool has_new_file;         /* one of them begins a file                           */
    bool waits;                /* a checkpoint is not in the log yet                  */
    bool is_behind;            /* there are records, or will be, that it will not cover */
    uint64_t checkpoints;      /* in the log since the start                          */
    struct kw_checkpoint last; /* of these                                            */
};
void kw_audit_writer_standing(struct kw_audit_writer *writer,
                              struct kw_audit_standing *ret_standing);

struct kw_audit_writer_stats {
    bool ill;
    uint64_t records, commits; /* in the log since the start           */
    uint64_t missed, withheld; /* calls without, and against, a record */
    uint64_t refused;          /* recorded as a number only            */
    size_t waiting;
};
void kw_audit_writer_stats(struct kw_audit_writer *writer,
                           struct kw_audit_writer_stats *ret_stats);

#endif
