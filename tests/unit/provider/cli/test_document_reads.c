/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that may not be read, and are still needed. */
#include "check.h"

#include <stdio.h>

#include "document.h"
#include "document_reads.h"

static char said[4096], remedies[4096];
static unsigned count;

static void hear(void *ctx, const char *text, const char *remedy)
{
    CHECK(ctx == said);
    count++;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", text);
    snprintf(remedies + strlen(remedies), sizeof remedies - strlen(remedies), "%s\n",
             remedy);
}

static void look(const char *text)
{
    json_t *d = text == NULL ? NULL : json_loads(text, 0, NULL);
    CHECK(text == NULL || d != NULL);
    said[0] = remedies[0] = '\0';
    count = 0;
    kw_document_reads(d, hear, said);
    json_decref(d);
}

#define CLASSES(rows) "\"classes\": [" rows "]"
#define CLASS(name, rows) "{\"name\": \"" name "\", \"versions\": [" rows "]}"
#define ROW(n, which, number, ago)                                                       \
    "{\"n\": " #n ", \"refused_" which "\": " #number                                    \
    ", \"last_refused\": \"2026-01-31T12:03:04.000000Z\", \"refused_ago_s\": " #ago "}"
#define VERSION(n, state)                                                                \
    "{\"n\": " #n ", \"key_id\": \"kw1-" #n "-aa\", \"state\": \"" state "\"}"
#define ONE(state, row)                                                                  \
    "{\"versions\": [" VERSION(1, state) "], " CLASSES(CLASS("secrets", row)) "}"

TEST(nothing_there_or_not_what_it_should_be__nothing)
{
    static const char *const rows[] = {
        NULL,
        "{}",
        "{\"classes\": 1, \"versions\": 2}",
        "{\"classes\": [1, null, {\"versions\": [1, {}, {\"n\": \"1\"}]}], "
        "\"versions\": [1, {}]}",
        ONE("disabled", "{\"n\": 1}"),
        ONE("disabled", "{\"n\": 1, \"refused_disabled\": 5, \"refused_ago_s\": null}"),
        ONE("disabled", "{\"n\": 1, \"refused_disabled\": 5, \"refused_ago_s\": \"1\"}"),
        ONE("some-new-state", ROW(1, "disabled", 5, 1)),
        "{" CLASSES(CLASS("secrets", ROW(1, "disabled", 5, 1))) "}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        look(rows[i]);
        CHECK(count == 0);
    }
}

TEST(a_version_that_is_read_again__nothing_whatever_was_refused)
{
    look(ONE("retired", ROW(1, "disabled", 154, 3)));
    CHECK(count == 0);
    look(ONE("active", ROW(1, "disabled", 154, 3)));
    CHECK(count == 0);
}

/* What its key refused, before it was disabled. */
TEST(refused_for_another_reason__nothing)
{
    look(ONE("disabled", ROW(1, "key_bad", 154, 3)));
    CHECK(count == 0);
    look(ONE("disabled", ROW(1, "created", 154, 3)));
    CHECK(count == 0);
}

TEST(refused_an_hour_ago__nothing_and_a_second_less__said)
{
    look(ONE("disabled", ROW(1, "disabled", 154, 3600)));
    CHECK(count == 0);
    look(ONE("disabled", ROW(1, "disabled", 154, 3599)));
    CHECK(count == 1);
}

TEST(refused_lately__class_version_state_number_and_time)
{
    look(ONE("disabled", ROW(1, "disabled", 154, 0)));
    CHECK_STR(said,
              "class secrets: version 1 (kw1-1-aa) is disabled, and 154 reads needed "
              "it, the last one at 2026-01-31T12:03:04.000000Z\n");
    look(ONE("disabled", ROW(1, "disabled", 1, 0)));
    CHECK_HAS(said, "and 1 read needed it");
}

TEST(refused_lately__each_class_and_version_by_itself)
{
    look(
        "{\"versions\": [" VERSION(1, "destroyed") "," VERSION(2, "disabled") "," VERSION(
            3,
            "active") "], " CLASSES(CLASS("secrets",
                                          ROW(1, "destroyed", 2, 9) "," ROW(
                                              2, "disabled", 3,
                                              9)) "," CLASS("bulk",
                                                            ROW(2, "disabled", 4,
                                                                9) "," ROW(3, "disabled",
                                                                           5, 9))) "}");
    CHECK(count == 3);
    CHECK_HAS(said, "class secrets: version 1 (kw1-1-aa) is destroyed, and 2 reads");
    CHECK_HAS(said, "class secrets: version 2 (kw1-2-aa) is disabled, and 3 reads");
    CHECK_HAS(said, "class bulk: version 2 (kw1-2-aa) is disabled, and 4 reads");
}

TEST(refused_lately__what_to_do_by_the_state)
{
    look(ONE("disabled", ROW(1, "disabled", 2, 9)));
    CHECK_HAS(remedies, "keyward key enable 1 and systemctl reload keywardd");
    CHECK_HAS(remedies, "keyward etcd audit says which objects");
    look(ONE("created", ROW(1, "created", 2, 9)));
    CHECK_HAS(remedies, "keyward key accept 1 and systemctl reload keywardd");
    look(ONE("destroyed", ROW(1, "destroyed", 2, 9)));
    CHECK_HAS(remedies, "nothing brings its key back");
    look(ONE("unknown", ROW(1, "unknown", 2, 9)));
    CHECK_HAS(remedies, "install the newer keyward");
}

/* The others of the document's reasons have cases in test_document.c. */
TEST(verdict__a_problem_with_its_remedy_and_good_when_it_is_over)
{
#define WELL                                                                             \
    "{\"health\": {\"state\": \"up\"}, \"pin_latched\": false, \"tokens\": [], "         \
    "\"keyring\": {\"rejected\": null}, \"configuration\": {\"rejected\": null}, "       \
    "\"active\": {\"n\": 2, \"code\": \"ok\"}, \"versions\": ["                          \
    "{\"n\": 1, \"state\": \"disabled\", \"verdict\": \"key-disabled\"}], "
    struct kw_reasons why;
    json_t *d = json_loads(WELL CLASSES(CLASS("secrets", ROW(1, "disabled", 154, 0))) "}",
                           0, NULL);
    CHECK(kw_document_judge(d, &why) == KW_EXIT_PROBLEM && why.count == 1);
    CHECK_HAS(why.text, "and 154 reads needed it, the last one at "
                        "2026-01-31T12:03:04.000000Z\n" KW_REASON_REMEDY "keyward key");
    json_decref(d);
    d = json_loads(WELL CLASSES(CLASS("secrets", ROW(1, "disabled", 154, 3600))) "}", 0,
                   NULL);
    CHECK(kw_document_judge(d, &why) == KW_EXIT_GOOD);
    json_decref(d);
}

KW_SUITE("provider/cli/document_reads")
