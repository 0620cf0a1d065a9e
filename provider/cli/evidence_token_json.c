/* SPDX-License-Identifier: Apache-2.0 */
/* The document of one token. */
#include "evidence_token.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "version.h"

/* ---- names ---- */

/* Two tokens never share one: '@' stands in no name that needed no change. */
void kw_evidence_token_name(const struct kw_config *config, size_t index,
                            char dst[KW_EVIDENCE_TOKEN_NAME])
{
    char name[sizeof config->tokens[index].name];
    bool is_plain = true;
    kw_copy_str(name, sizeof name, kw_span_str(config->tokens[index].name));
    for (char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL) {
            *c = '_';
            is_plain = false;
        }
    if (is_plain)
        snprintf(dst, KW_EVIDENCE_TOKEN_NAME, "token-%s.json", name);
    else
        snprintf(dst, KW_EVIDENCE_TOKEN_NAME, "token-%s@%zu.json", name, index);
}

void kw_evidence_pin_kind(const struct kw_config_token *token, char dst[16])
{
    const char *colon = strchrnul(token->pin, ':');
    kw_copy_str(dst, 16, kw_span_of(token->pin, (size_t)(colon - token->pin)));
}

/* ---- parts ---- */

/* null when all went well. */
static json_t *evidence_error_json(kw_err e, const struct kw_note *note)
{
    char native[64];
    if (!kw_failed(e))
        return json_null();
    kw_native_name(e, native);
    return json_pack("{s:s, s:s, s:s, s:s}", "code", kw_code_name(e.code), "native",
                     native, "where", e.where != NULL ? e.where : "", "why", note->text);
}

static json_t *evidence_answer_json(enum kw_answer answer)
{
    return answer == KW_ANSWER_NONE ? json_null()
                                    : json_boolean(answer == KW_ANSWER_TRUE);
}

static json_t *evidence_library_json(const struct kw_token_facts *f)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "description", f->library, "manufacturer",
                     f->library_manufacturer, "version", f->library_version, "cryptoki",
                     f->cryptoki_version);
}

static json_t *evidence_facts_json(const struct kw_token_facts *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:b}", "label",
                     f->label, "serial", f->serial, "manufacturer", f->manufacturer,
                     "model", f->model, "firmware", f->firmware, "hardware", f->hardware,
                     "slot", (json_int_t)f->slot, "softhsm", f->softhsm, "login_required",
                     f->login_required, "write_protected", f->write_protected);
}

/* The one mechanism of this version, found out by doing it. */
static json_t *evidence_mechanism_json(const struct kw_evidence_token *t)
{
    const struct kw_token_facts *f = &t->facts;
    return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:b, s:o}", "name",
                     kw_mechanism_name(KW_MECH_AES_256_GCM), "pkcs11", "CKM_AES_GCM",
                     "iv_source", "caller", "offered", f->has_gcm, "key_min",
                     (json_int_t)f->gcm_key_min, "key_max", (json_int_t)f->gcm_key_max,
                     "self_test", !kw_failed(t->self_test), "self_test_error",
                     evidence_error_json(t->self_test, &t->self_test_note));
}

static json_t *evidence_audit_key_json(const struct kw_config *config,
                                       const struct kw_evidence_token *t)
{
    uint8_t sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1] = "";
    if (config->audit_key_label == NULL)
        return json_null();
    if (!kw_failed(t->audit_key) &&
        !kw_failed(kw_sha256(kw_span_of(t->audit_spki, KW_SPKI), sha256)))
        kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    return json_pack("{s:s, s:b, s:s?, s:b, s:o}", "label", config->audit_key_label,
                     "good", !kw_failed(t->audit_key), "sha256",
                     hex[0] != '\0' ? hex : NULL, "configured", t->is_pinned, "error",
                     evidence_error_json(t->audit_key, &t->audit_key_note));
}

/* ---- a version ---- */

