/* SPDX-License-Identifier: Apache-2.0 */
/* From the brief to READY: token, one login, self-test, the active version's verdict. */
#include "worker_internal.h"

/* The numbers of the page are those of hsm/token; the gate is closed in LOGIN. */
static void start_on_phase(void *ctx, enum kw_phase phase)
{
    struct kw_hsm_worker *w = ctx;
    if (w->serving)
        return;
    bool was_login = kw_page_phase(w->page) == KW_PAGE_LOGIN;
    if (phase == KW_PHASE_LOGIN && !was_login)
        kw_guard_hold();
    kw_page_enter(w->page, (enum kw_page_phase)phase);
    if (phase != KW_PHASE_LOGIN && was_login)
        kw_guard_release();
}

static kw_err open_token(struct kw_hsm_worker *w, struct kw_note *note)
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
                                             .phase = start_on_phase,
                                             .phase_ctx = w};
    return kw_token_open(&options, &w->base.token, note);
}

static kw_err refuse_softhsm(const struct kw_hsm_worker *w, struct kw_note *note)
{
    if (!w->brief.production || !kw_token_facts(w->base.token)->softhsm)
        return KW_OK;
    kw_note_set(note, "a SoftHSM token keeps its keys in files: environment: production "
                      "refuses it; name a hardware token, or set environment: test");
    return kw_err_at(KW_CODE_HSM_CONFIG, "token");
}

kw_err kw_worker_start(struct kw_hsm_worker *w, struct kw_note *note)
{
    uint32_t verdicts = 0;
    kw_err e = kw_keyring_parse(w->brief.keyring, &w->ring, note);
    if (!kw_failed(e))
        e = open_token(w, note);
    if (kw_failed(e))
        return e;
    kw_worker_send_facts(w);
    e = refuse_softhsm(w, note);
    if (!kw_failed(e))
        e = kw_worker_log_in(w, note);
    if (!kw_failed(e))
        e = kw_token_self_test(w->base.token, note);
    if (!kw_failed(e))
        e = kw_worker_prove_active(w, &verdicts, note);
    if (!kw_failed(e))
        e = kw_worker_open_sessions(w, note);
    if (kw_failed(e))
        return e;
    w->serving = true;
    kw_page_enter(w->page, KW_PAGE_IDLE);
    kw_worker_send_ready(w, verdicts);
    return KW_OK;
}
