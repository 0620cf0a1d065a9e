/* SPDX-License-Identifier: Apache-2.0 */
/* A report on etcd's files as rows of a bundle: one changed thing at a time. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static struct kw_evidence *e;
static struct kw_note note;

/* A snapshot whose one current object in clear is a violation, with leftovers. */
static const char violated[] =
    "{\"format\": 1, \"report\": \"keyward-etcd-audit\", \"objects\": [],"
    " \"rows\": ["
    "  {\"resource\": \"secrets\", \"stored_as\": \"plain-protobuf\", \"provider\": null,"
    "   \"key_id\": null, \"why\": \"it is not encrypted\","
    "   \"current\": {\"objects\": 1, \"bytes\": 9},"
    "   \"historic\": {\"objects\": 2, \"bytes\": 9},"
    "   \"unreachable\": {\"objects\": 3, \"bytes\": 9},"
    "   \"log\": {\"objects\": 4, \"bytes\": 9}, \"oldest\": 1, \"newest\": 2},"
    "  {\"resource\": \"secrets\", \"stored_as\": \"kms-v2\", \"provider\": \"kw\","
    "   \"key_id\": \"kw1-1-a\", \"why\": null, \"type\": 1,"
    "   \"current\": {\"objects\": 50, \"bytes\": 9},"
    "   \"historic\": {\"objects\": 0, \"bytes\": 0},"
    "   \"unreachable\": {\"objects\": 0, \"bytes\": 0},"
    "   \"log\": {\"objects\": 0, \"bytes\": 0}},"
    "  {\"resource\": null, \"stored_as\": \"other\", \"provider\": null,"
    "   \"key_id\": null, \"why\": null, \"current\": {\"objects\": 1, \"bytes\": 9},"
    "   \"historic\": {\"objects\": 0, \"bytes\": 0},"
    "   \"unreachable\": {\"objects\": 0, \"bytes\": 0},"
    "   \"log\": {\"objects\": 0, \"bytes\": 0}}],"
    " \"seeds\": [], \"database\": {\"trailer\": \"good\", \"revision\": 4711},"
    " \"log\": {\"gapless\": true},"
    " \"inputs\": [{\"kind\": \"database\", \"path\": \"a.db\", \"unread\": null},"
    "  {\"kind\": \"log\", \"path\": \"b/wal\", \"unread\": null}],"
    " \"unread\": [], \"restore\": null, \"prefix\": \"/registry\","
    " \"must_be_encrypted\": \"secrets\", \"redacted\": false, \"next\": [\"x\"],"
    " \"verdict\": \"violated\", \"exit\": 1, \"ok\": false}";

static void begin(void)
{
    e = sample_empty();
    note.text[0] = '\0';
}

static void end(void)
{
    kw_evidence_free(e);
    e = NULL;
}

struct change {
    const char *from, *to;
};

/* Up to four changes of the report. */
static json_t *changed(const struct change *c)
{
    static char text[8192];
    memcpy(text, violated, sizeof violated);
    for (size_t i = 0; i < 4 && c != NULL && c[i].from != NULL; i++) {
        char *at = strstr(text, c[i].from);
        const size_t from = strlen(c[i].from), to = strlen(c[i].to);
        if (at == NULL) {
            fail_msg("no %s", c[i].from);
            return NULL;
        }
        CHECK(strlen(text) + to < sizeof text);
        memmove(at + to, at + from, strlen(at + from) + 1);
        memcpy(at, c[i].to, to);
    }
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (report == NULL)
        fail_msg("no JSON: %s", text);
    return report;
}

static kw_err fill(const struct change *c)
{
    json_t *report = changed(c);
    const kw_err err = kw_evidence_fill_etcd(e, "r.json", "ab12", report, &note);
    json_decref(report);
    return err;
}

static void row_is(enum kw_evidence_table table, size_t i, const char *want)
{
    json_t *wanted = json_loads(want, 0, NULL);
    const json_t *row = json_array_get(kw_evidence_rows(e, table), i);
    char *text = json_dumps(row, JSON_ENCODE_ANY);
    CHECK(wanted != NULL);
    if (!json_equal(wanted, row))
        fail_msg("%s\n%s", text, want);
    free(text);
    json_decref(wanted);
}

