/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "fixture.h"
#include "report.h"

static struct kw_report *r;
static struct kw_note note;

static void refused(const struct kw_fixture *f, enum kw_code want, const char *words)
{
    r = NULL;
    note = (struct kw_note){{0}};
    CHECK_CODE(kw_report_open(f->folder, &r, &note), want);
    CHECK(r == NULL);
    CHECK_HAS(note.text, words);
}

static void open__no_folder__missing_and_who_makes_it(void **state)
{
    const struct kw_fixture f = {.folder = "/nonexistent/kw"};
    (void)state;
    refused(&f, KW_CODE_MISSING, "/nonexistent/kw: ");
    CHECK_HAS(note.text, "keyward-bench rounds --out");
}

static void open__no_results__missing_and_who_makes_them(void **state)
{
    struct kw_fixture f;
    char path[256];
    (void)state;
    kw_fixture_quick(&f);
    snprintf(path, sizeof path, "%s/results.json", f.folder);
    CHECK(unlink(path) == 0);
    refused(&f, KW_CODE_MISSING, "results.json: not there; keyward-bench rounds --out");
    kw_fixture_remove(&f);
}

static void open__results_of_another_schema__both_versions(void **state)
{
    struct kw_fixture f;
    (void)state;
    kw_fixture_quick(&f);
    kw_fixture_file(
        &f, "results.json",
        "{\"tool\":\"keyward-bench rounds\",\"schema\":7,\"version\":\"9.9\"}");
    refused(&f, KW_CODE_BAD_INPUT, "results.json: ");
    CHECK_HAS(note.text, "schema 7");
    CHECK_HAS(note.text, "9.9");
    CHECK_HAS(note.text, "schema 1");
    kw_fixture_remove(&f);
}

static void open__document_of_another_schema__both_versions(void **state)
{
    static const char *const tools[] = {"storm", "plan", "token"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct kw_fixture f;
        char text[128];
        kw_fixture_quick(&f);
        snprintf(text, sizeof text,
                 "{\"tool\":\"keyward-bench %s\",\"schema\":2,\"version\":\"9.9\"}",
                 tools[i]);
        kw_fixture_file(&f, "other.json", text);
        refused(&f, KW_CODE_BAD_INPUT, "other.json: written in schema 2 by");
        CHECK_HAS(note.text, "9.9");
        CHECK_HAS(note.text, "reads schema 1");
        kw_fixture_remove(&f);
    }
}

static void open__no_json_or_no_object__the_file_and_line(void **state)
{
    struct kw_fixture f;
    (void)state;
    kw_fixture_quick(&f);
    kw_fixture_file(&f, "storm-a.json", "{\n\"tool\": \"key");
    refused(&f, KW_CODE_BAD_INPUT, "storm-a.json: line 2: no JSON");
    kw_fixture_file(&f, "storm-a.json", "[1]");
    refused(&f, KW_CODE_BAD_INPUT, "storm-a.json: no JSON object");
    kw_fixture_remove(&f);
}

static void open__too_many_documents__refused(void **state)
{
    struct kw_fixture f;
    char name[32];
    (void)state;
    kw_fixture_quick(&f);
    for (int i = 0; i <= KW_DOCUMENTS_MAX; i++) {
        snprintf(name, sizeof name, "a%d.json", i);
        kw_fixture_file(&f, name, "{}");
    }
    refused(&f, KW_CODE_BAD_INPUT, "more than 64 documents");
    kw_fixture_remove(&f);
}

static void open__full__documents_by_name_and_kind(void **state)
{
    static const struct {
        const char *name;
        enum kw_document_kind kind;
    } want[] = {{"dry", KW_DOCUMENT_UNKNOWN}, /* says what would be measured */
                {"micro", KW_DOCUMENT_MICRO},     {"note", KW_DOCUMENT_UNKNOWN},
                {"plan-three", KW_DOCUMENT_PLAN}, {"storm-cold", KW_DOCUMENT_STORM},
                {"storm-day", KW_DOCUMENT_STORM}, {"storm-slow10ms", KW_DOCUMENT_STORM},
                {"token-wrap", KW_DOCUMENT_TOKEN}};
    struct kw_fixture f;
    (void)state;
    kw_fixture_full(&f);
    kw_fixture_file(&f, "note.json", "{\"tool\":\"other\",\"schema\":5}");
    kw_fixture_file(&f, "dry.json",
                    "{\"tool\":\"keyward-bench storm\",\"schema\":1,\"dry_run\":true}");
    kw_fixture_file(&f, "words.txt", "not ours");
    CHECK_OK(kw_report_open(f.folder, &r, &note));
    CHECK(r->document_count == sizeof want / sizeof want[0]);
    for (size_t i = 0; i < r->document_count; i++) {
        CHECK_STR(r->document[i].name, want[i].name);
        CHECK(r->document[i].kind == want[i].kind);
    }
    CHECK_STR(r->name, f.folder + strlen("/tmp/"));
    kw_report_close(r);
    kw_report_close(NULL);
    kw_fixture_remove(&f);
}

KW_CASES("bench/report/folder", CASE(open__no_folder__missing_and_who_makes_it),
         CASE(open__no_results__missing_and_who_makes_them),
         CASE(open__results_of_another_schema__both_versions),
         CASE(open__document_of_another_schema__both_versions),
         CASE(open__no_json_or_no_object__the_file_and_line),
         CASE(open__too_many_documents__refused),
         CASE(open__full__documents_by_name_and_kind))
