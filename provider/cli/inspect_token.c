/* SPDX-License-Identifier: Apache-2.0 */
/* One token, its seal, its login, its keys, and the audit log's key. */
#include "inspect.h"

#include <stdio.h>

#include <keyward/checkpoint.h>
#include <keyward/token.h>

#include "softhsm.h"

/* What the child found; the parent tells it. */
struct finding {
    bool done;
    kw_err err;
    unsigned findings; /* of kw_token_prove */
    struct kw_note note, remarks;
};

struct visit {
    const struct kw_context *context;
    bool logged_in;
    struct kw_token_facts facts;
    struct finding self_test;
    struct finding versions[KW_VERSIONS_MAX];
    struct finding audit_key;
    uint8_t audit_spki[KW_SPKI];
};

static void inspect_token_look_at(struct kw_token *token, const struct kw_version *v,
                                  const struct kw_context *context, struct finding *f)
{
    struct kw_token_key *key = NULL;
    const struct kw_token_claim claim = kw_token_claim_of(
        token, v, context->ring->domain, kw_context_active(context) == v->n);
    f->done = true;
    f->err = kw_token_prove(token, &claim, &key, &f->findings, &f->note, &f->remarks);
}

static kw_err inspect_token_visit(struct kw_token *token, void *shared,
                                  struct kw_note *note)
{
    struct visit *v = shared;
    const struct kw_keyring *ring = v->context->ring;
    (void)note;
    v->logged_in = true;
    v->facts = *kw_token_facts(token);
    v->self_test.done = true;
    v->self_test.err = kw_token_self_test(token, &v->self_test.note);
    for (size_t i = 0; ring != NULL && i < ring->count; i++)
        if (kw_key_state_is_probed(ring->versions[i].state))
            inspect_token_look_at(token, &ring->versions[i], v->context, &v->versions[i]);
    if (v->context->config->audit_key_label != NULL) {
        v->audit_key.done = true;
        v->audit_key.err = kw_token_audit_key(token, v->context->config->audit_key_label,
                                              v->audit_spki, &v->audit_key.note);
    }
    return KW_OK;
}

static void report_version(struct kw_report *r, const struct kw_version *v,
                           const struct finding *f)
{
    char name[32];
    if (!f->done)
        return;
    snprintf(name, sizeof name, "key %u", (unsigned)v->n);
    if (f->err.code == KW_CODE_MISSING)
        kw_report_add(
            r, KW_FOUND_FAIL, name,
            "bring the key into this token (the vendor's cloning or backup), or "
            "disable the version",
            "%s: %s", v->key_id, f->note.text);
    else if (kw_failed(f->err))
        kw_report_err(r, name, f->err, &f->note);
    else if ((f->findings & KW_FINDING_DUPLICATE) != 0)
        kw_report_add(r, KW_FOUND_FAIL, name,
                      "find out where it comes from; remove none of them before a backup "
                      "of the token: one is the key of the data",
                      "%s (%s): its check blob opens, but another object of the token "
                      "has its label too",
                      v->key_id, kw_key_state_name(v->state));
    else if ((f->findings & KW_FINDING_COPYABLE) != 0)
        kw_report_add(r, KW_FOUND_FAIL, name,
                      "find out who changed the object; CKA_COPYABLE was false at its "
                      "ceremony",
                      "%s (%s): proven, but CKA_COPYABLE is true", v->key_id,
                      kw_key_state_name(v->state));
    else if (f->remarks.text[0] != '\0')
        kw_report_add(r, KW_FOUND_WARN, name, "wider than needed, or not answered",
                      "%s (%s): proven; %s", v->key_id, kw_key_state_name(v->state),
                      f->remarks.text);
    else
        kw_report_add(r, KW_FOUND_OK, name, NULL,
                      "%s (%s): attributes good, check blob opens", v->key_id,
                      kw_key_state_name(v->state));
}

static bool inspect_token_is_audit_key(const struct kw_config *config,
                                       const uint8_t spki[KW_SPKI])
{
    uint8_t want[KW_SHA256], found[KW_SHA256];
    return kw_unhex(want, sizeof want, kw_span_str(config->audit_key_sha256)) &&
           !kw_failed(kw_sha256(kw_span_of(spki, KW_SPKI), found)) &&
           kw_span_equal(kw_span_of(want, sizeof want), kw_span_of(found, sizeof found));
}

/* One token that has it is enough. */
static void report_audit_key(struct kw_report *r, const struct kw_config *config,
                             const struct visit *v)
{
    static const char name[] = "audit key";
    const struct finding *f = &v->audit_key;
    if (!f->done)
        return;
    if (f->err.code == KW_CODE_MISSING)
        kw_report_add(r, config->token_count > 1 ? KW_FOUND_WARN : KW_FOUND_FAIL, name,
                      "make one there with keyward audit key create, and name it in "
                      "audit.key; without it no checkpoint is signed",
                      "%s", f->note.text);
    else if (kw_failed(f->err))
        kw_report_err(r, name, f->err, &f->note);
    else if (!inspect_token_is_audit_key(config, v->audit_spki))
        kw_report_add(r, KW_FOUND_FAIL, name,
                      "find out which of them is ours, and name it in audit.key",
                      "the key %s is another one than audit.key means: its public key "
                      "has another SHA-256",
                      config->audit_key_label);
    else
        kw_report_add(r, KW_FOUND_OK, name, NULL,
                      "%s signs checkpoints, can do nothing else, and cannot leave",
                      config->audit_key_label);
}

