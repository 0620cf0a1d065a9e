/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one document of JSON: written as it comes, as there may be a million
 * objects.  docs/FORMATS.md has its members. */
#include "etcd_report.h"

#include <inttypes.h>
#include <string.h>

/* A member of text; `comma` before it where it is not the first. */
static void json_member(FILE *out, const char *comma, const char *name, const char *text)
{
    fprintf(out, "%s\"%s\": ", comma, name);
    if (text != NULL)
        kw_foreign_json(out, text);
    else
        fputs("null", out);
}

static void json_number(FILE *out, const char *name, uint64_t number)
{
    fprintf(out, ", \"%s\": %" PRIu64, name, number);
}

static void json_begin(struct kw_etcd_report *report)
{
    fputs("{\n  \"format\": 1,\n  \"report\": \"keyward-etcd-audit\",\n  \"objects\": [",
          report->out);
}

/* What a row and an object share. */
static void json_stored(const struct kw_etcd_report *report,
                        const struct kw_etcd_row *row)
{
    char name[KW_FOREIGN_MAX], key_id[KW_FOREIGN_MAX];
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_NAME, row->name, name);
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_ID, row->key_id, key_id);
    json_member(report->out, ", ", "stored_as", kw_stored_kind_name(row->kind));
    json_member(report->out, ", ", "provider", name[0] != '\0' ? name : NULL);
    json_member(report->out, ", ", "key_id", key_id[0] != '\0' ? key_id : NULL);
    json_member(report->out, ", ", "why", row->why);
}

static void json_object_found(struct kw_etcd_report *report,
                              const struct kw_etcd_found *found)
{
    FILE *out = report->out;
    struct kw_etcd_names n;
    kw_etcd_object_names(report->redaction, found, &n);
    fputs(report->objects > 0 ? ",\n    {" : "\n    {", out);
    json_member(out, "", "where", kw_etcd_where_name(found->where));
    json_member(out, ", ", "resource", n.resource);
    json_member(out, ", ", "namespace", n.name_space[0] != '\0' ? n.name_space : NULL);
    json_member(out, ", ", "name", n.name);
    json_number(out, found->where == KW_ETCD_IN_LOG ? "index" : "revision",
                found->revision);
    json_stored(report, found->row);
    putc('}', out);
}

static void json_ages(FILE *out, uint64_t oldest, uint64_t newest)
{
    if (newest > 0) {
        json_number(out, "oldest", oldest);
        json_number(out, "newest", newest);
    }
}

static void json_row(const struct kw_etcd_report *report, const struct kw_etcd_row *row)
{
    char resource[2 * KW_FOREIGN_MAX];
    FILE *out = report->out;
    kw_etcd_resource_text(report->redaction, row->builtin, row->group, row->resource,
                          resource);
    json_member(out, "", "resource", resource[0] != '\0' ? resource : NULL);
    json_stored(report, row);
    if (row->kind == KW_STORED_KMS_V2)
        json_number(out, "type", row->type);
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++)
        fprintf(out, ", \"%s\": {\"objects\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
                kw_etcd_where_name((enum kw_etcd_where)w), row->at[w].objects,
                row->at[w].bytes);
    json_ages(out, row->oldest, row->newest);
    if (row->newest_reachable > 0)
        json_number(out, "newest_reachable", row->newest_reachable);
}

static void json_seed(const struct kw_etcd_report *report,
                      const struct kw_etcd_seed *seed,
                      const struct kw_restore_result *result)
{
    char name[KW_FOREIGN_MAX], key_id[KW_FOREIGN_MAX], digest[17];
    FILE *out = report->out;
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_NAME, seed->name, name);
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_ID, seed->key_id, key_id);
    kw_hex(digest, sizeof digest, kw_span_of(seed->sha256, 8));
    json_member(out, "", "seed", digest);
    json_member(out, ", ", "provider", name);
    json_member(out, ", ", "key_id", key_id);
    json_number(out, "type", seed->type);
    json_number(out, "annotations", seed->annotations);
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++)
        json_number(out, kw_etcd_where_name((enum kw_etcd_where)w), seed->objects[w]);
    json_ages(out, seed->oldest, seed->newest);
    if (result != NULL) {
        json_member(out, ", ", "opens", kw_restore_state_name(result->state));
        json_member(out, ", ", "opens_why", result->why[0] != '\0' ? result->why : NULL);
    }
}

static void json_lists(const struct kw_etcd_report *report,
                       const struct kw_etcd_findings *f)
{
    FILE *out = report->out;
    fputs(",\n  \"rows\": [", out);
    for (size_t i = 0; i < f->row_count; i++) {
        fputs(i > 0 ? ",\n    {" : "\n    {", out);
        json_row(report, &f->rows[i]);
        putc('}', out);
    }
    fputs("],\n  \"seeds\": [", out);
    for (size_t i = 0; i < f->seed_count; i++) {
        fputs(i > 0 ? ",\n    {" : "\n    {", out);
        json_seed(report, &f->seeds[i],
                  report->restore != NULL ? &report->restore->results[i] : NULL);
        putc('}', out);
    }
    putc(']', out);
}

