/* SPDX-License-Identifier: Apache-2.0 */
/* The tool's own worker: one login, each seed unwrapped, yes or no. */
#include "etcd_restore.h"

#include <string.h>

#include <keyward/envelope.h>
#include <keyward/etcd_object.h>

#include "login.h"

struct restore_worker {
    struct kw_restore *restore;
    struct kw_token *token;
    const struct kw_version *version; /* whose turn it is */
    struct kw_token_key *key;
};

/* ---- one seed ---- */

static kw_err restore_unwrap_once(const struct restore_worker *w, kw_span key_id,
                                  kw_span wrapped, struct kw_secret *ret_seed)
{
    struct kw_envelope env;
    uint8_t bytes[KW_AAD_MAX];
    kw_dst aad = kw_dst_of(bytes, sizeof bytes);
    const char *domain = w->restore->by.config->domain;
    kw_err e = kw_envelope_parse(wrapped, &env);
    if (!kw_failed(e))
        e = kw_envelope_aad(&env, key_id, kw_span_str(domain), &aad);
    if (!kw_failed(e))
        e = kw_token_unwrap(w->token, w->key, env.mechanism, env.iv, kw_dst_span(&aad),
                            env.sealed, ret_seed);
    return kw_failed(e) ? e
                        : kw_envelope_prove(kw_dst_span(&aad), env.seed_len, ret_seed);
}

static kw_err restore_prove(struct restore_worker *w, struct kw_note *note)
{
    unsigned findings;
    const struct kw_token_claim claim =
        kw_token_claim_of(w->token, w->version, w->restore->by.config->domain, false);
    return kw_token_prove(w->token, &claim, &w->key, &findings, note, NULL);
}

/* A renewed session, and a token that throttled, get a second try. */
static kw_err restore_unwrap(struct restore_worker *w, kw_span key_id, kw_span wrapped,
                             struct kw_secret *ret_seed)
{
    kw_err e = restore_unwrap_once(w, key_id, wrapped, ret_seed);
    if (e.code != KW_CODE_SESSION && e.code != KW_CODE_HSM_BUSY)
        return e;
    e = e.code == KW_CODE_SESSION ? restore_prove(w, NULL) : KW_OK;
    return kw_failed(e) ? e : restore_unwrap_once(w, key_id, wrapped, ret_seed);
}

/* Whose fault an unwrap was that failed for a reason of either: the token's, when the
 * check blob does not open now either. */
static kw_err restore_settle(struct restore_worker *w, kw_err e)
{
    if (e.code != KW_CODE_UNSURE)
        return e;
    kw_err canary = kw_token_canary(w->token, w->key, w->version,
                                    w->restore->by.config->domain, false);
    return kw_failed(canary) ? canary : kw_err_at(KW_CODE_FORGED, e.where);
}

/* false: the token itself fails, and more need not be tried. */
static bool restore_note(struct kw_restore_result *result, kw_err e, const char *failed)
{
    const bool is_its_fault = e.code == KW_CODE_FORGED ||
                              e.code == KW_CODE_WRONG_ANSWER ||
                              e.code == KW_CODE_BAD_INPUT;
    if (kw_failed(e) && !is_its_fault)
        return false;
    result->state = is_its_fault ? KW_RESTORE_FAILED : KW_RESTORE_OPENED;
    result->why = is_its_fault ? failed : "";
    return true;
}

static kw_err restore_try_seed(struct restore_worker *w, const struct kw_etcd_seed *seed,
                               struct kw_restore_result *result)
{
    KW_AUTO_SECRET(opened);
    kw_err e = restore_settle(w, restore_unwrap(w, seed->key_id, seed->wrapped, &opened));
    return restore_note(result, e, "the key does not open it") ? KW_OK : e;
}

static kw_err restore_try_sample(struct restore_worker *w,
                                 const struct kw_restore_sample *s,
                                 struct kw_restore_result *result)
{
    KW_AUTO_SECRET(seed);
    kw_err e =
        restore_settle(w, restore_unwrap(w, s->stored.key_id, s->stored.wrapped, &seed));
    if (kw_failed(e))
        return restore_note(result, e, "the key does not open its seed") ? KW_OK : e;
    e = kw_etcd_object_open(&seed, s->key, &s->stored);
    return restore_note(result, e, "its seed opens, and the object does not") ? KW_OK : e;
}

/* ---- one version ---- */

