/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed table of jobs: in, over to a worker, perhaps back, out.
 *
 * An id is serial << 12 | slot: found without a search, and never used twice as the
 * serial only grows. */
#include "queue.h"

#include <keyward/alloc.h>

enum { SLOT_BITS = 12, SLOTS_MAX = 1 << SLOT_BITS };

/* The lists of those that wait, one a share, come after the others. */
static struct kw_job_list *queue_list_of(struct kw_queue *q, const struct kw_job *j)
{
    return &q->lists[j->state + (j->state == KW_JOB_WAITING ? j->share : 0)];
}

static void queue_leave(struct kw_queue *q, struct kw_job *j)
{
    struct kw_job_list *l = queue_list_of(q, j);
    *(j->prev ? &j->prev->next : &l->first) = j->next;
    *(j->next ? &j->next->prev : &l->last) = j->prev;
    q->counts[j->state]--;
    q->failed_once -= j->state == KW_JOB_WAITING && j->tries.tried != 0;
    j->next = j->prev = NULL;
}

static void queue_enter(struct kw_queue *q, struct kw_job *j, enum kw_job_state state,
                        bool first)
{
    j->state = state;
    struct kw_job_list *l = queue_list_of(q, j);
    j->next = first ? l->first : NULL;
    j->prev = first ? NULL : l->last;
    *(j->prev ? &j->prev->next : &l->first) = j;
    *(j->next ? &j->next->prev : &l->last) = j;
    q->counts[state]++;
    q->failed_once += state == KW_JOB_WAITING && j->tries.tried != 0;
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
    q->lists = kw_new(KW_JOB_WAITING + shares, sizeof *q->lists);
    if (q->jobs == NULL || q->in_share == NULL || q->lists == NULL) {
        kw_free(q->jobs);
        kw_free(q->in_share);
        kw_free(q->lists);
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
    KW_INVARIANT(q->counts[KW_JOB_FREE] == q->max);
    kw_free(q->jobs);
    kw_free(q->in_share);
    kw_free(q->lists);
    *q = (struct kw_queue){0};
}

size_t kw_queue_count(const struct kw_queue *q, enum kw_job_state state)
{
    return q->counts[state];
}

struct kw_job *kw_queue_first(const struct kw_queue *q, enum kw_job_state state)
{
    if (state != KW_JOB_WAITING)
        return q->lists[state].first;
    for (unsigned i = 0; i < q->shares; i++) {
        unsigned share = (q->turn + i) % q->shares;
        if (q->lists[KW_JOB_WAITING + share].first != NULL)
            return q->lists[KW_JOB_WAITING + share].first;
    }
    return NULL;
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
                                  .key_id = kw_span_str(j->in.key_id),
                                  .iv = kw_span_of(j->in.iv, j->in.iv_len),
                                  .aad = kw_span_of(j->in.aad, j->in.aad_len),
                                  .input = kw_secret_peek(&j->in.input)};
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
    *j = (struct kw_job){
        .op = job->op,
        .verifies = job->verifies,
        .share = job->share,
        .until = job->until,
        .in = {.iv_len = job->iv.len, .aad_len = job->aad.len, .input = input},
        .out = {.token = ""},
        .done = job->done,
        .ctx = job->ctx};
    kw_copy(j->in.iv, sizeof j->in.iv, job->iv);
    kw_copy(j->in.aad, sizeof j->in.aad, job->aad);
    kw_copy_str(j->in.key_id, sizeof j->in.key_id, kw_span_str(job->key_id));
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
    kw_secret_wipe(&j->in.input);
    kw_secret_wipe(&j->out.output);
    give_place(q, j->share);
    j->wire_id = 0;
    move(q, j, KW_JOB_FREE, false);
}

