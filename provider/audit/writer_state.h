/* SPDX-License-Identifier: Apache-2.0 */
/* writer_state - the writer's own state: writer.c moves records, waiting.c is its queue,
 * missed.c counts what has none, refused.c what is too much for records of their own */
#ifndef KEYWARD_AUDIT_WRITER_STATE_H
#define KEYWARD_AUDIT_WRITER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <keyward/audit_writer.h>
#include <keyward/kms.h>
#include <keyward/mutex.h>

enum { ENTRY_TEXT = 640, METHODS = 2, REFUSED_ROWS = 64 };
/* Changes have room behind a queue that is full of calls. */
enum { CHANGES_MAX = KW_AUDIT_WAITING_MAX + 1024 };

/* A record that waits for the disk, or for being told of. */
struct kw_audit_entry {
    struct kw_audit_entry *next;
    struct kw_audit_record record; /* borrows from text */
    struct kw_request *request;    /* who is to be told; NULL: nobody (any more) */
    unsigned class_index;
    enum kw_method method;
    enum kw_code code, answered; /* of a call: as it is on record, and was */
    bool is_call, is_committed;
    int64_t put_ns;
    kw_err err; /* what came of it */
    size_t used;
    char text[ENTRY_TEXT];
};
struct kw_audit_list {
    struct kw_audit_entry *first, **last; /* last: NULL when empty */
    size_t count;
};

/* Where operator.jsonl stood when it was looked at; the texts are a record's. */
struct kw_audit_operator {
    bool is_there, is_log;
    char log[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    uint64_t last;
};

/* By class, method, code; `changes` are records of no call. */
struct kw_audit_missed {
    uint64_t calls[KW_CLASSES_MAX][METHODS][KW_CODE_COUNT];
    uint64_t changes, total;
};

/* One peer, one reason. */
struct kw_audit_refusal {
    bool used;
    enum kw_method method;
    unsigned class_index;
    struct kw_peer peer;
    enum kw_code code;
    int64_t since_ns;    /* of the running second */
    uint64_t seen, more; /* in it: all; those without a record of their own */
};

struct kw_audit_writer {
    struct kw_audit_writer_options o;
    pthread_t thread;
    int fd;
    uint64_t unremembered; /* the thread's own: records since the log was remembered */
    int64_t remembered_ns; /* and when that was                                      */
    kw_err said;           /* the thread's own: what the daemon's log was told of    */
    bool said_hang;        /* the main thread's own: the same of a commit that hangs */
    uint64_t next_seq;     /* the thread's own: of the log, after the last round     */
    bool gave_room;        /* the thread's own: what was kept for the last words     */
    struct kw_audit_operator told, found; /* the thread's own: on record; now */
    atomic_bool failing;                  /* the last commit failed                    */
    atomic_int_fast64_t commits_ns;       /* the disk is asked since then, 0: it is not */
    struct kw_mutex mutex;                /* all that follows is under it */
    pthread_cond_t work;
    struct kw_audit_list queue; /* for the next commit */
    struct kw_audit_list busy;  /* in the one that goes on */
    struct kw_audit_list done;  /* to be told of */
    struct {
        struct kw_audit_entry *entry; /* its request is being told of; NULL: none is */
        bool has_ended;               /* meanwhile; and main has it                  */
    } late;
    struct kw_audit_missed missed;
    struct kw_audit_refusal refusals[REFUSED_ROWS];
    uint64_t refused_others; /* all rows were taken */
    int64_t others_ns;       /* the first of them was then */
    int64_t retry_ns;        /* while failing */
    bool left;               /* nobody may wait any more */
    bool rotates, stops, ended;
    bool tried_last;                   /* a commit that began after `stops` has ended */
    uint64_t fresh;                    /* queued behind the last checkpoint            */
    struct kw_audit_standing standing; /* is_behind is not kept                     */
    struct kw_audit_writer_stats stats;
};

/* ---- waiting.c ---- */
void kw_audit_list_push(struct kw_audit_list *list, struct kw_audit_entry *e);
struct kw_audit_entry *kw_audit_list_pop(struct kw_audit_list *list); /* NULL: empty */
/* All of `front` before all of `list`. */
void kw_audit_list_prepend(struct kw_audit_list *list, struct kw_audit_list *front);
/* A copy of the record that owns its texts; NULL when memory is out, or they are too long. */
struct kw_audit_entry *kw_audit_entry_new(const struct kw_audit_record *record);

/* ---- writer_door.c; under the mutex ---- */
bool kw_audit_writer_has_room(const struct kw_audit_writer *w) KW_REQUIRES(w->mutex);
/* A change is queued, or counted as missed. */
void kw_audit_writer_keep(struct kw_audit_writer *w, const struct kw_audit_record *record)
    KW_REQUIRES(w->mutex);

/* Record `seq` says OK, but this was answered. */
void kw_audit_writer_withhold(struct kw_audit_writer *w, uint64_t seq, enum kw_code code)
    KW_REQUIRES(w->mutex);

/* ---- operator_head.c; the thread alone ---- */
/* Looks at operator.jsonl; false: there is nothing to say.  The record's texts are `found`'s. */
bool kw_audit_operator_news(struct kw_audit_writer *w,
                            struct kw_audit_record *ret_record);

/* ---- standing.c; under the mutex ---- */
/* Each entry that is queued. */
void kw_audit_standing_queued(struct kw_audit_writer *w,
                              const struct kw_audit_record *record) KW_REQUIRES(w->mutex);
/* The records of a commit, behind so many that the log had put there by itself. */
void kw_audit_standing_committed(struct kw_audit_writer *w,
                                 const struct kw_audit_record *records, size_t count,
                                 uint64_t own) KW_REQUIRES(w->mutex);

/* ---- missed.c; under the mutex ---- */
void kw_audit_missed_call(struct kw_audit_writer *w, unsigned class_index,
                          enum kw_method method, enum kw_code code) KW_REQUIRES(w->mutex);
void kw_audit_missed_change(struct kw_audit_writer *w) KW_REQUIRES(w->mutex);
/* How many records tell of them, and these; their texts are literals or the options'. */
size_t kw_audit_missed_count(const struct kw_audit_missed *m);
size_t kw_audit_missed_records(const struct kw_audit_writer_options *o,
                               const struct kw_audit_missed *m,
                               struct kw_audit_record *dst);
/* What is on record now. */
void kw_audit_missed_take(struct kw_audit_missed *m, const struct kw_audit_missed *told);

/* ---- refused.c; under the mutex ---- */
/* Is it one too many in this second?  Then it is counted here. */
bool kw_audit_refused_is_many(struct kw_audit_writer *w, const struct kw_request *request,
                              int64_t now_ns) KW_REQUIRES(w->mutex);
/* The record of one that is due; false: none. */
bool kw_audit_refused_next(struct kw_audit_writer *w, int64_t now_ns,
                           struct kw_audit_record *ret_record) KW_REQUIRES(w->mutex);

#endif
