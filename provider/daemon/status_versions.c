/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of the keyring in use, and what was asked for under each of them. */
#include "status_document.h"

#include <keyward/sha256.h>

static json_int_t versions_number(uint64_t n)
{
    return (json_int_t)n;
}

json_t *kw_status_time(int64_t wall_ns)
{
    char when[KW_TIME_TEXT];
    if (wall_ns <= 0)
        return json_null();
    kw_time_text(when, wall_ns);
    return json_string(when);
}

static json_t *versions_ago(const struct kw_version_stats *s)
{
    return s->last_refused_wall_ns == 0 ? json_null()
                                        : json_integer(s->refused_ago_ns / KW_S_NS);
}

static json_t *counts_part(uint32_t n, const struct kw_version_stats *s)
{
    const uint64_t *refused = s->refused;
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "n", (int)n,
        "encrypts", versions_number(s->encrypts), "decrypts_hsm",
        versions_number(s->decrypts_hsm), "decrypts_joined",
        versions_number(s->decrypts_joined), "decrypts_cache",
        versions_number(s->decrypts_cache), "refused_created",
        versions_number(refused[KW_HSM_REFUSED_CREATED]), "refused_disabled",
        versions_number(refused[KW_HSM_REFUSED_DISABLED]), "refused_destroyed",
        versions_number(refused[KW_HSM_REFUSED_DESTROYED]), "refused_unknown",
        versions_number(refused[KW_HSM_REFUSED_UNKNOWN]), "refused_key_bad",
        versions_number(refused[KW_HSM_REFUSED_KEY_BAD]), "last_refused",
        kw_status_time(s->last_refused_wall_ns), "refused_ago_s", versions_ago(s));
}

json_t *kw_status_class_versions(const struct kw_daemon *d, size_t class_index,
                                 const struct kw_front_status *front)
{
    json_t *list = json_array();
    for (size_t i = 0; i < front->version_count && list != NULL; i++) {
        struct kw_version_stats s = {0};
        if (kw_kms_version_stats(d->kms, class_index, front->versions[i].key_id, &s))
            list = kw_status_append(list, counts_part(front->versions[i].n, &s));
    }
    return list;
}

struct versions_sum {
    uint64_t encrypts, decrypts, refused;
    int64_t last_refused_wall_ns;
};

static void versions_add(struct versions_sum *sum, const struct kw_version_stats *s)
{
    sum->encrypts += s->encrypts;
    sum->decrypts += s->decrypts_hsm + s->decrypts_joined + s->decrypts_cache;
    for (size_t i = 0; i < KW_HSM_REFUSALS; i++)
        sum->refused += s->refused[i];
    if (s->last_refused_wall_ns > sum->last_refused_wall_ns)
        sum->last_refused_wall_ns = s->last_refused_wall_ns;
}

static struct versions_sum versions_sum(const struct kw_daemon *d, const char *key_id)
{
    struct versions_sum sum = {0};
    for (size_t i = 0; i < d->config->class_count; i++) {
        struct kw_version_stats s = {0};
        if (kw_kms_version_stats(d->kms, i, key_id, &s))
            versions_add(&sum, &s);
    }
    return sum;
}

/* As kube-apiserver labels it in its own metrics (k8s.io/apiserver v0.36.3,
 * envelope/metrics/metrics.go, getHash): "sha256:" and hex of the key_id's bytes. */
json_t *kw_status_key_id_hash(const char *key_id)
{
    uint8_t sha256[KW_SHA256];
    char text[sizeof "sha256:" + (size_t)2 * KW_SHA256] = "sha256:";
    if (kw_failed(kw_sha256(kw_span_str(key_id), sha256)))
        return NULL;
    kw_hex(text + 7, sizeof text - 7, kw_span_of(sha256, KW_SHA256));
    return json_string(text);
}

static json_t *version_part(const struct kw_daemon *d,
                            const struct kw_front_version_status *v)
{
    const struct versions_sum sum = versions_sum(d, v->key_id);
    return json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "n",
        (int)v->n, "key_id", kw_status_text(v->key_id), "key_id_hash",
        kw_status_key_id_hash(v->key_id), "activated",
        kw_status_text(v->activated[0] != '\0' ? v->activated : NULL), "state",
        kw_status_text(v->state), "origin", kw_status_text(v->origin), "verdict",
        kw_code_name(v->verdict.code), "reason", kw_status_text(v->reason), "found",
        kw_status_text(v->found[0] != '\0' ? v->found : NULL), "proven",
        kw_status_time(v->proven_wall_ns), "encrypts", versions_number(sum.encrypts),
        "decrypts", versions_number(sum.decrypts), "refused",
        versions_number(sum.refused), "last_refused",
        kw_status_time(sum.last_refused_wall_ns));
}

json_t *kw_status_versions(const struct kw_daemon *d, const struct kw_front_status *front)
{
    json_t *list = json_array();
    for (size_t i = 0; i < front->version_count && list != NULL; i++)
        list = kw_status_append(list, version_part(d, &front->versions[i]));
    return list;
}
