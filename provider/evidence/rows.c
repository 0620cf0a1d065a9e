/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, and the first failure. */
#include <keyward/evidence.h>

#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

struct kw_evidence {
    struct kw_evidence_head head;
    char at[KW_TIME_TEXT], from[KW_TIME_TEXT], to[KW_TIME_TEXT];
    json_t *rows[KW_EVIDENCE_TABLES];
    kw_err err;
};

kw_err kw_evidence_new(const struct kw_evidence_head *head,
                       struct kw_evidence **ret_evidence)
{
    struct kw_evidence *e = kw_new(1, sizeof *e);
    if (e == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    e->head = *head;
    kw_copy_printable(e->at, sizeof e->at, kw_span_str(head->at));
    kw_copy_printable(e->from, sizeof e->from, kw_span_str(head->from));
    kw_copy_printable(e->to, sizeof e->to, kw_span_str(head->to));
    e->head.at = e->at;
    e->head.from = e->from;
    e->head.to = e->to;
    for (size_t i = 0; i < KW_EVIDENCE_TABLES; i++)
        if ((e->rows[i] = json_array()) == NULL)
            e->err = kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    if (kw_failed(e->err)) {
        kw_evidence_free(e);
        return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    }
    *ret_evidence = e;
    return KW_OK;
}

void kw_evidence_free(struct kw_evidence *e)
{
    for (size_t i = 0; e != NULL && i < KW_EVIDENCE_TABLES; i++)
        json_decref(e->rows[i]);
    kw_free(e);
}

const struct kw_evidence_head *kw_evidence_head(const struct kw_evidence *e)
{
    return &e->head;
}

static bool rows_fits(const struct kw_evidence_column *column, const json_t *value)
{
    if (json_is_null(value))
        return column->or_null;
    switch (column->kind) {
    case KW_COLUMN_TEXT: return json_is_string(value);
    case KW_COLUMN_NUMBER: return json_is_integer(value);
    case KW_COLUMN_BOOL: return json_is_boolean(value);
    }
    return false;
}

static bool rows_is_row(const struct kw_evidence_spec *spec, json_t *row)
{
    void *at = json_object_iter(row);
    for (size_t i = 0; i < spec->column_count; i++) {
        if (at == NULL || strcmp(json_object_iter_key(at), spec->columns[i].name) != 0 ||
            !rows_fits(&spec->columns[i], json_object_iter_value(at)))
            return false;
        at = json_object_iter_next(row, at);
    }
    return at == NULL;
}

void kw_evidence_add(struct kw_evidence *e, enum kw_evidence_table table, json_t *row)
{
    kw_err err = KW_OK;
    if (row != NULL && !rows_is_row(kw_evidence_spec(table), row))
        err = kw_err_at(KW_CODE_BUG, kw_evidence_spec(table)->name);
    else if (row == NULL || json_array_append(e->rows[table], row) != 0)
        err = kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    json_decref(row);
    if (!kw_failed(e->err))
        e->err = err;
}

const json_t *kw_evidence_rows(const struct kw_evidence *e, enum kw_evidence_table table)
{
    return e->rows[table];
}

kw_err kw_evidence_state(const struct kw_evidence *e)
{
    return e->err;
}
