/* SPDX-License-Identifier: Apache-2.0 */
/* One job, one answer.
 *
 * The ladder inside a worker has one rung: a renewed session (and then a new proof of the
 * key), or a token that was busy, gets a second try.  What then still fails with the
 * token's fault needs a new process. */
#include "worker_internal.h"

static bool try_again(kw_err e)
{
    return e.code == KW_CODE_SESSION || e.code == KW_CODE_HSM_BUSY;
}

/* Errors that only a new worker can do something about.  A proven key that is gone is
 * one: the next worker finds out whether the key went or the library lost its way. */
static kw_err serve_settle(struct kw_hsm_worker *w, kw_err e)
{
    if (try_again(e) || e.code == KW_CODE_MISSING)
        e.code = KW_CODE_HSM_DOWN;
    if (e.code == KW_CODE_HSM_DOWN)
        w->at_end = true;
    return e;
}

static kw_err serve_wrap(struct kw_hsm_worker *w, const struct kw_version *v,
                         struct kw_token_key *key, const struct kw_wire_job *job,
                         struct kw_secret *ret)
{
    uint8_t sealed[KW_SEALED_MAX]; /* ciphertext: no secret */
    kw_dst dst = kw_dst_of(sealed, sizeof sealed);
    kw_err e =
        kw_token_wrap(w->token, key, v->mechanism, job->iv, job->aad, job->input, &dst);
    return kw_failed(e) ? e : kw_secret_copy(ret, kw_dst_span(&dst));
}

static kw_err once(struct kw_hsm_worker *w, size_t i, const struct kw_wire_job *job,
                   struct kw_secret *ret)
{
    const struct kw_version *v = &w->ring->versions[i];
    struct kw_token_key *key = w->keys[i].key;
    return job->op == KW_WIRE_WRAP ? serve_wrap(w, v, key, job, ret)
                                   : kw_token_unwrap(w->token, key, v->mechanism, job->iv,
                                                     job->aad, job->input, ret);
}

/* `was_proven`: this worker has worked with the key.  What is then gone, or the token's
 * trouble, is for a new process to judge. */
static kw_err serve_prove(struct kw_hsm_worker *w, size_t i, bool closely,
                          bool was_proven, struct kw_worker_result *result)
{
    kw_err e = kw_worker_prove(w, i, closely, result);
    if (!kw_failed(e))
        return e;
    if (kw_worker_is_verdict(e))
        return was_proven ? serve_settle(w, e) : e;
    if (!was_proven && kw_worker_blames_version(w, i, e, result)) {
        e.code = KW_CODE_KEY_BAD;
        return e;
    }
    return serve_settle(w, e);
}

/* The front's verdict is one for all workers: another one may have proven the key since
 * it failed here, and the front's canaries go where there is least to do. */
static kw_err serve_admit(struct kw_hsm_worker *w, size_t i, bool was_proven,
                          struct kw_worker_result *result)
{
    if (w->keys[i].proven)
        return KW_OK;
    if (!kw_key_state_unwraps(w->ring->versions[i].state))
        return kw_err_at(KW_CODE_KEY_BAD, "find");
    kw_err e = serve_prove(w, i, true, was_proven, result);
    if (kw_failed(e) && kw_worker_is_verdict(e))
        e.code = KW_CODE_KEY_BAD;
    return e;
}

static kw_err serve_work(struct kw_hsm_worker *w, const struct kw_wire_job *job,
                         struct kw_secret *ret, struct kw_worker_result *result)
{
    const struct kw_version *v = kw_keyring_by_key_id(w->ring, job->key_id);
    if (v == NULL)
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
    size_t i = (size_t)(v - w->ring->versions);
    kw_err e = serve_admit(w, i, false, result);
    if (kw_failed(e))
        return e;
    e = once(w, i, job, ret);
    if (e.code == KW_CODE_SESSION) { /* its handle died: nothing before a good proof */
        w->keys[i].proven = false;
        e = serve_admit(w, i, true, result);
        if (kw_failed(e))
            return e;
        e = once(w, i, job, ret);
    } else if (e.code == KW_CODE_HSM_BUSY) {
        e = once(w, i, job, ret);
    }
    return serve_settle(w, e);
}

static kw_err canary(struct kw_hsm_worker *w, const struct kw_wire_job *job,
                     struct kw_worker_result *result)
{
    const struct kw_version *v = kw_keyring_by_n(w->ring, job->n);
    if (v == NULL)
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
    size_t i = (size_t)(v - w->ring->versions);
    return serve_prove(w, i, job->closely, w->keys[i].proven, result);
}

static void serve_put_result(struct kw_served *ret, const struct kw_worker_result *result)
{
    ret->answer.looked = result->looked && kw_worker_is_verdict(ret->answer.err);
    ret->answer.findings = result->findings;
    if (!kw_failed(ret->answer.err))
        return;
    kw_copy_printable(ret->reason, sizeof ret->reason, kw_span_str(result->note.text));
    ret->answer.reason = kw_span_str(ret->reason);
}

void kw_worker_serve(struct kw_hsm_worker *w, const struct kw_wire_job *job,
                     struct kw_served *ret)
{
    int64_t start = kw_mono_ns(w->clock);
    struct kw_worker_result result; /* not all of it zeroed: this is the hot path */
    kw_err e;
    result.looked = false;
    result.findings = 0;
    result.note.text[0] = '\0';
    *ret = (struct kw_served){.answer = {.id = job->id}};
    kw_page_begin(w->page, 0, job->id, start);
    if (kw_deadline_over((kw_deadline){job->until_ns}, start))
        e = kw_err_at(KW_CODE_DEADLINE, "deadline");
    else if (job->op == KW_WIRE_CANARY)
        e = canary(w, job, &result);
    else
        e = serve_work(w, job, &ret->output, &result);
    kw_page_end(w->page, 0);
    if (kw_failed(e))
        kw_secret_wipe(&ret->output);
    ret->answer.err = e;
    ret->answer.hsm_ns = kw_mono_ns(w->clock) - start;
    ret->answer.output = kw_secret_peek(&ret->output);
    serve_put_result(ret, &result);
}
