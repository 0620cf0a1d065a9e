/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged without a token, what is kept to be opened, and what it comes to. */
#include "etcd_restore.h"

#include <string.h>

#include <keyward/alloc.h>
#include <keyward/envelope.h>
#include <keyward/policy.h>

#include "child.h"

const char *kw_restore_state_name(enum kw_restore_state state)
{
    static const char *const names[] = {"not judged", "refused", "not tried",
                                        "does not open", "opens"};
    return names[state];
}

const char *kw_restore_verdict_name(enum kw_restore_verdict verdict)
{
    static const char *const names[] = {"restorable", "not shown to be restorable",
                                        "not restorable"};
    return names[verdict];
}

/* ---- as the daemon would judge it ---- */

static struct kw_restore_result restore_says(enum kw_restore_state state, const char *why)
{
    return (struct kw_restore_result){.state = state, .why = why};
}

/* Names of KMS v2 providers are given once in a configuration. */
static const struct kw_encryption_provider *restore_provider(
    const struct kw_encryption_config *c, kw_span name)
{
    for (size_t r = 0; r < c->rule_count; r++)
        for (size_t p = 0; p < c->rules[r].provider_count; p++) {
            const struct kw_encryption_provider *provider = &c->rules[r].providers[p];
            if (provider->kind == KW_ENCRYPTION_KMS_V2 &&
                kw_span_equal_str(name, provider->names[0]))
                return provider;
        }
    return NULL;
}

static const struct kw_config_class *restore_class(const struct kw_config *config,
                                                   const char *endpoint)
{
    static const char scheme[] = "unix://";
    if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0)
        return NULL;
    for (size_t i = 0; i < config->class_count; i++)
        if (strcmp(config->classes[i].socket, endpoint + sizeof scheme - 1) == 0)
            return &config->classes[i];
    return NULL;
}

static struct kw_restore_result restore_judge_envelope(const struct kw_config_class *c,
                                                       const struct kw_keyring *ring,
                                                       kw_span key_id, kw_span wrapped)
{
    struct kw_envelope env;
    bool is_foreign;
    if (kw_failed(kw_envelope_parse(wrapped, &env)) || env.purpose != KW_PURPOSE_SEED)
        return restore_says(KW_RESTORE_REFUSED, "it is no wrapped seed of keyward's");
    if (kw_failed(kw_policy_scope(env.scope, c->scope,
                                  (const char *const *)c->accept_scopes, c->accept_count,
                                  &is_foreign)))
        return restore_says(KW_RESTORE_REFUSED,
                            "it was sealed for a scope that its class does not accept");
    const struct kw_version *v = kw_keyring_by_key_id(ring, key_id);
    if (v == NULL)
        return restore_says(KW_RESTORE_REFUSED, "the keyring does not have its key_id");
    if (!kw_key_state_unwraps(v->state))
        return restore_says(KW_RESTORE_REFUSED,
                            "the keyring's state of its version does not let it unwrap");
    if (v->mechanism != env.mechanism)
        return restore_says(KW_RESTORE_REFUSED, "its mechanism is not its version's");
    return (struct kw_restore_result){KW_RESTORE_UNTRIED, v->n,
                                      "the token could not be asked"};
}

struct kw_restore_result kw_restore_judge(const struct kw_restore_by *by,
                                          kw_span provider, kw_span key_id,
                                          kw_span wrapped, unsigned annotations)
{
    const struct kw_encryption_provider *p = restore_provider(by->encryption, provider);
    if (p == NULL)
        return restore_says(KW_RESTORE_NOT_JUDGED,
                            "the EncryptionConfiguration has no such provider");
    const struct kw_config_class *c = restore_class(by->config, p->endpoint);
    if (c == NULL)
        return restore_says(KW_RESTORE_NOT_JUDGED,
                            "its provider's endpoint is no socket of this configuration");
    if (annotations > 0)
        return restore_says(KW_RESTORE_REFUSED,
                            "it has annotations; keyward writes none");
    return restore_judge_envelope(c, by->ring, key_id, wrapped);
}

