/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "rounds.h"

static struct kw_reading reading;
static struct kw_note note;

static kw_err read_text(const char *text)
{
    json_t *document = json_loads(text, 0, NULL);
    kw_err e = kw_reading_of(document, &reading, &note);
    json_decref(document);
    return e;
}

static void of__no_document_or_no_figures__said(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "does not name its tool"},
        {"[]", "does not name its tool"},
        {"{\"figures\": {\"a\": 1}}", "does not name its tool"},
        {"{\"tool\": \"x\"}", "no figures"},
        {"{\"tool\": \"x\", \"figures\": []}", "no figures"},
        {"{\"tool\": \"x\", \"figures\": {}}", "no figures"},
        {"{\"tool\": \"x\", \"figures\": {\"a\": \"1\"}}", "no number"},
        {"{\"tool\": \"x\", \"figures\": {\"a b\": 1}}", "its name"},
        {"{\"tool\": \"x\", \"figures\": {\"a\": 1}, \"histogram\": [1]}", "histogram"},
    };
    (void)state;
    reading.count = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CODE(read_text(bad[i].text), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i].why);
        CHECK(reading.count == 7);
    }
}

static void of__too_many_figures__said(void **state)
{
    json_t *document = json_pack("{s:s}", "tool", "x"), *figures = json_object();
    char name[8];
    (void)state;
    for (int i = 0; i < 33; i++) {
        snprintf(name, sizeof name, "f%d", i);
        json_object_set_new(figures, name, json_integer(i));
    }
    json_object_set_new(document, "figures", figures);
    CHECK_CODE(kw_reading_of(document, &reading, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "more than 32 figures");
    json_decref(document);
}

static void of__good__figures_and_histogram(void **state)
{
    (void)state;
    CHECK_OK(
        read_text("{\"tool\": \"keyward-bench x\", \"figures\": {\"a\": 1, \"b_us\": "
                  "2.5}, \"histogram\": [[10, 3]]}"));
    CHECK_STR(reading.tool, "keyward-bench x");
    CHECK(reading.count == 2);
    CHECK_STR(reading.figure[1].name, "b_us");
    CHECK(fabs(reading.figure[1].value - 2.5) < 1e-9);
    CHECK(reading.histogram.count == 1 && reading.histogram.bucket[0].count == 3);
    kw_counts_wipe(&reading.histogram);
}

KW_CASES("bench/rounds/reading", CASE(of__no_document_or_no_figures__said),
         CASE(of__too_many_figures__said), CASE(of__good__figures_and_histogram))
