/* SPDX-License-Identifier: Apache-2.0 */
/* The committing thread, and what is told of its work.
 *
 * A record waits in `queue`, goes to `busy` while its batch is committed, and from there to
 * `done` when somebody is to be told of it.  The thread alone touches the log. */
#include "writer_state.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

enum { BATCH_MAX = 1024 }; /* records of one commit, and with them the counts */
/* Changes that have room in what was kept, beside as much of counts. */
enum { LAST_CHANGES = KW_AUDIT_RESERVE / KW_AUDIT_LINE_MAX / 2 };
#define RETRY_NS KW_S_NS
/* As often as the log would say by itself where it stands. */
enum { REMEMBER_RECORDS = 10000 };
#define REMEMBER_NS (60 * KW_S_NS)

/* ---- the thread -------------------------------------------------------------------- */

struct writer_batch {
    bool has_checkpoint, has_news; /* of operator.jsonl: its first record */
    struct kw_audit_record *records;
    size_t count;
    struct kw_audit_missed missed; /* as told by the first records */
};

static bool writer_has_work(const struct kw_audit_writer *w) KW_REQUIRES(w->mutex)
{
    if (atomic_load(&w->failing))
        return w->stops || kw_mono_ns(w->o.clock) >= w->retry_ns;
    return w->queue.count > 0 || w->missed.total > 0 || w->rotates || w->stops;
}

