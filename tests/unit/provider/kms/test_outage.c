/* SPDX-License-Identifier: Apache-2.0 */
/* What the two policies make of a loss of the HSM, call by call. */
#include "kms_rig.h"

static const uint8_t seed_bytes[32] = "0123456789abcdef0123456789abcde";
#define SEED kw_span_of(seed_bytes, 32)

static void lose(struct rig *r)
{
    r->hsm.health.state = KW_HSM_LOST;
    r->hsm.health.why = kw_err_at(KW_CODE_HSM_DOWN, "canary");
    r->hsm.health.losses++;
    kw_kms_tick(r->kms);
}

/* As the daemon looks: at least once a second. */
static void pass(struct rig *r, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        r->time.now_ns += KW_S_NS;
        kw_kms_tick(r->kms);
    }
}

/* A rig with one seed in the cache of each class: secrets in calls[0], bulk in
 * calls[1]. */
static struct rig *warm(uint8_t secrets[KW_CIPHERTEXT_MAX], kw_span *ret_secrets,
                        uint8_t bulk[KW_CIPHERTEXT_MAX], kw_span *ret_bulk)
{
    struct rig *r = rig_open();
    kw_log_setup(2, KW_LOG_ERROR, KW_LOG_LOGFMT, &r->clock);
    *ret_secrets = rig_seal(r, "secrets", RIG_KEY_1, SEED, secrets);
    *ret_bulk = rig_seal(r, "bulk", RIG_KEY_1, SEED, bulk);
    rig_decrypt(r, 0, 0, RIG_KEY_1, *ret_secrets);
    rig_decrypt(r, 1, 1, RIG_KEY_1, *ret_bulk);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK) && rig_ended(r, 1, KW_CODE_OK));
    return r;
}

static size_t entries(struct rig *r, size_t class_index)
{
    struct kw_class_stats s;
    kw_kms_stats(r->kms, class_index, &s);
    return s.cache_entries;
}

TEST(lost__fail_closed__everything_refused_and_wiped)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    CHECK(entries(r, 0) == 1);
    lose(r);
    CHECK(entries(r, 0) == 0);
    rig_status(r, 2, 0);
    rig_encrypt(r, 3, 0, SEED);
    rig_decrypt(r, 4, 0, RIG_KEY_1, secrets);
    for (unsigned i = 2; i <= 4; i++)
        CHECK(rig_ended(r, i, KW_CODE_HSM_DOWN));
    CHECK(rig_waiting(r) == 0);
    rig_close(r);
}

TEST(lost__before_the_next_tick__already_refused)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    r->hsm.health.state = KW_HSM_LOST;
    rig_decrypt(r, 2, 0, RIG_KEY_1, secrets);
    CHECK(rig_ended(r, 2, KW_CODE_HSM_DOWN));
    rig_close(r);
}

TEST(lost__serve_cached__cached_seeds_only_and_the_same_key_id)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX], c[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    lose(r);
    CHECK(entries(r, 1) == 1);
    struct kw_request *s = rig_status(r, 2, 1);
    CHECK(rig_ended(r, 2, KW_CODE_OK));
    CHECK_STR(s->out_key_id, RIG_KEY_1);
    rig_decrypt(r, 3, 1, RIG_KEY_1, bulk);
    CHECK(rig_ended(r, 3, KW_CODE_OK));
    rig_decrypt(r, 4, 1, RIG_KEY_1, rig_seal(r, "bulk", RIG_KEY_1, SEED, c));
    CHECK(rig_ended(r, 4, KW_CODE_HSM_DOWN));
    rig_encrypt(r, 5, 1, SEED);
    CHECK(rig_ended(r, 5, KW_CODE_HSM_DOWN));
    rig_close(r);
}

TEST(lost__serve_cached_and_too_old__refused)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    lose(r);
    r->time.now_ns += 60 * KW_S_NS;
    rig_decrypt(r, 2, 1, RIG_KEY_1, bulk);
    CHECK(rig_ended(r, 2, KW_CODE_HSM_DOWN));
    rig_close(r);
}

