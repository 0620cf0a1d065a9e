/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things around a login. */
#include "login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "login_permit.h"
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

/* What parent and children of one login share. */
struct order {
    const struct kw_config *config;
    const struct kw_config_token *token;
    kw_login_work *work;
    void *shared;
    struct kw_pin_place pin;
    char tokendir[KW_PATH_MAX]; /* "" when the token is no SoftHSM's  */
    enum kw_login_kind kind;
    struct kw_permit permit;
};

/* As the daemon's workers have (front.h, login_grace_ns): a call that never comes back
 * would keep the node's next login waiting for as long as it lives. */
enum { LOGIN_MAX_S = 30 };

/* A soft token's files die when the process does between here and the end of C_Login; a
 * ceremony writes until it is over. */
static void cli_login_on_phase(void *ctx, enum kw_phase phase)
{
    struct order *o = ctx;
    bool logs_in = phase == KW_PHASE_LOGIN;
    (void)kw_child_limit(logs_in ? LOGIN_MAX_S : 0);
    if (logs_in) {
        kw_child_hold(true);
        kw_permit_begun(&o->permit);
    } else if (o->kind == KW_LOGIN_LOOK) {
        kw_child_hold(false);
    }
}

static kw_err cli_login_log_in(void *arg, struct kw_note *note)
{
    struct order *o = arg;
    struct kw_token *token = NULL;
    const struct kw_token_options options = {
        .module = o->token->module,
        .uri = o->token->uri,
        .pin = o->pin.source,
        .read_write = o->kind == KW_LOGIN_CEREMONY,
        .phase = cli_login_on_phase,
        .phase_ctx = o,
    };
    kw_permit_child(&o->permit);
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
        e = kw_permit_log_in(&o->permit, token, note);
    if (!kw_failed(e))
        e = o->work(token, o->shared, note);
    kw_token_close(token);
    return e;
}

static void attend(void *arg)
{
    kw_permit_serve(&((struct order *)arg)->permit);
}

static kw_err plan(struct order *o, struct kw_owner *ret_owner, struct kw_note *note)
{
    struct kw_owner owner = {0};
    const char *conf = kw_softhsm_conf(o->token);
    kw_err e = kw_owner_agrees(o->config, o->token, &owner, note);
    if (!kw_failed(e))
        e = kw_pin_place_open(o->token, &owner, &o->pin, note);
    if (!kw_failed(e) && conf != NULL)
        e = kw_softhsm_tokendir(conf, o->tokendir, note);
    if (!kw_failed(e))
        *ret_owner = owner;
    else
        kw_pin_place_close(&o->pin);
    return e;
}

/* The login and the work, between opening the files' window and closing it. */
static kw_err cli_login_visit(struct order *o, const struct kw_owner *owner,
                              struct kw_note *why)
{
    struct kw_window window = KW_WINDOW_SHUT;
    const struct kw_child login = {.uid = owner->uid,
                                   .gid = owner->gid,
                                   .env = o->token->env,
                                   .env_count = o->token->env_count,
                                   .arena_bytes = KW_LOGIN_ARENA,
                                   .attend = attend};
    kw_err e = KW_OK;
    (void)kw_window_mend(o->config, o->token, why);
    if (o->kind == KW_LOGIN_CEREMONY && o->tokendir[0] != '\0')
        e = kw_window_open(&window, o->tokendir, owner, why);
    if (!kw_failed(e))
        e = kw_child_run(&login, cli_login_log_in, o, why);
    return kw_window_close(&window, e, why);
}

static void name_login(const struct order *o, kw_err e, struct kw_note *why)
{
    struct kw_note bare = *why;
    if (e.code == KW_CODE_HSM_DOWN && kw_permit_is_inside(&o->permit))
        kw_note_set(
            why, "%.400s: it was in C_Login, which may take %d s; is the HSM reachable?",
            bare.text, LOGIN_MAX_S);
}

/* What stops a login says which token it is about. */
static void cli_login_name_token(const struct order *o, kw_err e, struct kw_note *why)
{
    struct kw_note bare = *why;
    if (kw_span_equal_str(kw_span_str(e.where), "pin latch"))
        kw_note_set(why, "token %s: %s", o->token->name, bare.text);
}

kw_err kw_login_run(const struct kw_config *config, const struct kw_config_token *token,
                    enum kw_login_kind kind, kw_login_work *work, void *shared,
                    struct kw_note *note)
{
    struct kw_owner owner = {0};
    struct kw_note why = {{0}};
    struct order o = {
        .config = config, .token = token, .work = work, .shared = shared, .kind = kind};
    o.pin = KW_PIN_PLACE_NONE;
    kw_err e = plan(&o, &owner, note);
    if (kw_failed(e))
        return e;
    e = kw_permit_open(config, owner.uid, owner.gid, &o.permit);
    if (!kw_failed(e)) {
        e = cli_login_visit(&o, &owner, &why);
        name_login(&o, e, &why);
        kw_permit_close(&o.permit);
    }
    kw_pin_place_close(&o.pin);
    if (kw_failed(e) && note != NULL) {
        cli_login_name_token(&o, e, &why);
        *note = why;
    }
    return e;
}
