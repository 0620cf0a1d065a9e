/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a key ceremony, inside the token's child. */
#include "ceremony.h"

#include <stdio.h>
#include <string.h>

#include <keyward/token.h>

#include "login.h"

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

/* The row of this token, a new one when there is none; NULL: there are too many. */
static struct kw_object_token *ceremony_row_of(struct kw_object *o,
                                               const struct kw_token_facts *f)
{
    for (size_t i = 0; i < o->token_count; i++)
        if (strcmp(o->tokens[i].label, f->label) == 0 &&
            strcmp(o->tokens[i].serial, f->serial) == 0)
            return &o->tokens[i];
    if (o->token_count == KW_OBJECT_TOKENS_MAX)
        return NULL;
    struct kw_object_token *row = &o->tokens[o->token_count++];
    *row = (struct kw_object_token){{0}};
    PUT(row->label, f->label);
    PUT(row->serial, f->serial);
    return row;
}

static void ceremony_remark(struct kw_note *remarks, const char *text)
{
    size_t len = strlen(remarks->text);
    snprintf(remarks->text + len, sizeof remarks->text - len, "%s%s", len > 0 ? ", " : "",
             text);
}

/* The token of the ceremony; an old record keeps its own. */
static void note_token(struct kw_ceremony *c, const struct kw_token_facts *f)
{
    struct kw_version *v = &c->v;
    PUT(c->token_label, f->label);
    PUT(c->token_serial, f->serial);
    c->slot = f->slot;
    if (c->proof == KW_PROOF_CHECK_BLOB)
        return;
    PUT(v->token.label, f->label);
    PUT(v->token.serial, f->serial);
    PUT(v->token.manufacturer, f->manufacturer);
    PUT(v->token.model, f->model);
    PUT(v->token.firmware, f->firmware);
    /* The tokens of the version whose key this is have not opened this check blob. */
    for (size_t i = 0; i < v->objects[0].token_count; i++)
        v->objects[0].tokens[i].proven[0] = '\0';
}

/* It has opened its check blob here, now. */
static void note_proven(struct kw_ceremony *c, const struct kw_token_facts *f)
{
    struct kw_object_token *row = ceremony_row_of(&c->v.objects[0], f);
    if (row == NULL) {
        ceremony_remark(&c->remarks,
                        "this token is not recorded: the keyring names as many as "
                        "there may be");
        return;
    }
    PUT(row->proven, c->at);
    row->gone[0] = '\0';
}

/* Is there an object with this label?  OK: no. */
static kw_err must_be_free(struct kw_token *token, const char *label,
                           struct kw_note *note)
{
    struct kw_token_key *there = NULL;
    kw_err e = kw_token_find(token, label, (kw_span){0}, &there, note);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    if (kw_failed(e))
        return e;
    kw_note_set(note, "there is an object with CKA_LABEL %s in token %s already", label,
                kw_token_facts(token)->label);
    return kw_err_at(KW_CODE_DENIED, "ceremony");
}

/* The label was free before: what has it afterwards was made here, also when the answer
 * was lost. */
static kw_err ceremony_make_key(struct kw_token *token, struct kw_ceremony *c,
                                struct kw_token_key **ret_key, struct kw_note *note)
{
    struct kw_object *o = &c->v.objects[0];
    const struct kw_create_options options = {
        .key_id = c->v.key_id,
        .locator = kw_span_of(o->locator, o->locator_len),
        .destroyable = c->v.want_destroyable,
        .copyable = c->v.want_copyable,
    };
    struct kw_note ignored;
    struct kw_token_key *there = NULL;
    kw_err e = must_be_free(token, o->label, note);
    if (kw_failed(e))
        return e;
    c->made = KW_MADE_PERHAPS;
    e = kw_token_create_key(token, &options, ret_key, c->dropped, note);
    kw_err look = kw_failed(e)
                      ? kw_token_find(token, o->label, (kw_span){0}, &there, &ignored)
                      : KW_OK;
    if (!kw_failed(look))
        c->made = KW_MADE_A_KEY;
    else if (look.code == KW_CODE_MISSING)
        c->made = KW_MADE_NOTHING;
    return e;
}

