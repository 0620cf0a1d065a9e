/* SPDX-License-Identifier: Apache-2.0 */
/* token - opens one token behind one module, and closes it */
#include "token_internal.h"

#include <keyward/alloc.h>

void kw_phase_set(const struct kw_token *t, enum kw_phase phase)
{
    if (t->phase != NULL)
        t->phase(t->phase_ctx, phase);
}

void kw_token_watch(struct kw_token *token, void (*step)(void *ctx), void *ctx)
{
    token->step = step;
    token->step_ctx = ctx;
}

static kw_err attach(struct kw_token *t, const struct kw_token_uri *uri,
                     const char *module, struct kw_note *note)
{
    CK_TOKEN_INFO info = {0};
    kw_err e = kw_module_load(module, &t->ck, note);
    if (kw_failed(e))
        return e;
    e = kw_facts_of_module(t->ck, &t->facts);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the module does not tell what it is");
        return e;
    }
    e = kw_slot_find(t->ck, uri, &t->slot, &info, note);
    if (kw_failed(e))
        return e;
    t->facts.slot = t->slot;
    kw_facts_of_token(&info, &t->facts);
    kw_facts_of_mechanisms(t->ck, t->slot, &t->facts);
    t->facts.softhsm = kw_facts_say_softhsm(&t->facts);
    return KW_OK;
}

kw_err kw_token_open(const struct kw_token_options *options, struct kw_token **ret_token,
                     struct kw_note *note)
{
    struct kw_token_uri *uri = NULL;
    kw_err e = kw_token_uri_parse(options->uri, &uri, note);
    if (kw_failed(e))
        return e;
    struct kw_token *t = kw_new(1, sizeof *t);
    if (t != NULL)
        t->pin = kw_strdup(kw_span_str(options->pin));
    if (t == NULL || t->pin == NULL) {
        kw_free(t);
        kw_token_uri_free(uri);
        return kw_err_at(KW_CODE_NO_MEMORY, "token");
    }
    t->read_write = options->read_write;
    t->pin_proven = options->pin_proven;
    t->phase = options->phase;
    t->phase_ctx = options->phase_ctx;
    kw_phase_set(t, KW_PHASE_INIT);
    e = attach(t, uri, options->module, note);
    kw_token_uri_free(uri);
    if (kw_failed(e)) {
        kw_token_close(t);
        return e;
    }
    kw_phase_set(t, KW_PHASE_IDLE);
    *ret_token = t;
    return KW_OK;
}

void kw_token_close(struct kw_token *token)
{
    if (token == NULL)
        return;
    kw_phase_set(token, KW_PHASE_EXIT);
    if (token->has_session)
        kw_session_close(token, token->session);
    kw_keys_free(token);
    kw_module_unload(token->ck);
    kw_free(token->pin);
    kw_free(token);
}

const struct kw_token_facts *kw_token_facts(const struct kw_token *token)
{
    return &token->facts;
}
