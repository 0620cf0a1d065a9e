/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a request: counted, logged, replied, wiped; here and nowhere else. */
#include "kms_internal.h"

#include <keyward/log.h>

static const char *const source_names[] = {"none", "hsm", "hsm", "cache"};

static enum kw_log_level level_of(kw_err err)
{
    if (err.code == KW_CODE_OK || err.code == KW_CODE_CANCELLED)
        return KW_LOG_DEBUG;
    return err.code == KW_CODE_WRONG_ANSWER || err.code == KW_CODE_BUG ? KW_LOG_ERROR
                                                                       : KW_LOG_WARN;
}

enum kw_step_result kw_outcome_tell(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_class *class = kw_class_of(kms, request);
    kw_counts_outcome(kms, request);
    kw_counts_add(kms, request);
    if (!kw_log_wants(level_of(request->err)))
        return KW_STEP_NEXT;
    int64_t us = (kw_mono_ns(kms->options.clock) - request->arrived_ns) / 1000;
    kw_log(level_of(request->err), kw_failed(request->err) ? "call-failed" : "call",
           KW_STR("method", kw_steps_of(request)->method),
           KW_STR("class", class->options.name), KW_PEER("uid", request->uid),
           KW_STR("step", request->step_name), KW_ERR("outcome", request->err),
           KW_STR("source", source_names[request->source]),
           KW_STR("token", request->token), KW_PEER("key_id", request->key_id),
           KW_INT("peer_pid", request->peer.pid), KW_INT("peer_uid", request->peer.uid),
           KW_INT("us", us), KW_INT("hsm_us", request->work.hsm_ns / 1000));
    return KW_STEP_NEXT;
}

void kw_outcome_alarm(struct kw_kms *kms, const struct kw_request *request,
                      const char *token, const char *what)
{
    const struct kw_hsm_door *door = &kms->options.door;
    kw_log(KW_LOG_ERROR, "alarm", KW_STR("what", what),
           KW_STR("class", kw_class_of(kms, request)->options.name),
           KW_STR("key_id", request->work.version.key_id), KW_STR("token", token),
           KW_PEER("uid", request->uid));
    kw_lock_take(kms->options.lock);
    door->ops->distrust(door->hsm, token);
    kw_lock_give(kms->options.lock);
}

enum kw_step_result kw_outcome_reply(struct kw_kms *kms, struct kw_request *request)
{
    (void)kms;
    KW_INVARIANT(kw_failed(request->err) || request->method != KW_METHOD_DECRYPT ||
                 request->seed.len > 0);
    kw_secret_wipe(&request->work.inner);
    kw_secret_wipe(&request->work.wrapped);
    if (kw_failed(request->err) || request->method != KW_METHOD_DECRYPT)
        kw_secret_wipe(&request->seed);
    if (kw_failed(request->err))
        request->out_ciphertext_len = 0;
    request->done(request); /* rpc_request.c, rpc_request_done */
    return KW_STEP_DONE;
}