/* An object that was made for this domain has its CKA_ID; one that has another may be an
 * object of another domain, or a copy that a tool gave its own. */
static kw_err find_by_label(struct kw_token *token, struct kw_ceremony *c,
                            struct kw_token_key **ret_key, struct kw_note *note)
{
    kw_err e = kw_token_find(token, c->v.key_id, (kw_span){0}, ret_key, note);
    if (kw_failed(e))
        return e;
    c->v.objects[0].locator_len = 0;
    ceremony_remark(&c->remarks, "CKA_ID is not the one of a key of this domain");
    return KW_OK;
}

static kw_err find_key(struct kw_token *token, struct kw_ceremony *c,
                       struct kw_token_key **ret_key, struct kw_note *note)
{
    const struct kw_object *o = &c->v.objects[0];
    kw_err e =
        kw_token_find(token, o->label,
                      kw_object_locator(o, kw_token_facts(token)->serial), ret_key, note);
    bool by_name = c->adopt && c->proof != KW_PROOF_CHECK_BLOB && c->v.same_key_as == 0;
    if (e.code == KW_CODE_MISSING && by_name)
        e = find_by_label(token, c, ret_key, note);
    if (e.code == KW_CODE_HSM_CONFIG && e.native == 0 && c->adopt)
        kw_note_set(
            note,
            "more than one secret key has CKA_LABEL %s on token %s: remove none, as "
            "one of them is the old key; give the others another label, and let "
            "the proof tell which it is",
            o->label, kw_token_facts(token)->label);
    if (e.code == KW_CODE_MISSING) /* of the key, not of the token: that was looked at */
        e = kw_err_at(KW_CODE_KEY_BAD, e.where);
    return e;
}

static bool is_there(const struct kw_ceremony *c)
{
    return c->adopt || c->v.same_key_as != 0;
}

static void ceremony_compare(struct kw_ceremony *c, const char *name, bool chosen,
                             enum kw_answer got)
{
    char text[96];
    if (got == (chosen ? KW_ANSWER_TRUE : KW_ANSWER_FALSE))
        return;
    snprintf(text, sizeof text, "%s is %s, and %s was chosen", name,
             got == KW_ANSWER_NONE   ? "not answered"
             : got == KW_ANSWER_TRUE ? "true"
                                     : "false",
             chosen ? "true" : "false");
    ceremony_remark(&c->remarks, text);
}

/* What an old record says was read back at its ceremony stays; the object is judged by
 * what it says now. */
static kw_err read_back(struct kw_token *token, struct kw_token_key *key,
                        struct kw_ceremony *c, struct kw_note *note)
{
    struct kw_key_attributes now = {0};
    struct kw_note found = {{0}};
    kw_err e = kw_token_attributes(token, key, &now);
    if (!kw_failed(e))
        e = kw_attributes_judge(&now, note, &found);
    if (kw_failed(e))
        return e;
    if (found.text[0] != '\0')
        ceremony_remark(&c->remarks, found.text);
    ceremony_compare(c, "CKA_DESTROYABLE", c->v.want_destroyable, now.destroyable);
    ceremony_compare(c, "CKA_COPYABLE", c->v.want_copyable, now.copyable);
    if (c->proof != KW_PROOF_CHECK_BLOB)
        c->v.objects[0].attributes = now;
    return KW_OK;
}

static kw_err open_sample(struct kw_token *token, struct kw_token_key *key,
                          const struct kw_ceremony *c)
{
    struct kw_envelope env;
    uint8_t aad[KW_AAD_MAX];
    size_t aad_len = 0;
    KW_AUTO_SECRET(seed);
    kw_sample_envelope(&c->sample, &env, aad, &aad_len);
    kw_err e = kw_token_unwrap(token, key, env.mechanism, env.iv,
                               kw_span_of(aad, aad_len), env.sealed, &seed);
    if (e.code ==
        KW_CODE_UNSURE) /* the self-test has just shown that the token is well */
        e.code = KW_CODE_FORGED;
    if (!kw_failed(e))
        e = kw_envelope_prove(kw_span_of(aad, aad_len), env.seed_len, &seed);
    return e;
}