/* The analysis does not know that waiting gives the mutex back and takes it again. */
static void writer_wait(struct kw_audit_writer *w) KW_REQUIRES(w->mutex)
{
    struct timespec until;
    if (!atomic_load(&w->failing)) {
        pthread_cond_wait(&w->work, &w->mutex.native);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_cond_timedwait(&w->work, &w->mutex.native, &until);
}

/* What waits becomes busy, behind the numbers of what was missed.  NO_MEMORY. */
static kw_err writer_gather(struct kw_audit_writer *w, struct writer_batch *b)
    KW_REQUIRES(w->mutex)
{
    b->missed = w->missed;
    const size_t counts = kw_audit_missed_count(&b->missed);
    size_t take = w->queue.count < BATCH_MAX ? w->queue.count : BATCH_MAX;
    b->count = 0;
    b->records = kw_new(counts + take + 1, sizeof *b->records);
    if (b->records == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "audit batch");
    b->count = kw_audit_missed_records(&w->o, &b->missed, b->records);
    for (; take > 0; take--) {
        struct kw_audit_entry *e = kw_audit_list_pop(&w->queue);
        b->records[b->count++] = e->record;
        b->has_checkpoint |= e->record.kind == KW_AUDIT_CHECKPOINT;
        kw_audit_list_push(&w->busy, e);
    }
    return KW_OK;
}

/* A checkpoint covers what is known of operator.jsonl by then; the batch has room. */
static void writer_look_beside(struct kw_audit_writer *w, struct writer_batch *b)
{
    struct kw_audit_record news;
    if (!b->has_checkpoint || !kw_audit_operator_news(w, &news))
        return;
    for (size_t i = b->count++; i > 0; i--)
        b->records[i] = b->records[i - 1];
    b->records[0] = news;
    b->has_news = true;
}

/* The disk, or what is ours of it. */
static bool writer_is_full(kw_err e)
{
    return e.native == ENOSPC || e.native == EDQUOT;
}

/* With the room that was kept for what comes last. */
static kw_err writer_commit_last(struct kw_audit_writer *w, const struct writer_batch *b,
                                 kw_err e)
{
    if (!writer_is_full(e) || !kw_audit_log_last_words(w->o.log))
        return e;
    w->gave_room = true;
    return kw_audit_log_commit(w->o.log, b->records, b->count);
}

static kw_err writer_commit(struct kw_audit_writer *w, struct writer_batch *b,
                            bool rotates, bool is_last)
{
    if (rotates)
        kw_audit_log_rotate(w->o.log);
    atomic_store(&w->commits_ns, kw_mono_ns(w->o.clock));
    writer_look_beside(w, b);
    kw_err e = kw_audit_log_commit(w->o.log, b->records, b->count);
    if (is_last && kw_failed(e))
        e = writer_commit_last(w, b, e);
    atomic_store(&w->commits_ns, 0);
    if (!kw_failed(e) && b->has_news)
        w->told = w->found;
    return e;
}

/* Nobody is told of it (any more).  Of one that is late it may not be known yet what is
 * answered: then main ends it. */
static void writer_end(struct kw_audit_writer *w, struct kw_audit_entry *e)
    KW_REQUIRES(w->mutex)
{
    if (e == w->late.entry) {
        w->late.has_ended = true;
        return;
    }
    if (e->is_call && !e->is_committed) {
        kw_audit_missed_call(w, e->class_index, e->method, e->answered);
        pthread_cond_signal(&w->work);
    } else if (e->is_call && e->answered != e->code) {
        kw_audit_writer_withhold(w, e->record.seq, e->answered);
    }
    kw_free(e);
}

static void writer_committed(struct kw_audit_writer *w, struct kw_audit_entry *e)
    KW_REQUIRES(w->mutex)
{
    w->stats.records++;
    e->is_committed = true;
    if (e->request != NULL)
        kw_audit_list_push(&w->done, e);
    else
        writer_end(w, e);
}

/* A change waits on; a call is answered without a record, or was already. */
static void writer_failed(struct kw_audit_writer *w, struct kw_audit_entry *e, kw_err why,
                          struct kw_audit_list *keep) KW_REQUIRES(w->mutex)
{
    e->err = kw_err_native(KW_CODE_AUDIT, why.native, why.where);
    if (e->request != NULL) {
        kw_audit_list_push(&w->done, e);
    } else if (!e->is_call) {
        kw_audit_list_push(keep, e);
    } else {
        writer_end(w, e);
    }
}

static void writer_settle(struct kw_audit_writer *w, const struct writer_batch *b,
                          kw_err why) KW_REQUIRES(w->mutex)
{
    struct kw_audit_list keep = {0};
    struct kw_audit_entry *e;
    const size_t counts = b->count - w->busy.count;
    for (size_t i = counts; (e = kw_audit_list_pop(&w->busy)) != NULL; i++) {
        e->record.seq = b->records[i].seq;
        if (kw_failed(why))
            writer_failed(w, e, why, &keep);
        else
            writer_committed(w, e);
    }
    kw_audit_list_prepend(&w->queue, &keep);
    if (kw_failed(why)) {
        w->retry_ns = kw_mono_ns(w->o.clock) + RETRY_NS;
    } else {
        kw_audit_missed_take(&w->missed, &b->missed);
        w->stats.records += counts;
        w->stats.commits++;
    }
    atomic_store(&w->failing, kw_failed(why));
}

/* All is more than there is room for: the newest changes stay, `stop` among them, and of the
 * others the number.  false: that is so already. */
static bool writer_thin(struct kw_audit_writer *w, kw_err why) KW_REQUIRES(w->mutex)
{
    struct kw_audit_list none = {0};
    if (!writer_is_full(why) || !w->gave_room || w->queue.count <= LAST_CHANGES)
        return false;
    while (w->queue.count > LAST_CHANGES) {
        struct kw_audit_entry *e = kw_audit_list_pop(&w->queue);
        if (e->is_call) {
            writer_failed(w, e, why, &none);
        } else {
            kw_audit_missed_change(w);
            kw_free(e);
        }
    }
    return true;
}

static void writer_wake_main(const struct kw_audit_writer *w)
{
    const uint64_t one = 1;
    ssize_t n = write(w->fd, &one, sizeof one); /* full: it is awake anyway */
    (void)n;
}

static bool writer_is_same(kw_err a, kw_err b)
{
    return a.code == b.code && a.native == b.native &&
           kw_span_equal(kw_span_str(a.where), kw_span_str(b.where));
}

/* Once for each cause, and once when it is over. */
static void writer_say(struct kw_audit_writer *w, kw_err e)
{
    if (writer_is_same(e, w->said))
        return;
    w->said = e;
    if (kw_failed(e))
        kw_log(KW_LOG_ERROR, "audit-failed", KW_ERR("err", e));
    else
        kw_log_bare(KW_LOG_WARN, "audit-back");
}

/* Who looks at the daemon's log hears of it at once. */
static void writer_say_tampered(const struct kw_audit_writer *w)
{
    const char *what = kw_audit_log_tampered(w->o.log);
    if (what != NULL)
        kw_log(KW_LOG_ERROR, "audit-tampered", KW_STR("what", what));
}

/* Also after a failure: what made the next file necessary may be in the log. */
static void writer_copy(const struct kw_audit_writer *w)
{
    struct kw_audit_lines *next, *lines = kw_audit_log_take_lines(w->o.log);
    for (; lines != NULL; lines = next) {
        next = lines->next;
        if (w->o.copies != NULL)
            kw_audit_copies_send(w->o.copies, kw_dst_span(&lines->text));
        kw_free(lines);
    }
}

/* What the state directory knows of the log: a minute or so old at most. */
static void writer_remember(struct kw_audit_writer *w, bool at_once)
{
    const int64_t now = kw_mono_ns(w->o.clock);
    if (!at_once && w->unremembered < REMEMBER_RECORDS &&
        now - w->remembered_ns < REMEMBER_NS)
        return;
    w->unremembered = 0;
    w->remembered_ns = now;
    atomic_store(&w->commits_ns, now); /* as a commit: nothing else is done meanwhile */
    kw_err e = kw_audit_log_remember(w->o.log);
    atomic_store(&w->commits_ns, 0);
    if (!kw_failed(e))
        return;
    kw_log(KW_LOG_WARN, "audit-not-remembered", KW_ERR("err", e));
    writer_copy(w);
}

/* What the log has now; those of a new file are its own. */
static void writer_count(struct kw_audit_writer *w, const struct writer_batch *b,
                         kw_err e) KW_REQUIRES(w->mutex)
{
    struct kw_audit_head head;
    const size_t count = kw_failed(e) ? 0 : b->count;
    kw_audit_log_head(w->o.log, &head);
    kw_audit_standing_committed(w, b->records, count,
                                head.next_seq - w->next_seq - count);
    w->next_seq = head.next_seq;
}

/* One batch; taken and given back on the way. */
static void writer_round(struct kw_audit_writer *w) KW_REQUIRES(w->mutex)
{
    struct writer_batch b = {0};
    const bool rotates = w->rotates, is_last = w->stops;
    kw_err e = writer_gather(w, &b);
    w->rotates = rotates && kw_failed(e);
    kw_mutex_unlock(&w->mutex);
    if (!kw_failed(e))
        e = writer_commit(w, &b, rotates, is_last);
    kw_mutex_lock(&w->mutex);
    writer_count(w, &b, e);
    writer_settle(w, &b, e);
    w->tried_last = is_last && !writer_thin(w, e);
    writer_wake_main(w);
    kw_mutex_unlock(&w->mutex); /* nobody waits for what comes now */
    writer_say(w, e);           /* behind the change: who reads it finds it so */
    writer_say_tampered(w);
    writer_copy(w);
    w->unremembered += b.count;
    if (!kw_failed(e))
        writer_remember(w, false);
    kw_free(b.records);
    kw_mutex_lock(&w->mutex);
}

static bool writer_is_through(const struct kw_audit_writer *w) KW_REQUIRES(w->mutex)
{
    return w->stops && ((w->queue.count == 0 && w->missed.total == 0 && !w->rotates) ||
                        (atomic_load(&w->failing) && w->tried_last));
}

static void *writer_run(void *ctx)
{
    struct kw_audit_writer *w = ctx;
    kw_mutex_lock(&w->mutex);
    while (!writer_is_through(w))
        if (writer_has_work(w))
            writer_round(w);
        else
            writer_wait(w);
    kw_mutex_unlock(&w->mutex);
    if (!atomic_load(&w->failing))
        writer_remember(w, true);
    kw_mutex_lock(&w->mutex);
    w->ended = true;
    pthread_cond_broadcast(&w->work);
    kw_mutex_unlock(&w->mutex);
    return NULL;
}

/* ---- telling: main thread ---------------------------------------------------------- */

/* The next one who waits too long; his record goes on without him. */
static struct kw_request *writer_one_late(struct kw_audit_writer *w, int64_t before_ns)
    KW_REQUIRES(w->mutex)
{
    struct kw_audit_entry *const lists[] = {w->busy.first, w->queue.first};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (struct kw_audit_entry *e = lists[i]; e != NULL; e = e->next)
            if (e->request != NULL && e->put_ns <= before_ns) {
                struct kw_request *request = e->request;
                e->request = NULL;
                w->late.entry = e;
                w->late.has_ended = false;
                return request;
            }
    return NULL;
}

/* It was told of, so what was answered is known. */
static void writer_late_told(struct kw_audit_writer *w) KW_REQUIRES(w->mutex)
{
    struct kw_audit_entry *e = w->late.entry;
    w->late.entry = NULL;
    if (w->late.has_ended)
        writer_end(w, e);
}

static void writer_tell_late(struct kw_audit_writer *w, int64_t before_ns)
{
    struct kw_request *request;
    kw_mutex_lock(&w->mutex);
    while ((request = writer_one_late(w, before_ns)) != NULL) {
        kw_mutex_unlock(&w->mutex);
        w->o.told(request, kw_err_at(KW_CODE_DEADLINE, "audit"), 0);
        kw_mutex_lock(&w->mutex);
        writer_late_told(w);
    }
    kw_mutex_unlock(&w->mutex);
}

static void writer_tell_done(struct kw_audit_writer *w)
{
    struct kw_audit_entry *e;
    kw_mutex_lock(&w->mutex);
    struct kw_audit_list done = w->done;
    w->done = (struct kw_audit_list){0};
    kw_mutex_unlock(&w->mutex);
    while ((e = kw_audit_list_pop(&done)) != NULL) {
        w->o.told(e->request, e->err, kw_failed(e->err) ? 0 : e->record.seq);
        kw_free(e);
    }
}

/* A commit that hangs says nothing by itself. */
static void writer_say_hang(struct kw_audit_writer *w, int64_t now)
{
    const int64_t since = atomic_load(&w->commits_ns);
    const bool hangs = since != 0 && now - since > w->o.deadline_ns;
    const bool fails = atomic_load(&w->failing); /* the thread says that, and its end */
    if (hangs && !w->said_hang && !fails) {
        kw_log(KW_LOG_ERROR, "audit-failed",
               KW_ERR("err", kw_err_at(KW_CODE_DEADLINE, "audit commit")));
        w->said_hang = true;
    } else if (!hangs && w->said_hang) {
        if (!fails)
            kw_log_bare(KW_LOG_WARN, "audit-back");
        w->said_hang = false;
    }
}

void kw_audit_writer_collect(struct kw_audit_writer *w)
{
    uint64_t ignored;
    const int64_t now = kw_mono_ns(w->o.clock);
    struct kw_audit_record record;
    ssize_t n = read(w->fd, &ignored, sizeof ignored);
    (void)n;
    writer_tell_done(w);
    writer_tell_late(w, now - w->o.deadline_ns);
    writer_say_hang(w, now);
    kw_mutex_lock(&w->mutex);
    while (kw_audit_writer_has_room(w) && kw_audit_refused_next(w, now, &record))
        kw_audit_writer_keep(w, &record);
    kw_mutex_unlock(&w->mutex);
}

void kw_audit_writer_abandon(struct kw_audit_writer *w)
{
    kw_mutex_lock(&w->mutex);
    w->left = true;
    kw_mutex_unlock(&w->mutex);
    writer_tell_late(w, INT64_MAX);
    writer_tell_done(w);
}

/* ---- life -------------------------------------------------------------------------- */

static void writer_free(struct kw_audit_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    pthread_cond_destroy(&w->work);
    kw_free(w);
}

static kw_err writer_open(struct kw_audit_writer *w)
{
    struct kw_audit_head head;
    kw_audit_log_head(w->o.log, &head);
    w->next_seq = head.next_seq;
    pthread_condattr_t monotonic;
    KW_MUST(pthread_condattr_init(&monotonic) == 0 &&
            pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
            pthread_mutex_init(&w->mutex.native, NULL) == 0 &&
            pthread_cond_init(&w->work, &monotonic) == 0 &&
            pthread_condattr_destroy(&monotonic) == 0);
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->fd < 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "eventfd");
    int error = pthread_create(&w->thread, NULL, writer_run, w);
    return error == 0 ? KW_OK
                      : kw_err_native(KW_CODE_IO, (uint32_t)error, "pthread_create");
}