static void json_files(const struct kw_etcd_report *report,
                       const struct kw_etcd_findings *f)
{
    FILE *out = report->out;
    fputs(",\n  \"database\": ", out);
    if (f->has_db) {
        json_member(out, "{", "trailer", kw_etcd_trailer_name(f->db.trailer));
        json_number(out, "bytes", f->db.size);
        json_number(out, "page_size", f->db.page_size);
        json_number(out, "pages", f->db.pages);
        json_number(out, "unreachable_pages", f->db.unreachable);
        json_number(out, "txid", f->db.txid);
        json_number(out, "consistent_index", f->db.consistent_index);
        json_number(out, "revision", f->revision);
        json_number(out, "compact_revision", f->db.compact_revision);
        json_number(out, "keys", f->keys);
        putc('}', out);
    } else {
        fputs("null", out);
    }
    fputs(",\n  \"log\": ", out);
    if (f->has_log) {
        fprintf(out, "{\"gapless\": %s", f->log.is_gapless ? "true" : "false");
        json_number(out, "files", f->log.files);
        json_number(out, "bytes", f->log.bytes);
        json_number(out, "entries", f->log.entries);
        json_number(out, "puts", f->log.puts);
        json_number(out, "first_index", f->log.first_index);
        json_number(out, "last_index", f->log.last_index);
        putc('}', out);
    } else {
        fputs("null", out);
    }
}

static void json_inputs(const struct kw_etcd_report *report)
{
    char path[KW_FOREIGN_MAX], why[KW_NOTE_MAX];
    FILE *out = report->out;
    fputs(",\n  \"inputs\": [", out);
    for (size_t i = 0; i < report->input_count; i++) {
        const struct kw_etcd_input *input = &report->inputs[i];
        kw_etcd_input_text(report->redaction, input, path, why);
        fputs(i > 0 ? ",\n    " : "\n    ", out);
        json_member(out, "{", "kind", kw_etcd_input_name(input->kind));
        json_member(out, ", ", "path", path);
        json_member(out, ", ", "unread", input->failed ? why : NULL);
        putc('}', out);
    }
    putc(']', out);
}

static void json_unread(const struct kw_etcd_report *report,
                        const struct kw_etcd_findings *f)
{
    FILE *out = report->out;
    const char *comma = "\n    ";
    char file[KW_FOREIGN_MAX];
    fputs(",\n  \"unread\": [", out);
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++) {
        const struct kw_etcd_blind *b = &f->blind[i];
        if (b->things == 0)
            continue;
        kw_etcd_blind_file(report->redaction, b, file);
        fputs(comma, out);
        json_member(out, "{", "where", kw_etcd_blind_name(i));
        json_number(out, "things", b->things);
        json_number(out, "marked", b->marked);
        json_number(out, "bytes", b->bytes);
        json_member(out, ", ", "first_file", file[0] != '\0' ? file : NULL);
        json_number(out, "first_at", b->at);
        json_member(out, ", ", "first_why", b->why);
        putc('}', out);
        comma = ",\n    ";
    }
    putc(']', out);
}

static void json_states(FILE *out, const char *name, const uint64_t of[])
{
    static const char *const names[] = {"not_judged", "refused", "untried", "failed",
                                        "opened"};
    fprintf(out, ", \"%s\": {", name);
    for (unsigned i = 0; i <= KW_RESTORE_OPENED; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", names[i], of[i]);
    putc('}', out);
}

static void json_restore(const struct kw_etcd_report *report,
                         const struct kw_etcd_verdict *v)
{
    const struct kw_restore *r = report->restore;
    FILE *out = report->out;
    fputs(",\n  \"restore\": ", out);
    if (r == NULL) {
        fputs("null", out);
        return;
    }
    json_member(out, "{", "verdict", kw_restore_verdict_name(v->restore));
    json_member(out, ", ", "token",
                r->shared->label[0] != '\0' ? r->shared->label : NULL);
    json_member(out, ", ", "serial",
                r->shared->serial[0] != '\0' ? r->shared->serial : NULL);
    json_member(out, ", ", "token_why",
                kw_failed(r->token_err) ? kw_etcd_token_why(report) : NULL);
    json_states(out, "seeds", v->restore_sum.of);
    json_states(out, "objects", v->restore_sum.samples);
    json_number(out, "objects_of_others", v->restore_sum.others);
    putc('}', out);
}

/* The commands alone would not say in which order they work: comments are lines, too. */
static void json_next(FILE *out, const char *cure)
{
    char line[KW_ETCD_CURE_MAX];
    const char *comma = "\n    ";
    fputs(",\n  \"next\": [", out);
    while (*cure != '\0') {
        const size_t len = strcspn(cure, "\n");
        kw_copy_str(line, sizeof line, kw_span_of(cure, len));
        fputs(comma, out);
        kw_foreign_json(out, line);
        comma = ",\n    ";
        cure += len + (cure[len] == '\n');
    }
    putc(']', out);
}

static void json_end(struct kw_etcd_report *report, const struct kw_etcd_findings *f,
                     const struct kw_etcd_verdict *verdict)
{
    char cure[KW_ETCD_CURE_MAX], prefix[KW_FOREIGN_MAX];
    FILE *out = report->out;
    kw_foreign_text(report->redaction, KW_FOREIGN_PATH, kw_span_str(report->prefix),
                    prefix);
    putc(']', out);
    json_lists(report, f);
    json_files(report, f);
    json_inputs(report);
    json_unread(report, f);
    json_restore(report, verdict);
    json_member(out, ",\n  ", "prefix", prefix);
    json_member(out, ",\n  ", "must_be_encrypted",
                report->config != NULL ? "by the EncryptionConfiguration" : "secrets");
    fprintf(out, ",\n  \"redacted\": %s",
            report->redaction != NULL && report->redaction->on ? "true" : "false");
    kw_etcd_cure(report, f, verdict, cure);
    json_next(out, cure);
    json_member(out, ",\n  ", "verdict", verdict->word);
    fprintf(out, ",\n  \"exit\": %d,\n  \"ok\": %s\n}\n", verdict->code,
            verdict->code == KW_EXIT_GOOD ? "true" : "false");
}

const struct kw_etcd_format kw_etcd_json = {json_begin, json_object_found, json_end};
