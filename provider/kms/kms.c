/* SPDX-License-Identifier: Apache-2.0 */
/* The module itself: classes and their caches, where a request begins, the regular look
 * at health, budgets and ages. */
#include "kms_internal.h"

#include <keyward/alloc.h>
#include <keyward/log.h>

static kw_err open_class(struct kw_class *class, const struct kw_class_options *options,
                         const struct kw_clock *clock)
{
    class->options = *options;
    kw_budget_init(&class->budget, options->max_outage_ns, kw_boot_ns(clock));
    return kw_cache_new(options->cache_entries, options->cache_ttl_ns, &class->cache);
}

/* Nobody else has it yet. */
kw_err kw_kms_new(const struct kw_kms_options *options,
                  struct kw_kms **ret_kms) KW_NO_THREAD_SAFETY
{
    struct kw_kms *kms = kw_new(1, sizeof *kms);
    kw_err e = kms == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "kms") : KW_OK;
    if (kw_failed(e))
        return e;
    kms->options = *options;
    kms->ticked_boot_ns = kw_boot_ns(options->clock);
    kms->classes = kw_new(options->class_count, sizeof *kms->classes);
    if (kms->classes == NULL)
        e = kw_err_at(KW_CODE_NO_MEMORY, "kms");
    for (size_t i = 0; i < options->class_count && !kw_failed(e); i++)
        e = open_class(&kms->classes[i], &options->classes[i], options->clock);
    if (kw_failed(e)) {
        kw_kms_free(kms);
        return e;
    }
    *ret_kms = kms;
    return KW_OK;
}

/* Nobody else has it any more. */
void kw_kms_free(struct kw_kms *kms) KW_NO_THREAD_SAFETY
{
    if (kms == NULL)
        return;
    KW_INVARIANT(kms->parked == NULL && kms->recording == 0);
    for (size_t i = 0; kms->classes != NULL && i < kms->options.class_count; i++)
        kw_cache_free(kms->classes[i].cache);
    kw_free(kms->classes);
    kw_free(kms);
}

kw_err kw_door_err(kw_err e)
{
    if (e.code == KW_CODE_MISSING)
        e.code = KW_CODE_KEY_BAD;
    return e;
}

static struct kw_policy_facts kms_facts_of(enum kw_method method,
                                           const struct kw_class *class,
                                           const struct kw_hsm_health *health)
{
    const bool away = health->active_err.code == KW_CODE_MISSING;
    struct kw_policy_facts facts = {
        .method = method,
        .on_loss = class->options.on_loss,
        .outage_budget_left = kw_budget_left(&class->budget),
        .active_known = health->active_n != 0 && (away || !kw_failed(health->active_err)),
        .active_away = away,
        .why = health->why,
        .active_why = kw_door_err(health->active_err),
    };
    if (away && !kw_failed(facts.why))
        facts.why = facts.active_why;
    switch (health->state) {
    case KW_HSM_STARTING: facts.hsm = KW_HSM_IS_STARTING; break;
    case KW_HSM_UP:
    case KW_HSM_SUSPECT: facts.hsm = KW_HSM_IS_GOOD; break;
    case KW_HSM_LOST: facts.hsm = KW_HSM_IS_LOST; break;
    }
    return facts;
}

struct kw_policy_verdict kw_kms_policy(struct kw_kms *kms, enum kw_method method,
                                       const struct kw_class *class,
                                       struct kw_hsm_health *ret_health)
{
    kms->options.door.ops->health(kms->options.door.hsm, ret_health);
    struct kw_policy_facts facts = kms_facts_of(method, class, ret_health);
    return kw_policy_judge(&facts);
}

struct kw_policy_verdict kw_kms_judge(struct kw_kms *kms, enum kw_method method,
                                      const struct kw_class *class,
                                      struct kw_hsm_health *ret_health)
{
    struct kw_policy_verdict v = kw_kms_policy(kms, method, class, ret_health);
    kw_err audit = kw_record_health(kms);
    if (!kw_failed(audit) || v.kind == KW_REFUSE)
        return v;
    return (struct kw_policy_verdict){
        .kind = KW_REFUSE, .err = audit, .reason = "audit log"};
}

