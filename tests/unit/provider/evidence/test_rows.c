/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken as a row of a table. */
#include "check.h"
#include "sample.h"

static struct kw_evidence *e;

static void begin(void)
{
    e = sample_empty();
}

static void end(void)
{
    kw_evidence_free(e);
    e = NULL;
}

static void add(enum kw_evidence_table table, const char *row)
{
    json_t *parsed = json_loads(row, 0, NULL);
    CHECK(parsed != NULL);
    kw_evidence_add(e, table, parsed);
}

static void refused(enum kw_evidence_table table, const char *row)
{
    end();
    begin();
    add(table, row);
    CHECK_CODE(kw_evidence_state(e), KW_CODE_BUG);
    CHECK(json_array_size(kw_evidence_rows(e, table)) == 0);
}

#define COVERAGE(node, gap)                                                              \
    "{\"node\": " node ", \"from\": \"a\", \"to\": \"b\", \"kind\": \"signed\", "        \
    "\"gap\": " gap "}"

TEST(new__each_table__empty_and_the_head_a_copy)
{
    char at[] = "2026-07-01T06:30:00Z";
    const struct kw_evidence_head head = {
        .at = at, .from = "f", .to = "t", .at_us = 3, .cryptoperiod_days = 90};
    end();
    CHECK_OK(kw_evidence_new(&head, &e));
    at[0] = 'x';
    CHECK_STR(kw_evidence_head(e)->at, "2026-07-01T06:30:00Z");
    CHECK_STR(kw_evidence_head(e)->from, "f");
    CHECK_STR(kw_evidence_head(e)->to, "t");
    CHECK(kw_evidence_head(e)->cryptoperiod_days == 90);
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        CHECK(json_is_array(kw_evidence_rows(e, i)) &&
              json_array_size(kw_evidence_rows(e, i)) == 0);
    CHECK_OK(kw_evidence_state(e));
}

TEST(add__rows_that_fit__there_in_their_order)
{
    add(KW_EVIDENCE_COVERAGE, COVERAGE("\"x\"", "true"));
    add(KW_EVIDENCE_COVERAGE, COVERAGE("\"a\"", "false"));
    CHECK_OK(kw_evidence_state(e));
    const json_t *rows = kw_evidence_rows(e, KW_EVIDENCE_COVERAGE);
    CHECK(json_array_size(rows) == 2);
    CHECK_STR(json_string_value(json_object_get(json_array_get(rows, 0), "node")), "x");
    CHECK_STR(json_string_value(json_object_get(json_array_get(rows, 1), "node")), "a");
}

TEST(add__no_row_of_this_table__refused)
{
    static const char *const bad[] = {
        /* missing, additional, in another order, twice */
        "{\"node\": \"a\", \"from\": \"a\", \"to\": \"b\", \"kind\": \"signed\"}",
        "{\"from\": \"a\", \"to\": \"b\", \"kind\": \"signed\", \"gap\": true}",
        "{\"node\": \"a\", \"from\": \"a\", \"to\": \"b\", \"kind\": \"signed\", "
        "\"gap\": true, \"more\": 1}",
        "{\"from\": \"a\", \"node\": \"a\", \"to\": \"b\", \"kind\": \"signed\", "
        "\"gap\": true}",
        "{\"gap\": true, \"node\": \"a\", \"from\": \"a\", \"to\": \"b\", "
        "\"kind\": \"signed\"}",
        /* of another kind, null where there must be something */
        COVERAGE("1", "true"),
        COVERAGE("true", "true"),
        COVERAGE("[]", "true"),
        COVERAGE("\"a\"", "\"true\""),
        COVERAGE("\"a\"", "1"),
        COVERAGE("null", "true"),
        COVERAGE("\"a\"", "null"),
        /* no object */
        "{}",
        "[]",
        "[\"a\", \"a\", \"b\", \"signed\", true]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(KW_EVIDENCE_COVERAGE, bad[i]);
    refused(KW_EVIDENCE_LIMITS, COVERAGE("\"a\"", "true"));
}

TEST(add__number__no_fraction_and_no_text)
{
    static const char *const good = "{\"purpose\": \"p\", \"algorithm\": \"a\", "
                                    "\"key_bits\": null, \"runs\": \"r\", \"key_lies\": "
                                    "\"k\", \"lasts\": \"l\", \"standard\": \"s\"}";
    add(KW_EVIDENCE_ALGORITHMS, good);
    CHECK_OK(kw_evidence_state(e));
    static const char *const values[] = {"256.0", "\"256\"", "true"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char row[256];
        const char *at = strstr(good, "null");
        snprintf(row, sizeof row, "%.*s%s%s", (int)(at - good), good, values[i], at + 4);
        refused(KW_EVIDENCE_ALGORITHMS, row);
    }
}

TEST(add__null_where_it_may_be__taken_in_each_table)
{
    end();
    e = sample_of_text("x");
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        CHECK(json_array_size(kw_evidence_rows(e, i)) == 2);
}

TEST(state__after_a_failure__stays_the_first)
{
    kw_evidence_add(e, KW_EVIDENCE_LIMITS, NULL);
    CHECK_CODE(kw_evidence_state(e), KW_CODE_NO_MEMORY);
    add(KW_EVIDENCE_LIMITS, "{\"limit\": 1}");
    CHECK_CODE(kw_evidence_state(e), KW_CODE_NO_MEMORY);
    add(KW_EVIDENCE_LIMITS, "{\"limit\": \"good\"}");
    CHECK_CODE(kw_evidence_state(e), KW_CODE_NO_MEMORY);
}

TEST(specs__each__named_titled_and_no_column_twice)
{
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        const struct kw_evidence_spec *spec = kw_evidence_spec(i);
        CHECK(spec->name[0] != '\0' && spec->title[0] != '\0' && spec->says[0] != '\0');
        CHECK(spec->column_count > 0);
        for (unsigned other = 0; other < i; other++)
            CHECK(strcmp(spec->name, kw_evidence_spec(other)->name) != 0);
        for (size_t c = 0; c < spec->column_count; c++) {
            CHECK(spec->columns[c].title[0] != '\0' && spec->columns[c].says[0] != '\0');
            for (size_t other = 0; other < c; other++)
                CHECK(strcmp(spec->columns[c].name, spec->columns[other].name) != 0);
        }
    }
}

KW_SUITE_AROUND("provider/evidence/rows", begin, end)
