/* SPDX-License-Identifier: Apache-2.0 */
/* Where records come in: calls by the door, changes beside it. */
#include "call.h"
#include "writer_state.h"

#include <keyward/alloc.h>

static const kw_err audit_ill = {KW_CODE_AUDIT, 0, "audit log"};

static bool door_is_ill(struct kw_audit_writer *w)
{
    const int64_t since = atomic_load(&w->commits_ns);
    return atomic_load(&w->failing) ||
           (since != 0 && kw_mono_ns(w->o.clock) - since > w->o.deadline_ns);
}

static kw_err door_health(void *audit)
{
    return door_is_ill(audit) ? audit_ill : KW_OK;
}

static void door_queue(struct kw_audit_writer *w, struct kw_audit_entry *e)
    KW_REQUIRES(w->mutex)
{
    e->put_ns = kw_mono_ns(w->o.clock);
    kw_audit_list_push(&w->queue, e);
    kw_audit_standing_queued(w, &e->record);
    pthread_cond_signal(&w->work);
}

/* ---- calls ------------------------------------------------------------------------- */

/* Nobody waits for it yet. */
static kw_err door_entry(struct kw_audit_writer *w, const struct kw_request *request,
                         struct kw_audit_entry **ret_entry)
{
    struct kw_audit_texts texts;
    struct kw_audit_record record;
    kw_err e = kw_audit_call(&w->o, request, &texts, &record);
    if (kw_failed(e) || !kw_audit_is_writable(&record))
        return kw_err_at(KW_CODE_AUDIT, "audit record");
    struct kw_audit_entry *entry = kw_audit_entry_new(&record);
    if (entry == NULL)
        return kw_err_at(KW_CODE_AUDIT, "audit memory");
    entry->class_index = request->class_index;
    entry->method = request->method;
    entry->code = entry->answered = request->err.code;
    entry->is_call = true;
    *ret_entry = entry;
    return KW_OK;
}

/* true: it is a number only. */
static bool door_counts(struct kw_audit_writer *w, const struct kw_request *request)
{
    if (!kw_failed(request->err))
        return false;
    kw_mutex_lock(&w->mutex);
    const bool many = kw_audit_refused_is_many(w, request, kw_mono_ns(w->o.clock));
    kw_mutex_unlock(&w->mutex);
    return many;
}

/* `waiter` is told of it; NULL: nobody is. */
static kw_err door_record(struct kw_audit_writer *w, const struct kw_request *request,
                          struct kw_request *waiter)
{
    struct kw_audit_entry *entry = NULL;
    kw_err e = door_entry(w, request, &entry);
    if (kw_failed(e))
        return e;
    entry->request = waiter;
    kw_mutex_lock(&w->mutex);
    if (w->left || atomic_load(&w->failing)) /* in the meantime: it would wait in vain */
        e = audit_ill;
    else if (w->queue.count >= KW_AUDIT_WAITING_MAX)
        e = kw_err_at(KW_CODE_AUDIT, "audit queue");
    else
        door_queue(w, entry);
    kw_mutex_unlock(&w->mutex);
    if (kw_failed(e))
        kw_free(entry);
    return e;
}

static kw_err door_put(void *audit, struct kw_request *request, bool *ret_waits)
{
    struct kw_audit_writer *w = audit;
    if (door_is_ill(w))
        return audit_ill;
    *ret_waits = !door_counts(w, request);
    return *ret_waits ? door_record(w, request, request) : KW_OK;
}

static void door_missed(void *audit, const struct kw_request *request, enum kw_code code)
{
    struct kw_audit_writer *w = audit;
    kw_mutex_lock(&w->mutex);
    kw_audit_missed_call(w, request->class_index, request->method, code);
    pthread_cond_signal(&w->work);
    kw_mutex_unlock(&w->mutex);
}