static bool restore_wants(const struct kw_restore *r, uint32_t n)
{
    for (size_t i = 0; i < r->result_count; i++)
        if (r->results[i].state == KW_RESTORE_UNTRIED && r->results[i].n == n)
            return true;
    return false;
}

/* Its key is not there, or is another one: all of its seeds are lost on this token. */
static void restore_fail_version(struct kw_restore *r, uint32_t n, const char *why)
{
    for (size_t i = 0; i < r->result_count; i++)
        if (r->results[i].state == KW_RESTORE_UNTRIED && r->results[i].n == n)
            r->results[i] = (struct kw_restore_result){KW_RESTORE_FAILED, n, why};
}

static kw_err restore_try_version(struct restore_worker *w)
{
    struct kw_restore *r = w->restore;
    const struct kw_etcd_findings *f = r->findings;
    kw_err e = KW_OK;
    for (size_t i = 0; !kw_failed(e) && i < f->seed_count; i++)
        if (r->results[i].state == KW_RESTORE_UNTRIED && r->results[i].n == w->version->n)
            e = restore_try_seed(w, &f->seeds[i], &r->results[i]);
    for (const struct kw_restore_sample *s = r->samples; !kw_failed(e) && s != NULL;
         s = s->next) {
        struct kw_restore_result *result = &r->results[f->seed_count + s->i];
        if (result->state == KW_RESTORE_UNTRIED && result->n == w->version->n)
            e = restore_try_sample(w, s, result);
    }
    return e;
}

static kw_err restore_version(struct restore_worker *w, struct kw_note *note)
{
    kw_err e = restore_prove(w, note);
    if (!kw_failed(e))
        return restore_try_version(w);
    const bool is_another = e.code == KW_CODE_FORGED || e.code == KW_CODE_WRONG_ANSWER ||
                            e.code == KW_CODE_KEY_BAD;
    if (!is_another && e.code != KW_CODE_MISSING)
        return e;
    restore_fail_version(w->restore, w->version->n,
                         is_another ? "its key in this token is another one, or exposed"
                                    : "its key is not in this token");
    return KW_OK;
}

/* ---- in the child ---- */

static kw_err restore_work(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct restore_worker w = {.restore = shared, .token = token};
    const struct kw_token_facts *facts = kw_token_facts(token);
    struct kw_restore_shared *s = w.restore->shared;
    const struct kw_keyring *ring = w.restore->by.ring;
    kw_err e = KW_OK;
    kw_copy_str(s->label, sizeof s->label, kw_span_str(facts->label));
    kw_copy_str(s->serial, sizeof s->serial, kw_span_str(facts->serial));
    for (size_t i = 0; !kw_failed(e) && i < ring->count; i++) {
        w.version = &ring->versions[i];
        if (restore_wants(w.restore, w.version->n))
            e = restore_version(&w, note);
    }
    return e;
}

/* ---- in the parent ---- */

static void restore_judge_all(struct kw_restore *r)
{
    const struct kw_etcd_findings *f = r->findings;
    for (size_t i = 0; i < f->seed_count; i++) {
        const struct kw_etcd_seed *seed = &f->seeds[i];
        r->results[i] = kw_restore_judge(&r->by, seed->name, seed->key_id, seed->wrapped,
                                         seed->annotations);
    }
    for (const struct kw_restore_sample *s = r->samples; s != NULL; s = s->next)
        r->results[f->seed_count + s->i] =
            kw_restore_judge(&r->by, s->stored.name, s->stored.key_id, s->stored.wrapped,
                             s->stored.annotations);
}

static bool restore_asks(const struct kw_restore *r)
{
    for (size_t i = 0; i < r->result_count; i++)
        if (r->results[i].state == KW_RESTORE_UNTRIED)
            return true;
    return false;
}

kw_err kw_restore_run(struct kw_restore *restore, const struct kw_etcd_findings *findings)
{
    const size_t count = findings->seed_count + restore->sample_count;
    struct kw_restore_shared *shared =
        kw_shared_new(sizeof *shared + count * sizeof shared->results[0]);
    if (shared == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd restore");
    restore->findings = findings;
    restore->shared = shared;
    restore->results = shared->results;
    restore->result_count = count;
    restore_judge_all(restore);
    if (restore_asks(restore))
        restore->token_err =
            kw_login_run(restore->by.config, restore->token, KW_LOGIN_LOOK, restore_work,
                         restore, &restore->token_note);
    return KW_OK;
}
