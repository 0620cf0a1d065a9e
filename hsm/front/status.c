/* SPDX-License-Identifier: Apache-2.0 */
/* What the status document shows of the front. */
#include "front_internal.h"

#include <string.h>

#include <keyward/alloc.h>
#include <keyward/sha256.h>

/* The strings of a row outlive the lock. */
struct version_text {
    char key_id[KW_KEY_ID_MAX + 1], reason[KW_NOTE_MAX], found[64];
    char origin[sizeof((struct kw_version *)0)->origin];
    char activated[KW_TIME_TEXT];
};
struct kw_status_rows {
    struct kw_front_token_status tokens[KW_TOKENS_MAX];
    char token_reasons[KW_TOKENS_MAX][KW_NOTE_MAX];
    struct kw_front_worker_status workers[KW_FRONT_WORKERS_MAX];
    struct kw_front_version_status versions[KW_VERSIONS_MAX];
    struct version_text texts[KW_VERSIONS_MAX];
    struct kw_front_held_status held[KW_QUARANTINE_MAX];
    char held_inputs[KW_QUARANTINE_MAX][17];
};

kw_err kw_status_rows_new(struct kw_front *f)
{
    f->rows = kw_new(1, sizeof *f->rows);
    return f->rows == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "front") : KW_OK;
}

void kw_status_rows_free(struct kw_front *f)
{
    kw_free(f->rows);
    f->rows = NULL;
}

bool kw_front_is_worker(const struct kw_front *f, pid_t pid)
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        const struct kw_worker *w = kw_front_worker_by_main(f, i);
        if (w != NULL && w->process.pid == pid)
            return true;
    }
    return false;
}

static size_t fill_workers(struct kw_front *f) KW_LOCKED
{
    size_t n = 0;
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        const struct kw_worker *w = kw_front_worker(f, i);
        if (w != NULL)
            f->rows->workers[n++] = (struct kw_front_worker_status){
                .token = w->token->o.name,
                .pid = w->process.pid,
                .state = kw_life_name(&w->life),
                .sessions = w->start.was_ready ? (unsigned)w->pace.sessions : 0,
                .hanging = (unsigned)w->pace.overdue,
                .served = w->served};
    }
    return n;
}

/* What any token found: each of them is a reason to look. */
static unsigned found_anywhere(const struct kw_generation *g, size_t i) KW_LOCKED
{
    unsigned found = 0;
    for (size_t k = 0; k < g->token_count; k++)
        found |= g->tokens[k].versions[i].found;
    return found;
}

static size_t fill_versions(struct kw_front *f) KW_LOCKED
{
    size_t n = f->serving == NULL ? 0 : f->serving->ring->count;
    for (size_t i = 0; i < n; i++) {
        const struct kw_gen_version *v = kw_generation_word_at(f->serving, i);
        struct version_text *text = &f->rows->texts[i];
        kw_copy_str(text->key_id, sizeof text->key_id, kw_span_str(v->v->key_id));
        kw_copy_str(text->reason, sizeof text->reason, kw_span_str(v->verdict.reason));
        kw_gen_found_text(found_anywhere(f->serving, i), text->found);
        kw_copy_str(text->origin, sizeof text->origin, kw_span_str(v->v->origin));
        kw_copy_str(text->activated, sizeof text->activated,
                    kw_span_str(v->v->activated));
        f->rows->versions[i] =
            (struct kw_front_version_status){.n = v->v->n,
                                             .key_id = text->key_id,
                                             .state = kw_key_state_name(v->v->state),
                                             .origin = text->origin,
                                             .verdict = v->verdict.err,
                                             .reason = text->reason,
                                             .found = text->found,
                                             .proven_wall_ns = v->proven_wall_ns,
                                             .activated = text->activated};
    }
    return n;
}

/* Never the input itself: who sees the status need not be who may have ciphertexts. */
static void held_name(kw_span sample, char ret[17])
{
    uint8_t sha256[KW_SHA256];
    ret[0] = '\0';
    if (!kw_failed(kw_sha256(sample, sha256)))
        kw_hex(ret, 17, kw_span_of(sha256, 8));
}

static size_t fill_held(struct kw_front *f) KW_LOCKED
{
    const struct kw_suspect *held[KW_QUARANTINE_MAX];
    int64_t boot = kw_front_boot(f), wall = kw_wall_ns(f->o.clock);
    size_t n = kw_quarantine_list(&f->queue.quarantine, boot, held);
    for (size_t i = 0; i < n; i++) {
        int64_t since = wall - (boot - held[i]->last_ns);
        held_name(kw_span_of(held[i]->sample, held[i]->len), f->rows->held_inputs[i]);
        f->rows->held[i] = (struct kw_front_held_status){f->rows->held_inputs[i], since,
                                                         since + KW_QUARANTINE_NS};
    }
    return n;
}

/* The most useful word: why no worker starts, why the new keyring does not come up, why
 * the active version will not do. */
