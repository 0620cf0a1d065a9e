/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things around a login. */
#include "login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/clock.h>
#include <keyward/state.h>

#include "pin_place.h"
#include "softhsm.h"
#include "window.h"

kw_err kw_owner_of(const struct kw_config *config, struct kw_owner *ret_owner,
                   struct kw_note *note)
{
    struct stat st;
    if (stat(config->state, &st) != 0) {
        int saved = errno;
        kw_note_set(
            note,
            "%s: the state directory: %s; keyward init makes it, and keyward state "
            "create makes it again",
            config->state, strerror(saved));
        return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                             (uint32_t)saved, "state");
    }
    *ret_owner = (struct kw_owner){st.st_uid, st.st_gid};
    return KW_OK;
}

kw_err kw_owner_agrees(const struct kw_config *config,
                       const struct kw_config_token *token, struct kw_owner *ret_owner,
                       struct kw_note *note)
{
    char tokendir[KW_PATH_MAX];
    struct stat st;
    struct kw_owner owner;
    const char *conf = kw_softhsm_conf(token);
    kw_err e = kw_owner_of(config, &owner, note);
    if (!kw_failed(e) && conf != NULL)
        e = kw_softhsm_tokendir(conf, tokendir, note);
    if (kw_failed(e))
        return e;
    if (conf != NULL && stat(tokendir, &st) != 0) {
        int saved = errno;
        kw_note_set(note, "%s: the token directory that %s names: %s", tokendir, conf,
                    strerror(saved));
        return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                             (uint32_t)saved, "tokendir");
    }
    if (conf != NULL && st.st_uid != owner.uid && kw_softhsm_is_systems(conf)) {
        kw_note_set(
            note,
            "the token directory %s of %s is the whole system's and belongs to uid "
            "%u: name keyward's own softhsm2.conf in the token's env "
            "(SOFTHSM2_CONF), with a token directory of uid %u",
            tokendir, conf, (unsigned)st.st_uid, (unsigned)owner.uid);
        return kw_err_at(KW_CODE_DENIED, "tokendir");
    }
    if (conf != NULL && st.st_uid != owner.uid) {
        kw_note_set(
            note,
            "the token directory %s belongs to uid %u and the state directory %s to "
            "uid %u; make them one user's: chown -R %u %s",
            tokendir, (unsigned)st.st_uid, config->state, (unsigned)owner.uid,
            (unsigned)owner.uid, tokendir);
        return kw_err_at(KW_CODE_DENIED, "tokendir");
    }
    *ret_owner = owner;
    return KW_OK;
}

static kw_err stat_pin(const struct kw_pin_place *pin, struct stat *ret_st,
                       struct kw_note *note)
{
    int rc = pin->fd >= 0 ? fstat(pin->fd, ret_st) : lstat(pin->path, ret_st);
    if (rc == 0)
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "%s: the PIN: %s", pin->path, strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "pin");
}

/* What parent and children of one login share. */
struct order {
    const struct kw_config *config;
    const struct kw_config_token *token;
    kw_login_work *work;
    void *shared;
    struct kw_pin_place pin;
    char tokendir[KW_PATH_MAX]; /* "" when the token is no SoftHSM's  */
    enum kw_login_kind kind;
    bool proven;  /* the token's COUNT_LOW is no reason to stop      */
    bool trusted; /* and the state directory says so of this very PIN */
    struct kw_pin_latch latch;
};

/* PIN_STOP when no login may be tried: the latch is about the PIN source as it is now, or
 * about a credential, whose change proves nothing (hsm/front/pin_latch.h). */
