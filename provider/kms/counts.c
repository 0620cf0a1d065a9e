/* SPDX-License-Identifier: Apache-2.0 */
/* What each class was asked for and what came of it, and that under each KEK version.
 *
 * A version has a row from its first call on.  Only what the door knows as a version of the
 * keyring gets one, so nobody fills the table with names of his own. */
#include "kms_internal.h"

static void count_one(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void kw_counts_outcome(struct kw_kms *kms, const struct kw_request *request)
{
    const int64_t ns = kw_mono_ns(kms->options.clock) - request->arrived_ns;
    struct kw_method_counts *counts =
        &kw_class_of(kms, request)->methods[request->method];
    count_one(&counts->outcomes[request->err.code], 1);
    count_one(&counts->took[kw_latency_at(ns)], 1);
    count_one(&counts->took_ns, ns > 0 ? (uint64_t)ns : 0);
}

static void counts_fold(const struct kw_method_counts *counts,
                        struct kw_method_stats *ret_stats)
{
    for (size_t i = 0; i < KW_CODE_COUNT; i++)
        ret_stats->outcomes[i] = atomic_load(&counts->outcomes[i]);
    for (size_t i = 0; i <= KW_LATENCY_BOUNDS; i++)
        ret_stats->latency.count[i] = atomic_load(&counts->took[i]);
    ret_stats->latency.sum_ns = atomic_load(&counts->took_ns);
}

void kw_counts_methods(const struct kw_class *class,
                       struct kw_method_stats ret_stats[KW_METHODS])
{
    for (size_t i = 0; i < KW_METHODS; i++)
        counts_fold(&class->methods[i], &ret_stats[i]);
}

static struct kw_version_counts *counts_find(struct kw_class *class,
                                             const char *key_id) KW_LOCKED
{
    for (size_t i = 0; i < class->version_count; i++)
        if (kw_span_equal_str(kw_span_str(key_id), class->versions[i].key_id))
            return &class->versions[i];
    return NULL;
}

/* A keyring has no more versions than there are rows, so of a full table one has left the
 * keyring; NULL: it came back meanwhile. */
static struct kw_version_counts *counts_left(struct kw_kms *kms,
                                             struct kw_class *class) KW_LOCKED
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_hsm_version ignored;
    for (size_t i = 0; i < class->version_count; i++) {
        const kw_span key_id = kw_span_str(class->versions[i].key_id);
        if (door->ops->version(door->hsm, key_id, &ignored).code == KW_CODE_UNKNOWN_KEY)
            return &class->versions[i];
    }
    return NULL;
}

static struct kw_version_counts *counts_of(struct kw_kms *kms, struct kw_class *class,
                                           const char *key_id) KW_LOCKED
{
    struct kw_version_counts *row = counts_find(class, key_id);
    if (row != NULL)
        return row;
    row = class->version_count < KW_VERSIONS_MAX
              ? &class->versions[class->version_count++]
              : counts_left(kms, class);
    if (row == NULL)
        return NULL;
    *row = (struct kw_version_counts){0};
    kw_copy_str(row->key_id, sizeof row->key_id, kw_span_str(key_id));
    return row;
}

/* NOT_REFUSED: it failed for another reason than its version. */
static enum kw_hsm_refusal counts_refusal(const struct kw_request *request)
{
    if (request->method != KW_METHOD_DECRYPT)
        return KW_HSM_NOT_REFUSED;
    if (request->err.code == KW_CODE_KEY_BAD)
        return KW_HSM_REFUSED_KEY_BAD;
    return request->err.code == KW_CODE_KEY_DISABLED ? request->work.version.refusal
                                                     : KW_HSM_NOT_REFUSED;
}

static void count_answered(struct kw_version_stats *s, const struct kw_request *request)
{
    if (request->method == KW_METHOD_ENCRYPT)
        s->encrypts++;
    else if (request->source == KW_SOURCE_CACHE)
        s->decrypts_cache++;
    else if (request->source == KW_SOURCE_JOINED)
        s->decrypts_joined++;
    else
        s->decrypts_hsm++;
}

static void count_refused(struct kw_kms *kms, struct kw_version_counts *row,
                          enum kw_hsm_refusal why)
{
    row->stats.refused[why]++;
    row->stats.last_refused_wall_ns = kw_wall_ns(kms->options.clock);
    row->refused_boot_ns = kw_boot_ns(kms->options.clock);
}

void kw_counts_add(struct kw_kms *kms, const struct kw_request *request)
{
    struct kw_class *class = kw_class_of(kms, request);
    const bool good = !kw_failed(request->err);
    const enum kw_hsm_refusal why = counts_refusal(request);
    if (request->err.code == KW_CODE_UNKNOWN_KEY)
        atomic_fetch_add_explicit(&class->unknown_key, 1, memory_order_relaxed);
    if (request->work.version.n == 0 || (!good && why == KW_HSM_NOT_REFUSED))
        return;
    kw_lock_take(kms->options.lock);
    struct kw_version_counts *row = counts_of(kms, class, request->work.version.key_id);
    if (row != NULL && good)
        count_answered(&row->stats, request);
    else if (row != NULL)
        count_refused(kms, row, why);
    kw_lock_give(kms->options.lock);
}

bool kw_kms_version_stats(struct kw_kms *kms, size_t class_index, const char *key_id,
                          struct kw_version_stats *ret_stats)
{
    kw_lock_take(kms->options.lock);
    const struct kw_version_counts *row = counts_find(&kms->classes[class_index], key_id);
    if (row != NULL) {
        *ret_stats = row->stats;
        if (ret_stats->last_refused_wall_ns != 0)
            ret_stats->refused_ago_ns =
                kw_boot_ns(kms->options.clock) - row->refused_boot_ns;
    }
    kw_lock_give(kms->options.lock);
    return row != NULL;
}
