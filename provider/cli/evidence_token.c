/* SPDX-License-Identifier: Apache-2.0 */
/* One login, and everything that is asked then. */
#include "evidence_token.h"

#include <stdio.h>
#include <string.h>

#include <keyward/token.h>

enum kw_evidence_asked kw_evidence_asked_of(enum kw_key_state state)
{
    if (state == KW_KEY_UNKNOWN)
        return KW_ASKED_NOTHING;
    return kw_key_state_is_probed(state) ? KW_ASKED_PROOF : KW_ASKED_PRESENCE;
}

/* ---- in the child ---- */

static bool evidence_several(kw_err e)
{
    return e.code == KW_CODE_HSM_CONFIG && e.native == 0;
}

/* What the outcome says, and nothing more. */
static void evidence_conclude(struct kw_evidence_version *x, kw_err search)
{
    const bool opened = !kw_failed(x->err) || (x->findings & KW_FINDING_EXPOSED) != 0;
    const bool replaced = (x->findings & KW_FINDING_REPLACED) != 0;
    if (x->asked == KW_ASKED_PROOF && (opened || replaced))
        x->opens = opened ? KW_ANSWER_TRUE : KW_ANSWER_FALSE;
    if (!kw_failed(search) || evidence_several(search) || opened || replaced)
        x->found = KW_ANSWER_TRUE;
    else if (x->err.code == KW_CODE_MISSING && search.code == KW_CODE_MISSING)
        x->found = KW_ANSWER_FALSE;
}

/* Of a key that is not proven: of the one object that has its label, if it is one. */
static void evidence_look_at(struct kw_token *token, const struct kw_version *v,
                             const struct kw_context *context,
                             struct kw_evidence_version *x)
{
    struct kw_token_key *key = NULL;
    struct kw_note why = {{0}};
    const struct kw_token_claim claim = kw_token_claim_of(
        token, v, context->ring->domain, kw_context_active(context) == v->n);
    kw_err search = KW_OK;
    if (x->asked == KW_ASKED_PROOF)
        x->err = kw_token_prove(token, &claim, &key, &x->findings, &x->note, NULL);
    if (key == NULL)
        search = kw_token_find(token, claim.label, claim.locator, &key, &why);
    if (x->asked == KW_ASKED_PRESENCE) {
        x->err = search;
        x->note = why;
    }
    evidence_conclude(x, search);
    if (key != NULL)
        x->has_attributes = !kw_failed(kw_token_attributes(token, key, &x->attributes)) &&
                            !kw_failed(kw_token_describe(token, key, x->properties));
}

static void evidence_audit_key(struct kw_token *token, const struct kw_config *config,
                               struct kw_evidence_token *t)
{
    uint8_t want[KW_SHA256], found[KW_SHA256];
    if (config->audit_key_label == NULL)
        return;
    t->audit_key = kw_token_audit_key(token, config->audit_key_label, t->audit_spki,
                                      &t->audit_key_note);
    t->is_pinned =
        !kw_failed(t->audit_key) &&
        kw_unhex(want, sizeof want, kw_span_str(config->audit_key_sha256)) &&
        !kw_failed(kw_sha256(kw_span_of(t->audit_spki, KW_SPKI), found)) &&
        kw_span_equal(kw_span_of(want, sizeof want), kw_span_of(found, sizeof found));
}

static kw_err evidence_visit(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct kw_evidence_token *t = shared;
    const struct kw_keyring *ring = t->context->ring;
    (void)note;
    t->facts = *kw_token_facts(token);
    t->self_test = kw_token_self_test(token, &t->self_test_note);
    for (size_t i = 0; ring != NULL && i < ring->count; i++)
        if (t->versions[i].asked != KW_ASKED_NOTHING)
            evidence_look_at(token, &ring->versions[i], t->context, &t->versions[i]);
    evidence_audit_key(token, t->context->config, t);
    t->is_asked = true;
    return KW_OK;
}

/* ---- here ---- */

void kw_evidence_token_ask(const struct kw_context *context,
                           const struct kw_config_token *token,
                           struct kw_evidence_token *ret)
{
    const struct kw_keyring *ring = context->ring;
    ret->context = context;
    for (size_t i = 0; ring != NULL && i < ring->count; i++)
        ret->versions[i] = (struct kw_evidence_version){
            .asked = kw_evidence_asked_of(ring->versions[i].state),
            .found = KW_ANSWER_NONE,
            .opens = KW_ANSWER_NONE};
    ret->err = kw_login_run(context->config, token, KW_LOGIN_LOOK, evidence_visit, ret,
                            &ret->note);
    if (!kw_failed(ret->err) && ret->is_asked)
        return;
    ret->is_asked = false; /* a child that died half-way has said nothing */
    for (size_t i = 0; i < KW_VERSIONS_MAX; i++)
        ret->versions[i] = (struct kw_evidence_version){
            .asked = KW_ASKED_NOTHING, .found = KW_ANSWER_NONE, .opens = KW_ANSWER_NONE};
}

/* A key that is not there was looked for; one that does not pass was looked at. */
static bool evidence_version_is_whole(const struct kw_evidence_version *x)
{
    if (x->asked == KW_ASKED_NOTHING || x->found == KW_ANSWER_NONE)
        return false;
    if (x->found == KW_ANSWER_FALSE)
        return true;
    return x->has_attributes &&
           (x->asked == KW_ASKED_PRESENCE || x->opens != KW_ANSWER_NONE);
}

/* What the token would not say, and not what it said of it. */
static bool evidence_is_trouble(kw_err e)
{
    return kw_failed(e) && e.code != KW_CODE_MISSING && e.code != KW_CODE_KEY_BAD;
}

bool kw_evidence_token_is_whole(const struct kw_context *context,
                                const struct kw_evidence_token *t,
                                struct kw_note *ret_why)
{
    const struct kw_keyring *ring = context->ring;
    if (!t->is_asked) {
        kw_note_set(ret_why, "%s",
                    t->note.text[0] != '\0' ? t->note.text : kw_code_name(t->err.code));
        return false;
    }
    if (kw_exit_for(t->self_test.code) == KW_EXIT_BLIND) {
        kw_note_set(ret_why, "AES-GCM: %s", t->self_test_note.text);
        return false;
    }
    for (size_t i = 0; ring != NULL && i < ring->count; i++) {
        const struct kw_evidence_version *x = &t->versions[i];
        if (evidence_version_is_whole(x))
            continue;
        kw_note_set(ret_why, "version %u: %s", (unsigned)ring->versions[i].n,
                    x->asked == KW_ASKED_NOTHING ? "this keyward does not understand it"
                    : x->note.text[0] != '\0'    ? x->note.text
                                                 : "its attributes could not be read");
        return false;
    }
    if (evidence_is_trouble(t->audit_key)) {
        kw_note_set(ret_why, "the audit log's key: %s", t->audit_key_note.text);
        return false;
    }
    return true;
}
