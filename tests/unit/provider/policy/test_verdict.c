/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/policy.h>

static const kw_err down = {KW_CODE_HSM_DOWN, 0x30, "C_Decrypt"};
static const kw_err changed = {KW_CODE_KEY_BAD, 0, "canary"};

/* Every combination of the facts that decide, written out: what Status, Encrypt and
 * Decrypt get, and whether the cache must be empty.
 * A allow, C cache only, H hold, R refuse with the HSM's error, K refuse with the active
 * version's error. */
static const struct row {
    int on_loss, hsm;
    bool budget, active;
    char verdicts[4]; /* Status, Encrypt, Decrypt */
    bool wipes;
} table[] = {
#define CLOSED KW_ON_LOSS_FAIL_CLOSED
#define CACHED KW_ON_LOSS_SERVE_CACHED
#define STARTING KW_HSM_IS_STARTING
#define GOOD KW_HSM_IS_GOOD
#define LOST KW_HSM_IS_LOST
    {CLOSED, STARTING, false, false, "HHH", false},
    {CLOSED, STARTING, false, true, "HHH", false},
    {CLOSED, STARTING, true, false, "HHH", false},
    {CLOSED, STARTING, true, true, "HHH", false},
    {CLOSED, GOOD, false, false, "KKA", false},
    {CLOSED, GOOD, false, true, "AAA", false},
    {CLOSED, GOOD, true, false, "KKA", false},
    {CLOSED, GOOD, true, true, "AAA", false},
    {CLOSED, LOST, false, false, "RRR", true},
    {CLOSED, LOST, false, true, "RRR", true},
    {CLOSED, LOST, true, false, "RRR", true},
    {CLOSED, LOST, true, true, "RRR", true},
    {CACHED, STARTING, false, false, "HHH", false},
    {CACHED, STARTING, false, true, "HHH", false},
    {CACHED, STARTING, true, false, "HHH", false},
    {CACHED, STARTING, true, true, "HHH", false},
    {CACHED, GOOD, false, false, "KKA", false},
    {CACHED, GOOD, false, true, "AAA", false},
    {CACHED, GOOD, true, false, "KKA", false},
    {CACHED, GOOD, true, true, "AAA", false},
    {CACHED, LOST, false, false, "RRR", true},
    {CACHED, LOST, false, true, "RRR", true},
    {CACHED, LOST, true, false, "RRC", false},
    {CACHED, LOST, true, true, "ARC", false},
};

static struct kw_policy_facts facts_of(const struct row *row)
{
    struct kw_policy_facts f = {.on_loss = (enum kw_on_loss)row->on_loss,
                                .outage_budget_left = row->budget,
                                .active_known = row->active};
    f.hsm = row->hsm == STARTING ? STARTING : row->hsm == GOOD ? GOOD : LOST;
    f.why = row->hsm == LOST ? down : KW_OK;
    f.active_why = row->active ? KW_OK : changed;
    return f;
}

static bool same_err(kw_err a, kw_err b)
{
    return a.code == b.code && a.native == b.native && strcmp(a.where, b.where) == 0;
}

static bool is_as_said(const struct kw_policy_verdict *v, char said)
{
    bool allows = v->kind != KW_REFUSE && !kw_failed(v->err);
    bool refuses = v->kind == KW_REFUSE && v->err.where != NULL;
    switch (said) {
    case 'A': return allows && v->kind == KW_ALLOW;
    case 'C': return allows && v->kind == KW_ALLOW_CACHE;
    case 'H': return allows && v->kind == KW_HOLD;
    case 'R': return refuses && same_err(v->err, down);
    case 'K': return refuses && same_err(v->err, changed);
    default: return false;
    }
}

TEST(judge__every_combination__as_the_table_says)
{
    assert_int_equal(sizeof table / sizeof table[0], 2 * 3 * 2 * 2);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct kw_policy_facts f = facts_of(&table[i]);
        for (int method = 0; method < 3; method++) {
            f.method = (enum kw_method)method;
            struct kw_policy_verdict v = kw_policy_judge(&f);
            if (!is_as_said(&v, table[i].verdicts[method]) || v.reason == NULL)
                fail_msg("row %zu, ask %d: not %c but kind %d (%s)", i, method,
                         table[i].verdicts[method], (int)v.kind,
                         kw_code_name(v.err.code));
        }
        if (kw_policy_wipes(&f) != table[i].wipes)
            fail_msg("row %zu: wipes", i);
    }
}

