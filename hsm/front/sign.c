/* SPDX-License-Identifier: Apache-2.0 */
/* The one checkpoint that is to be signed. */
#include "sign.h"

#include "front_internal.h"

static void sign_over(struct kw_front *f, kw_err e) KW_LOCKED
{
    f->sign.state = KW_SIGN_OVER;
    f->sign.err = e;
    f->sign.wire_id = 0;
}

static bool sign_is_sent(const struct kw_front *f, uint64_t wire_id) KW_LOCKED
{
    return f->sign.state == KW_SIGN_SENT && f->sign.wire_id == wire_id;
}

kw_err kw_sign_add(struct kw_front *f, const struct kw_hsm_sign *sign)
{
    if (f->o.audit.label == NULL)
        return kw_err_at(KW_CODE_HSM_CONFIG, "audit key");
    if (!kw_checkpoint_is_sane(sign->checkpoint))
        return kw_err_at(KW_CODE_BAD_INPUT, "checkpoint");
    if (f->queue.closed || f->sign.state != KW_SIGN_NONE)
        return kw_err_at(KW_CODE_BUSY, "checkpoint");
    f->sign = (struct kw_front_sign){.state = KW_SIGN_WAITING,
                                     .checkpoint = *sign->checkpoint,
                                     .until = sign->until,
                                     .done = sign->done,
                                     .ctx = sign->ctx,
                                     .token = ""};
    return KW_OK;
}

/* ---- to a worker ---- */

bool kw_sign_goes(const struct kw_front *f, const struct kw_worker *w)
{
    return f->sign.state == KW_SIGN_WAITING &&
           (f->sign.tried & 1u << w->token->index) == 0 &&
           w->channel.count < w->pace.sessions && !w->pace.stalled;
}

void kw_sign_send(struct kw_front *f, uint8_t fields[KW_CHECKPOINT_FIELDS_MAX],
                  struct kw_wire_job *ret_message)
{
    kw_dst dst = kw_dst_of(fields, KW_CHECKPOINT_FIELDS_MAX);
    KW_INVARIANT(f->sign.state == KW_SIGN_WAITING);
    KW_MUST(kw_checkpoint_put(&dst, &f->sign.checkpoint));
    f->sign.state = KW_SIGN_SENT;
    f->sign.wire_id = kw_queue_wire_id(&f->queue);
    *ret_message = (struct kw_wire_job){.id = f->sign.wire_id,
                                        .op = KW_WIRE_SIGN,
                                        .until_ns = f->sign.until.mono_ns,
                                        .input = kw_dst_span(&dst)};
}

void kw_sign_unsend(struct kw_front *f, uint64_t wire_id)
{
    if (!sign_is_sent(f, wire_id))
        return;
    f->sign.state = KW_SIGN_WAITING;
    f->sign.wire_id = 0;
}

void kw_sign_died(struct kw_front *f, uint64_t wire_id)
{
    if (sign_is_sent(f, wire_id))
        sign_over(f, kw_err_at(KW_CODE_HSM_DOWN, "worker"));
}

/* ---- what came of it ---- */

/* Some other token has a worker, and did not fail it. */
static bool sign_has_other(const struct kw_front *f) KW_LOCKED
{
    for (size_t i = 0; i < f->token_count * KW_FRONT_TOKEN_WORKERS; i++) {
        const struct kw_worker *w = kw_front_worker(f, i);
        if (w != NULL && w->life.channel == KW_WORKER_READY &&
            (f->sign.tried & 1u << w->token->index) == 0)
            return true;
    }
    return false;
}

/* The codes that the door promises. */
static kw_err sign_for_the_door(kw_err e)
{
    static const enum kw_code kept[] = {
        KW_CODE_DEADLINE, KW_CODE_DENIED,       KW_CODE_HSM_CONFIG, KW_CODE_HSM_DOWN,
        KW_CODE_KEY_BAD,  KW_CODE_WRONG_ANSWER, KW_CODE_MISSING,    KW_CODE_NO_MEMORY};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (e.code == kept[i])
            return e;
    e.code = e.code == KW_CODE_SESSION || e.code == KW_CODE_HSM_BUSY ? KW_CODE_HSM_DOWN
                                                                     : KW_CODE_BUG;
    return e;
}

/* Neither the token's fault nor its word. */
static bool sign_is_final(kw_err e)
{
    return e.code == KW_CODE_DEADLINE || e.code == KW_CODE_DENIED ||
           e.code == KW_CODE_BUG;
}

