/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of evidence.json, made from the tables. */
#include <keyward/evidence.h>

#include <string.h>

#define PASS KW_OUTCOME_PASS
#define FAIL KW_OUTCOME_FAIL
#define NOT_ANSWERED KW_OUTCOME_NOT_ANSWERED

/* Columns that have one of few words; NULL ends them. */
static const struct {
    enum kw_evidence_table table;
    const char *column;
    const char *words[4];
} worded[] = {
    {KW_EVIDENCE_CONTROLS, "outcome", {"satisfied", "not-satisfied", "operator"}},
    {KW_EVIDENCE_CHECKS, "outcome", {PASS, FAIL, NOT_ANSWERED}},
    {KW_EVIDENCE_KEYS, "verdict", {PASS, FAIL, NOT_ANSWERED}},
    {KW_EVIDENCE_ATTRIBUTES, "outcome", {PASS, FAIL, NOT_ANSWERED}},
};

/* Takes the value; NULL when it is not whole, as after each failure here. */
static json_t *schema_whole(bool is_whole, json_t *value)
{
    if (is_whole)
        return value;
    json_decref(value);
    return NULL;
}

static json_t *schema_enum(const char *const *words, bool or_null)
{
    json_t *list = json_array();
    bool good = true;
    for (; *words != NULL; words++)
        good = json_array_append_new(list, json_string(*words)) == 0 && good;
    if (or_null)
        good = json_array_append_new(list, json_null()) == 0 && good;
    return schema_whole(good, list);
}

static json_t *schema_type(const struct kw_evidence_column *column)
{
    static const char *const names[] = {[KW_COLUMN_TEXT] = "string",
                                        [KW_COLUMN_NUMBER] = "integer",
                                        [KW_COLUMN_BOOL] = "boolean"};
    const char *name = names[column->kind];
    return column->or_null ? json_pack("[s, s]", name, "null") : json_string(name);
}

static json_t *schema_column(enum kw_evidence_table table,
                             const struct kw_evidence_column *column)
{
    json_t *member = json_pack("{s:s, s:s, s:o}", "title", column->title, "description",
                               column->says, "type", schema_type(column));
    bool good = true;
    for (size_t i = 0; i < sizeof worded / sizeof worded[0]; i++)
        if (worded[i].table == table && strcmp(worded[i].column, column->name) == 0)
            good =
                json_object_set_new(member, "enum",
                                    schema_enum(worded[i].words, column->or_null)) == 0;
    return schema_whole(good, member);
}

/* An object that has each of these members, and no other; takes them. */
static json_t *schema_object(json_t *properties)
{
    json_t *required = json_array();
    bool good = true;
    for (void *at = json_object_iter(properties); at != NULL;
         at = json_object_iter_next(properties, at))
        good =
            json_array_append_new(required, json_string(json_object_iter_key(at))) == 0 &&
            good;
    return json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
                     "required", schema_whole(good, required), "properties", properties);
}

static json_t *schema_table(enum kw_evidence_table table)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    json_t *columns = json_object();
    bool good = true;
    for (size_t i = 0; i < spec->column_count; i++)
        good = json_object_set_new(columns, spec->columns[i].name,
                                   schema_column(table, &spec->columns[i])) == 0 &&
               good;
    return json_pack("{s:s, s:s, s:s, s:o}", "title", spec->title, "description",
                     spec->says, "type", "array", "items",
                     schema_object(schema_whole(good, columns)));
}

static json_t *schema_time(const char *says)
{
    return json_pack("{s:s, s:s, s:s}", "description", says, "type", "string", "format",
                     "date-time");
}

static json_t *schema_head(void)
{
    static const char *const outcomes[] = {PASS, FAIL, NOT_ANSWERED, NULL};
    return json_pack(
        "{s:{s:s}, s:{s:i}, s:o, s:o, s:o, s:{s:s, s:s, s:i}, s:{s:s, s:o}}", "evidence",
        "const", "keyward-bundle", "format", "const", 1, "at",
        schema_time("when the bundle was made"), "from",
        schema_time("the first moment of the period"), "to",
        schema_time("the first moment behind it"), "cryptoperiod_days", "description",
        "as the operator states it; 90 when nobody does", "type", "integer", "minimum", 0,
        "outcome", "description",
        "the worst of all checks; not-answered when there is none, and never a pass when "
        "one was not answered",
        "enum", schema_enum(outcomes, false));
}

json_t *kw_evidence_schema(void)
{
    json_t *members = schema_head();
    bool good = true;
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        good = json_object_set_new(members, kw_evidence_spec(i)->name, schema_table(i)) ==
                   0 &&
               good;
    json_t *object = schema_object(schema_whole(good, members));
    json_t *schema = json_pack(
        "{s:s, s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema",
        "title", "evidence.json of keyward evidence, format 1", "description",
        "A bundle of evidence: tables, each a list of rows.");
    good = json_object_update(schema, object) == 0;
    json_decref(object);
    return schema_whole(good, schema);
}
