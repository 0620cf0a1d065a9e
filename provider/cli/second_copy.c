/* SPDX-License-Identifier: Apache-2.0 */
/* A login to the other token, and what it must show. */
#include "second_copy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/clock.h>

#include "login.h"
#include "softhsm.h"

/* The configuration's token with the options in its place; text that it points to. */
struct other {
    struct kw_config_token token;
    char uri[KW_PATH_MAX], module[KW_PATH_MAX], pin[KW_PATH_MAX], name[128],
        value[KW_PATH_MAX];
};

struct look {
    const struct kw_keyring *ring;
    const struct kw_version *v;
    bool elsewhere; /* a SoftHSM in another folder: a copy has the same serial */
    char label[33], serial[17];
};

static kw_err bad(struct kw_note *note, const char *what)
{
    kw_note_set(note, "--second-copy-%s", what);
    return kw_err_at(KW_CODE_BAD_INPUT, "--second-copy");
}

static bool put(char *dst, size_t cap, const char *given, char **field)
{
    if (given == NULL)
        return true;
    *field = dst;
    return given[0] != '\0' && kw_copy_str(dst, cap, kw_span_str(given));
}

static kw_err set_variable(struct other *o, const char *assignment, struct kw_note *note)
{
    const char *equals = strchr(assignment, '=');
    size_t i = 0;
    if (equals == NULL || equals == assignment ||
        !kw_copy_str(o->name, sizeof o->name,
                     kw_span_of(assignment, (size_t)(equals - assignment))) ||
        !kw_copy_str(o->value, sizeof o->value, kw_span_str(equals + 1)))
        return bad(note, "env wants NAME=VALUE");
    while (i < o->token.env_count && strcmp(o->token.env[i].name, o->name) != 0)
        i++;
    if (i == KW_ENV_VARS_MAX)
        return bad(note, "env: there are too many variables");
    o->token.env[i] = (struct kw_config_var){o->name, o->value};
    if (i == o->token.env_count)
        o->token.env_count++;
    return KW_OK;
}

static kw_err other_token(const struct kw_config *config,
                          const struct kw_second_copy *where, struct other *o,
                          struct kw_note *note)
{
    o->token = config->tokens[0];
    if (where->module != NULL)
        o->token.env_count = 0;
    kw_copy_str(o->token.name, sizeof o->token.name, kw_span_str("second-copy"));
    if (!put(o->uri, sizeof o->uri, where->uri, &o->token.uri))
        return bad(note, "token wants a PKCS#11 URI");
    if (!put(o->module, sizeof o->module, where->module, &o->token.module) ||
        o->token.module[0] != '/')
        return bad(note, "module wants an absolute path");
    if (!put(o->pin, sizeof o->pin, where->pin, &o->token.pin))
        return bad(note, "pin wants file:/path");
    return where->env != NULL ? set_variable(o, where->env, note) : KW_OK;
}

/* true: a SoftHSM whose files are none of the configured tokens'. */
static bool is_elsewhere(const struct kw_config *config,
                         const struct kw_config_token *other)
{
    char there[KW_PATH_MAX], here[KW_PATH_MAX], real_there[PATH_MAX], real_here[PATH_MAX];
    struct kw_note ignored;
    const char *conf = kw_softhsm_conf(other);
    if (conf == NULL || kw_failed(kw_softhsm_tokendir(conf, there, &ignored)) ||
        realpath(there, real_there) == NULL)
        return false;
    for (size_t i = 0; i < config->token_count; i++) {
        conf = kw_softhsm_conf(&config->tokens[i]);
        if (conf == NULL)
            continue;
        if (kw_failed(kw_softhsm_tokendir(conf, here, &ignored)) ||
            realpath(here, real_here) == NULL || strcmp(real_there, real_here) == 0)
            return false;
    }
    return true;
}

static kw_err judge_key(struct kw_token *token, const struct look *l,
                        struct kw_note *note)
{
    struct kw_token_key *key = NULL;
    unsigned findings;
    const struct kw_token_claim claim =
        kw_token_claim_of(token, l->v, l->ring->domain, false);
    kw_err e = kw_token_prove(token, &claim, &key, &findings, note, NULL);
    if (e.code == KW_CODE_MISSING) /* of the key, not of the token: that was looked at */
        e = kw_err_at(KW_CODE_KEY_BAD, e.where);
    if ((findings & KW_FINDING_REPLACED) != 0)
        kw_note_set(note,
                    "the check blob of version %u does not open on token %s (%s): what "
                    "has its label there is another key",
                    (unsigned)l->v->n, l->label, kw_code_name(e.code));
    return e;
}

static kw_err look(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct look *l = shared;
    const struct kw_token_facts *f = kw_token_facts(token);
    kw_copy_str(l->label, sizeof l->label, kw_span_str(f->label));
    kw_copy_str(l->serial, sizeof l->serial, kw_span_str(f->serial));
    if (strcmp(l->serial, l->v->token.serial) == 0 && !(f->softhsm && l->elsewhere)) {
        kw_note_set(note,
                    "token %s, serial %s, is the one of the ceremony itself: a second "
                    "copy is in another token, or in a backup restored to one",
                    l->label, l->serial);
        return kw_err_at(KW_CODE_DENIED, "--second-copy-token");
    }
    return judge_key(token, l, note);
}

kw_err kw_second_copy_prove(const struct kw_config *config, const struct kw_keyring *ring,
                            const struct kw_version *v,
                            const struct kw_second_copy *where, char ret_proof[128],
                            struct kw_note *note)
{
    struct other o;
    char now[KW_TIME_TEXT];
    kw_err e = other_token(config, where, &o, note);
    if (kw_failed(e))
        return e;
    struct look *l = kw_shared_new(sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    l->ring = ring;
    l->v = v;
    l->elsewhere = is_elsewhere(config, &o.token);
    e = kw_login_run(config, &o.token, KW_LOGIN_LOOK, look, l, note);
    if (!kw_failed(e)) {
        kw_time_text(now, kw_wall_ns(&kw_clock_system));
        snprintf(ret_proof, 128, "opened on token %s, serial %s, %s", l->label, l->serial,
                 now);
    }
    kw_shared_free(l, sizeof *l);
    return e;
}