TEST(report__one_row_and_one_for_each_kind_of_object)
{
    CHECK_OK(fill(NULL));
    CHECK_OK(kw_evidence_state(e));
    CHECK(json_array_size(kw_evidence_rows(e, KW_EVIDENCE_ETCD)) == 1);
    CHECK(json_array_size(kw_evidence_rows(e, KW_EVIDENCE_OBJECTS)) == 3);
    row_is(KW_EVIDENCE_ETCD, 0,
           "{\"report\": \"r.json\", \"sha256\": \"ab12\", \"inputs\": \"a.db, b/wal\","
           " \"verdict\": \"violated\", \"exit\": 1, \"revision\": 4711,"
           " \"must_be_encrypted\": \"secrets\", \"violations\": 1, \"leftovers\": 9,"
           " \"unread\": 0, \"restorable\": null, \"restore_serial\": null,"
           " \"redacted\": false}");
    row_is(KW_EVIDENCE_OBJECTS, 0,
           "{\"report\": \"r.json\", \"resource\": \"secrets\","
           " \"stored_as\": \"plain-protobuf\", \"provider\": null, \"key_id\": null,"
           " \"why\": \"it is not encrypted\", \"current\": 1, \"historic\": 2,"
           " \"unreachable\": 3, \"log\": 4}");
    row_is(
        KW_EVIDENCE_OBJECTS, 1,
        "{\"report\": \"r.json\", \"resource\": \"secrets\", \"stored_as\": \"kms-v2\","
        " \"provider\": \"kw\", \"key_id\": \"kw1-1-a\", \"why\": null,"
        " \"current\": 50, \"historic\": 0, \"unreachable\": 0, \"log\": 0}");
}

static void number_is(const char *column, json_int_t want)
{
    const json_t *row = json_array_get(kw_evidence_rows(e, KW_EVIDENCE_ETCD), 0);
    const json_int_t n = json_integer_value(json_object_get(row, column));
    if (n != want)
        fail_msg("%s %" JSON_INTEGER_FORMAT, column, n);
}

#define CLEAN                                                                            \
    {                                                                                    \
        "\"it is not encrypted\"", "null"                                                \
    }

TEST(restore__its_verdict_and_token)
{
    CHECK_OK(fill((const struct change[]){
        CLEAN,
        {"\"restore\": null", "\"restore\": {\"verdict\": \"not restorable\", "
                              "\"serial\": \"77\", \"token\": \"t\"}"},
        {"\"violated\"", "\"not restorable\""},
        {"\"redacted\": false", "\"redacted\": true"}}));
    const json_t *row = json_array_get(kw_evidence_rows(e, KW_EVIDENCE_ETCD), 0);
    CHECK_STR(json_string_value(json_object_get(row, "restorable")), "not restorable");
    CHECK_STR(json_string_value(json_object_get(row, "restore_serial")), "77");
    CHECK(json_is_true(json_object_get(row, "redacted")));
    number_is("violations", 0);
}

TEST(unread__each_kind_of_it_counted)
{
    static const struct change rows[][4] = {
        {CLEAN,
         {"\"violated\"", "\"unread\""},
         {"\"gapless\": true", "\"gapless\": false"}},
        {CLEAN, {"\"violated\"", "\"unread\""}, {"\"good\"", "\"wrong\""}},
        {CLEAN,
         {"\"violated\"", "\"unread\""},
         {"\"a.db\", \"unread\": null", "\"a.db\", \"unread\": \"torn\""}},
        {CLEAN,
         {"\"violated\"", "\"unread\""},
         {"\"unread\": [],", "\"unread\": [{\"things\": 1}],"}},
    };
    for (size_t i = 0; i < 4; i++) {
        end();
        begin();
        CHECK_OK(fill(rows[i]));
        number_is("unread", 1);
    }
    end();
    begin();
    CHECK_OK(fill((const struct change[]){
        CLEAN,
        {"\"violated\"", "\"unread\""},
        {"\"unread\": [],", "\"unread\": [{\"things\": 5}, {\"things\": 7}],"},
        {"\"good\"", "\"wrong\""}}));
    number_is("unread", 13);
}

/* Clean of itself, and no answer to what a read gives. */
TEST(log_alone__not_answered)
{
    CHECK_OK(fill(
        (const struct change[]){CLEAN,
                                {"\"violated\"", "\"clean\""},
                                {"{\"trailer\": \"good\", \"revision\": 4711}", "null"},
                                {NULL, NULL}}));
    number_is("unread", 1);
    number_is("exit", 1);
    const json_t *row = json_array_get(kw_evidence_rows(e, KW_EVIDENCE_ETCD), 0);
    CHECK(json_is_null(json_object_get(row, "revision")));
}

TEST(sums__end_at_the_greatest_number)
{
    CHECK_OK(fill((const struct change[]){
        {"\"objects\": 2", "\"objects\": 9223372036854775807"}, {NULL, NULL}}));
    number_is("leftovers", INT64_MAX);
}

