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
    CHECK_OK(kw_generation_new(ring, kw_span_str("bytes"), 2, 1, 1, &g));
    kw_keyring_give(ring); /* the generation holds its own */
}

/* What some worker, which may take back what it said, says after a close look. */
static bool judge(struct kw_gen_version *v, kw_err e, const char *reason, int64_t now_ns,
                  int64_t wall_ns)
{
    const struct kw_gen_result word = {.err = e, .reason = reason, .looked = true};
    return kw_gen_version_judge(v, &word, now_ns, wall_ns);
}

TEST(new__every_version_is_starting)
{
    begin(KW_KEY_RETIRED);
    CHECK(g->tokens->count == 2 && kw_generation_highest(g) == 2);
    CHECK(kw_generation_active(g)->n == 2);
    CHECK(g->tokens->versions[0].verdict.err.code == KW_CODE_STARTING);
    CHECK(kw_gen_find(g->tokens, kw_span_str("k3")) == NULL);
    CHECK(kw_gen_at(g->tokens, 3) == NULL);
    CHECK(kw_span_equal_str(kw_blob_peek(&g->bytes), "bytes"));
    kw_generation_free(g);
    kw_generation_free(NULL);
}

TEST(judge__error_of_the_token__no_verdict)
{
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->tokens->versions[0];
    CHECK(judge(v, KW_OK, "", 0, 1));
    CHECK(!judge(v, kw_err_at(KW_CODE_HSM_DOWN, "x"), "", 1, 2));
    CHECK(v->answered && !v->good && v->answered_ns == 1 && v->proven_wall_ns == 1);
    CHECK(!judge(v, kw_err_at(KW_CODE_UNSURE, "x"), "", 1, 1));
    CHECK(!kw_failed(v->verdict.err));
    kw_generation_free(g);
}

TEST(judge__key_missing_or_another__bad_with_reason)
{
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->tokens->versions[0];
    CHECK(judge(v, KW_OK, "", 5, 7));
    CHECK(v->good && v->answered_ns == 5 && v->proven_wall_ns == 7);
    CHECK(judge(v, kw_err_native(KW_CODE_MISSING, 3, "find"), "gone", 9, 9));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD && v->verdict.err.native == 3);
    CHECK_STR(v->verdict.reason, "gone");
    CHECK(v->answered && !v->good && v->answered_ns == 9 && v->proven_wall_ns == 7);
    CHECK(!judge(v, kw_err_at(KW_CODE_FORGED, "canary"), "x", 9, 9));
    kw_generation_free(g);
}

TEST(judge__fails_again_without_a_reason__the_one_before_stays)
{
    begin(KW_KEY_RETIRED);
    struct kw_gen_version *v = &g->tokens->versions[0];
    const kw_err bad = kw_err_at(KW_CODE_KEY_BAD, "attributes");
    CHECK(judge(v, bad, "extractable", 1, 1));
    CHECK(!judge(v, bad, "", 2, 2));
    CHECK_STR(v->verdict.reason, "extractable");
    CHECK(!judge(v, kw_err_at(KW_CODE_MISSING, "find"), "", 3, 3));
    CHECK_STR(v->verdict.reason, "the canary failed");
    CHECK(judge(v, KW_OK, "", 4, 4));
    CHECK_STR(v->verdict.reason, "");
    kw_generation_free(g);
}

/* ---- findings: workers 1, 2, 3 in the order of their start ---- */

static struct kw_gen_version *v;

static bool says(uint64_t worker, uint64_t newest, kw_err e, bool looked,
                 unsigned findings)
{
    const struct kw_gen_result word = {.err = e,
                                       .reason = "",
                                       .looked = looked,
                                       .findings = findings,
                                       .worker = worker,
                                       .newest = newest};
    return kw_gen_version_judge(v, &word, 1, 1);
}

static const kw_err bad = {KW_CODE_KEY_BAD, 0, "key attributes"};
static const kw_err other = {KW_CODE_FORGED, 0, "C_Decrypt"};

static void begin_proven(void)
{
    begin(KW_KEY_RETIRED);
    v = &g->tokens->versions[0];
    CHECK(says(1, 2, KW_OK, true, 0) && !says(2, 2, KW_OK, true, 0));
    CHECK(v->found == 0 && !kw_gen_version_may_lift(v, 1));
}

