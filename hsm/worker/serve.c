/* SPDX-License-Identifier: Apache-2.0 */
/* One job, one answer.
 *
 * The ladder inside a worker has one rung: a renewed session (and then a new proof of the
 * key), or a token that was busy, gets a second try.  A token that is busy still is not
 * cured by a new process and its login: the front lets this worker rest.  What else still
 * fails with the token's fault needs a new process. */
#include "worker_internal.h"

/* Errors that only a new worker can do something about.  A proven key that is gone is
 * one: the next worker finds out whether the key went or the library lost its way. */
static kw_err serve_settle(struct kw_hsm_session *s, kw_err e)
{
    if (e.code == KW_CODE_SESSION || e.code == KW_CODE_MISSING)
        e.code = KW_CODE_HSM_DOWN;
    if (e.code == KW_CODE_HSM_DOWN)
        s->worker->at_end = true;
    return e;
}

static kw_err serve_wrap(struct kw_hsm_session *s, const struct kw_version *v,
                         struct kw_token_key *key, const struct kw_wire_job *job,
                         struct kw_secret *ret)
{
    uint8_t sealed[KW_SEALED_MAX]; /* ciphertext: no secret */
    kw_dst dst = kw_dst_of(sealed, sizeof sealed);
    kw_err e =
        kw_token_wrap(s->token, key, v->mechanism, job->iv, job->aad, job->input, &dst);
    return kw_failed(e) ? e : kw_secret_copy(ret, kw_dst_span(&dst));
}

static kw_err once(struct kw_hsm_session *s, size_t i, const struct kw_wire_job *job,
                   struct kw_secret *ret)
{
    const struct kw_version *v = &s->worker->ring->versions[i];
    struct kw_token_key *key = s->keys[i].key;
    return job->op == KW_WIRE_WRAP ? serve_wrap(s, v, key, job, ret)
                                   : kw_token_unwrap(s->token, key, v->mechanism, job->iv,
                                                     job->aad, job->input, ret);
}

/* `was_proven`: this worker has worked with the key.  What is then gone, or the token's
 * trouble, is for a new process to judge. */
static kw_err serve_prove(struct kw_hsm_session *s, size_t i, bool closely,
                          bool was_proven, struct kw_worker_result *result)
{
    kw_err e = kw_worker_prove(s, i, closely, result);
    if (!kw_failed(e))
        return e;
    if (kw_worker_is_verdict(e))
        return was_proven ? serve_settle(s, e) : e;
    if (!was_proven && kw_worker_blames_version(s, i, e, result)) {
        e.code = KW_CODE_KEY_BAD;
        return e;
    }
    return serve_settle(s, e);
}

/* The front's verdict is one for all workers: another one may have proven the key since
 * it failed here, and the front's canaries go where there is least to do. */
static kw_err serve_admit(struct kw_hsm_session *s, size_t i, bool was_proven,
                          struct kw_worker_result *result)
{
    if (s->keys[i].proven || (!was_proven && kw_worker_take_over(s, i)))
        return KW_OK;
    if (!kw_key_state_unwraps(s->worker->ring->versions[i].state))
        return kw_err_at(KW_CODE_KEY_BAD, "find");
    kw_err e = serve_prove(s, i, true, was_proven, result);
    if (kw_failed(e) && kw_worker_is_verdict(e) && e.code != KW_CODE_MISSING)
        e.code = KW_CODE_KEY_BAD;
    return e;
}

