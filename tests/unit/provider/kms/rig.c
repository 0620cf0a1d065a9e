/* SPDX-License-Identifier: Apache-2.0 */
#include "kms_rig.h"

#include <stdlib.h>

#include <keyward/envelope.h>

static void checksum(kw_span iv, kw_span aad, kw_span text, uint8_t out[16])
{
    uint32_t h[4] = {1, 2, 3, 4};
    kw_span parts[3] = {iv, aad, text};
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < parts[p].len; i++)
            for (unsigned k = 0; k < 4; k++)
                h[k] = (h[k] ^ parts[p].ptr[i]) * (16777619u + 2 * k);
    kw_dst d = kw_dst_of(out, 16);
    for (unsigned k = 0; k < 4; k++)
        CHECK(kw_dst_put_u32(&d, h[k]));
}

static void seal(kw_span iv, kw_span aad, kw_span text, uint8_t *out)
{
    checksum(iv, aad, text, out + text.len);
    for (size_t i = 0; i < text.len; i++)
        out[i] = text.ptr[i] ^ 0x5a;
}

static struct rig *the_rig;

/* ---- the fake behind the door ------------------------------------------------------ */

static kw_err submit(struct kw_hsm *hsm, const struct kw_hsm_job *job, kw_hsm_ticket *ret)
{
    struct rig_job *slot = hsm->jobs;
    if (kw_failed(hsm->submit_err))
        return hsm->submit_err;
    while (slot->ticket != 0)
        CHECK(++slot < hsm->jobs + RIG_JOBS);
    *slot = (struct rig_job){.ticket = ++hsm->last,
                             .op = job->op,
                             .iv_len = job->iv.len,
                             .aad_len = job->aad.len,
                             .input_len = job->input.len,
                             .until = job->until,
                             .done = job->done,
                             .ctx = job->ctx};
    kw_copy_str(slot->key_id, sizeof slot->key_id, kw_span_str(job->key_id));
    kw_copy(slot->iv, sizeof slot->iv, job->iv);
    kw_copy(slot->aad, sizeof slot->aad, job->aad);
    kw_copy(slot->input, sizeof slot->input, job->input);
    hsm->submitted++;
    hsm->verifies += job->verifies;
    *ret = slot->ticket;
    return KW_OK;
}

static struct rig_job *find(struct kw_hsm *hsm, kw_hsm_ticket ticket)
{
    for (size_t i = 0; i < RIG_JOBS; i++)
        if (hsm->jobs[i].ticket == ticket)
            return &hsm->jobs[i];
    return NULL;
}

static bool extend(struct kw_hsm *hsm, kw_hsm_ticket ticket, kw_deadline until)
{
    if (hsm->ended)
        return false;
    struct rig_job *job = find(hsm, ticket);
    CHECK(job != NULL && until.mono_ns > job->until.mono_ns);
    job->until = until;
    hsm->extended++;
    return true;
}

static bool cancel(struct kw_hsm *hsm, kw_hsm_ticket ticket)
{
    struct rig_job *job = find(hsm, ticket);
    if (job == NULL || hsm->cancel_too_late)
        return false;
    job->ticket = 0;
    hsm->cancelled++;
    return true;
}

static void flush(struct kw_hsm *hsm)
{
    hsm->flushed++;
}

static void health(struct kw_hsm *hsm, struct kw_hsm_health *ret)
{
    *ret = hsm->health;
    ret->now_boot_ns = kw_boot_ns(&the_rig->clock);
}

static kw_err version(struct kw_hsm *hsm, kw_span key_id, struct kw_hsm_version *ret)
{
    bool first = kw_span_equal_str(key_id, RIG_KEY_1);
    bool more = hsm->more != NULL && kw_span_equal_str(key_id, hsm->more);
    if (!first && !more && !kw_span_equal_str(key_id, RIG_KEY_2))
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "key_id");
    ret->n = first ? 1 : 2;
    ret->mechanism = KW_MECH_AES_256_GCM;
    ret->refusal = first ? KW_HSM_NOT_REFUSED : hsm->refusal;
    kw_copy_str(ret->key_id, sizeof ret->key_id, key_id);
    if (!first && kw_failed(hsm->version_err))
        return hsm->version_err;
    return first && hsm->away ? kw_err_at(KW_CODE_MISSING, "find") : KW_OK;
}

static void worked(struct kw_hsm *hsm, const char *token, const char *key_id,
                   bool wrapped)
{
    CHECK_STR(token, "fake");
    CHECK_STR(key_id, hsm->health.active_key_id);
    hsm->worked++;
    hsm->wrapped += wrapped;
}

static void distrust(struct kw_hsm *hsm, const char *token)
{
    hsm->blamed = token;
    hsm->distrusted++;
}

static const struct kw_hsm_ops ops = {submit, extend,  cancel,   flush,
                                      health, version, distrust, worked};

