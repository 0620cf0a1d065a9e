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

static kw_err get_key(struct kw_token *token, struct kw_ceremony *c,
                      struct kw_token_key **ret_key, struct kw_note *note)
{
    const struct kw_create_options options = {
        .key_id = c->v.key_id,
        .locator = kw_span_of(c->v.objects[0].locator, c->v.objects[0].locator_len),
        .destroyable = c->v.want_destroyable,
        .copyable = c->v.want_copyable,
    };
    struct kw_token_key *there = NULL;
    struct kw_note ignored;
    if (c->v.same_key_as != 0)
        return kw_token_find(token, c->v.objects[0].label, options.locator, ret_key,
                             note);
    kw_err e = c->adopt ? kw_token_find(token, c->v.objects[0].label, options.locator,
                                        ret_key, note)
                        : kw_token_create_key(token, &options, ret_key, c->dropped, note);
    /* A reply may be lost after the token made the key: the label is fresh, so whatever
     * has it is ours. */
    c->made =
        !kw_failed(e) ||
        !kw_failed(kw_token_find(token, c->v.key_id, options.locator, &there, &ignored));
    return e;
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
    enum kw_login_kind kind = c->v.same_key_as != 0 ? KW_LOGIN_LOOK : KW_LOGIN_CEREMONY;
    return kw_login_run(config, token, kind, work, c, note);
}
