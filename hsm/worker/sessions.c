/* SPDX-License-Identifier: Apache-2.0 */
/* How many sessions this worker has.
 *
 * A soft token is slower with two threads than with one; one that takes milliseconds wants
 * many (a KMS v2 provider is asked in bursts).  What a token says of its sessions is often
 * nothing (0: no limit, ~0: not told, PKCS#11 v2.40 3.2 CK_TOKEN_INFO) or not true: when it
 * gives no more, there are fewer. */
#include "worker_internal.h"

#include <keyward/alloc.h>

/* Buffers of a session among several, and one job in the module's hands: in, out, the
 * scratch of hsm/token, each rounded up. */
enum { SESSION_BYTES = 16 * 1024 };

static unsigned sessions_wanted(const struct kw_brief *brief, bool softhsm)
{
    if (brief->sessions != 0)
        return brief->sessions;
    return softhsm ? 1 : KW_SESSIONS_USUAL;
}

size_t kw_worker_session_bytes(const struct kw_brief *brief)
{
    return sessions_wanted(brief, false) * (size_t)SESSION_BYTES;
}

/* Half of what the token has free is left to others; the rest is for all workers, with
 * one session each to keep the login. */
static unsigned sessions_allowed(const struct kw_hsm_worker *w, unsigned wanted)
{
    const struct kw_token_facts *facts = kw_token_facts(w->base.token);
    if (facts->free_sessions == KW_TOKEN_NOT_TOLD)
        return wanted;
    uint64_t part = facts->free_sessions / 2 / w->brief.parts;
    uint64_t most = part > 1 ? part - 1 : 1;
    return wanted < most ? wanted : (unsigned)most;
}

static kw_err use_the_logins(struct kw_hsm_worker *w)
{
    w->sessions = &w->base;
    w->session_count = 1;
    kw_token_watch(w->base.token, kw_worker_step, &w->base);
    return kw_session_buffers_init(&w->base.buffers, KW_SESSION_IN);
}

static kw_err open_one(struct kw_hsm_worker *w, struct kw_note *note)
{
    struct kw_hsm_session *s = &w->sessions[w->session_count];
    *s = (struct kw_hsm_session){.worker = w, .line = (unsigned)w->session_count};
    kw_err e = kw_token_branch(w->base.token, &s->token, note);
    if (!kw_failed(e))
        e = kw_session_buffers_init(&s->buffers, 1);
    if (kw_failed(e)) {
        kw_token_branch_close(s->token);
        return e;
    }
    kw_token_watch(s->token, kw_worker_step, s);
    w->session_count++;
    return KW_OK;
}

kw_err kw_worker_open_sessions(struct kw_hsm_worker *w, struct kw_note *note)
{
    struct kw_note why = {{0}};
    unsigned wanted = sessions_allowed(
        w, sessions_wanted(&w->brief, kw_token_facts(w->base.token)->softhsm));
    if (wanted == 1)
        return use_the_logins(w);
    w->sessions = kw_new(wanted, sizeof *w->sessions);
    if (w->sessions == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "session");
    kw_err e = KW_OK;
    while (!kw_failed(e) && w->session_count < wanted)
        e = open_one(w, &why);
    if (w->session_count > 1)
        return KW_OK;
    kw_worker_close_sessions(w);
    if (e.code == KW_CODE_HSM_BUSY)
        return use_the_logins(w);
    *note = why;
    return e;
}

void kw_worker_close_sessions(struct kw_hsm_worker *w)
{
    for (size_t i = 0; i < w->session_count; i++) {
        kw_session_buffers_wipe(&w->sessions[i].buffers);
        if (w->sessions != &w->base)
            kw_token_branch_close(w->sessions[i].token);
    }
    if (w->sessions != &w->base)
        kw_free(w->sessions);
    w->sessions = NULL;
    w->session_count = 0;
}