static void answer(struct kw_hsm *hsm, struct rig_job job)
{
    struct kw_secret out = {0};
    uint8_t sum[16];
    kw_span iv = kw_span_of(job.iv, job.iv_len), aad = kw_span_of(job.aad, job.aad_len);
    struct kw_hsm_answer a = {
        .err = hsm->answer_err, .output = &out, .token = hsm->token, .hsm_ns = 1000};
    if (!kw_failed(a.err) && job.op == KW_HSM_WRAP) {
        CHECK_OK(kw_secret_init(&out, job.input_len + 16));
        seal(iv, aad, kw_span_of(job.input, job.input_len), out.ptr);
        if (hsm->cut)
            kw_secret_shrink(&out, out.len - 1);
    } else if (!kw_failed(a.err)) {
        CHECK_OK(kw_secret_init(&out, job.input_len - 16));
        for (size_t i = 0; i < out.len; i++)
            out.ptr[i] = job.input[i] ^ 0x5a;
        checksum(iv, aad, kw_secret_peek(&out), sum);
        if (memcmp(sum, job.input + out.len, 16) != 0) {
            kw_secret_wipe(&out);
            a.err = kw_err_at(KW_CODE_FORGED, "C_Decrypt");
        }
    }
    if (hsm->flip_at >= 0 && out.ptr != NULL)
        out.ptr[hsm->flip_at] ^= 1;
    job.done(job.ctx, &a);
    kw_secret_wipe(&out);
}

void rig_run_one(struct rig *r)
{
    struct rig_job *oldest = NULL;
    for (size_t i = 0; i < RIG_JOBS; i++) {
        struct rig_job *j = &r->hsm.jobs[i];
        if (j->ticket != 0 && (oldest == NULL || j->ticket < oldest->ticket))
            oldest = j;
    }
    CHECK(oldest != NULL);
    struct rig_job job = *oldest;
    oldest->ticket = 0;
    answer(&r->hsm, job);
}

unsigned rig_waiting(const struct rig *r)
{
    unsigned n = 0;
    for (size_t i = 0; i < RIG_JOBS; i++)
        n += r->hsm.jobs[i].ticket != 0;
    return n;
}

void rig_run(struct rig *r)
{
    while (rig_waiting(r) > 0)
        rig_run_one(r);
}

/* ---- the audit log ----------------------------------------------------------------- */

static kw_err audit_health(void *audit)
{
    const struct rig_audit *a = audit;
    return a->health;
}

static kw_err audit_put(void *audit, struct kw_request *request, bool *ret_waits)
{
    struct rig_audit *a = audit;
    a->put++;
    a->on_record = request->err.code;
    *ret_waits = !a->counts;
    if (!kw_failed(a->put_err) && !a->counts)
        a->waiting[a->waits++] = request;
    return a->put_err;
}

static void audit_refuse(void *audit, const struct kw_request *request)
{
    struct rig_audit *a = audit;
    CHECK_STR(request->token, "");
    a->refused++;
    a->on_record = request->err.code;
}

static void audit_missed(void *audit, const struct kw_request *request, enum kw_code code)
{
    struct rig_audit *a = audit;
    (void)request;
    a->missed++;
    a->missed_as = code;
}

static void audit_withhold(void *audit, uint64_t seq, enum kw_code code)
{
    struct rig_audit *a = audit;
    a->withheld++;
    a->withheld_seq = seq;
    a->withheld_as = code;
}

static void audit_withhold_late(void *audit, enum kw_code code)
{
    struct rig_audit *a = audit;
    a->withheld_late++;
    a->late_as = code;
}

static const struct kw_audit_ops audit_ops = {audit_health,   audit_put,
                                              audit_refuse,   audit_missed,
                                              audit_withhold, audit_withhold_late};

void rig_record(struct rig *r, kw_err err)
{
    struct rig_audit *a = &r->audit;
    CHECK(a->waits > 0);
    struct kw_request *first = a->waiting[0];
    a->waits--;
    for (unsigned i = 0; i < a->waits; i++)
        a->waiting[i] = a->waiting[i + 1];
    kw_kms_recorded(first, err, kw_failed(err) ? 0 : 100 + (uint64_t)(first - r->calls));
}

/* ---- the client
 * ------------------------------------------------------------------------ */

static void done(struct kw_request *request)
{
    the_rig->done[request - the_rig->calls]++;
}