static kw_err serve_work(struct kw_hsm_session *s, const struct kw_wire_job *job,
                         struct kw_secret *ret, struct kw_worker_result *result)
{
    const struct kw_version *v = kw_keyring_by_key_id(s->worker->ring, job->key_id);
    if (v == NULL)
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
    if (job->op == KW_WIRE_WRAP && v->n != s->worker->brief.active_n)
        return kw_err_at(KW_CODE_KEY_DISABLED, "keyring"); /* it was active before */
    size_t i = (size_t)(v - s->worker->ring->versions);
    kw_err e = serve_admit(s, i, false, result);
    if (kw_failed(e))
        return e;
    e = once(s, i, job, ret);
    if (e.code == KW_CODE_SESSION) { /* its handle died: nothing before a good proof */
        s->keys[i].proven = false;
        e = serve_admit(s, i, true, result);
        if (kw_failed(e))
            return e;
        e = once(s, i, job, ret);
    } else if (e.code == KW_CODE_HSM_BUSY) {
        e = once(s, i, job, ret);
    }
    return serve_settle(s, e);
}

static kw_err canary(struct kw_hsm_session *s, const struct kw_wire_job *job,
                     struct kw_worker_result *result)
{
    const struct kw_version *v = kw_keyring_by_n(s->worker->ring, job->n);
    if (v == NULL)
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring");
    size_t i = (size_t)(v - s->worker->ring->versions);
    return serve_prove(s, i, job->closely, s->keys[i].proven, result);
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

/* The shorter of the last two jobs' operations: one that took long alone says little. */
static int64_t serve_takes_ns(const struct kw_hsm_session *s)
{
    return s->took_ns[0] < s->took_ns[1] ? s->took_ns[0] : s->took_ns[1];
}

static void serve_took(struct kw_hsm_session *s, int64_t ns)
{
    s->took_ns[1] = s->took_ns[0];
    s->took_ns[0] = ns;
}

/* A job can be several operations (a canary that wraps too is three): each is judged, and
 * measured, by itself. */
void kw_worker_step(void *ctx)
{
    struct kw_hsm_session *s = ctx;
    int64_t now = kw_mono_ns(s->worker->clock);
    if (now - s->step_ns > s->longest_ns)
        s->longest_ns = now - s->step_ns;
    s->step_ns = now;
    kw_page_step(s->worker->page, s->line, now);
}

/* What cannot be done in the time that is left only takes it from the next one.  A token
 * that has become faster is found out: each time less is expected. */
static bool serve_too_late(struct kw_hsm_session *s, const struct kw_wire_job *job,
                           int64_t now_ns)
{
    if (!kw_deadline_over((kw_deadline){job->until_ns}, now_ns + serve_takes_ns(s)))
        return false;
    for (size_t i = 0; i < 2; i++)
        s->took_ns[i] -= s->took_ns[i] / 8;
    return true;
}

void kw_worker_serve(struct kw_hsm_session *s, const struct kw_wire_job *job,
                     struct kw_served *ret)
{
    int64_t start = kw_mono_ns(s->worker->clock);
    struct kw_worker_result result; /* not all of it zeroed: this is the hot path */
    kw_err e;
    result.looked = false;
    result.findings = 0;
    result.note.text[0] = '\0';
    *ret = (struct kw_served){.answer = {.id = job->id}};
    s->step_ns = start;
    s->longest_ns = 0;
    kw_page_begin(s->worker->page, s->line, job->id, start);
    bool late = serve_too_late(s, job, start);
    if (late)
        e = kw_err_at(KW_CODE_DEADLINE, "deadline");
    else if (job->op == KW_WIRE_CANARY)
        e = canary(s, job, &result);
    else if (job->op == KW_WIRE_SIGN)
        e = kw_worker_sign(s, job, &ret->output, &result.note);
    else
        e = serve_work(s, job, &ret->output, &result);
    kw_page_end(s->worker->page, s->line);
    if (kw_failed(e))
        kw_secret_wipe(&ret->output);
    ret->answer.err = e;
    ret->answer.hsm_ns = kw_mono_ns(s->worker->clock) - start;
    if (!late && job->op != KW_WIRE_SIGN) /* it says nothing of the others */
        serve_took(s, s->longest_ns != 0 ? s->longest_ns : ret->answer.hsm_ns);
    ret->answer.output = kw_secret_peek(&ret->output);
    serve_put_result(ret, &result);
}
