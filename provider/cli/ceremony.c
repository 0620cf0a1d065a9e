/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a key ceremony, inside the token's child. */
#include "ceremony.h"

#include <keyward/token.h>

#include "login.h"

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

static void note_token(struct kw_version *v, const struct kw_token_facts *f)
{
    PUT(v->token.label, f->label);
    PUT(v->token.serial, f->serial);
    PUT(v->token.manufacturer, f->manufacturer);
    PUT(v->token.model, f->model);
    PUT(v->token.firmware, f->firmware);
    PUT(v->objects[0].tokens[0].label, f->label);
    PUT(v->objects[0].tokens[0].serial, f->serial);
    v->objects[0].token_count = 1;
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
static kw_err make_key(struct kw_token *token, struct kw_ceremony *c,
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
                      ? kw_token_find(token, o->label, options.locator, &there, &ignored)
                      : KW_OK;
    if (!kw_failed(look))
        c->made = KW_MADE_A_KEY;
    else if (look.code == KW_CODE_MISSING)
        c->made = KW_MADE_NOTHING;
    return e;
}

static kw_err get_key(struct kw_token *token, struct kw_ceremony *c,
                      struct kw_token_key **ret_key, struct kw_note *note)
{
    const struct kw_object *o = &c->v.objects[0];
    if (!c->adopt && c->v.same_key_as == 0)
        return make_key(token, c, ret_key, note);
    return kw_token_find(token, o->label, kw_span_of(o->locator, o->locator_len), ret_key,
                         note);
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

static kw_err work(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct kw_ceremony *c = shared;
    struct kw_token_key *key = NULL;
    note_token(&c->v, kw_token_facts(token));
    kw_err e = kw_token_self_test(token, note);
    if (!kw_failed(e))
        e = get_key(token, c, &key, note);
    if (!kw_failed(e))
        e = kw_token_attributes(token, key, &c->v.objects[0].attributes);
    if (!kw_failed(e))
        e = kw_attributes_judge(&c->v.objects[0].attributes, note, &c->remarks);
    if (!kw_failed(e)) {
        e = seal_check(token, key, c);
        if (!kw_failed(e))
            e = kw_token_canary(token, key, &c->v, c->domain, true);
        if (kw_failed(e))
            kw_note_set(note, "the key did not seal and open its check text: %s",
                        kw_code_name(e.code));
        else
            PUT(c->v.objects[0].tokens[0].proven, c->v.created);
    }
    return e;
}

kw_err kw_ceremony_run(const struct kw_config *config,
                       const struct kw_config_token *token, struct kw_ceremony *c,
                       struct kw_note *note)
{
    /* Nothing is written for a key that is there: its token stays sealed. */
    bool there = c->adopt || c->v.same_key_as != 0;
    enum kw_login_kind kind = there ? KW_LOGIN_LOOK : KW_LOGIN_CEREMONY;
    return kw_login_run(config, token, kind, work, c, note);
}
