/* SPDX-License-Identifier: Apache-2.0 */
/* prove - which object of the token holds the key of a version, and is it still that one?
 *
 * A label is only a name: the check blob says which object is meant, the attributes what
 * it is worth.  One odd answer about attributes proves nothing: it is asked for twice.
 */
#include "token_internal.h"

#include <keyward/alloc.h>

enum { OBJECTS_MAX = 8 }; /* of one label: no more are tried */

struct objects {
    CK_OBJECT_HANDLE handles[OBJECTS_MAX];
    unsigned count;  /* with label and locator */
    bool more_label; /* there are more with the label alone */
};

struct outcome {
    kw_err err;
    unsigned findings;
    struct kw_note note, remarks;
};

struct kw_token_claim kw_token_claim_of(const struct kw_token *token,
                                        const struct kw_version *v, const char *domain,
                                        bool also_wrap)
{
    const struct kw_object *object = kw_version_kek(v);
    return (struct kw_token_claim){
        .version = v,
        .label = object->label,
        .locator = kw_object_locator(object, kw_token_facts(token)->serial),
        .domain = domain,
        .may_copy = v->want_copyable || object->attributes.copyable != KW_ANSWER_FALSE,
        .also_wrap = also_wrap,
    };
}

static bool is_other_key(kw_err e)
{
    return e.code == KW_CODE_FORGED || e.code == KW_CODE_WRONG_ANSWER;
}

/* ---- the objects ---- */

static kw_err find_objects(struct kw_token *t, const struct kw_token_claim *c,
                           struct objects *o)
{
    CK_OBJECT_HANDLE ignored[2];
    unsigned labelled = 0;
    kw_span label = kw_span_str(c->label);
    kw_phase_set(t, KW_PHASE_FIND);
    kw_err e = kw_session_ready(t);
    if (!kw_failed(e))
        e = kw_key_search(t, label, c->locator, o->handles, OBJECTS_MAX, &o->count);
    if (!kw_failed(e) && c->locator.len > 0 && o->count < 2)
        e = kw_key_search(t, label, (kw_span){0}, ignored, 2, &labelled);
    o->more_label = labelled > o->count;
    return kw_session_after(t, NULL, e);
}

static bool are_alone(const struct objects *o)
{
    return o->count == 1 && !o->more_label;
}

static struct kw_token_key twin_of(const struct kw_token *t,
                                   const struct kw_token_key *key, CK_OBJECT_HANDLE h)
{
    struct kw_token_key twin = *key;
    twin.handle = h;
    twin.epoch = t->epoch;
    return twin;
}

/* ---- one object ---- */

/* kw_attributes_again or kw_attributes_read, and the judge. */
static kw_err prove_judge(struct kw_token *t, struct kw_token_key *key, bool again,
                          struct outcome *out)
{
    kw_err e = again ? kw_attributes_again(t, key, &key->attributes)
                     : kw_attributes_read(t, key, &key->attributes);
    return kw_failed(e)
               ? e
               : kw_attributes_judge(&key->attributes, &out->note, &out->remarks);
}

static kw_err judge_attributes(struct kw_token *t, struct kw_token_key *key, bool again,
                               const struct kw_token_claim *c, struct outcome *out)
{
    kw_err e = prove_judge(t, key, again, out);
    if (e.code == KW_CODE_KEY_BAD)
        e = prove_judge(t, key, again, out);
    if (e.code == KW_CODE_KEY_BAD)
        out->findings |= KW_FINDING_EXPOSED;
    else if (!kw_failed(e) && !c->may_copy && key->attributes.copyable == KW_ANSWER_TRUE)
        out->findings |= KW_FINDING_COPYABLE;
    return e;
}

static kw_err try_object(struct kw_token *t, struct kw_token_key *twin,
                         const struct kw_token_claim *c, struct outcome *out)
{
    kw_phase_set(t, KW_PHASE_TEST);
    kw_err e = kw_canary(t, twin, c->version, c->domain, false);
    return kw_failed(e) ? e : judge_attributes(t, twin, false, c, out);
}

/* Whatever the other objects are: an exposed key is exposed, a blob that is none opens
 * nowhere, handles that died are looked for again. */
static bool ends_the_trial(kw_err e)
{
    return e.code == KW_CODE_KEY_BAD || e.code == KW_CODE_SESSION ||
           e.code == KW_CODE_NO_MEMORY;
}

/* The token's trouble with one object says more than that another one is another key. */
static kw_err worse(kw_err a, kw_err b)
{
    return !kw_failed(a) || is_other_key(a) ? b : a;
}

/* *key becomes the object that is meant, if there is one. */
static kw_err prove_choose(struct kw_token *t, struct kw_token_key *key,
                           const struct objects *o, const struct kw_token_claim *c,
                           struct outcome *out)
{
    kw_err worst = KW_OK;
    bool chosen = false;
    for (unsigned i = 0; i < o->count; i++) {
        struct kw_token_key twin = twin_of(t, key, o->handles[i]);
        kw_err e = try_object(t, &twin, c, out);
        if (ends_the_trial(e))
            return e;
        if (kw_failed(e)) {
            worst = worse(worst, e);
        } else if (!chosen) {
            *key = twin;
            chosen = true;
        }
    }
    return chosen ? KW_OK : worst;
}

