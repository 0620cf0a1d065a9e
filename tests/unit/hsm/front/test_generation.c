/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "generation.h"

static struct kw_generation *g;

static void begin(enum kw_key_state first)
{
    struct kw_keyring *ring;
    const struct kw_version v1 = {.n = 1, .key_id = "k1", .state = first};
    const struct kw_version v2 = {.n = 2, .key_id = "k2", .state = KW_KEY_ACTIVE};
    CHECK_OK(kw_keyring_new("test", &ring));
    CHECK_OK(kw_keyring_add(ring, &v1));
    CHECK_OK(kw_keyring_add(ring, &v2));
    CHECK_OK(kw_generation_new(ring, kw_span_str("bytes"), 2, 1, &g));
    kw_keyring_give(ring); /* the generation holds its own */
}

static void new__every_version_is_starting(void **state)
{
    (void)state;
    begin(KW_KEY_RETIRED);
    CHECK(g->count == 2 && kw_generation_highest(g) == 2);
    CHECK(kw_generation_active(g)->v->n == 2);
    CHECK(g->versions[0].verdict.err.code == KW_CODE_STARTING);
    CHECK(kw_generation_find(g, kw_span_str("k3")) == NULL);
    CHECK(kw_generation_at(g, 3) == NULL);
    CHECK(kw_span_equal_str(kw_blob_peek(&g->bytes), "bytes"));
    kw_generation_free(g);
    kw_generation_free(NULL);
}

static void judge__error_of_the_token__no_verdict(void **state)
{
    (void)state;
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->versions[0];
    CHECK(kw_gen_version_judge(v, KW_OK, "", 0, 1));
    CHECK(!kw_gen_version_judge(v, kw_err_at(KW_CODE_HSM_DOWN, "x"), "", 1, 2));
    CHECK(v->answered && !v->good && v->answered_ns == 1 && v->proven_wall_ns == 1);
    CHECK(!kw_gen_version_judge(v, kw_err_at(KW_CODE_UNSURE, "x"), "", 1, 1));
    CHECK(!kw_failed(v->verdict.err));
    kw_generation_free(g);
}

static void judge__key_missing_or_another__bad_with_reason(void **state)
{
    (void)state;
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->versions[0];
    CHECK(kw_gen_version_judge(v, KW_OK, "", 5, 7));
    CHECK(v->good && v->answered_ns == 5 && v->proven_wall_ns == 7);
    CHECK(
        kw_gen_version_judge(v, kw_err_native(KW_CODE_MISSING, 3, "find"), "gone", 9, 9));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD && v->verdict.err.native == 3);
    CHECK_STR(v->verdict.reason, "gone");
    CHECK(v->answered && !v->good && v->answered_ns == 9 && v->proven_wall_ns == 7);
    CHECK(!kw_gen_version_judge(v, kw_err_at(KW_CODE_FORGED, "canary"), "x", 9, 9));
    kw_generation_free(g);
}

static void judge__fails_again_without_a_reason__the_one_before_stays(void **state)
{
    (void)state;
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->versions[0];
    const kw_err bad = kw_err_at(KW_CODE_KEY_BAD, "attributes");
    CHECK(kw_gen_version_judge(v, bad, "extractable", 1, 1));
    CHECK(!kw_gen_version_judge(v, bad, "", 2, 2));
    CHECK_STR(v->verdict.reason, "extractable");
    CHECK(!kw_gen_version_judge(v, kw_err_at(KW_CODE_MISSING, "find"), "", 3, 3));
    CHECK_STR(v->verdict.reason, "the canary failed");
    CHECK(kw_gen_version_judge(v, KW_OK, "", 4, 4));
    CHECK_STR(v->verdict.reason, "");
    kw_generation_free(g);
}

static void due__oldest_first__not_while_one_is_asked(void **state)
{
    (void)state;
    begin(KW_KEY_RETIRED);
    g->versions[0].due_ns = 20;
    g->versions[1].due_ns = 10;
    CHECK(kw_generation_due(g, 9) == NULL);
    CHECK(kw_generation_due(g, 30) == &g->versions[1]);
    CHECK(kw_generation_next_due(g) == 10);
    g->versions[1].asked_id = 1;
    CHECK(kw_generation_due(g, 30) == &g->versions[0]);
    kw_generation_free(g);
}

static void due__disabled_or_destroyed__never_touched(void **state)
{
    (void)state;
    begin(KW_KEY_DISABLED);
    g->versions[1].due_ns = 100;
    CHECK(kw_generation_due(g, 50) == NULL);
    kw_generation_free(g);
    begin(KW_KEY_DESTROYED);
    g->versions[1].due_ns = 100;
    CHECK(kw_generation_due(g, 50) == NULL);
    kw_generation_free(g);
}

KW_CASES("hsm/front/generation", CASE(new__every_version_is_starting),
         CASE(judge__error_of_the_token__no_verdict),
         CASE(judge__key_missing_or_another__bad_with_reason),
         CASE(judge__fails_again_without_a_reason__the_one_before_stays),
         CASE(due__oldest_first__not_while_one_is_asked),
         CASE(due__disabled_or_destroyed__never_touched))
