/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.json, and what all checks come to. */
#include "check.h"
#include "sample.h"

static struct kw_evidence *e;
static json_t *document;

static void end(void)
{
    json_decref(document);
    document = NULL;
    kw_evidence_free(e);
    e = NULL;
}

static void made(struct kw_evidence *of)
{
    end();
    e = of;
    document = kw_evidence_json(e);
    CHECK(document != NULL);
}

TEST(json__members__head_and_tables_in_their_order)
{
    static const char *const head[] = {"evidence",          "format", "at", "from", "to",
                                       "cryptoperiod_days", "outcome"};
    made(sample_cluster());
    void *at = json_object_iter(document);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        CHECK_STR(json_object_iter_key(at), head[i]);
        at = json_object_iter_next(document, at);
    }
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        CHECK_STR(json_object_iter_key(at), kw_evidence_spec(i)->name);
        at = json_object_iter_next(document, at);
    }
    CHECK(at == NULL);
}

TEST(json__values__of_the_head_and_the_rows)
{
    made(sample_cluster());
    json_t *want = json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:s}", "evidence",
                             "keyward-bundle", "format", 1, "at", "2026-07-01T06:30:00Z",
                             "from", "2026-04-01T00:00:00Z", "to", "2026-07-01T00:00:00Z",
                             "cryptoperiod_days", 365, "outcome", "fail");
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        CHECK(json_array_size(kw_evidence_rows(e, i)) > 0);
        CHECK(json_object_set_new(want, kw_evidence_spec(i)->name,
                                  json_deep_copy(kw_evidence_rows(e, i))) == 0);
    }
    CHECK(json_equal(document, want));
    json_decref(want);
}

TEST(json__no_rows__each_table_an_empty_list)
{
    made(sample_empty());
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        const json_t *rows = json_object_get(document, kw_evidence_spec(i)->name);
        CHECK(json_is_array(rows) && json_array_size(rows) == 0);
    }
}

TEST(json__tables_freed__still_whole)
{
    made(sample_cluster());
    char *before = json_dumps(document, 0);
    kw_evidence_free(e);
    e = NULL;
    char *after = json_dumps(document, 0);
    CHECK_STR(before, after);
    free(before);
    free(after);
}

TEST(json__again__the_same_bytes)
{
    made(sample_cluster());
    char *one = json_dumps(document, JSON_INDENT(2));
    made(sample_cluster());
    char *other = json_dumps(document, JSON_INDENT(2));
    CHECK_STR(one, other);
    free(one);
    free(other);
}

static void checked(const char *outcome)
{
    char values[128];
    snprintf(values, sizeof values, "[\"c\", \"all\", \"%s\", \"\", \"\", \"\"]",
             outcome);
    sample_row(e, KW_EVIDENCE_CHECKS, values);
}

TEST(outcome__the_worst_of_all_checks)
{
    e = sample_empty();
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_NOT_ANSWERED);
    checked(KW_OUTCOME_PASS);
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_PASS);
    checked(KW_OUTCOME_NOT_ANSWERED);
    checked(KW_OUTCOME_PASS);
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_NOT_ANSWERED);
    checked(KW_OUTCOME_FAIL);
    checked(KW_OUTCOME_PASS);
    checked(KW_OUTCOME_NOT_ANSWERED);
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_FAIL);
}

TEST(outcome__a_word_that_is_none__no_pass)
{
    e = sample_empty();
    checked("passed");
    CHECK_STR(kw_evidence_outcome(e), KW_OUTCOME_NOT_ANSWERED);
}

KW_SUITE_AROUND("provider/evidence/json", NULL, end)