static struct rig *open_with(const struct kw_audit_ops *audit, bool allow)
{
    static const char *const accepts[] = {"old"};
    static const struct kw_class_options classes[] = {
        {.name = "secrets",
         .scope = "secrets",
         .accept_scopes = accepts,
         .accept_count = 1,
         .on_loss = KW_ON_LOSS_FAIL_CLOSED,
         .cache_entries = 4,
         .cache_ttl_ns = 60 * KW_S_NS},
        {.name = "bulk",
         .scope = "bulk",
         .on_loss = KW_ON_LOSS_SERVE_CACHED,
         .max_outage_ns = 600 * KW_S_NS,
         .cache_entries = 4,
         .cache_ttl_ns = 60 * KW_S_NS},
    };
    kw_test_arena(1 << 20);
    struct rig *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    the_rig = r;
    r->time.now_ns = 1000 * KW_S_NS;
    r->clock = kw_fake_clock(&r->time);
    pthread_mutex_init(&r->lock.mutex.native, NULL);
    r->hsm.flip_at = -1;
    r->hsm.token = "fake";
    r->hsm.health = (struct kw_hsm_health){.state = KW_HSM_UP,
                                           .active_n = 1,
                                           .active_key_id = RIG_KEY_1,
                                           .active_mechanism = KW_MECH_AES_256_GCM};
    struct kw_kms_options o = {.domain = "demo",
                               .classes = classes,
                               .class_count = 2,
                               .door = {&ops, &r->hsm},
                               .audit = {audit, &r->audit, allow},
                               .lock = &r->lock,
                               .clock = &r->clock,
                               .deadline_ns = 1500 * KW_MS_NS,
                               .status_hold_ns = 2 * KW_S_NS,
                               .call_hold_ns = 10 * KW_S_NS};
    CHECK_OK(kw_kms_new(&o, &r->kms));
    kw_log_setup(2, KW_LOG_ERROR, KW_LOG_LOGFMT, &r->clock);
    return r;
}

struct rig *rig_open(void)
{
    return open_with(NULL, false);
}

struct rig *rig_open_recorded(bool allow)
{
    return open_with(&audit_ops, allow);
}

void rig_close(struct rig *r)
{
    for (unsigned i = 0; i < RIG_CALLS; i++)
        kw_secret_wipe(&r->calls[i].seed);
    kw_kms_free(r->kms);
    free(r);
}

static struct kw_request *begin(struct rig *r, unsigned i, struct kw_request request)
{
    CHECK(r->done[i] == 0);
    request.arrived_ns = kw_mono_ns(&r->clock);
    request.until = r->until[i] ? (kw_deadline){r->until[i]} : KW_NEVER;
    request.uid = kw_span_str("d1dd4ffe-9db5-424a-84b8-96e50c45abd1");
    request.done = done;
    r->calls[i] = request;
    kw_kms_begin(r->kms, &r->calls[i]);
    return &r->calls[i];
}

struct kw_request *rig_status(struct rig *r, unsigned i, unsigned class_index)
{
    return begin(
        r, i,
        (struct kw_request){.method = KW_METHOD_STATUS, .class_index = class_index});
}

struct kw_request *rig_encrypt(struct rig *r, unsigned i, unsigned class_index,
                               kw_span seed)
{
    struct kw_request request = {.method = KW_METHOD_ENCRYPT, .class_index = class_index};
    if (seed.len > 0)
        CHECK_OK(kw_secret_copy(&request.seed, seed));
    return begin(r, i, request);
}

struct kw_request *rig_decrypt(struct rig *r, unsigned i, unsigned class_index,
                               const char *key_id, kw_span ciphertext)
{
    return begin(r, i,
                 (struct kw_request){.method = KW_METHOD_DECRYPT,
                                     .class_index = class_index,
                                     .key_id = kw_span_str(key_id),
                                     .ciphertext = ciphertext});
}

kw_span rig_seal(struct rig *r, const char *scope, const char *key_id, kw_span seed,
                 uint8_t *out)
{
    uint8_t iv[KW_IV_MAX], aad[KW_AAD_MAX], sealed[KW_SEALED_MAX];
    KW_AUTO_SECRET(inner);
    (void)r;
    kw_envelope_iv(KW_MECH_AES_256_GCM, seed, iv);
    struct kw_envelope env = {.format = KW_FORMAT_1,
                              .purpose = KW_PURPOSE_SEED,
                              .mechanism = KW_MECH_AES_256_GCM,
                              .scope = kw_span_str(scope),
                              .seed_len = seed.len,
                              .iv = kw_span_of(iv, 12)};
    kw_dst d = kw_dst_of(aad, sizeof aad), whole = kw_dst_of(out, KW_CIPHERTEXT_MAX);
    CHECK_OK(kw_envelope_aad(&env, kw_span_str(key_id), kw_span_str("demo"), &d));
    CHECK_OK(kw_envelope_inner(kw_dst_span(&d), seed, &inner));
    seal(env.iv, kw_dst_span(&d), kw_secret_peek(&inner), sealed);
    env.sealed = kw_span_of(sealed, inner.len + 16);
    CHECK_OK(kw_envelope_write(&env, &whole));
    return kw_dst_span(&whole);
}

bool rig_ended(struct rig *r, unsigned i, enum kw_code code)
{
    if (r->done[i] == 1 && r->calls[i].err.code == code)
        return true;
    print_message("call %u: done %u times, %s at %s in step %s\n", i, r->done[i],
                  kw_code_name(r->calls[i].err.code),
                  r->calls[i].err.where ? r->calls[i].err.where : "-",
                  r->calls[i].step_name ? r->calls[i].step_name : "-");
    return false;
}
