/* SPDX-License-Identifier: Apache-2.0 */
/* The schema, and the file that is published of it.  That a document is as the schema says
 * is judged by tests/pages/evidence_page. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "sample.h"

static json_t *schema;

static void begin(void)
{
    schema = kw_evidence_schema();
    CHECK(schema != NULL);
}

static void end(void)
{
    json_decref(schema);
    schema = NULL;
}

static const json_t *under(const json_t *value, const char *first, const char *then)
{
    return json_object_get(json_object_get(value, first), then);
}

static void all_required(const json_t *object)
{
    const json_t *properties = json_object_get(object, "properties");
    const json_t *required = json_object_get(object, "required");
    CHECK_STR(json_string_value(json_object_get(object, "type")), "object");
    CHECK(json_is_false(json_object_get(object, "additionalProperties")));
    CHECK(json_object_size(properties) > 0 &&
          json_object_size(properties) == json_array_size(required));
    for (size_t i = 0; i < json_array_size(required); i++)
        CHECK(json_object_get(properties,
                              json_string_value(json_array_get(required, i))) != NULL);
}

TEST(file__published__what_the_tables_give)
{
    static char file[256 * 1024];
    char *text = json_dumps(schema, JSON_INDENT(2));
    const bool write = getenv("KW_WRITE_SCHEMA") != NULL;
    FILE *f = fopen(KW_SCHEMA, write ? "w+" : "r");
    CHECK(text != NULL && f != NULL);
    if (write)
        CHECK(fprintf(f, "%s\n", text) > 0 && fflush(f) == 0 &&
              fseek(f, 0, SEEK_SET) == 0);
    const size_t len = fread(file, 1, sizeof file - 1, f);
    CHECK(fclose(f) == 0 && len > 0);
    file[len - 1] = file[len - 1] == '\n' ? '\0' : file[len - 1];
    if (strcmp(file, text) != 0)
        fail_msg("%s is not the schema of the tables; write it anew: KW_WRITE_SCHEMA=1 "
                 "build/dev/tests/unit_evidence "
                 "provider/evidence/schema.file__published__what_the_tables_give",
                 KW_SCHEMA);
    free(text);
}

TEST(members__each__required_and_no_other)
{
    struct kw_evidence *e = sample_empty();
    json_t *document = kw_evidence_json(e);
    all_required(schema);
    const json_t *properties = json_object_get(schema, "properties");
    CHECK(json_object_size(properties) == json_object_size(document));
    for (void *at = json_object_iter(document); at != NULL;
         at = json_object_iter_next(document, at))
        CHECK(json_object_get(properties, json_object_iter_key(at)) != NULL);
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        const json_t *table = json_object_get(properties, kw_evidence_spec(i)->name);
        all_required(json_object_get(table, "items"));
        CHECK_STR(json_string_value(json_object_get(table, "description")),
                  kw_evidence_spec(i)->says);
    }
    json_decref(document);
    kw_evidence_free(e);
}

TEST(columns__kinds_and_words__as_the_table_has_them)
{
    const json_t *checks =
        under(under(json_object_get(schema, "properties"), "checks", "items"),
              "properties", "outcome");
    json_t *want = json_pack("{s:s, s:s, s:s, s:[s, s, s]}", "title", "Outcome",
                             "description", "pass, fail or not-answered", "type",
                             "string", "enum", "pass", "fail", "not-answered");
    CHECK(json_equal(checks, want));
    json_decref(want);
    const json_t *attributes =
        under(under(json_object_get(schema, "properties"), "attributes", "items"),
              "properties", "outcome");
    want = json_pack("{s:s, s:s, s:[s, s], s:[s, s, s, n]}", "title", "Outcome",
                     "description", "pass, fail or not-answered; null: no rule", "type",
                     "string", "null", "enum", "pass", "fail", "not-answered");
    CHECK(json_equal(attributes, want));
    json_decref(want);
    const json_t *bits =
        under(under(json_object_get(schema, "properties"), "algorithms", "items"),
              "properties", "key_bits");
    want = json_pack("[s, s]", "integer", "null");
    CHECK(json_equal(json_object_get(bits, "type"), want));
    json_decref(want);
}

static long left;
static void *scarce(size_t bytes)
{
    return left-- > 0 ? malloc(bytes) : NULL;
}

TEST(memory__short_at_each_place__no_schema)
{
    char *whole = json_dumps(schema, 0);
    long n = 0;
    json_set_alloc_funcs(scarce, free);
    for (json_t *got = NULL; got == NULL; n++) {
        left = n;
        got = kw_evidence_schema();
        left = LONG_MAX;
        if (got != NULL) {
            char *text = json_dumps(got, 0);
            CHECK_STR(text, whole);
            free(text);
        }
        json_decref(got);
    }
    json_set_alloc_funcs(malloc, free);
    CHECK(n > 100);
    free(whole);
}

KW_SUITE_AROUND("provider/evidence/schema", begin, end)