kw_err kw_audit_writer_new(const struct kw_audit_writer_options *options,
                           struct kw_audit_writer **ret_writer)
{
    struct kw_audit_writer *w = kw_new(1, sizeof *w);
    if (w == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "audit writer");
    KW_INVARIANT(options->class_count <= KW_CLASSES_MAX);
    w->o = *options;
    kw_err e = writer_open(w);
    if (kw_failed(e))
        writer_free(w);
    else
        *ret_writer = w;
    return e;
}

static bool writer_ends(struct kw_audit_writer *w, int64_t grace_ns)
{
    struct timespec until;
    struct kw_audit_record record;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t ns = until.tv_nsec + grace_ns;
    until.tv_sec += ns / KW_S_NS;
    until.tv_nsec = ns % KW_S_NS;
    kw_mutex_lock(&w->mutex);
    w->stops = true;
    while (kw_audit_refused_next(w, 0, &record))
        kw_audit_writer_keep(w, &record);
    pthread_cond_broadcast(&w->work);
    int late = 0;
    while (!w->ended && late == 0)
        late = pthread_cond_timedwait(&w->work, &w->mutex.native, &until);
    const bool ended = w->ended;
    kw_mutex_unlock(&w->mutex);
    return ended;
}

bool kw_audit_writer_stop(struct kw_audit_writer *w, int64_t grace_ns) KW_NO_THREAD_SAFETY
{
    if (w == NULL)
        return true;
    if (!writer_ends(w, grace_ns)) {
        kw_log_bare(KW_LOG_ERROR, "audit-unfinished");
        pthread_detach(w->thread);
        return false;
    }
    pthread_join(w->thread, NULL); /* nobody else has it any more */
    if (w->queue.count > 0 || w->missed.total > 0)
        kw_log_bare(KW_LOG_ERROR, "audit-unfinished");
    KW_INVARIANT(w->done.count == 0);
    for (struct kw_audit_entry *e; (e = kw_audit_list_pop(&w->queue)) != NULL;) {
        KW_INVARIANT(e->request == NULL);
        kw_free(e);
    }
    kw_audit_log_close(w->o.log);
    writer_free(w);
    return true;
}