/* The object does not open what the old key sealed. */
static void ceremony_explain(const struct kw_ceremony *c, const char *what, kw_err e,
                             struct kw_note *note)
{
    kw_note_set(
        note, "the object with CKA_LABEL %s does not open %s (%s)%s",
        c->v.objects[0].label, what, kw_code_name(e.code),
        e.code == KW_CODE_FORGED || e.code == KW_CODE_WRONG_ANSWER
            ? ": it is another key, or that is of another domain; this key is not "
              "the one that is looked for"
            : "");
}

static kw_err seal_check(struct kw_token *token, struct kw_token_key *key,
                         struct kw_ceremony *c)
{
    struct kw_check_making making = {0};
    uint8_t sealed[KW_SEALED_MAX];
    kw_dst dst = kw_dst_of(sealed, sizeof sealed);
    kw_err e = kw_check_making_begin(&c->v, c->domain, &making);
    if (!kw_failed(e))
        e = kw_token_wrap(token, key, c->v.mechanism,
                          kw_span_of(making.iv, kw_mechanism_iv_len(c->v.mechanism)),
                          kw_span_of(making.aad, making.aad_len),
                          kw_secret_peek(&making.inner), &dst);
    if (!kw_failed(e))
        e = kw_check_making_end(&making, kw_dst_span(&dst), &c->v);
    kw_check_making_wipe(&making);
    return e;
}

/* The check blob, old or new, opens; and the key can wrap. */
static kw_err ceremony_prove(struct kw_token *token, struct kw_token_key *key,
                             struct kw_ceremony *c, struct kw_note *note)
{
    bool old = c->proof == KW_PROOF_CHECK_BLOB;
    kw_err e = c->has_sample ? open_sample(token, key, c) : KW_OK;
    if (kw_failed(e)) {
        ceremony_explain(c, "the sample", e, note);
        return e;
    }
    e = old ? KW_OK : seal_check(token, key, c);
    if (!kw_failed(e))
        e = kw_token_canary(token, key, &c->v, c->domain, true);
    if (kw_failed(e) && old)
        ceremony_explain(c, "the check blob of the keyring given", e, note);
    else if (kw_failed(e))
        kw_note_set(note, "the key did not seal and open its check text: %s",
                    kw_code_name(e.code));
    return e;
}

/* Whose keys lie there?  A version that is made beside them may be one too many. */
static kw_err look_beside(struct kw_token *token, struct kw_ceremony *c,
                          struct kw_note *note)
{
    static struct kw_listed_key keys[KW_BESIDE_LISTED];
    size_t count = 0;
    kw_err e =
        kw_token_list(token, KW_BESIDE_LABEL, keys, KW_BESIDE_LISTED, &count, note);
    if (kw_failed(e) && e.code != KW_CODE_BUSY)
        return e;
    kw_beside_sort(keys, count, c->ring, c->domain, &c->beside);
    c->beside.more = e.code == KW_CODE_BUSY;
    c->in_the_way =
        !c->beside_others && !is_there(c) && !kw_beside_is_free(&c->beside, c->ring);
    return c->in_the_way ? kw_err_at(KW_CODE_DENIED, "beside") : KW_OK;
}

static kw_err ceremony_work(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct kw_ceremony *c = shared;
    struct kw_token_key *key = NULL;
    note_token(c, kw_token_facts(token));
    kw_err e = c->adopt ? KW_OK : look_beside(token, c, note);
    if (!kw_failed(e))
        e = kw_token_self_test(token, note);
    if (!kw_failed(e))
        e = is_there(c) ? find_key(token, c, &key, note)
                        : ceremony_make_key(token, c, &key, note);
    if (!kw_failed(e))
        e = read_back(token, key, c, note);
    if (!kw_failed(e))
        e = ceremony_prove(token, key, c, note);
    if (!kw_failed(e))
        note_proven(c, kw_token_facts(token));
    return e;
}

kw_err kw_ceremony_run(const struct kw_config *config,
                       const struct kw_config_token *token, struct kw_ceremony *c,
                       struct kw_note *note)
{
    /* Nothing is written for a key that is there: its token stays sealed. */
    enum kw_login_kind kind = is_there(c) ? KW_LOGIN_LOOK : KW_LOGIN_CEREMONY;
    return kw_login_run(config, token, kind, ceremony_work, c, note);
}
