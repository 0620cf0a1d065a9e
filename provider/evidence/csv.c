/* SPDX-License-Identifier: Apache-2.0 */
/* A table as a file for a spreadsheet. */
#include <keyward/evidence.h>

#include <keyward/csv.h>

/* null is nothing, the empty text "". */
static void csv_value(const json_t *value, FILE *out)
{
    if (json_is_string(value))
        kw_csv_cell(out, kw_span_of(json_string_value(value), json_string_length(value)));
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
}

bool kw_evidence_csv(const struct kw_evidence *e, enum kw_evidence_table table, FILE *out)
{
    const struct kw_evidence_spec *spec = kw_evidence_spec(table);
    const json_t *rows = kw_evidence_rows(e, table);
    for (size_t c = 0; c < spec->column_count; c++)
        fprintf(out, "%s%s", c > 0 ? "," : "", spec->columns[c].name);
    fputs("\r\n", out);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        for (size_t c = 0; c < spec->column_count; c++) {
            if (c > 0)
                putc(',', out);
            csv_value(json_object_get(row, spec->columns[c].name), out);
        }
        fputs("\r\n", out);
    }
    return fflush(out) == 0 && ferror(out) == 0;
}
