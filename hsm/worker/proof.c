/* SPDX-License-Identifier: Apache-2.0 */
/* Which versions' keys this worker has, and whether a failure speaks of the key, of the
 * token, or of one version alone.
 *
 * A token that cannot answer for one version and answers for another is not in trouble:
 * that version is bad here, and the worker is ready for the others.  The active one is no
 * such version: what it needs is a token that answers. */
#include "worker_internal.h"

#include <stdio.h>

_Static_assert((int)KW_FINDING_EXPOSED == KW_WIRE_EXPOSED &&
                   (int)KW_FINDING_REPLACED == KW_WIRE_REPLACED &&
                   (int)KW_FINDING_COPYABLE == KW_WIRE_COPYABLE &&
                   (int)KW_FINDING_DUPLICATE == KW_WIRE_DUPLICATE,
               "the numbers of hsm/token go over the wall");

bool kw_worker_is_verdict(kw_err e)
{
    return !kw_failed(e) || e.code == KW_CODE_WRONG_ANSWER || e.code == KW_CODE_FORGED ||
           e.code == KW_CODE_MISSING || e.code == KW_CODE_KEY_BAD ||
           e.code == KW_CODE_HSM_CONFIG;
}

/* An object handle is good in every session of the process: one that is proven in one of
 * them is proven for all. */
bool kw_worker_take_over(struct kw_hsm_session *s, size_t i)
{
    struct kw_hsm_worker *w = s->worker;
    if (s == &w->base)
        return false;
    kw_mutex_lock(&w->proofs);
    s->keys[i].proven =
        w->base.keys[i].proven &&
        !kw_failed(kw_token_adopt(s->token, w->base.keys[i].key, &s->keys[i].key));
    kw_mutex_unlock(&w->proofs);
    return s->keys[i].proven;
}

/* Also what is not proven any more: the next one that asks finds out by itself. */
static void proof_share(struct kw_hsm_session *s, size_t i)
{
    struct kw_hsm_worker *w = s->worker;
    if (s == &w->base)
        return;
    kw_mutex_lock(&w->proofs);
    w->base.keys[i].proven =
        s->keys[i].proven &&
        !kw_failed(kw_token_adopt(w->base.token, s->keys[i].key, &w->base.keys[i].key));
    kw_mutex_unlock(&w->proofs);
}

kw_err kw_worker_prove(struct kw_hsm_session *s, size_t i, bool closely,
                       struct kw_worker_result *ret)
{
    const struct kw_version *v = &s->worker->ring->versions[i];
    struct kw_worker_key *k = &s->keys[i];
    const struct kw_token_claim claim = kw_token_claim_of(
        s->token, v, s->worker->domain, v->n == s->worker->brief.active_n);
    kw_err e = kw_err_at(KW_CODE_SESSION, "key");
    *ret = (struct kw_worker_result){.looked = closely};
    if (k->proven || kw_worker_take_over(s, i))
        e = kw_token_look(s->token, k->key, &claim, closely, &ret->findings, &ret->note);
    if (e.code == KW_CODE_SESSION) {
        *ret = (struct kw_worker_result){.looked = true};
        k->proven = false;
        e = kw_token_prove(s->token, &claim, &k->key, &ret->findings, &ret->note, NULL);
    }
    if (kw_worker_is_verdict(e)) /* a lack of memory says nothing about the key */
        k->proven = !kw_failed(e);
    else
        ret->looked = false;
    proof_share(s, i);
    return e;
}

/* Another version's key does what it should, now. */
static bool token_is_well(struct kw_hsm_session *s, size_t but)
{
    struct kw_worker_result ignored;
    for (size_t i = 0; i < s->worker->ring->count; i++)
        if (i != but && s->keys[i].proven &&
            !kw_failed(kw_worker_prove(s, i, false, &ignored)))
            return true;
    return false;
}

bool kw_worker_blames_version(struct kw_hsm_session *s, size_t i, kw_err e,
                              struct kw_worker_result *result)
{
    const struct kw_version *v = &s->worker->ring->versions[i];
    if (v->n == s->worker->brief.active_n || !token_is_well(s, i))
        return false;
    *result = (struct kw_worker_result){.looked = false};
    kw_note_set(&result->note,
                "the token works, and fails over version %u alone: %s at %s, native 0x%x",
                v->n, kw_code_name(e.code), e.where, e.native);
    return true;
}

/* ---- before READY ------------------------------------------------------------------ */

static void send_verdict(const struct kw_hsm_worker *w, uint32_t n, kw_err e,
                         const struct kw_worker_result *result)
{
    struct kw_wire_verdict v = {.n = n, .err = e, .findings = result->findings};
    if (kw_failed(e))
        kw_copy_str(v.reason, sizeof v.reason, kw_span_str(result->note.text));
    kw_worker_send_verdict(w, &v);
}

kw_err kw_worker_prove_active(struct kw_hsm_worker *w, uint32_t *ret_verdicts,
                              struct kw_note *note)
{
    struct kw_worker_result result;
    const struct kw_version *v = kw_keyring_by_n(w->ring, w->brief.active_n);
    *ret_verdicts = 0;
    if (v == NULL || !kw_key_state_is_probed(v->state))
        return KW_OK;
    kw_page_enter(w->page, KW_PAGE_FIND);
    kw_err e = kw_worker_prove(&w->base, (size_t)(v - w->ring->versions), true, &result);
    if (!kw_worker_is_verdict(e)) {
        *note = result.note;
        return e;
    }
    send_verdict(w, v->n, e, &result);
    *ret_verdicts = 1;
    return KW_OK;
}
