/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint of the audit log is signed.
 *
 * Whoever took the front over can ask for signatures, and nothing can be done about that
 * here but this: only checkpoints are signed, and of each log none that covers less than
 * one before it did, as long as this process lives.  What fails says nothing of the
 * worker's other jobs: no error of the token here ends it. */
#include "worker_internal.h"

#include <stdio.h>

static kw_err sign_refuse(enum kw_code code, struct kw_note *note, const char *why)
{
    kw_note_set(note, "%s", why);
    return kw_err_at(code, "checkpoint");
}

/* One of the logs that were signed for, or a new one; NULL: no room. */
static struct kw_worker_log *sign_log_of(struct kw_worker_signs *signs,
                                         const uint8_t log[KW_SHA256])
{
    const kw_span wanted = kw_span_of(log, KW_SHA256);
    for (size_t i = 0; i < signs->count; i++)
        if (kw_span_equal(kw_span_of(signs->logs[i].log, KW_SHA256), wanted))
            return &signs->logs[i];
    if (signs->count == KW_WORKER_LOGS)
        return NULL;
    struct kw_worker_log *fresh = &signs->logs[signs->count++];
    kw_copy(fresh->log, sizeof fresh->log, wanted);
    return fresh;
}

/* Before it is signed: two sessions may be at one each. */
static kw_err sign_admit(struct kw_hsm_worker *w, const struct kw_checkpoint *c,
                         struct kw_note *note)
{
    kw_mutex_lock(&w->signs.mutex);
    struct kw_worker_log *log = sign_log_of(&w->signs, c->log);
    const bool falls_back = log != NULL && c->covered < log->covered;
    if (log != NULL && !falls_back)
        log->covered = c->covered;
    kw_mutex_unlock(&w->signs.mutex);
    if (log == NULL)
        return sign_refuse(KW_CODE_DENIED, note,
                           "this worker has signed for as many logs as it knows");
    if (falls_back)
        return sign_refuse(KW_CODE_DENIED, note,
                           "a checkpoint of this log that covers more was signed before");
    return KW_OK;
}

static kw_err sign_once(struct kw_hsm_session *s, const struct kw_checkpoint *c,
                        struct kw_token_signed *ret, struct kw_note *note)
{
    const struct kw_brief *b = &s->worker->brief;
    char label[KW_LABEL_MAX + 1];
    struct kw_token_signer signer = {.label = label};
    kw_copy_str(label, sizeof label, b->audit_label);
    kw_copy(signer.sha256, sizeof signer.sha256, b->audit_sha256);
    return kw_token_sign(s->token, &signer, c, ret, note);
}

/* The same rung as of any other job. */
static kw_err sign_try(struct kw_hsm_session *s, const struct kw_checkpoint *c,
                       struct kw_token_signed *ret, struct kw_note *note)
{
    kw_err e = sign_once(s, c, ret, note);
    if (e.code == KW_CODE_SESSION || e.code == KW_CODE_HSM_BUSY)
        e = sign_once(s, c, ret, note);
    return e;
}

kw_err kw_worker_sign(struct kw_hsm_session *s, const struct kw_wire_job *job,
                      struct kw_secret *ret, struct kw_note *note)
{
    uint8_t bytes[KW_WIRE_SIGNED];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    struct kw_src src = kw_src_of(job->input);
    struct kw_checkpoint c;
    struct kw_token_signed made;
    kw_checkpoint_take(&src, &c);
    if (!kw_src_done(&src))
        return kw_err_at(KW_CODE_BUG, "checkpoint"); /* the wire lets no other through */
    if (s->worker->brief.audit_label.len == 0)
        return sign_refuse(KW_CODE_HSM_CONFIG, note, "no key for the audit log is named");
    kw_err e = sign_admit(s->worker, &c, note);
    if (!kw_failed(e))
        e = sign_try(s, &c, &made, note);
    if (kw_failed(e))
        return e;
    KW_MUST(kw_dst_put(&dst, kw_span_of(made.spki, sizeof made.spki)) &&
            kw_dst_put(&dst, kw_span_of(made.signature, sizeof made.signature)));
    return kw_secret_copy(ret, kw_dst_span(&dst));
}