TEST(exposed__older_workers_good_canary_or_look__stands)
{
    begin_proven();
    CHECK(says(2, 2, bad, true, KW_WIRE_EXPOSED));
    CHECK(v->found == (KW_WIRE_EXPOSED | KW_GEN_BAD));
    CHECK(!says(1, 2, KW_OK, false, 0) && !says(1, 2, KW_OK, true, 0));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD);
    CHECK(v->found == (KW_WIRE_EXPOSED | KW_GEN_BAD));
    CHECK(!kw_gen_version_may_lift(v, 1) && kw_gen_version_may_lift(v, 2));
    kw_generation_free(g);
}

TEST(exposed__finders_good_canary_stands__its_good_look_lifts)
{
    begin_proven();
    CHECK(says(1, 2, bad, true, KW_WIRE_EXPOSED));
    CHECK(!says(1, 2, KW_OK, false, 0));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD);
    CHECK(!says(1, 2, kw_err_at(KW_CODE_HSM_DOWN, "x"), false, 0));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD);
    CHECK(says(1, 2, KW_OK, true, 0));
    CHECK(!kw_failed(v->verdict.err) && v->found == 0);
    kw_generation_free(g);
}

TEST(exposed__good_look_of_a_worker_started_since__lifts)
{
    begin_proven();
    CHECK(says(1, 2, bad, true, KW_WIRE_EXPOSED));
    CHECK(!says(2, 3, KW_OK, true, 0) && v->found != 0);
    CHECK(kw_gen_version_may_lift(v, 3));
    CHECK(says(3, 3, KW_OK, true, 0) && v->found == 0);
    kw_generation_free(g);
}

TEST(exposed_and_replaced__each_is_its_finders_to_take_back)
{
    begin_proven();
    CHECK(says(1, 2, bad, true, KW_WIRE_EXPOSED));
    CHECK(!says(2, 2, other, true, KW_WIRE_REPLACED));
    CHECK(v->found == (KW_WIRE_EXPOSED | KW_WIRE_REPLACED | KW_GEN_BAD));
    CHECK(kw_gen_version_may_lift(v, 1) && !kw_gen_version_may_lift(v, 2));
    CHECK(!says(2, 2, KW_OK, true, 0));
    CHECK(v->found == (KW_WIRE_EXPOSED | KW_GEN_BAD));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD);
    CHECK(!says(1, 2, KW_OK, true, 0)); /* the verdict was found by 2 last */
    CHECK(v->found == KW_GEN_BAD && kw_gen_version_may_lift(v, 2));
    CHECK(says(2, 2, KW_OK, true, 0) && v->found == 0);
    kw_generation_free(g);
}

TEST(duplicate_or_copyable__told_and_served__lifted_by_the_same_rule)
{
    char text[64];
    begin_proven();
    CHECK(!says(1, 2, KW_OK, true, KW_WIRE_DUPLICATE | KW_WIRE_COPYABLE));
    CHECK(!kw_failed(v->verdict.err));
    kw_gen_found_text(v->found, text);
    CHECK_STR(text, "copyable,duplicate-label");
    CHECK(!says(2, 2, KW_OK, true, 0) && !says(1, 2, KW_OK, false, 0));
    CHECK(v->found == (KW_WIRE_DUPLICATE | KW_WIRE_COPYABLE));
    CHECK(!says(1, 2, KW_OK, true, KW_WIRE_COPYABLE));
    CHECK(v->found == KW_WIRE_COPYABLE);
    CHECK(!says(3, 3, KW_OK, true, 0) && v->found == 0);
    kw_gen_found_text(v->found, text);
    CHECK_STR(text, "");
    kw_gen_found_text(~0u, text);
    CHECK_STR(text, "exposed,replaced,copyable,duplicate-label,disputed");
    kw_generation_free(g);
}

