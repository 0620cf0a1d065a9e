/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed table of jobs: in, over to a worker, perhaps back, out.
 *
 * An id is serial << 12 | slot: found without a search, and never used twice as the
 * serial only grows. */
#include "queue.h"

#include <keyward/alloc.h>

enum { SLOT_BITS = 12, SLOTS_MAX = 1 << SLOT_BITS };

static void queue_leave(struct kw_queue *q, struct kw_job *j)
{
    struct kw_job_list *l = &q->lists[j->state];
    *(j->prev ? &j->prev->next : &l->first) = j->next;
    *(j->next ? &j->next->prev : &l->last) = j->prev;
    l->count--;
    j->next = j->prev = NULL;
}

static void queue_enter(struct kw_queue *q, struct kw_job *j, enum kw_job_state state,
                        bool first)
{
    struct kw_job_list *l = &q->lists[state];
    j->state = state;
    j->next = first ? l->first : NULL;
    j->prev = first ? NULL : l->last;
    *(j->prev ? &j->prev->next : &l->first) = j;
    *(j->next ? &j->next->prev : &l->last) = j;
    l->count++;
}

static void move(struct kw_queue *q, struct kw_job *j, enum kw_job_state state,
                 bool first)
{
    queue_leave(q, j);
    queue_enter(q, j, state, first);
}

static uint64_t id_for(struct kw_queue *q, const struct kw_job *j)
{
    return ++q->serial << SLOT_BITS | (uint64_t)(j - q->jobs);
}

kw_err kw_queue_init(struct kw_queue *q, size_t max, unsigned shares)
{
    KW_INVARIANT(max >= 1 && max <= SLOTS_MAX && shares >= 1);
    *q = (struct kw_queue){.max = max, .shares = shares};
    q->jobs = kw_new(max, sizeof *q->jobs);
    q->in_share = kw_new(shares, sizeof *q->in_share);
    if (q->jobs == NULL || q->in_share == NULL) {
        kw_free(q->jobs);
        kw_free(q->in_share);
        return kw_err_at(KW_CODE_NO_MEMORY, "queue");
    }
    q->own = max / 2 / shares;
    q->common = max - q->own * shares;
    for (size_t i = 0; i < max; i++)
        queue_enter(q, &q->jobs[i], KW_JOB_FREE, false);
    return KW_OK;
}

void kw_queue_wipe(struct kw_queue *q)
{
    KW_INVARIANT(q->lists[KW_JOB_FREE].count == q->max);
    kw_free(q->jobs);
    kw_free(q->in_share);
    *q = (struct kw_queue){0};
}

size_t kw_queue_count(const struct kw_queue *q, enum kw_job_state state)
{
    return q->lists[state].count;
}

struct kw_job *kw_queue_first(const struct kw_queue *q, enum kw_job_state state)
{
    return q->lists[state].first;
}

static bool is_quarantined(struct kw_queue *q, const struct kw_hsm_job *job,
                           int64_t now_ns) KW_LOCKED
{
    uint8_t sample[KW_SAMPLE_MAX];
    if (q->quarantine.used == 0)
        return false;
    const struct kw_wire_job m = {.op = (enum kw_wire_op)job->op,
                                  .key_id = kw_span_str(job->key_id),
                                  .iv = job->iv,
                                  .aad = job->aad,
                                  .input = job->input};
    size_t len = kw_sample_of(&m, sample);
    return kw_quarantine_holds(&q->quarantine, kw_span_of(sample, len), now_ns);
}

bool kw_queue_is_suspect(const struct kw_queue *q, const struct kw_job *j,
                         int64_t boot_ns)
{
    uint8_t sample[KW_SAMPLE_MAX];
    const struct kw_wire_job m = {.op = (enum kw_wire_op)j->op,
                                  .key_id = kw_span_str(j->key_id),
                                  .iv = kw_span_of(j->iv, j->iv_len),
                                  .aad = kw_span_of(j->aad, j->aad_len),
                                  .input = kw_secret_peek(&j->input)};
    size_t len = kw_sample_of(&m, sample);
    return len > 0 &&
           kw_quarantine_suspects(&q->quarantine, kw_span_of(sample, len), boot_ns);
}

