/* SPDX-License-Identifier: Apache-2.0 */
/* check_blob - a sealed random text: whoever opens it holds the key of the ceremony */
#include <keyward/keyring.h>

enum { CHECK_TEXT = 32 };

static kw_err aad_of(const struct kw_envelope *env, const struct kw_version *v,
                     const char *domain, uint8_t aad[KW_AAD_MAX], size_t *ret_len)
{
    kw_dst dst = kw_dst_of(aad, KW_AAD_MAX);
    kw_err e = kw_envelope_aad(env, kw_span_str(v->key_id), kw_span_str(domain), &dst);
    if (!kw_failed(e))
        *ret_len = dst.len;
    return e;
}

kw_err kw_check_blob_job(const struct kw_version *v, const char *domain,
                         struct kw_check_job *ret_job)
{
    struct kw_check_job job = {0};
    kw_err e = kw_envelope_parse(kw_span_of(v->check_blob, v->check_blob_len), &job.env);
    if (kw_failed(e))
        return kw_err_at(KW_CODE_FORGED, "check blob: no envelope");
    if (job.env.purpose != KW_PURPOSE_CHECK || job.env.seed_len != CHECK_TEXT)
        return kw_err_at(KW_CODE_FORGED, "check blob: seals something else");
    if (job.env.mechanism != v->mechanism || job.env.format != v->format)
        return kw_err_at(KW_CODE_FORGED, "check blob: of another mechanism");
    e = aad_of(&job.env, v, domain, job.aad, &job.aad_len);
    if (kw_failed(e))
        return kw_err_at(KW_CODE_BUG, "check blob");
    *ret_job = job;
    return KW_OK;
}

kw_err kw_check_blob_judge(const struct kw_check_job *job, struct kw_secret *inner)
{
    kw_err e =
        kw_envelope_prove(kw_span_of(job->aad, job->aad_len), job->env.seed_len, inner);
    kw_secret_wipe(inner);
    return e;
}

/* A fresh text and IV, and the AAD that goes with them. */
static kw_err check_blob_begin(const struct kw_version *v, const char *domain,
                               struct kw_check_making *making)
{
    KW_AUTO_SECRET(text);
    kw_err e = kw_secret_init(&text, CHECK_TEXT);
    if (kw_failed(e))
        return e;
    kw_random(text.ptr, text.len);
    kw_envelope_iv(v->mechanism, kw_secret_peek(&text), making->iv);
    making->env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_CHECK,
        .mechanism = v->mechanism,
        .scope = kw_span_str(KW_CHECK_SCOPE),
        .seed_len = CHECK_TEXT,
        .iv = kw_span_of(making->iv, kw_mechanism_iv_len(v->mechanism)),
    };
    e = aad_of(&making->env, v, domain, making->aad, &making->aad_len);
    if (kw_failed(e))
        return e;
    return kw_envelope_inner(kw_span_of(making->aad, making->aad_len),
                             kw_secret_peek(&text), &making->inner);
}

kw_err kw_check_making_begin(const struct kw_version *v, const char *domain,
                             struct kw_check_making *ret_making)
{
    struct kw_check_making making = {0};
    kw_err e = check_blob_begin(v, domain, &making);
    if (kw_failed(e))
        return e;
    *ret_making = making;
    ret_making->env.iv.ptr = ret_making->iv; /* its own copy, not the one of this frame */
    return KW_OK;
}

kw_err kw_check_making_end(struct kw_check_making *making, kw_span sealed,
                           struct kw_version *v)
{
    uint8_t bytes[KW_CHECK_BLOB_MAX];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);

    making->env.sealed = sealed;
    kw_err e = kw_envelope_write(&making->env, &dst);
    making->env.sealed = (kw_span){0};
    if (kw_failed(e))
        return e;
    kw_copy(v->check_blob, sizeof v->check_blob, kw_dst_span(&dst));
    v->check_blob_len = dst.len;
    return KW_OK;
}

void kw_check_making_wipe(struct kw_check_making *making)
{
    kw_secret_wipe(&making->inner);
    *making = (struct kw_check_making){0};
}