static void each_refused(const struct change (*rows)[4], size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        end();
        begin();
        const kw_err err = fill(rows[i]);
        if (err.code != KW_CODE_BAD_INPUT || strstr(note.text, why) == NULL ||
            strncmp(note.text, "r.json: ", 8) != 0)
            fail_msg("%zu: %s \"%s\"", i, kw_code_name(err.code), note.text);
        CHECK_OK(kw_evidence_state(e)); /* nothing of it was added */
        CHECK(json_array_size(kw_evidence_rows(e, KW_EVIDENCE_ETCD)) == 0);
        CHECK(json_array_size(kw_evidence_rows(e, KW_EVIDENCE_OBJECTS)) == 0);
    }
}
#define EACH_REFUSED(rows, why) each_refused(rows, sizeof(rows) / sizeof(rows)[0], why)

TEST(another_format_or_document__refused)
{
    static const struct change rows[][4] = {
        {{"\"format\": 1", "\"format\": 2"}},
        {{"\"format\": 1", "\"format\": \"1\""}},
        {{"\"format\": 1", "\"format\": 1.0"}},
        {{"\"format\": 1", "\"forma\": 1"}},
        {{"keyward-etcd-audit", "keyward-etcd"}},
        {{"\"report\"", "\"reports\""}},
    };
    EACH_REFUSED(rows, "it is no report of keyward etcd audit --json, format 1");
    json_t *list = json_array();
    CHECK_CODE(kw_evidence_fill_etcd(e, "r.json", "ab", list, &note), KW_CODE_BAD_INPUT);
    json_decref(list);
}

TEST(something_missing_or_of_another_kind__refused)
{
    static const struct change missing[][4] = {
        {{"\"rows\"", "\"row\""}},
        {{"\"unread\": []", "\"x\": []"}},
        {{"\"inputs\"", "\"x\""}},
        {{"\"verdict\"", "\"x\""}},
        {{"\"exit\"", "\"x\""}},
        {{"\"redacted\"", "\"x\""}},
        {{"\"must_be", "\"x"}},
        {{"\"gapless\"", "\"x\""}},
        {{"\"trailer\"", "\"x\""}},
        {{"\"revision\"", "\"x\""}},
        {{"\"path\"", "\"x\""}},
        {{"\"stored_as\"", "\"x\""}},
        {{"\"historic\"", "\"x\""}},
        {{"\"log\": {\"obj", "\"x\": {\"obj"}},
        {{"\"current\": {\"objects\"", "\"current\": {\"x\""}},
    };
    static const struct change kinds[][4] = {
        {{"\"exit\": 1", "\"exit\": \"1\""}},
        {{"\"redacted\": false", "\"redacted\": 0"}},
        {{"\"resource\": \"secrets\"", "\"resource\": 1"}},
        {{"\"provider\": null", "\"provider\": true"}},
        {{"\"key_id\": null", "\"key_id\": []"}},
        {{"\"it is not encrypted\"", "true"}},
        {{"\"objects\": 3", "\"objects\": 3.0"}},
        {{"\"unreachable\": {", "\"unreachable\": 3, \"x\": {"}},
        {{"\"restore\": null", "\"restore\": true"}},
        {{"\"unread\": []", "\"unread\": [{\"things\": \"1\"}]"}},
    };
    static const struct change negative[][4] = {
        {{"\"objects\": 3", "\"objects\": -3"}},
        {{"\"unread\": []", "\"unread\": [{\"things\": -1}]"}},
    };
    static const struct change none[][4] = {{{"\"rows\": [", "\"rows\": [1,"}},
                                            {{"\"rows\": [", "\"rows\": [null,"}}};
    EACH_REFUSED(missing, "is missing");
    EACH_REFUSED(kinds, "is not what it must be");
    EACH_REFUSED(negative, "less than 0");
    EACH_REFUSED(none, "a row of it is none");
}

TEST(verdict_that_does_not_follow__refused)
{
    static const struct change rows[][4] = {
        {{"\"violated\"", "\"clean\""}},
        {{"\"violated\"", "\"leftovers\""}},
        {{"\"violated\"", "\"unread\""}},
        {{"\"violated\"", "\"fine\""}},
        {CLEAN},
        {CLEAN, {"\"violated\"", "\"leftovers\""}},
        {CLEAN, {"\"violated\"", "\"unread\""}},
        {CLEAN, {"\"violated\"", "\"clean\""}, {"\"good\"", "\"wrong\""}},
        {{"\"restore\": null", "\"restore\": {\"verdict\": \"restorable\"}"},
         {"\"violated\"", "\"restorable\""}},
        {CLEAN,
         {"\"restore\": null", "\"restore\": {\"verdict\": \"restorable\"}"},
         {"\"violated\"", "\"not restorable\""}},
    };
    EACH_REFUSED(rows, "its verdict does not follow from what it lists");
}

KW_SUITE_AROUND("provider/evidence/etcd", begin, end)
