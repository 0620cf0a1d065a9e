/* SPDX-License-Identifier: Apache-2.0 */
/* canary - does this key open what was sealed under it at its ceremony?
 *
 * Tokens do not agree on how to say that a tag does not match (ckr.c), so a check blob
 * that does not open says little by itself: a fresh text that is sealed and opened under
 * the same key tells a wrong key from a token in trouble.  And one odd answer proves
 * nothing: what speaks against a key is asked for twice.
 */
#include "token_internal.h"

/* The check blob is what a file says: one that cannot be a check blob of this version
 * speaks against the version, and is no bug of ours. */
static kw_err read_check_blob(const struct kw_version *v, const char *domain,
                              struct kw_check_job *ret_job)
{
    kw_err e = kw_check_blob_job(v, domain, ret_job);
    if (kw_failed(e) || ret_job->env.mechanism != v->mechanism ||
        ret_job->env.format != v->format)
        return kw_err_at(KW_CODE_KEY_BAD, "check blob");
    return KW_OK;
}

static kw_err open_check_blob(struct kw_token *t, struct kw_token_key *key,
                              const struct kw_version *v, const char *domain)
{
    struct kw_check_job job;
    KW_AUTO_SECRET(inner);
    kw_err e = read_check_blob(v, domain, &job);
    if (kw_failed(e))
        return e;
    e = kw_unwrap(t, key, job.env.mechanism, job.env.iv, kw_span_of(job.aad, job.aad_len),
                  job.env.sealed, &inner);
    if (kw_failed(e))
        return e;
    return kw_check_blob_judge(&job, &inner);
}

static kw_err seal_and_open(struct kw_token *t, struct kw_token_key *key,
                            const struct kw_check_making *fresh)
{
    uint8_t bytes[KW_SEALED_MAX];
    kw_dst sealed = kw_dst_of(bytes, sizeof bytes);
    kw_span iv = fresh->env.iv, aad = kw_span_of(fresh->aad, fresh->aad_len);
    KW_AUTO_SECRET(back);
    kw_err e = kw_wrap(t, key, fresh->env.mechanism, iv, aad,
                       kw_secret_peek(&fresh->inner), &sealed);
    if (!kw_failed(e))
        e = kw_unwrap(t, key, fresh->env.mechanism, iv, aad, kw_dst_span(&sealed), &back);
    if (!kw_failed(e) &&
        !kw_equal_ct(kw_secret_peek(&back), kw_secret_peek(&fresh->inner)))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "C_Decrypt");
    return e;
}

static bool is_odd(kw_err e)
{
    return e.code == KW_CODE_UNSURE || e.code == KW_CODE_FORGED ||
           e.code == KW_CODE_WRONG_ANSWER;
}

/* What was sealed a moment ago was not forged: there the fault is the token's. */
kw_err kw_canary_wraps(struct kw_token *t, struct kw_token_key *key,
                       const struct kw_version *v, const char *domain)
{
    struct kw_check_making fresh = {0};
    kw_err e = kw_check_making_begin(v, domain, &fresh);
    if (kw_failed(e))
        return e;
    e = seal_and_open(t, key, &fresh);
    if (is_odd(e))
        e = seal_and_open(t, key, &fresh);
    kw_check_making_wipe(&fresh);
    if (e.code == KW_CODE_FORGED || e.code == KW_CODE_UNSURE)
        e.code = KW_CODE_HSM_DOWN;
    return e;
}

kw_err kw_canary(struct kw_token *t, struct kw_token_key *key, const struct kw_version *v,
                 const char *domain, bool also_wrap)
{
    kw_err e = open_check_blob(t, key, v, domain);
    if (is_odd(e)) {
        kw_err fresh =
            e.code == KW_CODE_UNSURE ? kw_canary_wraps(t, key, v, domain) : KW_OK;
        if (kw_failed(fresh))
            return fresh;
        e = open_check_blob(t, key, v, domain);
        if (e.code == KW_CODE_UNSURE)
            e.code = KW_CODE_FORGED;
    }
    if (kw_failed(e) || !also_wrap)
        return e;
    return kw_canary_wraps(t, key, v, domain);
}

kw_err kw_token_canary(struct kw_token *token, struct kw_token_key *key,
                       const struct kw_version *v, const char *domain, bool also_wrap)
{
    kw_phase_set(token, KW_PHASE_TEST);
    kw_err e = kw_canary(token, key, v, domain, also_wrap);
    kw_phase_set(token, KW_PHASE_IDLE);
    return e;
}