bool kw_queue_extend(struct kw_queue *q, uint64_t ticket, kw_deadline until)
{
    struct kw_job *j = by_ticket(q, ticket);
    if (j == NULL || j->state == KW_JOB_DONE)
        return false;
    if (until.mono_ns > j->until.mono_ns)
        j->until = until;
    return true;
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

struct kw_job *kw_queue_pick(const struct kw_queue *q,
                             bool (*goes)(const void *ctx, const struct kw_job *job),
                             const void *ctx)
{
    for (unsigned i = 0; i < q->shares; i++) {
        unsigned share = (q->turn + i) % q->shares;
        for (struct kw_job *j = q->lists[KW_JOB_WAITING + share].first; j != NULL;
             j = j->next)
            if (goes(ctx, j))
                return j;
    }
    return NULL;
}

void kw_queue_send(struct kw_queue *q, struct kw_job *j, unsigned token, kw_deadline told,
                   struct kw_wire_job *ret_message)
{
    KW_INVARIANT(j->state == KW_JOB_WAITING);
    j->wire_id = id_for(q, j);
    j->tries.at = token;
    j->told = told;
    move(q, j, KW_JOB_SENT, false);
    q->turn = (j->share + 1) % q->shares;
    *ret_message = (struct kw_wire_job){.id = j->wire_id,
                                        .op = (enum kw_wire_op)j->op,
                                        .until_ns = told.mono_ns,
                                        .key_id = kw_span_str(j->in.key_id),
                                        .iv = kw_span_of(j->in.iv, j->in.iv_len),
                                        .aad = kw_span_of(j->in.aad, j->in.aad_len),
                                        .input = kw_secret_peek(&j->in.input)};
}

struct kw_job *kw_queue_by_wire(const struct kw_queue *q, uint64_t wire_id)
{
    size_t slot = wire_id & (SLOTS_MAX - 1);
    if (slot >= q->max || q->jobs[slot].state != KW_JOB_SENT ||
        q->jobs[slot].wire_id != wire_id)
        return NULL;
    return &q->jobs[slot];
}

static void wait_again(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_SENT || j->state == KW_JOB_DECIDING);
    j->wire_id = 0;
    move(q, j, KW_JOB_WAITING, true);
}

void kw_queue_unsend(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_SENT);
    wait_again(q, j);
    q->turn = j->share;
}

bool kw_queue_more_time(struct kw_queue *q, struct kw_job *j, int64_t now_ns)
{
    if (j->until.mono_ns <= j->told.mono_ns || kw_deadline_over(j->until, now_ns))
        return false;
    j->tries.tried |= 1u << j->tries.at;
    q->requeued++;
    wait_again(q, j);
    return true;
}

bool kw_queue_retry(struct kw_queue *q, struct kw_job *j)
{
    if (j->tries.retried)
        return false;
    j->tries.retried = true;
    kw_queue_elsewhere(q, j);
    return true;
}

void kw_queue_elsewhere(struct kw_queue *q, struct kw_job *j)
{
    j->tries.tried |= 1u << j->tries.at;
    q->requeued++;
    wait_again(q, j);
}

void kw_queue_decide(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_SENT);
    j->wire_id = 0;
    j->tries.doubt = kw_queue_wire_id(q);
    move(q, j, KW_JOB_DECIDING, false);
}

void kw_queue_vouch(struct kw_queue *q, struct kw_job *j)
{
    KW_INVARIANT(j->state == KW_JOB_DECIDING);
    j->tries.vouched |= 1u << j->tries.at;
    q->requeued++;
    wait_again(q, j);
}

void kw_queue_finish(struct kw_queue *q, struct kw_job *j, kw_err e)
{
    KW_INVARIANT(j->state != KW_JOB_FREE && j->state != KW_JOB_DONE);
    j->out.err = e;
    j->wire_id = 0;
    kw_secret_wipe(&j->in.input);
    if (kw_failed(e))
        kw_secret_wipe(&j->out.output);
    move(q, j, KW_JOB_DONE, false);
}

size_t kw_queue_expire(struct kw_queue *q, int64_t now_ns)
{
    size_t expired = 0;
    for (size_t i = KW_JOB_SENT; i < KW_JOB_WAITING + q->shares; i++)
        for (struct kw_job *j = q->lists[i].first, *next; j != NULL; j = next) {
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
    struct kw_job *j;
    while ((j = kw_queue_first(q, state)) != NULL)
        kw_queue_finish(q, j, e);
}

void kw_queue_fail_key(struct kw_queue *q, const char *key_id, kw_err e)
{
    for (size_t i = KW_JOB_DECIDING; i < KW_JOB_WAITING + q->shares; i++)
        for (struct kw_job *j = q->lists[i].first, *next; j != NULL; j = next) {
            next = j->next;
            if (kw_span_equal_str(kw_span_str(j->in.key_id), key_id))
                kw_queue_finish(q, j, e);
        }
}

void kw_queue_fail_those(struct kw_queue *q,
                         bool (*which)(const void *ctx, const struct kw_job *job),
                         const void *ctx, kw_err e)
{
    for (size_t i = 0; i < q->shares; i++)
        for (struct kw_job *j = q->lists[KW_JOB_WAITING + i].first, *next; j != NULL;
             j = next) {
            next = j->next;
            if (which(ctx, j))
                kw_queue_finish(q, j, e);
        }
}

bool kw_queue_pop(struct kw_queue *q, struct kw_done_job *ret)
{
    struct kw_job *j = q->lists[KW_JOB_DONE].first;
    if (j == NULL)
        return false;
    *ret = (struct kw_done_job){.done = j->done,
                                .ctx = j->ctx,
                                .err = j->out.err,
                                .token = j->out.token,
                                .worker = j->out.worker,
                                .hsm_ns = j->out.hsm_ns};
    kw_secret_move(&ret->output, &j->out.output);
    queue_release(q, j);
    return true;
}
