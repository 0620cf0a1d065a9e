/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony without its key. */
#include "rehearse.h"

#include <inttypes.h>
#include <stdio.h>

#include "login.h"

/* An AES-256 key with all its attributes takes some hundred bytes. */
enum { OBJECT_BYTES = 1024 };

kw_err kw_rehearse_room(const struct kw_token_facts *f, struct kw_note *note)
{
    if (f->write_protected)
        kw_note_set(note, "token %s is write-protected: no key can be made", f->label);
    else if (f->no_rw_session)
        kw_note_set(note,
                    "token %s has no read-write session left: end another program that "
                    "holds one",
                    f->label);
    else if (f->private_free_bytes < OBJECT_BYTES)
        kw_note_set(note, "token %s has no room: %" PRIu64 " bytes for private objects",
                    f->label, f->private_free_bytes);
    else
        return KW_OK;
    return kw_err_at(KW_CODE_HSM_CONFIG, "C_GetTokenInfo");
}

static kw_err look_at_key(struct kw_token *token, struct kw_rehearsal *r,
                          struct kw_note *note)
{
    struct kw_token_key *key = NULL;
    struct kw_key_attributes a;
    kw_err e = kw_token_find(token, r->label, kw_span_of(r->locator, r->locator_len),
                             &key, note);
    if (!kw_failed(e))
        e = kw_token_attributes(token, key, &a);
    return kw_failed(e) ? e : kw_attributes_judge(&a, note, &r->remarks);
}

static kw_err rehearse(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct kw_rehearsal *r = shared;
    const struct kw_create_options names = {
        .key_id = r->label, .locator = kw_span_of(r->locator, r->locator_len)};
    r->facts = *kw_token_facts(token);
    kw_err e = kw_token_self_test(token, note);
    if (!kw_failed(e) && r->is_there)
        return look_at_key(token, r, note);
    if (!kw_failed(e))
        e = kw_rehearse_room(&r->facts, note);
    return kw_failed(e) ? e : kw_token_names_free(token, &names, note);
}

kw_err kw_rehearse(const struct kw_config *config, const struct kw_config_token *token,
                   struct kw_rehearsal *r, struct kw_note *note)
{
    return kw_login_run(config, token, KW_LOGIN_LOOK, rehearse, r, note);
}

void kw_rehearse_print(const struct kw_rehearsal *r)
{
    const struct kw_token_facts *f = &r->facts;
    printf("login     good: token %s, serial %s, %s %s, firmware %s\n"
           "self-test AES-GCM: round trip good; changed tag, AAD and IV are refused\n",
           f->label, f->serial, f->manufacturer, f->model, f->firmware);
    if (r->is_there)
        printf("key       is there; its attributes pass%s%s\n",
               r->remarks.text[0] != '\0' ? ": " : "", r->remarks.text);
    else if (f->private_free_bytes == KW_TOKEN_NOT_TOLD)
        puts("room      the token does not tell\n"
             "names     label and locator are free");
    else
        printf("room      %" PRIu64 " bytes for private objects\n"
               "names     label and locator are free\n",
               f->private_free_bytes);
    puts(r->is_there
             ? "dry run: nothing was written"
             : "dry run: nothing was made; key_id, CKA_LABEL and CKA_ID are chosen "
               "at the ceremony");
}
