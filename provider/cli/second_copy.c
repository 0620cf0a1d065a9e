/* SPDX-License-Identifier: Apache-2.0 */
/* A login to the other token, and what it must show. */
#include "second_copy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/clock.h>

#include "login.h"
#include "other_token.h"
#include "softhsm.h"

struct look {
    const struct kw_keyring *ring;
    const struct kw_version *v;
    bool elsewhere; /* a SoftHSM in another folder: a copy has the same serial */
    struct kw_second_copy_proof proof;
};

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
                    (unsigned)l->v->n, l->proof.row.label, kw_code_name(e.code));
    return e;
}

/* The row that the keyring has for this token, or a new one. */
static struct kw_object_token second_copy_row_of(const struct kw_version *v,
                                                 const struct kw_token_facts *f)
{
    const struct kw_object *o = kw_version_kek(v);
    struct kw_object_token row = {.locator_len = 0};
    for (size_t i = 0; i < o->token_count; i++)
        if (strcmp(o->tokens[i].label, f->label) == 0 &&
            strcmp(o->tokens[i].serial, f->serial) == 0)
            return o->tokens[i];
    kw_copy_str(row.label, sizeof row.label, kw_span_str(f->label));
    kw_copy_str(row.serial, sizeof row.serial, kw_span_str(f->serial));
    return row;
}

static kw_err second_copy_look(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct look *l = shared;
    const struct kw_version *v = l->v;
    const struct kw_token_facts *f = kw_token_facts(token);
    l->proof.row = second_copy_row_of(v, f);
    l->proof.second =
        strcmp(f->serial, v->token.serial) != 0 || (f->softhsm && l->elsewhere);
    l->proof.maybe_group = !f->softhsm &&
                           strcmp(f->manufacturer, v->token.manufacturer) == 0 &&
                           strcmp(f->model, v->token.model) == 0;
    return judge_key(token, l, note);
}

kw_err kw_second_copy_prove(const struct kw_config *config, const struct kw_keyring *ring,
                            const struct kw_version *v,
                            const struct kw_token_words *where,
                            struct kw_second_copy_proof *ret_proof, struct kw_note *note)
{
    struct kw_other_token o;
    char now[KW_TIME_TEXT];
    kw_err e = kw_other_token_find(config, where, &o, note);
    if (kw_failed(e))
        return e;
    struct look *l = kw_shared_new(sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    l->ring = ring;
    l->v = v;
    l->elsewhere = where->name == NULL && is_elsewhere(config, &o.token);
    e = kw_login_run(config, &o.token, KW_LOGIN_LOOK, second_copy_look, l, note);
    if (!kw_failed(e)) {
        kw_time_text(now, kw_wall_ns(&kw_clock_system));
        snprintf(l->proof.text, sizeof l->proof.text, KW_OPENED "%s, serial %s, %s",
                 l->proof.row.label, l->proof.row.serial, now);
        *ret_proof = l->proof;
    }
    kw_shared_free(l, sizeof *l);
    return e;
}

static bool second_copy_begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

enum kw_copy_rank kw_second_copy_rank(const char *word)
{
    if (word[0] == '\0')
        return KW_COPY_NO_WORD;
    if (second_copy_begins(word, KW_ONLY_COPY))
        return KW_COPY_NONE_THERE;
    return second_copy_begins(word, KW_OPENED) ? KW_COPY_OPENED : KW_COPY_STATED;
}

void kw_second_copy_known(const struct kw_version *v, char dst[128])
{
    const struct kw_object *o = kw_version_kek(v);
    size_t proven = 0;
    kw_copy_str(dst, 128, kw_span_str(v->second_copy));
    for (size_t i = 0; i < o->token_count && dst[0] == '\0'; i++) {
        const struct kw_object_token *t = &o->tokens[i];
        proven += t->proven[0] != '\0';
        if (proven == 2)
            snprintf(dst, 128, KW_OPENED "%s, serial %s, %s", t->label, t->serial,
                     t->proven);
    }
}
