/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one table (RFC 4180): a population that a spreadsheet opens.  A row of the
 * table is one object that is not allowed (its own revision), one sum for each place, or
 * what could not be read. */
#include "etcd_report.h"

#include <inttypes.h>

#include <keyward/csv.h>

static void csv_begin(struct kw_etcd_report *report)
{
    fputs("record,where,resource,namespace,name,stored_as,provider,key_id,objects,bytes,"
          "oldest,newest,why\r\n",
          report->out);
}

struct csv_line {
    const char *record, *where, *resource, *name_space, *name;
    const struct kw_etcd_row *row; /* NULL: of none */
    uint64_t objects, bytes, oldest, newest;
    const char *why;
};

static void csv_line_write(const struct kw_etcd_report *report, const struct csv_line *l)
{
    char name[KW_FOREIGN_MAX] = "", key_id[KW_FOREIGN_MAX] = "";
    FILE *out = report->out;
    if (l->row != NULL) {
        kw_foreign_text(report->redaction, KW_FOREIGN_KEY_NAME, l->row->name, name);
        kw_foreign_text(report->redaction, KW_FOREIGN_KEY_ID, l->row->key_id, key_id);
    }
    const char *const cells[] = {
        l->record,     l->where, l->resource,
        l->name_space, l->name,  l->row != NULL ? kw_stored_kind_name(l->row->kind) : "",
        name,          key_id};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        kw_csv_cell(out, kw_span_str(cells[i]));
        putc(',', out);
    }
    fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", l->objects, l->bytes,
            l->oldest, l->newest);
    kw_csv_cell(out, kw_span_str(l->why));
    fputs("\r\n", out);
}

static void csv_object(struct kw_etcd_report *report, const struct kw_etcd_found *found)
{
    struct kw_etcd_names n;
    kw_etcd_object_names(report->redaction, found, &n);
    const struct csv_line line = {.record = "object",
                                  .where = kw_etcd_where_name(found->where),
                                  .resource = n.resource,
                                  .name_space = n.name_space,
                                  .name = n.name,
                                  .row = found->row,
                                  .objects = 1,
                                  .bytes = found->bytes,
                                  .oldest = found->revision,
                                  .newest = found->revision,
                                  .why = found->row->why};
    csv_line_write(report, &line);
}

static void csv_row(const struct kw_etcd_report *report, const struct kw_etcd_row *row)
{
    char resource[2 * KW_FOREIGN_MAX];
    kw_etcd_resource_text(report->redaction, row->builtin, row->group, row->resource,
                          resource);
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++) {
        if (row->at[w].objects == 0)
            continue;
        const struct csv_line line = {
            .record = "sum",
            .where = kw_etcd_where_name((enum kw_etcd_where)w),
            .resource = resource,
            .name_space = "",
            .name = "",
            .row = row,
            .objects = row->at[w].objects,
            .bytes = row->at[w].bytes,
            .oldest = row->oldest,
            .newest = row->newest,
            .why = row->why,
        };
        csv_line_write(report, &line);
    }
}

static void csv_unread(const struct kw_etcd_report *report,
                       const struct kw_etcd_findings *f)
{
    char path[KW_FOREIGN_MAX], why[KW_NOTE_MAX];
    for (size_t i = 0; i < report->input_count; i++) {
        if (!report->inputs[i].failed)
            continue;
        kw_etcd_input_text(report->redaction, &report->inputs[i], path, why);
        const struct csv_line line = {.record = "unread",
                                      .where = kw_etcd_input_name(report->inputs[i].kind),
                                      .resource = "",
                                      .name_space = "",
                                      .name = path,
                                      .why = why};
        csv_line_write(report, &line);
    }
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++) {
        const struct kw_etcd_blind *b = &f->blind[i];
        kw_etcd_blind_file(report->redaction, b, path);
        const struct csv_line line = {.record = "unread",
                                      .where = kw_etcd_blind_name(i),
                                      .resource = "",
                                      .name_space = "",
                                      .name = path,
                                      .objects = b->things,
                                      .bytes = b->bytes,
                                      .why = b->why};
        if (b->things > 0)
            csv_line_write(report, &line);
    }
}

static void csv_end(struct kw_etcd_report *report, const struct kw_etcd_findings *f,
                    const struct kw_etcd_verdict *verdict)
{
    for (size_t i = 0; i < f->row_count; i++)
        csv_row(report, &f->rows[i]);
    csv_unread(report, f);
    const struct csv_line line = {.record = "verdict",
                                  .where = "",
                                  .resource = "",
                                  .name_space = "",
                                  .name = "",
                                  .why = verdict->word};
    csv_line_write(report, &line);
}

const struct kw_etcd_format kw_etcd_csv = {csv_begin, csv_object, csv_end};
