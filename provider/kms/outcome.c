/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a call: counted, logged, replied, wiped.  The only place that does it.
 */
#include "house.h"

#include <keyward/log.h>

static const char *const source_names[] = {"none", "hsm", "cache"};

static enum kw_log_level level_of(kw_err err)
{
    if (err.code == KW_CODE_OK || err.code == KW_CODE_CANCELLED)
        return KW_LOG_DEBUG;
    return err.code == KW_CODE_WRONG_ANSWER || err.code == KW_CODE_BUG ? KW_LOG_ERROR
                                                                       : KW_LOG_WARN;
}

void kw_outcome_record(struct kw_kms *kms, const struct kw_call *call)
{
    struct kw_class *class = kw_class_of(kms, call);
    const struct kw_way *way = kw_way_of(call);
    atomic_fetch_add_explicit(&class->calls[call->ask], 1, memory_order_relaxed);
    if (kw_failed(call->err))
        atomic_fetch_add_explicit(&class->failed[call->ask], 1, memory_order_relaxed);
    if (!kw_log_wants(level_of(call->err)))
        return;
    int64_t us = (kw_mono_ns(kms->options.clock) - call->arrived_ns) / 1000;
    kw_log(level_of(call->err), kw_failed(call->err) ? "call-failed" : "call",
           KW_STR("method", way->name), KW_STR("class", class->options.name),
           KW_PEER("uid", call->uid), KW_STR("step", call->step_name),
           KW_ERR("outcome", call->err), KW_STR("source", source_names[call->source]),
           KW_STR("token", call->token), KW_PEER("key_id", call->key_id),
           KW_INT("peer_pid", call->peer.pid), KW_INT("peer_uid", call->peer.uid),
           KW_INT("us", us), KW_INT("hsm_us", call->work.hsm_ns / 1000));
}

void kw_outcome_alarm(struct kw_kms *kms, const struct kw_call *call, const char *what)
{
    const struct kw_hsm_door *door = &kms->options.door;
    kw_log(KW_LOG_ERROR, "alarm", KW_STR("what", what),
           KW_STR("class", kw_class_of(kms, call)->options.name),
           KW_STR("key_id", call->work.version.key_id), KW_STR("token", call->token),
           KW_PEER("uid", call->uid));
    kw_lock_take(kms->options.lock);
    door->ops->distrust(door->hsm, call->token);
    kw_lock_give(kms->options.lock);
}

void kw_outcome_reply(struct kw_call *call)
{
    kw_secret_wipe(&call->work.inner);
    if (kw_failed(call->err) || call->ask != KW_ASK_DECRYPT)
        kw_secret_wipe(&call->seed);
    if (kw_failed(call->err))
        call->out_ciphertext_len = 0;
    call->done(call);
}