TEST(lost__budget_spent__as_fail_closed)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    lose(r);
    pass(r, 600);
    CHECK(entries(r, 1) == 0);
    rig_status(r, 2, 1);
    CHECK(rig_ended(r, 2, KW_CODE_HSM_DOWN));
    /* A minute of health brings a second back, not the whole budget. */
    r->hsm.health.state = KW_HSM_UP;
    pass(r, 60);
    lose(r);
    pass(r, 2);
    rig_status(r, 3, 1);
    CHECK(rig_ended(r, 3, KW_CODE_HSM_DOWN));
    rig_close(r);
}

/* A suspend, SIGSTOP: seeds grow older, the budget shrinks by what a pause begins with. */
TEST(lost__machine_sleeps__two_seconds_are_charged_to_the_budget)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct kw_class_stats before, after;
    struct rig *r = warm(a, &secrets, b, &bulk);
    lose(r);
    pass(r, 5);
    kw_kms_stats(r->kms, 1, &before);
    r->time.now_ns += 3600 * KW_S_NS;
    kw_kms_tick(r->kms);
    kw_kms_stats(r->kms, 1, &after);
    before.budget_left_ns -= KW_PAUSE_NS;
    CHECK(after.budget_left_ns == before.budget_left_ns && after.budget_left_ns > 0);
    CHECK(entries(r, 1) == 0); /* older than its ttl */
    pass(r, 3);
    kw_kms_stats(r->kms, 1, &after);
    CHECK(after.budget_left_ns == before.budget_left_ns - 3 * KW_S_NS);
    rig_close(r);
}

/* A process that nobody lets run is no machine that sleeps: an outage has its end. */
TEST(lost__nobody_looks_but_every_three_seconds__budget_spent)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct kw_class_stats stats;
    struct rig *r = warm(a, &secrets, b, &bulk);
    lose(r);
    for (int i = 0; i < 300; i++) {
        r->time.now_ns += 3 * KW_S_NS;
        kw_kms_tick(r->kms);
    }
    kw_kms_stats(r->kms, 1, &stats);
    CHECK(stats.budget_left_ns == 0);
    rig_close(r);
}

/* The HSM is there, the active version's key is not found. */
static void key_goes_away(struct rig *r)
{
    r->hsm.health.active_err = kw_err_at(KW_CODE_MISSING, "find");
    r->hsm.health.away_epoch++;
    r->hsm.away = true;
    kw_kms_tick(r->kms);
}

TEST(key_away__fail_closed__refused_and_forgotten)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    key_goes_away(r);
    CHECK(entries(r, 0) == 0);
    rig_status(r, 2, 0);
    rig_encrypt(r, 3, 0, SEED);
    rig_decrypt(r, 4, 0, RIG_KEY_1, secrets);
    for (unsigned i = 2; i <= 4; i++)
        CHECK(rig_ended(r, i, KW_CODE_KEY_BAD));
    rig_close(r);
}

TEST(key_away__serve_cached__bridged_within_the_budget_as_an_outage)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX], c[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    key_goes_away(r);
    CHECK(entries(r, 1) == 1);
    struct kw_request *s = rig_status(r, 2, 1);
    CHECK(rig_ended(r, 2, KW_CODE_OK));
    CHECK_STR(s->out_key_id, RIG_KEY_1);
    rig_decrypt(r, 3, 1, RIG_KEY_1, bulk);
    CHECK(rig_ended(r, 3, KW_CODE_OK));
    rig_decrypt(r, 4, 1, RIG_KEY_1, rig_seal(r, "bulk", RIG_KEY_1, SEED, c));
    CHECK(rig_ended(r, 4, KW_CODE_HSM_DOWN));
    rig_encrypt(r, 5, 1, SEED);
    CHECK(rig_ended(r, 5, KW_CODE_KEY_BAD));
    pass(r, 600);
    CHECK(entries(r, 1) == 0);
    rig_status(r, 6, 1);
    CHECK(rig_ended(r, 6, KW_CODE_KEY_BAD));
    rig_decrypt(r, 7, 1, RIG_KEY_1, bulk);
    CHECK(rig_ended(r, 7, KW_CODE_KEY_BAD));
    rig_close(r);
}

TEST(lost__while_an_unwrap_is_under_way__not_remembered)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX], c[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    rig_decrypt(r, 2, 0, RIG_KEY_1, rig_seal(r, "secrets", RIG_KEY_1, SEED, c));
    lose(r);
    rig_run(r);
    CHECK(r->done[2] == 1);
    CHECK(entries(r, 0) == 0);
    rig_close(r);
}