TEST(inherit__unless_the_new_keyrings_worker_is_younger)
{
    struct kw_generation *old;
    begin_proven();
    CHECK(says(1, 3, bad, true, KW_WIRE_EXPOSED));
    old = g;
    begin_proven(); /* its worker is 3: it looked before 1 found that */
    kw_gen_inherit(g->tokens, old->tokens, 3);
    CHECK(v->found == (KW_WIRE_EXPOSED | KW_GEN_BAD));
    CHECK(v->verdict.err.code == KW_CODE_KEY_BAD && g->tokens->versions[1].found == 0);
    kw_generation_free(g);
    begin_proven();
    kw_gen_inherit(g->tokens, old->tokens, 4);
    CHECK(v->found == 0 && !kw_failed(v->verdict.err));
    kw_generation_free(g);
    kw_generation_free(old);
}

TEST(due__oldest_first__not_while_one_is_asked)
{
    begin(KW_KEY_RETIRED);
    g->tokens->versions[0].due_ns = 20;
    g->tokens->versions[1].due_ns = 10;
    CHECK(kw_gen_due(g->tokens, 9) == NULL);
    CHECK(kw_gen_due(g->tokens, 30) == &g->tokens->versions[1]);
    CHECK(kw_gen_next_due(g->tokens) == 10);
    g->tokens->versions[1].asked_id = 1;
    CHECK(kw_gen_due(g->tokens, 30) == &g->tokens->versions[0]);
    kw_generation_free(g);
}

TEST(due__disabled_or_destroyed__never_touched)
{
    begin(KW_KEY_DISABLED);
    g->tokens->versions[1].due_ns = 100;
    CHECK(kw_gen_due(g->tokens, 50) == NULL);
    kw_generation_free(g);
    begin(KW_KEY_DESTROYED);
    g->tokens->versions[1].due_ns = 100;
    CHECK(kw_gen_due(g->tokens, 50) == NULL);
    kw_generation_free(g);
}

/* Away, or another key: the one bridges an outage, the other ends it. */
TEST(inherit__why_it_is_bad_comes_along)
{
    struct kw_generation *old;
    begin_proven();
    CHECK(says(1, 3, kw_err_at(KW_CODE_MISSING, "find"), true, 0));
    CHECK(kw_gen_version_is_away(v));
    old = g;
    begin_proven();
    kw_gen_inherit(g->tokens, old->tokens, 3);
    CHECK(kw_gen_version_is_away(v));
    kw_generation_free(g);
    kw_generation_free(old);
    begin_proven();
    CHECK(says(1, 3, kw_err_at(KW_CODE_WRONG_ANSWER, "canary"), true, 0));
    old = g;
    begin_proven();
    kw_gen_inherit(g->tokens, old->tokens, 3);
    CHECK(!kw_gen_version_is_unusable(v));
    kw_generation_free(g);
    kw_generation_free(old);
}

/* "It needs a newer keyward" is a word about the file, and that has changed. */
TEST(carry__not_understood_before__nothing_is_known)
{
    struct kw_generation *old;
    begin(KW_KEY_UNKNOWN);
    CHECK_CODE(g->tokens->versions[0].verdict.err, KW_CODE_KEY_DISABLED);
    old = g;
    begin(KW_KEY_RETIRED);
    kw_gen_carry(g->tokens, old->tokens);
    CHECK_CODE(g->tokens->versions[0].verdict.err, KW_CODE_STARTING);
    CHECK_STR(g->tokens->versions[0].verdict.reason, "");
    kw_generation_free(g);
    kw_generation_free(old);
}

KW_CASES("hsm/front/generation", CASE(new__every_version_is_starting),
         CASE(judge__error_of_the_token__no_verdict),
         CASE(judge__key_missing_or_another__bad_with_reason),
         CASE(judge__fails_again_without_a_reason__the_one_before_stays),
         CASE(exposed__older_workers_good_canary_or_look__stands),
         CASE(exposed__finders_good_canary_stands__its_good_look_lifts),
         CASE(exposed__good_look_of_a_worker_started_since__lifts),
         CASE(exposed_and_replaced__each_is_its_finders_to_take_back),
         CASE(duplicate_or_copyable__told_and_served__lifted_by_the_same_rule),
         CASE(inherit__unless_the_new_keyrings_worker_is_younger),
         CASE(due__oldest_first__not_while_one_is_asked),
         CASE(due__disabled_or_destroyed__never_touched),
         CASE(inherit__why_it_is_bad_comes_along),
         CASE(carry__not_understood_before__nothing_is_known))