static void door_refuse(void *audit, const struct kw_request *request)
{
    struct kw_audit_writer *w = audit;
    kw_err e = door_is_ill(w) ? audit_ill : KW_OK;
    if (!kw_failed(e) && !door_counts(w, request))
        e = door_record(w, request, NULL);
    if (kw_failed(e))
        door_missed(w, request, request->err.code);
}

/* ---- changes ----------------------------------------------------------------------- */

bool kw_audit_writer_has_room(const struct kw_audit_writer *w)
{
    return w->queue.count < CHANGES_MAX;
}

void kw_audit_writer_keep(struct kw_audit_writer *w, const struct kw_audit_record *record)
{
    struct kw_audit_entry *e = NULL;
    if (kw_audit_writer_has_room(w) && kw_audit_is_writable(record))
        e = kw_audit_entry_new(record);
    if (e == NULL) {
        kw_audit_missed_change(w);
        pthread_cond_signal(&w->work);
    } else {
        door_queue(w, e);
    }
}

void kw_audit_writer_event(struct kw_audit_writer *w,
                           const struct kw_audit_record *record)
{
    kw_mutex_lock(&w->mutex);
    kw_audit_writer_keep(w, record);
    kw_mutex_unlock(&w->mutex);
}

bool kw_audit_writer_checkpoint(struct kw_audit_writer *w,
                                const struct kw_checkpoint *checkpoint)
{
    struct kw_audit_record r;
    kw_audit_checkpoint_record(checkpoint, &r);
    kw_mutex_lock(&w->mutex);
    struct kw_audit_entry *e = NULL;
    if (!w->standing.waits && w->queue.count < KW_AUDIT_WAITING_MAX &&
        kw_audit_is_writable(&r))
        e = kw_audit_entry_new(&r);
    if (e != NULL)
        door_queue(w, e);
    kw_mutex_unlock(&w->mutex);
    return e != NULL;
}

void kw_audit_writer_withhold(struct kw_audit_writer *w, uint64_t seq, enum kw_code code)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_WITHHELD};
    r.value[KW_AUDIT_WITHHELD_CALL] = kw_audit_number(seq);
    r.value[KW_AUDIT_WITHHELD_CODE] = kw_audit_number(w->o.grpc_code(code));
    r.value[KW_AUDIT_WITHHELD_REASON] = kw_audit_text(kw_code_name(code));
    w->stats.withheld++;
    kw_audit_writer_keep(w, &r);
}

static void door_withhold(void *audit, uint64_t seq, enum kw_code code)
{
    struct kw_audit_writer *w = audit;
    kw_mutex_lock(&w->mutex);
    kw_audit_writer_withhold(w, seq, code);
    kw_mutex_unlock(&w->mutex);
}

static void door_withhold_late(void *audit, enum kw_code code)
{
    struct kw_audit_writer *w = audit;
    kw_mutex_lock(&w->mutex);
    KW_INVARIANT(w->late.entry != NULL);
    w->late.entry->answered = code;
    kw_mutex_unlock(&w->mutex);
}

void kw_audit_writer_rotate(struct kw_audit_writer *w)
{
    kw_mutex_lock(&w->mutex);
    w->rotates = true;
    pthread_cond_signal(&w->work);
    kw_mutex_unlock(&w->mutex);
}

/* ---- what others see --------------------------------------------------------------- */

struct kw_audit_door kw_audit_writer_door(struct kw_audit_writer *w)
{
    static const struct kw_audit_ops ops = {door_health,   door_put,
                                            door_refuse,   door_missed,
                                            door_withhold, door_withhold_late};
    return (struct kw_audit_door){&ops, w, w->o.allow};
}

int kw_audit_writer_fd(const struct kw_audit_writer *w)
{
    return w->fd;
}

void kw_audit_writer_stats(struct kw_audit_writer *w,
                           struct kw_audit_writer_stats *ret_stats)
{
    kw_mutex_lock(&w->mutex);
    *ret_stats = w->stats;
    ret_stats->waiting = w->queue.count + w->busy.count;
    kw_mutex_unlock(&w->mutex);
    ret_stats->ill = door_is_ill(w);
}
