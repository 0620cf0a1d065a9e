/* SPDX-License-Identifier: Apache-2.0 */
/* Which controls there are, and what becomes of them by the checks. */
#include "controls.h"

#include <string.h>

#include "bundles.h"
#include "check.h"
#include "check_names.h"

/* ---- judging ---- */

static const char *member(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    CHECK(text != NULL);
    return text;
}

static const char *outcome_of(const struct kw_evidence *e, const char *framework,
                              const char *control)
{
    const char *outcome = NULL;
    size_t i;
    json_t *row;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CONTROLS), i, row)
    {
        if (strcmp(member(row, "framework"), framework) != 0 ||
            strcmp(member(row, "control"), control) != 0)
            continue;
        CHECK(outcome == NULL);
        outcome = member(row, "outcome");
    }
    CHECK(outcome != NULL);
    return outcome;
}

static void pass_all_but(struct kw_evidence *e, const char *left_out)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++)
        if (left_out == NULL || strcmp(kw_check_name(i), left_out) != 0)
            kw_bundle_check(e, kw_check_name(i), "all", KW_OUTCOME_PASS);
}

/* Each control with a check is `with` when it names `check`, else `without`. */
static void each_is(struct kw_evidence *e, const char *check, const char *with,
                    const char *without)
{
    const struct kw_control *c;
    kw_evidence_controls(e);
    CHECK_OK(kw_evidence_state(e));
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++) {
        const char *wanted = c->checks[0] == '\0'               ? KW_CONTROL_OPERATOR
                             : kw_check_is_in(c->checks, check) ? with
                                                                : without;
        assert_string_equal(outcome_of(e, c->framework, c->number), wanted);
    }
    kw_evidence_free(e);
}

TEST(judge__every_check_passes__satisfied_or_the_operators)
{
    struct kw_evidence *e = kw_bundle_empty();
    pass_all_but(e, NULL);
    each_is(e, "none", KW_CONTROL_SATISFIED, KW_CONTROL_SATISFIED);
}

TEST(judge__a_bundle_without_rows__nothing_is_satisfied)
{
    struct kw_evidence *e = kw_bundle_empty();
    const struct kw_control *c;
    kw_evidence_judge(e);
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++)
        assert_string_equal(outcome_of(e, c->framework, c->number),
                            c->checks[0] == '\0' ? KW_CONTROL_OPERATOR
                                                 : KW_CONTROL_NOT_SATISFIED);
    kw_evidence_free(e);
}

TEST(judge__no_check_at_all__nothing_is_satisfied)
{
    each_is(kw_bundle_empty(), "none", KW_CONTROL_NOT_SATISFIED,
            KW_CONTROL_NOT_SATISFIED);
}

TEST(judge__one_check_without_a_row__not_satisfied_where_it_is_named)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        struct kw_evidence *e = kw_bundle_empty();
        pass_all_but(e, kw_check_name(i));
        each_is(e, kw_check_name(i), KW_CONTROL_NOT_SATISFIED, KW_CONTROL_SATISFIED);
    }
}

static void one_row_more(const char *check, const char *outcome)
{
    struct kw_evidence *e = kw_bundle_empty();
    kw_bundle_check(e, check, "first", KW_OUTCOME_PASS);
    kw_bundle_check(e, check, "second", outcome);
    kw_bundle_check(e, check, "third", KW_OUTCOME_PASS);
    pass_all_but(e, check);
    each_is(e, check, KW_CONTROL_NOT_SATISFIED, KW_CONTROL_SATISFIED);
}

TEST(judge__one_row_of_several_is_no_pass__not_satisfied_where_it_is_named)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        one_row_more(kw_check_name(i), KW_OUTCOME_FAIL);
        one_row_more(kw_check_name(i), KW_OUTCOME_NOT_ANSWERED);
        one_row_more(kw_check_name(i), "passed");
    }
}