static json_t *evidence_findings_json(unsigned findings)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{KW_FINDING_EXPOSED, "exposed"},
                 {KW_FINDING_REPLACED, "replaced"},
                 {KW_FINDING_COPYABLE, "copyable"},
                 {KW_FINDING_DUPLICATE, "duplicate"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((findings & names[i].bit) != 0 &&
            json_array_append_new(list, json_string(names[i].name)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *evidence_rules_json(const struct kw_attribute_rule rules[])
{
    json_t *list = json_array();
    for (size_t i = 0; i < KW_ATTRIBUTE_RULES; i++) {
        const struct kw_attribute_rule *r = &rules[i];
        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:b, s:s}", "attribute", r->name, "wants",
                                r->wants, "decisive", r->is_decisive, "outcome",
                                kw_rule_outcome_name(r->outcome))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *evidence_properties_json(const struct kw_key_property properties[])
{
    json_t *o = json_object();
    for (size_t i = 0; i < KW_KEY_PROPERTIES; i++) {
        const struct kw_key_property *p = &properties[i];
        if (p->name != NULL && json_object_set_new(o, p->name,
                                                   p->is_answered ? json_string(p->text)
                                                                  : json_null()) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

/* Of the decisive ones the worst; a failure says more than no answer. */
static enum kw_rule_outcome evidence_verdict(const struct kw_attribute_rule rules[])
{
    enum kw_rule_outcome worst = KW_RULE_PASS;
    for (size_t i = 0; i < KW_ATTRIBUTE_RULES; i++)
        if (rules[i].is_decisive && rules[i].outcome != KW_RULE_PASS &&
            worst != KW_RULE_FAIL)
            worst = rules[i].outcome;
    return worst;
}

static const char *evidence_asked_name(enum kw_evidence_asked asked)
{
    static const char *const names[] = {[KW_ASKED_NOTHING] = "nothing",
                                        [KW_ASKED_PRESENCE] = "presence",
                                        [KW_ASKED_PROOF] = "proof"};
    return names[asked];
}

static json_t *evidence_version_json(const struct kw_context *context,
                                     const struct kw_version *v,
                                     const struct kw_evidence_version *x)
{
    struct kw_attribute_rule rules[KW_ATTRIBUTE_RULES];
    const bool is_unknown = v->state == KW_KEY_UNKNOWN, has = x->has_attributes;
    kw_attributes_judge_each(&x->attributes, rules);
    return json_pack(
        "{s:i, s:s, s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:o}",
        "n", (int)v->n, "key_id", v->key_id, "state", kw_key_state_name(v->state),
        "baseline", context->ring->active == v->n, "active_here",
        kw_context_active(context) == v->n, "asked", evidence_asked_name(x->asked),
        "found", evidence_answer_json(x->found), "check_blob_opens",
        evidence_answer_json(x->opens), "findings", evidence_findings_json(x->findings),
        "error", evidence_error_json(x->err, &x->note), "attributes",
        has ? kw_attributes_json(&x->attributes) : json_null(), "properties",
        has ? evidence_properties_json(x->properties) : json_null(), "rules",
        has ? evidence_rules_json(rules) : json_null(), "verdict",
        has ? kw_rule_outcome_name(evidence_verdict(rules)) : NULL, "at_ceremony",
        is_unknown ? json_null() : kw_attributes_json(&kw_version_kek(v)->attributes));
}

static json_t *evidence_versions_json(const struct kw_context *context,
                                      const struct kw_evidence_token *t)
{
    const struct kw_keyring *ring = context->ring;
    json_t *list = json_array();
    for (size_t i = 0; ring != NULL && i < ring->count; i++)
        if (json_array_append_new(list, evidence_version_json(context, &ring->versions[i],
                                                              &t->versions[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* ---- the document ---- */

json_t *kw_evidence_token_json(const struct kw_context *context,
                               const struct kw_config_token *token,
                               const struct kw_evidence_token *t)
{
    char pin[16];
    const bool is_asked = t->is_asked;
    kw_evidence_pin_kind(token, pin);
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "collected", "keyward-token", "format", 1, "name", token->name,
                     "module", token->module, "pin", pin, "asked", is_asked, "error",
                     evidence_error_json(t->err, &t->note), "library",
                     is_asked ? evidence_library_json(&t->facts) : json_null(), "token",
                     is_asked ? evidence_facts_json(&t->facts) : json_null(), "mechanism",
                     is_asked ? evidence_mechanism_json(t) : json_null(), "audit_key",
                     is_asked ? evidence_audit_key_json(context->config, t) : json_null(),
                     "versions", evidence_versions_json(context, t));
}