TEST(tick__a_key_changed__caches_wiped)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    r->hsm.health.key_epoch++;
    kw_kms_tick(r->kms);
    CHECK(entries(r, 0) == 0 && entries(r, 1) == 0);
    rig_close(r);
}

TEST(tick__ttl_over__expired_without_a_request)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    r->time.now_ns += 60 * KW_S_NS;
    kw_kms_tick(r->kms);
    CHECK(entries(r, 0) == 0 && entries(r, 1) == 0);
    rig_close(r);
}

TEST(wipe__asked_for__counts_them)
{
    uint8_t a[KW_CIPHERTEXT_MAX], b[KW_CIPHERTEXT_MAX];
    kw_span secrets, bulk;
    struct rig *r = warm(a, &secrets, b, &bulk);
    CHECK(kw_kms_wipe(r->kms) == 2);
    CHECK(kw_kms_wipe(r->kms) == 0);
    rig_close(r);
}

TEST(new__no_memory_at_any_point__no_leak)
{
    struct rig *r = rig_open();
    struct kw_class_options class = {
        .name = "x", .scope = "x", .cache_entries = 4, .cache_ttl_ns = KW_S_NS};
    struct kw_kms_options o = {.domain = "demo",
                               .classes = &class,
                               .class_count = 1,
                               .lock = &r->lock,
                               .clock = &r->clock};
    struct kw_kms *kms = NULL;
    kw_err e;
    long n = 0;
    do {
        kw_alloc_fail_from(n++);
        e = kw_kms_new(&o, &kms);
        kw_alloc_fail_from(-1);
        CHECK(!kw_failed(e) || (e.code == KW_CODE_NO_MEMORY && kms == NULL));
    } while (kw_failed(e) && n < 100);
    CHECK(n > 2);
    CHECK_OK(e);
    kw_kms_free(kms);
    rig_close(r);
}

/* Its key_epoch was seen by the tick already. */
TEST(version_disabled__while_an_unwrap_is_under_way__not_remembered)
{
    struct rig *r = rig_open();
    uint8_t buf[KW_CIPHERTEXT_MAX];
    kw_span sealed = rig_seal(r, "bulk", RIG_KEY_2, kw_span_str("seed"), buf);
    struct kw_class_stats stats;
    r->hsm.health.active_n = 2; /* whose answers say that the token works */
    kw_copy_str(r->hsm.health.active_key_id, sizeof r->hsm.health.active_key_id,
                kw_span_str(RIG_KEY_2));
    rig_decrypt(r, 0, 1, RIG_KEY_2, sealed);
    r->hsm.health.key_epoch++;
    r->hsm.version_err = kw_err_at(KW_CODE_KEY_DISABLED, "keyring");
    kw_kms_tick(r->kms);
    rig_run(r);
    CHECK(rig_ended(r, 0, KW_CODE_OK)); /* it was asked for before */
    kw_kms_stats(r->kms, 1, &stats);
    CHECK(stats.cache_entries == 0);
    rig_close(r);
}

KW_CASES("provider/kms/outage", CASE(lost__fail_closed__everything_refused_and_wiped),
         CASE(lost__before_the_next_tick__already_refused),
         CASE(lost__serve_cached__cached_seeds_only_and_the_same_key_id),
         CASE(lost__serve_cached_and_too_old__refused),
         CASE(lost__budget_spent__as_fail_closed),
         CASE(lost__machine_sleeps__two_seconds_are_charged_to_the_budget),
         CASE(lost__nobody_looks_but_every_three_seconds__budget_spent),
         CASE(key_away__fail_closed__refused_and_forgotten),
         CASE(key_away__serve_cached__bridged_within_the_budget_as_an_outage),
         CASE(lost__while_an_unwrap_is_under_way__not_remembered),
         CASE(tick__a_key_changed__caches_wiped),
         CASE(tick__ttl_over__expired_without_a_request),
         CASE(wipe__asked_for__counts_them), CASE(new__no_memory_at_any_point__no_leak),
         CASE(version_disabled__while_an_unwrap_is_under_way__not_remembered))