/* What a share holds beyond its own places are common ones. */
static bool take_place(struct kw_queue *q, unsigned share)
{
    bool own = q->in_share[share] < q->own;
    if (!own && q->common == 0)
        return false;
    q->common -= own ? 0 : 1;
    q->in_share[share]++;
    return true;
}

static void give_place(struct kw_queue *q, unsigned share)
{
    q->common += q->in_share[share] > q->own ? 1 : 0;
    q->in_share[share]--;
}

static bool queue_job_is_sane(const struct kw_queue *q, const struct kw_hsm_job *job)
{
    size_t key_len = kw_span_str(job->key_id).len;
    size_t most = job->op == KW_HSM_WRAP ? KW_INNER_MAX : KW_SEALED_MAX;
    return job->share < q->shares && key_len >= 1 && key_len <= KW_KEY_ID_MAX &&
           job->iv.len <= KW_IV_MAX && job->aad.len <= KW_AAD_MAX &&
           job->input.len >= 1 && job->input.len <= most && job->done != NULL;
}

kw_err kw_queue_add(struct kw_queue *q, const struct kw_hsm_job *job, int64_t boot_ns,
                    uint64_t *ret_ticket)
{
    KW_INVARIANT(queue_job_is_sane(q, job));
    if (is_quarantined(q, job, boot_ns))
        return kw_err_at(KW_CODE_QUARANTINED, "queue");
    if (q->closed || !take_place(q, job->share))
        return kw_err_at(KW_CODE_BUSY, "queue");
    struct kw_secret input = {0};
    kw_err e = kw_secret_copy(&input, job->input);
    if (kw_failed(e)) {
        give_place(q, job->share);
        return e;
    }
    struct kw_job *j = q->lists[KW_JOB_FREE].first; /* as many as there are places */
    queue_leave(q, j);
    *j = (struct kw_job){.op = job->op,
                         .share = job->share,
                         .until = job->until,
                         .input = input,
                         .iv_len = job->iv.len,
                         .aad_len = job->aad.len,
                         .token = "",
                         .done = job->done,
                         .ctx = job->ctx};
    kw_copy(j->iv, sizeof j->iv, job->iv);
    kw_copy(j->aad, sizeof j->aad, job->aad);
    kw_copy_str(j->key_id, sizeof j->key_id, kw_span_str(job->key_id));
    j->ticket = id_for(q, j);
    queue_enter(q, j, KW_JOB_WAITING, false);
    q->total++;
    *ret_ticket = j->ticket;
    return KW_OK;
}

static struct kw_job *by_ticket(const struct kw_queue *q, uint64_t ticket)
{
    size_t slot = ticket & (SLOTS_MAX - 1);
    if (slot >= q->max || q->jobs[slot].state == KW_JOB_FREE ||
        q->jobs[slot].ticket != ticket)
        return NULL;
    return &q->jobs[slot];
}

static void queue_release(struct kw_queue *q, struct kw_job *j)
{
    kw_secret_wipe(&j->input);
    kw_secret_wipe(&j->output);
    give_place(q, j->share);
    j->wire_id = 0;
    move(q, j, KW_JOB_FREE, false);
}

void kw_queue_extend(struct kw_queue *q, uint64_t ticket, kw_deadline until)
{
    struct kw_job *j = by_ticket(q, ticket);
    if (j != NULL && until.mono_ns > j->until.mono_ns)
        j->until = until;
}

bool kw_queue_cancel(struct kw_queue *q, uint64_t ticket)
{
    struct kw_job *j = by_ticket(q, ticket);
    if (j == NULL)
        return false;
    queue_release(q, j);
    return true;
}

