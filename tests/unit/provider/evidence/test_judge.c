/* SPDX-License-Identifier: Apache-2.0 */
/* Each check of a bundle: passed, failed, and not answered. */
#include "check.h"

#include <stdio.h>

#include "bundles.h"
#include "check_names.h"
#include "judged.h"

static const struct judged_case *const judged_all[] = {judged_nodes, judged_keys,
                                                       judged_logs};
enum { LISTS = sizeof judged_all / sizeof judged_all[0] };

static void each(const struct judged_case *cases)
{
    for (; cases->check != NULL; cases++)
        judged_is(cases);
}

TEST(control_planes_tokens_and_reports__as_their_rows_say)
{
    each(judged_nodes);
}

TEST(keys__as_their_rows_say)
{
    each(judged_keys);
}

TEST(logs__as_their_rows_say)
{
    each(judged_logs);
}

static const char *outcome_of(const json_t *row)
{
    return json_string_value(json_object_get(row, "outcome"));
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Nothing that was looked at makes it fail: it is there, or it is not answered. */
static const char *const never_fail[] = {"custody-stated", NULL};

static void has_case(const char *check, const char *outcome)
{
    for (size_t list = 0; list < LISTS; list++)
        for (const struct judged_case *c = judged_all[list]; c->check != NULL; c++)
            for (size_t i = 0; i < 4 && c->want[i] != NULL; i++)
                if (strcmp(c->check, check) == 0 &&
                    strncmp(c->want[i], outcome, strlen(outcome)) == 0)
                    return;
    fail_msg("no case of %s has the outcome %s", check, outcome);
}

TEST(each_check__a_case_of_each_outcome)
{
    for (size_t i = 0; kw_check_name(i) != NULL; i++) {
        has_case(kw_check_name(i), "pass|");
        has_case(kw_check_name(i), "not-answered|");
        if (!is_one_of(kw_check_name(i), never_fail))
            has_case(kw_check_name(i), "fail|");
    }
}

/* ---- nothing is a pass of itself ---- */

TEST(nothing_given__each_check_not_answered_once_and_no_control_satisfied)
{
    struct kw_evidence *e = kw_bundle_empty();
    const json_t *row;
    size_t i;
    kw_evidence_fill_design(e);
    kw_evidence_judge(e);
    CHECK_OK(kw_evidence_state(e));
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i, row)
        CHECK_STR(outcome_of(row), KW_OUTCOME_NOT_ANSWERED);
    CHECK(kw_check_name(i) == NULL);
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CONTROLS), i, row)
        CHECK(strcmp(outcome_of(row), "satisfied") != 0);
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_NOT_ANSWERED);
    kw_evidence_free(e);
}

/* One row of nothing in each table, as an input that says nothing would leave it. */
TEST(rows_of_nulls__no_check_passes)
{
    char rows[64];
    for (unsigned t = KW_EVIDENCE_NODES; t < KW_EVIDENCE_TABLES; t++) {
        const char *name = kw_evidence_spec((enum kw_evidence_table)t)->name;
        snprintf(rows, sizeof rows, "{'%s': [{}]}", name);
        struct kw_evidence *e = judged_of(rows, NULL);
        for (size_t i = 0; kw_check_name(i) != NULL; i++) {
            const json_t *row;
            for (size_t k = 0; (row = judged_row(e, kw_check_name(i), k)) != NULL; k++)
                if (strcmp(outcome_of(row), KW_OUTCOME_PASS) == 0)
                    fail_msg("%s passes by %s", kw_check_name(i), rows);
        }
        kw_evidence_free(e);
    }
}

/* It asks etcd's files, or the operator, and no control plane. */
static const char *const apart[] = {"etcd-encrypted", "etcd-no-leftovers",
                                    "backup-restorable", "custody-stated", NULL};

static bool is_said_of(const struct kw_evidence *e, const char *check, const char *node)
{
    const json_t *row;
    for (size_t i = 0; (row = judged_row(e, check, i)) != NULL; i++)
        if (strcmp(json_string_value(json_object_get(row, "subject")), node) == 0)
            return strcmp(outcome_of(row), KW_OUTCOME_NOT_ANSWERED) == 0;
    return false;
}

TEST(control_plane_is_missing__no_check_that_asks_them_passes)
{
    for (size_t list = 0; list < LISTS; list++)
        for (const struct judged_case *c = judged_all[list]; c->check != NULL; c++) {
            struct kw_evidence *e = judged_of(c->rows, "{'nodes': [" JUDGED_MISSING "]}");
            if (is_said_of(e, c->check, "zz") == is_one_of(c->check, apart))
                fail_msg("%s with one that is missing: %s", c->check, c->rows);
            kw_evidence_free(e);
        }
}

/* ---- words of others ---- */

TEST(texts_that_are_long_or_not_printable__shown_and_cut)
{
    char rows[4200], name[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(rows, sizeof rows,
             "{'logs': [{'node': '%s', 'log': 'audit', 'verdict': 'broken',"
             " 'why': 'a\\n\\u001b[31m%s'}]}",
             name, name);
    struct kw_evidence *e = judged_of(rows, NULL);
    const json_t *row = judged_row(e, "log-sound", 0);
    const char *why = json_string_value(json_object_get(row, "why"));
    CHECK(strpbrk(why, "\n\033") == NULL && strlen(why) < 512);
    CHECK(json_string_length(json_object_get(row, "subject")) < 200);
    kw_evidence_free(e);
}

KW_SUITE("provider/evidence/judge")