void kw_sign_answered(struct kw_worker *w, const struct kw_channel_entry *entry,
                      const struct kw_wire_answer *answer)
{
    struct kw_front *f = w->front;
    if (!sign_is_sent(f, entry->wire_id)) {
        f->numbers.late_answers++;
        return;
    }
    f->sign.hsm_ns = answer->hsm_ns;
    f->sign.token = w->token->o.name;
    f->sign.worker = w->number;
    f->sign.tried |= 1u << w->token->index;
    if (!kw_failed(answer->err)) {
        kw_copy(f->sign.output, sizeof f->sign.output, answer->output);
        f->sign.state = KW_SIGN_ANSWERED;
        f->sign.wire_id = 0;
    } else if (!sign_is_final(answer->err) && sign_has_other(f)) {
        kw_sign_unsend(f, entry->wire_id);
    } else {
        sign_over(f, sign_for_the_door(answer->err));
    }
}

void kw_sign_expire(struct kw_front *f, int64_t now_ns)
{
    if ((f->sign.state == KW_SIGN_WAITING || f->sign.state == KW_SIGN_SENT) &&
        kw_deadline_over(f->sign.until, now_ns))
        sign_over(f, kw_err_at(KW_CODE_DEADLINE, "checkpoint"));
}

void kw_sign_stop(struct kw_front *f, bool sent_too, kw_err e)
{
    if (f->sign.state == KW_SIGN_WAITING || (sent_too && f->sign.state == KW_SIGN_SENT))
        sign_over(f, e);
}

/* ---- to the caller ---- */

/* Under the key that is meant, of what was asked for: the worker's word is not enough. */
static kw_err sign_verify(const struct kw_front *f, const struct kw_front_sign *s,
                          kw_dst *der)
{
    uint8_t sha256[KW_SHA256];
    const kw_span spki = kw_span_of(s->output, KW_SPKI);
    kw_err e = kw_sha256(spki, sha256);
    if (!kw_failed(e) && !kw_span_equal(kw_span_of(sha256, sizeof sha256),
                                        kw_span_of(f->o.audit.sha256, KW_SHA256)))
        e = kw_err_at(KW_CODE_FORGED, "audit key");
    if (!kw_failed(e))
        e = kw_signature_to_der(s->output + KW_SPKI, der);
    if (!kw_failed(e))
        e = kw_checkpoint_verify(&s->checkpoint, spki, kw_dst_span(der));
    if (e.code == KW_CODE_FORGED || e.code == KW_CODE_BAD_INPUT)
        e.code = KW_CODE_WRONG_ANSWER;
    return e;
}

/* It is replaced, and that is an alarm. */
static void sign_distrust(struct kw_front *f, uint64_t number) KW_LOCKED
{
    for (size_t i = 0; i < KW_FRONT_WORKERS_MAX; i++) {
        struct kw_worker *w = kw_front_worker(f, i);
        if (w != NULL && w->number == number && w->life.channel == KW_WORKER_READY)
            w->distrusted = true;
    }
}

/* false: there is nothing to tell. */
static bool sign_take(struct kw_front *f, struct kw_front_sign *ret) KW_FREE
{
    kw_lock_take(f->lock);
    const bool ended = f->sign.state == KW_SIGN_ANSWERED || f->sign.state == KW_SIGN_OVER;
    if (ended) {
        *ret = f->sign;
        f->sign.state = KW_SIGN_NONE;
    }
    kw_lock_give(f->lock);
    return ended;
}

void kw_sign_deliver(struct kw_front *f)
{
    struct kw_front_sign s;
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(der, sizeof der);
    if (!sign_take(f, &s))
        return;
    kw_err e = s.state == KW_SIGN_ANSWERED ? sign_verify(f, &s, &dst) : s.err;
    if (s.state == KW_SIGN_ANSWERED && e.code == KW_CODE_WRONG_ANSWER) {
        kw_lock_take(f->lock);
        sign_distrust(f, s.worker);
        kw_lock_give(f->lock);
    }
    const struct kw_hsm_signature told = {.err = e,
                                          .der = kw_failed(e) ? kw_span_of(NULL, 0)
                                                              : kw_dst_span(&dst),
                                          .token = s.token,
                                          .hsm_ns = s.hsm_ns};
    s.done(s.ctx, &told);
}