/* ---- the proof ---- */

static kw_err prove_once(struct kw_token *t, struct kw_token_key *key,
                         const struct kw_token_claim *c, struct outcome *out)
{
    struct objects o = {.count = 0};
    *out = (struct outcome){.findings = 0};
    kw_err e = find_objects(t, c, &o);
    if (!kw_failed(e) && o.count == 0)
        e = kw_err_at(KW_CODE_MISSING, "C_FindObjects");
    if (kw_failed(e)) {
        kw_key_explain(&out->note, e, t, c->label);
        return e;
    }
    e = prove_choose(t, key, &o, c, out);
    if (!kw_failed(e) && !are_alone(&o))
        out->findings |= KW_FINDING_DUPLICATE;
    if (!kw_failed(e) && c->also_wrap)
        e = kw_canary_wraps(t, key, c->version, c->domain);
    return e;
}

static void prove_explain(struct outcome *out, const struct kw_token_claim *c)
{
    const unsigned n = c->version->n;
    char name[48];
    if (is_other_key(out->err)) {
        out->findings |= KW_FINDING_REPLACED;
        kw_note_set(&out->note,
                    "the check blob of version %u does not open: the token holds another "
                    "key under its label, or the keyring was edited by hand",
                    n);
    } else if (kw_failed(out->err) && out->note.text[0] == '\0') {
        kw_ckr_name(out->err.native, name);
        kw_note_set(&out->note, "the check of version %u failed: %s: %s", n,
                    out->err.where,
                    out->err.native != 0 ? name : kw_code_name(out->err.code));
    }
}

static void prove(struct kw_token *t, struct kw_token_key *key,
                  const struct kw_token_claim *c, struct outcome *out)
{
    key->epoch = t->epoch - 1; /* nobody uses it before it is proven */
    out->err = prove_once(t, key, c, out);
    if (out->err.code == KW_CODE_SESSION || out->err.code == KW_CODE_HSM_BUSY)
        out->err = prove_once(t, key, c, out);
    if (kw_failed(out->err))
        key->epoch = t->epoch - 1;
    prove_explain(out, c);
}

static kw_err prove_hand_over(struct kw_token *t, const struct outcome *out,
                              unsigned *ret_findings, struct kw_note *note,
                              struct kw_note *remarks)
{
    *ret_findings = out->findings;
    if (kw_failed(out->err))
        kw_note_set(note, "%s", out->note.text);
    else if (remarks != NULL)
        *remarks = out->remarks;
    kw_phase_set(t, KW_PHASE_IDLE);
    return out->err;
}

kw_err kw_token_prove(struct kw_token *token, const struct kw_token_claim *claim,
                      struct kw_token_key **ret_key, unsigned *ret_findings,
                      struct kw_note *note, struct kw_note *remarks)
{
    kw_span label = kw_span_str(claim->label);
    const char *version = claim->version->key_id;
    struct outcome out = {.findings = 0};
    struct kw_token_key *key = kw_key_known(token, label, claim->locator, version);
    *ret_findings = 0;
    if (key == NULL) {
        key = kw_key_new(label, claim->locator, version);
        if (key == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "key");
        kw_key_keep(token, key);
    }
    prove(token, key, claim, &out);
    if (!kw_failed(out.err))
        *ret_key = key;
    return prove_hand_over(token, &out, ret_findings, note, remarks);
}

/* ---- the look ---- */

static kw_err look_closely(struct kw_token *t, struct kw_token_key *key,
                           const struct kw_token_claim *c, struct outcome *out)
{
    struct objects o = {.count = 0};
    kw_err e = judge_attributes(t, key, true, c, out);
    if (!kw_failed(e))
        e = find_objects(t, c, &o);
    if (kw_failed(e))
        return e;
    if (o.count == 1 && o.handles[0] == key->handle) {
        out->findings |= o.more_label ? KW_FINDING_DUPLICATE : 0;
        return KW_OK;
    }
    struct kw_token_claim whole = *c;
    whole.also_wrap = false; /* it did */
    prove(t, key, &whole, out);
    return out->err;
}

kw_err kw_token_look(struct kw_token *token, struct kw_token_key *key,
                     const struct kw_token_claim *claim, bool closely,
                     unsigned *ret_findings, struct kw_note *note)
{
    struct outcome out = {.findings = 0};
    kw_phase_set(token, KW_PHASE_TEST);
    out.err = kw_canary(token, key, claim->version, claim->domain, claim->also_wrap);
    if (out.err.code == KW_CODE_HSM_BUSY)
        out.err = kw_canary(token, key, claim->version, claim->domain, claim->also_wrap);
    if (!kw_failed(out.err) && closely)
        out.err = look_closely(token, key, claim, &out);
    if (is_other_key(out.err) || out.err.code == KW_CODE_KEY_BAD)
        key->epoch = token->epoch - 1;
    prove_explain(&out, claim);
    return prove_hand_over(token, &out, ret_findings, note, NULL);
}