TEST(judge__a_check_whose_name_has_another_ones__is_another)
{
    struct kw_evidence *e = kw_bundle_empty();
    pass_all_but(e, "log-sound");
    kw_bundle_check(e, "log-soun", "all", KW_OUTCOME_PASS);
    kw_bundle_check(e, "log-sound-too", "all", KW_OUTCOME_PASS);
    kw_bundle_check(e, "log-signed-too", "all", KW_OUTCOME_FAIL);
    each_is(e, "log-sound", KW_CONTROL_NOT_SATISFIED, KW_CONTROL_SATISFIED);
}

TEST(judge__in_one_bundle__all_three_outcomes)
{
    struct kw_evidence *e = kw_bundle_empty();
    pass_all_but(e, "log-anchored");
    kw_bundle_check(e, "log-anchored", "all", KW_OUTCOME_NOT_ANSWERED);
    kw_evidence_controls(e);
    CHECK_OK(kw_evidence_state(e));
    assert_string_equal(outcome_of(e, "PCI DSS 4.0.1", "3.7.4"), "satisfied");
    assert_string_equal(outcome_of(e, "PCI DSS 4.0.1", "10.3.2"), "not-satisfied");
    assert_string_equal(outcome_of(e, "PCI DSS 4.0.1", "10.3.3"), "not-satisfied");
    assert_string_equal(outcome_of(e, "PCI DSS 4.0.1", "10.3.4"), "not-satisfied");
    assert_string_equal(outcome_of(e, "PCI DSS 4.0.1", "10.5.1"), "operator");
    assert_string_equal(outcome_of(e, "HIPAA 45 CFR 164", "164.312(d)"), "operator");
    kw_evidence_free(e);
}

/* ---- the list ---- */

TEST(list__each_check_that_is_named__is_one_and_named_once)
{
    const struct kw_control *c;
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++) {
        char names[512], *rest = names, *name;
        CHECK(kw_copy_str(names, sizeof names, kw_span_str(c->checks)));
        while (c->checks[0] != '\0' && (name = strsep(&rest, " ")) != NULL)
            if (!kw_check_is_one(name) || (rest != NULL && kw_check_is_in(rest, name)))
                fail_msg("%s %s: \"%s\"", c->framework, c->number, name);
    }
}

/* Of a bundle without rows each check has one. */
TEST(list__the_checks__are_those_that_are_judged)
{
    struct kw_evidence *e = kw_bundle_empty();
    const json_t *rows = kw_evidence_rows(e, KW_EVIDENCE_CHECKS);
    size_t i = 0;
    kw_evidence_judge(e);
    CHECK_OK(kw_evidence_state(e));
    for (; kw_check_name(i) != NULL; i++) {
        assert_string_equal(member(json_array_get(rows, i), "check"), kw_check_name(i));
        assert_string_equal(member(json_array_get(rows, i), "outcome"),
                            KW_OUTCOME_NOT_ANSWERED);
    }
    assert_int_equal(json_array_size(rows), i);
    kw_evidence_free(e);
}

TEST(list__each_check__serves_a_control_or_is_said_to_serve_none)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        const struct kw_control *c;
        bool serves = false;
        for (size_t k = 0; (c = kw_evidence_control(k)) != NULL; k++)
            serves = serves || kw_check_is_in(c->checks, kw_check_name(i));
        if (serves == kw_check_serves_none(kw_check_name(i)))
            fail_msg("%s", kw_check_name(i));
    }
}

TEST(list__no_control_twice_and_none_without_words)
{
    const struct kw_control *a, *b;
    size_t frameworks = 0;
    for (size_t i = 0; (a = kw_evidence_control(i)) != NULL; i++) {
        CHECK(a->framework[0] != '\0' && a->number[0] != '\0');
        CHECK(a->asks[0] != '\0' && a->yours[0] != '\0');
        for (size_t k = 0; k < i && (b = kw_evidence_control(k)) != NULL; k++)
            if (strcmp(a->framework, b->framework) == 0 &&
                strcmp(a->number, b->number) == 0)
                fail_msg("%s %s", a->framework, a->number);
        b = i > 0 ? kw_evidence_control(i - 1) : NULL;
        frameworks += b == NULL || strcmp(a->framework, b->framework) != 0;
    }
    assert_int_equal(frameworks, 6);
}

KW_SUITE("provider/evidence/controls")
