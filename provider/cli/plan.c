/* SPDX-License-Identifier: Apache-2.0 */
/* What a ceremony shall make: the version, its key_id, its object. */
#include "create.h"

#include <stdio.h>
#include <string.h>

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

kw_err kw_create_share(struct kw_create *c, struct kw_note *note)
{
    struct kw_version *v = &c->job->v;
    const struct kw_version *of = kw_keyring_by_n(c->ring, c->same_n);
    if (of == NULL) {
        kw_note_set(note, "--same-key-as: %s has no version %u; see keyward key list",
                    c->context.config->keyring, (unsigned)c->same_n);
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "--same-key-as");
    }
    if (of->state == KW_KEY_DESTROYED || of->state == KW_KEY_UNKNOWN) {
        kw_note_set(note, "version %u is %s: its key cannot be used", (unsigned)of->n,
                    kw_key_state_name(of->state));
        return kw_err_at(KW_CODE_DENIED, "--same-key-as");
    }
    v->same_key_as = of->n;
    v->objects[0] = of->objects[0];
    v->want_destroyable = of->want_destroyable;
    v->want_copyable = of->want_copyable;
    PUT(v->origin, of->origin);
    return KW_OK;
}

static kw_err plan_new(struct kw_create *c, struct kw_note *note)
{
    struct kw_version *v = &c->job->v;
    v->n = c->ring->next_n;
    if (v->n > KW_VERSION_N_MAX || c->ring->count >= KW_VERSIONS_MAX) {
        kw_note_set(note, "%s is full: it holds %u versions", c->context.config->keyring,
                    KW_VERSIONS_MAX);
        return kw_err_at(KW_CODE_BUSY, "keyring");
    }
    kw_key_id_make(v->n, v->key_id);
    if (c->same_n != 0)
        return kw_create_share(c, note);
    PUT(v->objects[0].label, v->key_id);
    v->objects[0].locator_len = KW_NEW_LOCATOR;
    kw_locator_make(c->context.config->domain, v->key_id, v->objects[0].locator);
    PUT(v->origin, "made");
    return KW_OK;
}

static kw_err base_ring(struct kw_create *c)
{
    return c->context.ring != NULL ? kw_keyring_dup(c->context.ring, &c->ring)
                                   : kw_keyring_new(c->context.config->domain, &c->ring);
}

void kw_create_blank(struct kw_create *c)
{
    struct kw_version *v = &c->job->v;
    *v = (struct kw_version){.mechanism = KW_MECH_AES_256_GCM,
                             .format = KW_FORMAT_1,
                             .state = KW_KEY_CREATED,
                             .object_count = 1,
                             .want_destroyable = c->destroyable,
                             .want_copyable = c->copyable};
    PUT(v->created, c->facts.at);
    PUT(v->tool, c->facts.tool);
    PUT(v->operator_, c->facts.by);
    v->objects[0].role = KW_ROLE_KEK;
    PUT(v->objects[0].type, KW_TYPE_AES_256);
}

/* The judge has its own words for it when the marks remember a keyring too. */
int kw_create_put_back(const struct kw_create *c)
{
    char text[KW_PATH_MAX + 256], file[KW_PATH_MAX + 16];
    struct kw_commands *w = &(struct kw_commands){{0}, 0};
    const struct kw_context *d = &c->context;
    if (d->judgement.refusal != KW_ADMITTED)
        return kw_refuse_next(c->cli, d->judgement.why.text, d->judgement.cure);
    snprintf(text, sizeof text,
             "%s is not there, and the state directory has this node's last good one "
             "(serial %llu): put it back",
             d->config->keyring, (unsigned long long)d->last->serial);
    snprintf(file, sizeof file, "%s/keyring.json", d->config->state);
    kw_commands_install(w, file, d->config->keyring);
    return kw_refuse_next(c->cli, text, w->text);
}

int kw_create_plan(struct kw_create *c)
{
    struct kw_note note = {{0}};
    kw_err e = kw_context_token(&c->context, c->token_name, &c->token, &note);
    if (!kw_failed(e))
        e = kw_context_facts(c->operator_, &c->facts, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    c->job->adopt = c->adopt != NULL;
    PUT(c->job->domain, c->context.config->domain);
    PUT(c->job->at, c->facts.at);
    c->job->ring = c->context.ring;
    c->job->beside_others = c->beside_others;
    if (c->adopt != NULL)
        return kw_adopt_plan(c);
    if (c->context.ring == NULL && c->context.last != NULL)
        return kw_create_put_back(c);
    kw_create_blank(c);
    e = base_ring(c);
    if (!kw_failed(e))
        e = plan_new(c, &note);
    return kw_failed(e) ? kw_fail(c->cli, e, &note) : -1;
}

void kw_create_command(const struct kw_create *c, const char *key_id,
                       const char *const more[], struct kw_commands *w)
{
    const char *words[24] = {"keyward", "key", "create", "--config", c->cli->config};
    size_t n = 5;
    if (key_id != NULL) {
        words[n++] = "--adopt";
        words[n++] = key_id;
    }
    if (c->same_key_as != NULL) {
        words[n++] = "--same-key-as";
        words[n++] = c->same_key_as;
    }
    if (c->token_name != NULL) {
        words[n++] = "--token";
        words[n++] = c->token_name;
    }
    if (c->destroyable)
        words[n++] = "--destroyable";
    if (c->copyable)
        words[n++] = "--copyable";
    for (size_t i = 0; more[i] != NULL; i++) {
        KW_INVARIANT(n < sizeof words / sizeof words[0] - 1);
        words[n++] = more[i];
    }
    words[n] = NULL;
    kw_commands_command(w, words);
}

static void print_names(const struct kw_version *v)
{
    char locator[2 * KW_LOCATOR_MAX + 1];
    const struct kw_object *o = &v->objects[0];
    kw_hex(locator, sizeof locator, kw_span_of(o->locator, o->locator_len));
    printf("key_id    %s\n"
           "CKA_LABEL %s\n"
           "CKA_ID    %s\n",
           v->key_id, o->label, o->locator_len > 0 ? locator : "(whatever it has)");
}

void kw_create_print_plan(const struct kw_create *c)
{
    const struct kw_version *v = &c->job->v;
    printf("plan      %s version %u of domain %s\n"
           "token     %s (%s)\n"
           "module    %s\n"
           "key       AES-256, %s; sensitive, not extractable; encrypt and decrypt only\n"
           "choices   %s, %s\n"
           "operator  %s\n"
           "keyring   %s\n",
           c->job->adopt ? "adopt" : "create", (unsigned)v->n, c->job->domain,
           c->token->name, c->token->uri, c->token->module,
           v->same_key_as != 0 ? "the one of an earlier version"
           : c->job->adopt     ? "found in the token"
                               : "made in the token",
           v->want_destroyable ? "destroyable" : "not destroyable (by PKCS#11)",
           v->want_copyable ? "copyable" : "not copyable", v->operator_,
           c->context.config->keyring);
    if (!c->dry_run)
        print_names(v);
    fflush(stdout);
}
