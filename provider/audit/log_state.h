/* SPDX-License-Identifier: Apache-2.0 */
/* log_state - the writer's own state: log.c goes on with it, log_open.c finds it on the disk */
#ifndef KEYWARD_AUDIT_LOG_STATE_H
#define KEYWARD_AUDIT_LOG_STATE_H

#include <keyward/audit_log.h>

#include "memory_text.h"

#define KW_AUDIT_LOG_NAME "audit" /* unless the options have another one */
enum { KW_AUDIT_LOG_NAME_MAX = 16, KW_AUDIT_FILE_NAME = 64 /* with the NUL */ };

/* What a log's genesis says, where it is in reach. */
struct kw_audit_origin {
    bool is_known, has_machine, has_before;
    uint8_t machine[KW_AUDIT_MACHINE];
    uint8_t before[KW_SHA256]; /* the id of the log whose place it took */
};

/* The first record that no checkpoint covers. */
struct kw_audit_uncovered {
    bool is_known;
    uint64_t first_seq;
};

/* What a record `torn` says. */
struct kw_audit_torn {
    uint64_t last, bytes;
    uint8_t sha256[KW_SHA256];
};
enum { KW_AUDIT_TORN_MAX = 16 };

/* The records `torn` with which the log ends, as it was found. */
struct kw_audit_torn_row {
    uint64_t first_seq; /* of them, and of the file that they begin */
    size_t count;
    struct kw_audit_torn rows[KW_AUDIT_TORN_MAX];
};

struct kw_audit_log {
    struct kw_audit_log_options o;
    char running[KW_AUDIT_FILE_NAME]; /* the running file's name: audit.jsonl   */
    char coming
        [KW_AUDIT_FILE_NAME]; /* audit.new: until its first records are on the disk */
    int dir;                  /* the folder                                           */
    int lock;                 /* NAME.lock                                            */
    int fd;                   /* the running file, or -1                              */
    uint64_t size;            /* of it: what is committed                             */
    uint64_t certain;   /* of that: also when the power goes, or given up          */
    uint64_t first_seq; /* of its first record                                  */
    struct kw_audit_chain
        chain;         /* after the last committed record                      */
    uint64_t unsynced; /* bytes that the file before may have, or not          */
    bool is_spoilt;    /* the running file is written no more                  */
    bool is_longer;    /* and what is not committed could not be cut off       */
    bool ends;         /* somebody wants another one                           */
    bool has_failed;   /* the last commit did                                  */
    bool has_why;      /* the next file has this on record:                    */
    struct kw_audit_record why;
    const char
        *tampered; /* a literal: what was found, and nobody asked for yet; or NULL */
    struct kw_audit_uncovered uncovered;
    struct {
        char log[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    } checkpoint;                 /* what the record of the last commit borrows */
    struct kw_audit_lines *lines; /* in the log, and not taken yet */
    struct kw_audit_lines **lines_end;

    struct kw_audit_memory memory; /* what is remembered, as the file says it  */
    bool has_memory;
    bool is_met;  /* the remembered record's place was come across             */
    bool is_lost; /* something of the remembered log is not there              */
    struct kw_audit_origin origin;
    struct kw_audit_torn_row torn;
};

/* The next running file; `why` is the record of what made it necessary, or NULL. */
KW_MUST_USE kw_err kw_audit_log_next(struct kw_audit_log *log,
                                     const struct kw_audit_record *why);
/* A record that is in the log, or is to be: what is uncovered behind it. */
void kw_audit_log_uncovered(struct kw_audit_uncovered *u,
                            const struct kw_audit_record *r);
/* Records behind what is committed, as they are, but for what a CHECKPOINT covers. */
KW_MUST_USE kw_err kw_audit_log_write(struct kw_audit_log *log,
                                      struct kw_audit_record *records, size_t count);
/* Those from here on are none of the log after all. */
void kw_audit_log_drop_lines(struct kw_audit_log *log, struct kw_audit_lines **from);
/* What is committed is on the disk; else the file is given up, and the next one says so. */
KW_MUST_USE kw_err kw_audit_log_sync(struct kw_audit_log *log);
/* All bytes behind what is in the file; false with errno. */
bool kw_audit_log_put(const struct kw_audit_log *log, int fd, kw_span bytes);
/* The name that tells what the running file holds. */
void kw_audit_log_name(const struct kw_audit_log *log, char dst[KW_AUDIT_FILE_NAME]);
/* A file with nothing in it, which is not yet the running one. */
KW_MUST_USE kw_err kw_audit_log_create(struct kw_audit_log *log);
/* Now it is, with its first records.  *ret_runs: also of a failure, when only the folder's
 * fsync failed. */
KW_MUST_USE kw_err kw_audit_log_publish(struct kw_audit_log *log, bool *ret_runs);

/* ---- log_open.c: reading ---- */

/* Is our folder still the one at its path?  If not, that one is judged as when the log was
 * opened, and is ours from then on; else we keep the one we have.
 * IO  native = errno;  DENIED, BUSY  as kw_audit_log_open */
KW_MUST_USE kw_err kw_audit_log_find_folder(struct kw_audit_log *log);

/* The log's name of the file in which the record would be, or that is nearest before it; ""
 * when there is none. */
KW_MUST_USE kw_err kw_audit_log_find(const struct kw_audit_log *log, uint64_t seq,
                                     char dst[KW_AUDIT_FILE_NAME], struct kw_note *note);
/* Takes records as long as they follow; *ret_good is where the first that does not begins. */
KW_MUST_USE kw_err kw_audit_log_replay(struct kw_audit_log *log,
                                       struct kw_audit_chain *chain, int fd,
                                       uint64_t *ret_first_seq, uint64_t *ret_good);

/* ---- log_torn.c ---- */

/* A record that was replayed, of the last file. */
void kw_audit_log_torn_met(struct kw_audit_log *log, const struct kw_audit_record *r);
/* The running file has `size` bytes: what is behind the last record is kept, cut off, and on
 * record; and there is a running file. */
KW_MUST_USE kw_err kw_audit_log_torn(struct kw_audit_log *log, uint64_t size,
                                     struct kw_note *note);

/* ---- reserve.c ---- */

/* Makes it, where it is wanted and not there; a disk that has no room has none. */
void kw_audit_log_reserve(const struct kw_audit_log *log);

/* ---- log_remember.c ---- */

/* Reads what is remembered, if anything is. */
KW_MUST_USE kw_err kw_audit_log_recall(struct kw_audit_log *log, struct kw_note *note);
/* A record that was replayed; `chain` is as it is behind it. */
void kw_audit_log_meet(struct kw_audit_log *log, const struct kw_audit_chain *chain,
                       const struct kw_audit_record *r);
/* Of a log that was found: whether it goes on here, and whether something of it is lost. */
KW_MUST_USE kw_err kw_audit_log_judge(struct kw_audit_log *log, bool *ret_goes_on,
                                      struct kw_note *note);
/* After opening: says what is lost, and remembers what is there. */
KW_MUST_USE kw_err kw_audit_log_settle(struct kw_audit_log *log, struct kw_note *note);

/* ---- log_away.c ---- */

/* All files of the log that was found go into a folder of their own, and it is forgotten. */
KW_MUST_USE kw_err kw_audit_log_away(struct kw_audit_log *log, struct kw_note *note);

#endif