void kw_kms_begin(struct kw_kms *kms, struct kw_request *request)
{
    KW_INVARIANT(request->class_index < kms->options.class_count);
    request->err = KW_OK;
    request->out_key_id[0] = '\0';
    request->out_ciphertext_len = 0;
    request->source = KW_SOURCE_NONE;
    request->token = "";
    request->work = (struct kw_request_work){
        .wrapped_by = "",
        .until =
            kw_deadline_first(request->until, (kw_deadline){request->arrived_ns +
                                                            kms->options.deadline_ns})};
    kw_steps_run(kms, request);
}

bool kw_kms_bridges(const struct kw_class *class, const struct kw_hsm_health *health)
{
    struct kw_policy_facts facts = kms_facts_of(KW_METHOD_DECRYPT, class, health);
    return kw_policy_bridges(&facts);
}

/* Budget, ages, and the wipes that policy asks for. */
static size_t look_after(struct kw_class *class, const struct kw_hsm_health *health,
                         bool paused, int64_t boot_now) KW_LOCKED
{
    bool outage =
        health->state == KW_HSM_LOST || health->active_err.code == KW_CODE_MISSING;
    if (paused)
        kw_budget_pass_over(&class->budget, boot_now);
    kw_budget_tick(&class->budget, outage, boot_now);
    kw_cache_expire(class->cache, boot_now);
    struct kw_policy_facts facts = kms_facts_of(KW_METHOD_DECRYPT, class, health);
    return kw_policy_wipes(&facts) ? kw_cache_wipe(class->cache) : 0;
}

void kw_kms_tick(struct kw_kms *kms)
{
    struct kw_hsm_health health;
    size_t wiped = 0;
    int64_t now = kw_boot_ns(kms->options.clock);
    kw_lock_take(kms->options.lock);
    kms->options.door.ops->health(kms->options.door.hsm, &health);
    bool keys_changed = health.key_epoch != kms->key_epoch;
    bool away = health.away_epoch != kms->away_epoch;
    bool paused = now - kms->ticked_boot_ns > KW_PAUSE_NS;
    kms->key_epoch = health.key_epoch;
    kms->away_epoch = health.away_epoch;
    kms->ticked_boot_ns = now;
    for (size_t i = 0; i < kms->options.class_count; i++) {
        bool closed = kms->classes[i].options.on_loss == KW_ON_LOSS_FAIL_CLOSED;
        wiped += look_after(&kms->classes[i], &health, paused, now);
        if (keys_changed || (away && closed))
            wiped += kw_cache_wipe(kms->classes[i].cache);
    }
    kw_lock_give(kms->options.lock);
    if (wiped > 0)
        kw_log(KW_LOG_WARN, "cache-wiped", KW_INT("seeds", wiped),
               KW_STR("why", keys_changed ? "a key changed" : "policy"));
    kw_parked_sweep(kms);
}

size_t kw_kms_wipe(struct kw_kms *kms)
{
    size_t wiped = 0;
    kw_lock_take(kms->options.lock);
    for (size_t i = 0; i < kms->options.class_count; i++)
        wiped += kw_cache_wipe(kms->classes[i].cache);
    kw_lock_give(kms->options.lock);
    return wiped;
}

static enum kw_code status_now(struct kw_kms *kms, const struct kw_class *class) KW_LOCKED
{
    struct kw_hsm_health health;
    struct kw_policy_verdict v = kw_kms_judge(kms, KW_METHOD_STATUS, class, &health);
    return v.kind == KW_ALLOW ? KW_CODE_OK : kw_verdict_err(&v).code;
}

void kw_kms_stats(struct kw_kms *kms, size_t class_index,
                  struct kw_class_stats *ret_stats)
{
    struct kw_class *class = &kms->classes[class_index];
    struct kw_cache_stats cache;
    struct kw_class_stats s = {.joined = atomic_load(&class->joined)};
    kw_lock_take(kms->options.lock);
    kw_cache_stats(class->cache, &cache);
    s.budget_left_ns = class->budget.left_ns;
    s.status = status_now(kms, class);
    kw_lock_give(kms->options.lock);
    kw_counts_methods(class, s.methods);
    s.unknown_key = atomic_load(&class->unknown_key);
    s.cache_hits = cache.hits;
    s.cache_misses = cache.misses;
    s.cache_evicted = cache.evicted;
    s.cache_expired = cache.expired;
    s.cache_wiped = cache.wiped;
    s.cache_entries = cache.entries;
    s.cache_capacity = cache.capacity;
    *ret_stats = s;
}