uint64_t kw_queue_wire_id(struct kw_queue *q)
{
    return ++q->serial << SLOT_BITS | (SLOTS_MAX - 1); /* no slot: finds nobody */
}

void kw_queue_send(struct kw_queue *q, struct kw_job *j, struct kw_wire_job *ret_message)
{
    KW_INVARIANT(j->state == KW_JOB_WAITING);
    j->wire_id = id_for(q, j);
    j->told = j->until;
    move(q, j, KW_JOB_SENT, false);
    *ret_message = (struct kw_wire_job){.id = j->wire_id,
                                        .op = (enum kw_wire_op)j->op,
                                        .until_ns = j->until.mono_ns,
                                        .key_id = kw_span_str(j->key_id),
                                        .iv = kw_span_of(j->iv, j->iv_len),
                                        .aad = kw_span_of(j->aad, j->aad_len),
                                        .input = kw_secret_peek(&j->input)};
}

struct kw_job *kw_queue_by_wire(const struct kw_queue *q, uint64_t wire_id)
{
    size_t slot = wire_id & (SLOTS_MAX - 1);
    if (slot >= q->max || q->jobs[slot].state != KW_JOB_SENT ||
        q->jobs[slot].wire_id != wire_id)
        return NULL;
    return &q->jobs[slot];
}

void kw_queue_unsend(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_SENT);
    j->wire_id = 0;
    move(q, j, KW_JOB_WAITING, true);
}

bool kw_queue_more_time(struct kw_queue *q, struct kw_job *j, int64_t now_ns)
{
    if (j->until.mono_ns <= j->told.mono_ns || kw_deadline_over(j->until, now_ns))
        return false;
    q->requeued++;
    kw_queue_unsend(q, j);
    return true;
}

bool kw_queue_retry(struct kw_queue *q, struct kw_job *j)
{
    if (j->retried)
        return false;
    j->retried = true;
    q->requeued++;
    kw_queue_unsend(q, j);
    return true;
}

void kw_queue_decide(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_SENT);
    j->wire_id = 0;
    j->doubt = kw_queue_wire_id(q);
    move(q, j, KW_JOB_DECIDING, false);
}

void kw_queue_vouch(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_DECIDING);
    j->vouched = true;
    q->requeued++;
    move(q, j, KW_JOB_WAITING, true);
}

void kw_queue_finish(struct kw_queue *q, struct kw_job *j, kw_err e)
{
    KW_INVARIANT(j->state != KW_JOB_FREE && j->state != KW_JOB_DONE);
    j->err = e;
    j->wire_id = 0;
    kw_secret_wipe(&j->input);
    if (kw_failed(e))
        kw_secret_wipe(&j->output);
    move(q, j, KW_JOB_DONE, false);
}

size_t kw_queue_expire(struct kw_queue *q, int64_t now_ns)
{
    size_t expired = 0;
    for (int s = KW_JOB_WAITING; s <= KW_JOB_DECIDING; s++)
        for (struct kw_job *j = q->lists[s].first, *next; j != NULL; j = next) {
            next = j->next;
            if (kw_deadline_over(j->until, now_ns)) {
                kw_queue_finish(q, j, kw_err_at(KW_CODE_DEADLINE, "queue"));
                expired++;
            }
        }
    return expired;
}

void kw_queue_fail(struct kw_queue *q, enum kw_job_state state, kw_err e)
{
    while (q->lists[state].first != NULL)
        kw_queue_finish(q, q->lists[state].first, e);
}

bool kw_queue_pop(struct kw_queue *q, struct kw_done_job *ret)
{
    struct kw_job *j = q->lists[KW_JOB_DONE].first;
    if (j == NULL)
        return false;
    *ret = (struct kw_done_job){.done = j->done,
                                .ctx = j->ctx,
                                .err = j->err,
                                .token = j->token,
                                .worker = j->worker,
                                .hsm_ns = j->hsm_ns};
    kw_secret_move(&ret->output, &j->output);
    queue_release(q, j);
    return true;
}