/* ---- objects to be opened to the end ---- */

static void restore_keep(kw_dst *dst, kw_span *span, kw_span from)
{
    *span = kw_span_of(dst->ptr + dst->len, from.len);
    KW_MUST(kw_dst_put(dst, from));
}

kw_err kw_restore_take(struct kw_restore *restore, kw_span key,
                       const struct kw_stored *stored, const struct kw_etcd_row *row)
{
    const size_t bytes = key.len + stored->name.len + stored->key_id.len +
                         stored->wrapped.len + stored->data.len;
    if (row->at[KW_ETCD_CURRENT].objects > restore->sample_wanted)
        return KW_OK;
    if (bytes > KW_RESTORE_SAMPLE_BYTES - restore->sample_bytes) {
        restore->samples_cut = true;
        return KW_OK;
    }
    struct kw_restore_sample *s = kw_new(sizeof *s + bytes, 1);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd sample");
    kw_dst dst = kw_dst_of(s->bytes, bytes);
    s->stored = *stored;
    restore_keep(&dst, &s->key, key);
    restore_keep(&dst, &s->stored.name, stored->name);
    restore_keep(&dst, &s->stored.key_id, stored->key_id);
    restore_keep(&dst, &s->stored.wrapped, stored->wrapped);
    restore_keep(&dst, &s->stored.data, stored->data);
    s->i = restore->sample_count++;
    s->next = restore->samples;
    restore->samples = s;
    restore->sample_bytes += bytes;
    return KW_OK;
}

void kw_restore_free(struct kw_restore *restore)
{
    while (restore->samples != NULL) {
        struct kw_restore_sample *s = restore->samples;
        restore->samples = s->next;
        kw_free(s);
    }
    kw_shared_free(restore->shared,
                   sizeof *restore->shared +
                       restore->result_count * sizeof restore->results[0]);
    restore->shared = NULL;
    restore->results = NULL;
}

/* ---- what it comes to ---- */

static bool restore_is_sealed_by_others(const struct kw_etcd_row *row)
{
    return row->at[KW_ETCD_CURRENT].objects > 0 && row->kind != KW_STORED_KMS_V2 &&
           !kw_stored_is_plain(row->kind) && row->kind != KW_STORED_OTHER;
}

enum kw_restore_verdict kw_restore_verdict(const struct kw_restore *restore,
                                           struct kw_restore_sum *ret_sum)
{
    const struct kw_etcd_findings *f = restore->findings;
    struct kw_restore_sum sum = {.others = 0};
    for (size_t i = 0; i < f->seed_count; i++)
        if (f->seeds[i].objects[KW_ETCD_CURRENT] > 0)
            sum.of[restore->results[i].state]++;
    for (size_t i = f->seed_count; i < restore->result_count; i++)
        sum.samples[restore->results[i].state]++;
    for (size_t i = 0; i < f->row_count; i++)
        if (restore_is_sealed_by_others(&f->rows[i]))
            sum.others += f->rows[i].at[KW_ETCD_CURRENT].objects;
    *ret_sum = sum;
    if (sum.of[KW_RESTORE_REFUSED] + sum.of[KW_RESTORE_FAILED] +
            sum.samples[KW_RESTORE_REFUSED] + sum.samples[KW_RESTORE_FAILED] >
        0)
        return KW_NOT_RESTORABLE;
    const uint64_t open = sum.of[KW_RESTORE_NOT_JUDGED] + sum.of[KW_RESTORE_UNTRIED] +
                          sum.samples[KW_RESTORE_UNTRIED] +
                          sum.samples[KW_RESTORE_NOT_JUDGED] + sum.others;
    return open > 0 || !f->has_db ? KW_RESTORE_PERHAPS : KW_RESTORABLE;
}