static void report_token(struct kw_report *r, const struct kw_context *context,
                         const struct visit *v)
{
    const struct kw_token_facts *f = &v->facts;
    kw_report_add(r, KW_FOUND_OK, "login", NULL,
                  "%s, serial %s, %s %s, firmware %s; %s %s", f->label, f->serial,
                  f->manufacturer, f->model, f->firmware, f->library, f->library_version);
    if (kw_failed(v->self_test.err))
        kw_report_err(r, "AES-GCM", v->self_test.err, &v->self_test.note);
    else
        kw_report_add(r, KW_FOUND_OK, "AES-GCM", NULL,
                      "round trip good; changed tag, AAD and IV are refused");
    for (size_t i = 0; context->ring != NULL && i < context->ring->count; i++)
        report_version(r, &context->ring->versions[i], &v->versions[i]);
    report_audit_key(r, context->config, v);
}

/* Files that are not the token's user's cannot be sealed, nor used. */
static bool inspect_owners(struct kw_report *r, const struct kw_config_token *token)
{
    char tokendir[KW_PATH_MAX];
    struct kw_softhsm_look look;
    struct kw_note ignored;
    const char *conf = kw_softhsm_conf(token);
    if (conf == NULL || kw_failed(kw_softhsm_tokendir(conf, tokendir, &ignored)) ||
        kw_failed(kw_softhsm_look(tokendir, &look, &ignored)) || look.one_owner)
        return true;
    kw_report_add(r, KW_FOUND_FAIL, "seal", "chown -R the token directory to one user",
                  "%s: %s belongs to somebody else", tokendir, look.example);
    return false;
}

/* An open token was sealed when the verb began. */
void kw_inspect_seal(struct kw_report *r, const struct kw_context *context,
                     const struct kw_config_token *token)
{
    struct kw_note note = {{0}};
    enum kw_seal seal = context->seal[token - context->config->tokens];
    if (context->doubts_config) {
        kw_report_add(r, KW_FOUND_BLIND, "seal", NULL,
                      "not looked at, because of the configuration");
        return;
    }
    if (!inspect_owners(r, token))
        return;
    if (seal != KW_SEAL_MENDED)
        seal = kw_window_mend(context->config, token, &note);
    switch (seal) {
    case KW_SEAL_NONE: break;
    case KW_SEAL_GOOD:
        kw_report_add(r, KW_FOUND_OK, "seal", NULL, "files 0400, folders 0500");
        break;
    case KW_SEAL_MENDED:
        kw_report_add(
            r, KW_FOUND_WARN, "seal",
            "nothing more, if a ceremony was killed; else find out who opens it",
            "the token was open with no ceremony running, and is sealed now: "
            "files 0400, folders 0500");
        break;
    case KW_SEAL_CEREMONY:
        kw_report_add(r, KW_FOUND_WARN, "seal", "wait for its end",
                      "open: a ceremony is running on this token");
        break;
    case KW_SEAL_OPEN:
        kw_report_add(
            r, context->config->production ? KW_FOUND_FAIL : KW_FOUND_WARN, "seal",
            "a login that is interrupted now destroys the token: set files to 0400 and "
            "folders to 0500",
            "open, and cannot be sealed: %s", note.text);
        break;
    case KW_SEAL_UNKNOWN:
        kw_report_add(r, KW_FOUND_BLIND, "seal", NULL, "%s", note.text);
        break;
    }
}

void kw_inspect_token(struct kw_report *r, const struct kw_context *context,
                      const struct kw_config_token *token, const char *fault)
{
    struct kw_note note = {{0}};
    if (context->doubts_config)
        fault = "the configuration";
    if (fault != NULL) {
        kw_report_add(r, KW_FOUND_BLIND, "login",
                      "first mend what is said above, then look again",
                      "not tried, and nothing is loaded, because of %s", fault);
        return;
    }
    struct visit *v = kw_shared_new(sizeof *v);
    if (v == NULL) {
        kw_report_err(r, "login", kw_err_at(KW_CODE_NO_MEMORY, "mmap"), &note);
        return;
    }
    v->context = context;
    kw_err e = kw_login_run(context->config, token, KW_LOGIN_LOOK, inspect_token_visit, v,
                            &note);
    if (v->logged_in)
        report_token(r, context, v);
    if (kw_failed(e))
        kw_report_err(r, "login", e, &note);
    kw_shared_free(v, sizeof *v);
}