static kw_err allowed(struct order *o, struct kw_note *note)
{
    struct stat st;
    struct kw_state_dir *dir = NULL;
    struct kw_pin_latch latch = {0};
    kw_err e = stat_pin(&o->pin, &st, note);
    if (!kw_failed(e))
        e = kw_state_open(o->config->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_pin_latch(dir, o->token->name, &latch, note);
    kw_state_close(dir);
    if (kw_failed(e))
        return e;
    const struct kw_pin_source now = kw_pin_source_of(&st);
    bool same = kw_pin_source_same(&latch.source, &now);
    bool credential = kw_pin_source_is_credential(o->token->pin);
    if (latch.latched && (same || credential)) {
        kw_note_set(note,
                    "token %s: no login is tried since %s: %s; one more could lock the "
                    "token: correct the PIN in %s%s",
                    o->token->name, latch.at, latch.reason, o->pin.path,
                    credential ? ", then say keyward pin retry"
                               : " (any change of the file ends the latch)");
        return kw_err_at(KW_CODE_PIN_STOP, "pin latch");
    }
    /* A new PIN after a refused one is a human's act, and is worth one try. */
    o->trusted = same && latch.proven;
    o->proven = o->trusted || latch.latched || latch.retry;
    return KW_OK;
}

/* A soft token's files die when the process does between here and the end of C_Login; a
 * ceremony writes until it is over. */
static void on_phase(void *ctx, enum kw_phase phase)
{
    const struct order *o = ctx;
    if (phase == KW_PHASE_LOGIN)
        kw_child_hold(true);
    else if (o->kind == KW_LOGIN_LOOK)
        kw_child_hold(false);
}

static kw_err log_in(void *arg, struct kw_note *note)
{
    struct order *o = arg;
    struct kw_token *token = NULL;
    const struct kw_token_options options = {
        .module = o->token->module,
        .uri = o->token->uri,
        .pin = o->pin.source,
        .read_write = o->kind == KW_LOGIN_CEREMONY,
        .pin_proven = o->proven,
        .phase = on_phase,
        .phase_ctx = o,
    };
    kw_err e = kw_token_open(&options, &token, note);
    if (!kw_failed(e) && o->config->production && kw_token_facts(token)->softhsm) {
        kw_note_set(
            note,
            "token %s is a SoftHSM, whose keys are files; `environment: production` "
            "refuses it: use an HSM, or say `environment: test`",
            o->token->name);
        e = kw_err_at(KW_CODE_DENIED, "environment");
    }
    if (!kw_failed(e))
        e = kw_token_login(token, note);
    if (!kw_failed(e))
        e = o->work(token, o->shared, note);
    kw_token_close(token);
    return e;
}

static kw_err set_latch(void *arg, struct kw_note *note)
{
    struct order *o = arg;
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(o->config->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_set_pin_latch(dir, &o->latch, note);
    kw_state_close(dir);
    return e;
}

/* After a login, for this tool and the daemon: a refused PIN is not tried again, and one
 * that worked here is trusted when the token has counted somebody's wrong one. */
static void remember(struct order *o, const struct kw_child *child, const char *refusal)
{
    struct stat st;
    struct kw_note ignored;
    struct kw_pin_latch *l = &o->latch;
    if (kw_failed(stat_pin(&o->pin, &st, &ignored)))
        return;
    *l = (struct kw_pin_latch){.latched = refusal != NULL, .proven = refusal == NULL};
    l->source = kw_pin_source_of(&st);
    kw_copy_str(l->token, sizeof l->token, kw_span_str(o->token->name));
    kw_copy_str(l->reason, sizeof l->reason, kw_span_str(refusal));
    kw_time_text(l->at, kw_wall_ns(&kw_clock_system));
    /* What the login itself gave is what the operator must hear about. */
    (void)!kw_failed(kw_child_run(child, set_latch, o, &ignored));
}

static kw_err plan(struct order *o, struct kw_owner *ret_owner, struct kw_note *note)
{
    struct kw_owner owner = {0};
    const char *conf = kw_softhsm_conf(o->token);
    kw_err e = kw_owner_agrees(o->config, o->token, &owner, note);
    if (!kw_failed(e))
        e = kw_pin_place_open(o->token, &owner, &o->pin, note);
    if (!kw_failed(e))
        e = allowed(o, note);
    if (!kw_failed(e) && conf != NULL)
        e = kw_softhsm_tokendir(conf, o->tokendir, note);
    if (!kw_failed(e))
        *ret_owner = owner;
    else
        kw_pin_place_close(&o->pin);
    return e;
}

kw_err kw_login_run(const struct kw_config *config, const struct kw_config_token *token,
                    enum kw_login_kind kind, kw_login_work *work, void *shared,
                    struct kw_note *note)
{
    struct kw_owner owner = {0};
    struct kw_note why = {{0}};
    struct kw_window window = KW_WINDOW_SHUT;
    struct order o = {
        .config = config, .token = token, .work = work, .shared = shared, .kind = kind};
    o.pin = KW_PIN_PLACE_NONE;
    kw_err e = plan(&o, &owner, note);
    if (kw_failed(e))
        return e;
    const struct kw_child files = {owner.uid, owner.gid, NULL, 0, 0};
    const struct kw_child login = {owner.uid, owner.gid, token->env, token->env_count,
                                   KW_LOGIN_ARENA};
    (void)kw_window_mend(config, token, &why);
    if (kind == KW_LOGIN_CEREMONY && o.tokendir[0] != '\0')
        e = kw_window_open(&window, o.tokendir, &owner, &why);
    if (!kw_failed(e))
        e = kw_child_run(&login, log_in, &o, &why);
    kw_err end = kw_window_close(&window, e, &why);
    if (e.code == KW_CODE_PIN_STOP || (!kw_failed(e) && !o.trusted))
        remember(&o, &files, kw_failed(e) ? why.text : NULL);
    kw_pin_place_close(&o.pin);
    if (kw_failed(end) && note != NULL)
        *note = why;
    return end;
}