static const char *reason(const struct kw_front_token *t) KW_LOCKED
{
    const struct kw_front *f = t->front;
    const char *serving =
        f->serving == NULL ? "" : kw_front_token_of(f->serving, t)->reason;
    const struct kw_gen_version *active =
        f->serving == NULL
            ? NULL
            : kw_gen_at(kw_front_token_of(f->serving, t), f->serving->active_n);
    if (kw_latch_is_latched(&t->latch))
        return kw_latch_reason(&t->latch);
    if (f->coming != NULL && kw_front_token_of(f->coming, t)->reason[0] != '\0')
        return kw_front_token_of(f->coming, t)->reason;
    return active != NULL && serving[0] == '\0' ? active->verdict.reason : serving;
}

static size_t unproven(const struct kw_front_token *t) KW_LOCKED
{
    const struct kw_generation *g = t->front->serving;
    size_t n = 0;
    for (size_t i = 0; g != NULL && i < g->ring->count; i++)
        n += kw_failed(g->tokens[t->index].versions[i].verdict.err) &&
             kw_gen_version_is_probed(&g->tokens[t->index].versions[i]);
    return n;
}

static void fill_token(struct kw_front_token *t, struct kw_front_status *ret) KW_LOCKED
{
    char *text = t->front->rows->token_reasons[t->index];
    kw_copy_str(text, KW_NOTE_MAX, kw_span_str(reason(t)));
    t->front->rows->tokens[t->index] =
        (struct kw_front_token_status){.name = t->o.name,
                                       .label = t->facts.label,
                                       .serial = t->facts.serial,
                                       .model = t->facts.model,
                                       .firmware = t->facts.firmware,
                                       .library = t->facts.library,
                                       .state = t->health.state,
                                       .why = t->health.why,
                                       .reason = text,
                                       .pin_latched = kw_latch_is_latched(&t->latch),
                                       .is_out = t->breaker.open,
                                       .unproven = unproven(t),
                                       .probe_every_ns = kw_front_token_probe_pause(t),
                                       .numbers = &t->counts.numbers};
    ret->pin_latched = ret->pin_latched || kw_latch_is_latched(&t->latch);
    if (ret->reason[0] == '\0')
        kw_copy_str(ret->reason, sizeof ret->reason, kw_span_str(text));
    ret->workers_started += t->counts.started;
    ret->workers_died += t->counts.died;
    ret->workers_killed += t->counts.killed;
}

/* Why the keyring that is coming up is not taken: the first token's word that has one. */
static void fill_coming(const struct kw_front *f, struct kw_front_status *ret) KW_LOCKED
{
    ret->coming_up = f->coming != NULL;
    for (size_t i = 0; f->coming != NULL && i < f->token_count; i++)
        if (ret->coming_reason[0] == '\0')
            kw_copy_str(ret->coming_reason, sizeof ret->coming_reason,
                        kw_span_str(f->coming->tokens[i].reason));
}

const char *kw_front_serial(const struct kw_front *front, const char *name)
{
    for (size_t i = 0; i < front->token_count; i++)
        if (strcmp(front->tokens[i].o.name, name) == 0)
            return front->tokens[i].facts.serial;
    return "";
}

void kw_front_status(struct kw_front *f, struct kw_front_status *ret)
{
    *ret = (struct kw_front_status){.tokens = f->rows->tokens,
                                    .token_count = f->token_count,
                                    .workers = f->rows->workers,
                                    .versions = f->rows->versions,
                                    .held = f->rows->held};
    kw_lock_take(f->lock);
    kw_front_ops.health((struct kw_hsm *)(void *)f, &ret->health);
    for (size_t i = 0; i < f->token_count; i++)
        fill_token(&f->tokens[i], ret);
    ret->worker_count = fill_workers(f);
    ret->version_count = fill_versions(f);
    ret->held_count = fill_held(f);
    if (f->serving != NULL) {
        ret->keyring_serial = f->serving->ring->serial;
        kw_hex(ret->keyring_sha256, sizeof ret->keyring_sha256,
               kw_span_of(f->serving->ring->sha256, 32));
    }
    fill_coming(f, ret);
    ret->jobs.queued = kw_queue_count(&f->queue, KW_JOB_WAITING) +
                       kw_queue_count(&f->queue, KW_JOB_DECIDING);
    ret->jobs.sent = kw_queue_count(&f->queue, KW_JOB_SENT);
    ret->jobs.total = f->queue.total;
    ret->jobs.requeued = f->queue.requeued;
    ret->jobs.late_answers = f->numbers.late_answers;
    kw_lock_give(f->lock);
}

size_t kw_front_quarantine_lift(struct kw_front *f)
{
    kw_lock_take(f->lock);
    size_t held = kw_quarantine_lift(&f->queue.quarantine, kw_front_boot(f));
    kw_lock_give(f->lock);
    return held;
}

void kw_front_counts(struct kw_front *f, uint64_t ret_counts[KW_CHECKPOINT_COUNTS])
{
    kw_lock_take(f->lock);
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        ret_counts[i] = f->numbers.asked[i];
    kw_lock_give(f->lock);
    ret_counts[KW_COUNT_LOGIN] = f->numbers.logins;
    ret_counts[KW_COUNT_SELF_TEST] = f->numbers.self_tests;
}
