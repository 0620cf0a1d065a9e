/* SPDX-License-Identifier: Apache-2.0 */
/* From the brief to READY: token, one login, self-test, a verdict for every version. */
#include "worker.h"

bool kw_worker_is_verdict(kw_err e)
{
    return !kw_failed(e) || e.code == KW_CODE_WRONG_ANSWER || e.code == KW_CODE_FORGED ||
           e.code == KW_CODE_MISSING || e.code == KW_CODE_KEY_BAD ||
           e.code == KW_CODE_HSM_CONFIG;
}

static kw_err find_key(struct kw_worker_state *w, size_t i, struct kw_note *note)
{
    const struct kw_version *v = &w->ring->versions[i];
    struct kw_key_attributes attributes = {0};
    struct kw_note remarks = {{0}};
    struct kw_token_key *key = NULL;
    const struct kw_object *object = kw_version_kek(v);
    kw_err e = kw_token_find(w->token, object->label,
                             kw_object_locator(object, kw_token_facts(w->token)->serial),
                             &key, note);
    if (!kw_failed(e))
        e = kw_token_attributes(w->token, key, &attributes);
    if (!kw_failed(e))
        e = kw_attributes_judge(&attributes, note, &remarks);
    if (!kw_failed(e))
        w->keys[i].key = key;
    return e;
}

static kw_err canary(struct kw_worker_state *w, size_t i, struct kw_note *note)
{
    const struct kw_version *v = &w->ring->versions[i];
    bool also_wrap = v->n == w->brief.active_n;
    kw_err e = kw_token_canary(w->token, w->keys[i].key, v, w->domain, also_wrap);
    if (e.code == KW_CODE_SESSION || e.code == KW_CODE_HSM_BUSY)
        e = kw_token_canary(w->token, w->keys[i].key, v, w->domain, also_wrap);
    if (e.code == KW_CODE_FORGED || e.code == KW_CODE_WRONG_ANSWER)
        kw_note_set(note,
                    "the check blob of version %u does not open: the token holds another "
                    "key under its label, or the keyring was edited by hand",
                    v->n);
    else if (kw_failed(e))
        kw_note_set(note, "the check of version %u failed", v->n);
    return e;
}

kw_err kw_worker_prove(struct kw_worker_state *w, size_t i, struct kw_note *note)
{
    kw_err e = w->keys[i].key != NULL ? KW_OK : find_key(w, i, note);
    if (!kw_failed(e))
        e = canary(w, i, note);
    if (kw_worker_is_verdict(e)) /* a lack of memory says nothing about the key */
        w->keys[i].proven = !kw_failed(e);
    return e;
}

static kw_err prove_all(struct kw_worker_state *w, uint32_t *ret_verdicts,
                        struct kw_note *note)
{
    for (size_t i = 0; i < w->ring->count; i++) {
        struct kw_note why = {{0}};
        if (!kw_key_state_is_probed(w->ring->versions[i].state))
            continue;
        kw_page_enter(w->page, KW_PAGE_FIND);
        struct kw_wire_verdict v = {.n = w->ring->versions[i].n};
        v.err = kw_worker_prove(w, i, &why);
        if (!kw_worker_is_verdict(v.err)) {
            *note = why;
            return v.err;
        }
        kw_copy_str(v.reason, sizeof v.reason, kw_span_str(why.text));
        kw_tell_verdict(w, &v);
        (*ret_verdicts)++;
    }
    return KW_OK;
}

/* The numbers of the page are those of the token room; the gate is closed in LOGIN. */
static void on_phase(void *ctx, enum kw_phase phase)
{
    struct kw_worker_state *w = ctx;
    if (w->serving)
        return;
    bool was_login = kw_page_look(w->page).phase == KW_PAGE_LOGIN;
    if (phase == KW_PHASE_LOGIN && !was_login)
        kw_guard_hold();
    kw_page_enter(w->page, (enum kw_page_phase)phase);
    if (phase != KW_PHASE_LOGIN && was_login)
        kw_guard_release();
}

static kw_err open_token(struct kw_worker_state *w, struct kw_note *note)
{
    static char module[KW_PATH_MAX + 1], uri[KW_PATH_MAX + 1], pin[KW_PATH_MAX + 32];
    if (!kw_copy_str(module, sizeof module, w->brief.module) ||
        !kw_copy_str(uri, sizeof uri, w->brief.uri) ||
        !kw_copy_str(pin, sizeof pin, w->brief.pin) ||
        !kw_copy_str(w->domain, sizeof w->domain, w->brief.domain))
        return kw_err_at(KW_CODE_BUG, "brief");
    const struct kw_token_options options = {.module = module,
                                             .uri = uri,
                                             .pin = pin,
                                             .pin_proven = w->brief.pin_proven,
                                             .phase = on_phase,
                                             .phase_ctx = w};
    return kw_token_open(&options, &w->token, note);
}

static kw_err refuse_softhsm(const struct kw_worker_state *w, struct kw_note *note)
{
    if (!w->brief.production || !kw_token_facts(w->token)->softhsm)
        return KW_OK;
    kw_note_set(note, "a SoftHSM token keeps its keys in files: environment: production "
                      "refuses it; name a hardware token, or set environment: test");
    return kw_err_at(KW_CODE_HSM_CONFIG, "token");
}

kw_err kw_worker_start(struct kw_worker_state *w, struct kw_note *note)
{
    uint32_t verdicts = 0;
    kw_err e = kw_keyring_parse(w->brief.keyring, &w->ring, note);
    if (!kw_failed(e))
        e = open_token(w, note);
    if (kw_failed(e))
        return e;
    kw_tell_facts(w);
    e = refuse_softhsm(w, note);
    if (!kw_failed(e))
        e = kw_token_login(w->token, note);
    if (!kw_failed(e))
        e = kw_token_self_test(w->token, note);
    if (!kw_failed(e))
        e = prove_all(w, &verdicts, note);
    if (kw_failed(e))
        return e;
    w->serving = true;
    kw_page_enter(w->page, KW_PAGE_IDLE);
    kw_tell_ready(w, verdicts);
    return KW_OK;
}
