/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_rows.h"

#include <string.h>

#include "check.h"

json_t *evidence_load(const char *path)
{
    json_error_t error;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL)
        fail_msg("%s: %s", path, error.text);
    return document;
}

const char *evidence_text(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    return text != NULL ? text : "";
}

bool evidence_has(const json_t *row, const char *const pairs[])
{
    for (size_t i = 0; pairs[i] != NULL; i += 2)
        if (strcmp(evidence_text(row, pairs[i]), pairs[i + 1]) != 0)
            return false;
    return true;
}

static const json_t *table_of(const json_t *document, const char *table)
{
    const json_t *rows = json_object_get(document, table);
    if (!json_is_array(rows))
        fail_msg("there is no table %s", table);
    return rows;
}

size_t evidence_count(const json_t *document, const char *table,
                      const char *const pairs[])
{
    const json_t *row;
    size_t i, n = 0;
    json_array_foreach(table_of(document, table), i, row)
    {
        n += evidence_has(row, pairs);
    }
    return n;
}

const json_t *evidence_one(const json_t *document, const char *table,
                           const char *const pairs[])
{
    const json_t *row, *one = NULL;
    size_t i, n = 0;
    json_array_foreach(table_of(document, table), i, row)
    {
        if (evidence_has(row, pairs)) {
            one = row;
            n++;
        }
    }
    if (n != 1)
        fail_msg("%s has %zu rows with %s %s …", table, n, pairs[0], pairs[1]);
    return one;
}