/* The table above is complete only if no two rows are the same. */
TEST(table__its_rows__all_differ)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(table[i].on_loss != table[j].on_loss || table[i].hsm != table[j].hsm ||
                  table[i].budget != table[j].budget ||
                  table[i].active != table[j].active);
}

static kw_err refusal(struct kw_policy_facts f)
{
    struct kw_policy_verdict v = kw_policy_judge(&f);
    CHECK(v.kind == KW_REFUSE);
    return v.err;
}

TEST(judge__starting_and_something_failed__nobody_is_held)
{
    static const enum kw_method all[] = {KW_METHOD_STATUS, KW_METHOD_ENCRYPT,
                                         KW_METHOD_DECRYPT};
    for (size_t i = 0; i < 3; i++) {
        struct kw_policy_facts f = {.method = all[i], .hsm = STARTING, .why = down};
        CHECK(same_err(refusal(f), down));
        f.why = kw_err_at(KW_CODE_PIN_STOP, "C_Login");
        CHECK(refusal(f).code == KW_CODE_PIN_STOP);
    }
}

TEST(judge__lost_to_a_late_canary__hsm_down_not_deadline)
{
    struct kw_policy_facts f = {
        .method = KW_METHOD_DECRYPT, .hsm = LOST, .why = {KW_CODE_DEADLINE, 7, "canary"}};
    CHECK(same_err(refusal(f), (kw_err){KW_CODE_HSM_DOWN, 7, "canary"}));
}

TEST(judge__lost_without_a_reason__hsm_down)
{
    struct kw_policy_facts f = {.method = KW_METHOD_ENCRYPT, .hsm = LOST};
    CHECK(same_err(refusal(f), kw_err_at(KW_CODE_HSM_DOWN, "policy")));
}

TEST(judge__lost_to_codes_that_name_an_outage__code_is_kept)
{
    static const enum kw_code kept[] = {KW_CODE_PIN_STOP, KW_CODE_HSM_CONFIG,
                                        KW_CODE_HSM_DOWN, KW_CODE_KEY_BAD};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        struct kw_policy_facts f = {
            .method = KW_METHOD_STATUS, .hsm = LOST, .why = {kept[i]}};
        CHECK(refusal(f).code == kept[i]);
    }
}

TEST(judge__active_never_proven_and_nothing_wrong__held)
{
    struct kw_policy_facts f = {.method = KW_METHOD_STATUS, .hsm = GOOD};
    CHECK(kw_policy_judge(&f).kind == KW_HOLD);
    f.method = KW_METHOD_ENCRYPT;
    f.active_why = kw_err_at(KW_CODE_STARTING, "version");
    CHECK(kw_policy_judge(&f).kind == KW_HOLD);
}

/* A Decrypt does not ask for the active version. */
TEST(judge__active_never_proven__decrypts_go_on)
{
    struct kw_policy_facts f = {.method = KW_METHOD_DECRYPT, .hsm = GOOD};
    CHECK(kw_policy_judge(&f).kind == KW_ALLOW);
}

TEST(judge__active_never_proven_and_the_hsm_in_doubt__refused)
{
    struct kw_policy_facts f = {.method = KW_METHOD_ENCRYPT, .hsm = GOOD, .why = down};
    f.active_why = kw_err_at(KW_CODE_STARTING, "version");
    CHECK(refusal(f).code == KW_CODE_STARTING);
    f.active_why = KW_OK;
    CHECK(refusal(f).code == KW_CODE_STARTING);
}

TEST(judge__active_opened_to_something_else__key_bad)
{
    struct kw_policy_facts f = {.method = KW_METHOD_ENCRYPT,
                                .hsm = GOOD,
                                .active_why = {KW_CODE_FORGED, 0, "canary"}};
    CHECK(refusal(f).code == KW_CODE_KEY_BAD);
}

KW_CASES("provider/policy/verdict", CASE(judge__every_combination__as_the_table_says),
         CASE(table__its_rows__all_differ),
         CASE(judge__starting_and_something_failed__nobody_is_held),
         CASE(judge__lost_to_a_late_canary__hsm_down_not_deadline),
         CASE(judge__lost_without_a_reason__hsm_down),
         CASE(judge__lost_to_codes_that_name_an_outage__code_is_kept),
         CASE(judge__active_never_proven_and_nothing_wrong__held),
         CASE(judge__active_never_proven__decrypts_go_on),
         CASE(judge__active_never_proven_and_the_hsm_in_doubt__refused),
         CASE(judge__active_opened_to_something_else__key_bad))
