/* SPDX-License-Identifier: Apache-2.0 */
/* The report in words. */
#include "etcd_report.h"

#include <inttypes.h>

static void words_begin(struct kw_etcd_report *report)
{
    (void)report;
}

static void words_object(struct kw_etcd_report *report, const struct kw_etcd_found *found)
{
    struct kw_etcd_names n;
    kw_etcd_object_names(report->redaction, found, &n);
    fprintf(report->out, "%s %s %s%s%s, %s %" PRIu64 ": %s\n",
            kw_etcd_where_name(found->where), n.resource, n.name_space,
            n.name_space[0] != '\0' ? "/" : "", n.name,
            found->where == KW_ETCD_IN_LOG ? "index" : "revision", found->revision,
            found->row->why);
}

static void words_sums(FILE *out, const struct kw_etcd_row *row)
{
    const char *comma = "";
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++)
        if (row->at[w].objects > 0) {
            fprintf(out, "%s%s %" PRIu64 " (%" PRIu64 " bytes)", comma,
                    kw_etcd_where_name((enum kw_etcd_where)w), row->at[w].objects,
                    row->at[w].bytes);
            comma = ", ";
        }
    if (row->newest > 0)
        fprintf(out, "; revisions %" PRIu64 " to %" PRIu64, row->oldest, row->newest);
}

static void words_row(const struct kw_etcd_report *report, const struct kw_etcd_row *row)
{
    char resource[2 * KW_FOREIGN_MAX], name[KW_FOREIGN_MAX], key_id[KW_FOREIGN_MAX];
    kw_etcd_resource_text(report->redaction, row->builtin, row->group, row->resource,
                          resource);
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_NAME, row->name, name);
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_ID, row->key_id, key_id);
    fprintf(report->out, "%-24s %s%s%s%s%s%s: ", resource[0] != '\0' ? resource : "-",
            kw_stored_kind_name(row->kind), name[0] != '\0' ? " " : "", name,
            key_id[0] != '\0' ? " " : "", key_id,
            row->kind == KW_STORED_KMS_V2 && row->type == KW_STORED_TYPE_KEY
                ? " (a key of before 1.29)"
                : "");
    words_sums(report->out, row);
    fprintf(report->out, "%s%s\n", row->why != NULL ? "; " : "",
            row->why != NULL ? row->why : "");
}

/* Of a seed, or of a sample. */
static void words_result(FILE *out, const struct kw_restore_result *result)
{
    fprintf(out, "; %s%s%s", kw_restore_state_name(result->state),
            result->why[0] != '\0' ? ": " : "", result->why);
}

static void words_seed(const struct kw_etcd_report *report,
                       const struct kw_etcd_seed *seed,
                       const struct kw_restore_result *result)
{
    char name[KW_FOREIGN_MAX], key_id[KW_FOREIGN_MAX], digest[17];
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_NAME, seed->name, name);
    kw_foreign_text(report->redaction, KW_FOREIGN_KEY_ID, seed->key_id, key_id);
    kw_hex(digest, sizeof digest, kw_span_of(seed->sha256, 8));
    fprintf(report->out, "seed %s %s %s:", digest, name, key_id);
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++)
        fprintf(report->out, " %s %" PRIu64, kw_etcd_where_name((enum kw_etcd_where)w),
                seed->objects[w]);
    if (seed->newest > 0)
        fprintf(report->out, "; revisions %" PRIu64 " to %" PRIu64, seed->oldest,
                seed->newest);
    if (result != NULL)
        words_result(report->out, result);
    putc('\n', report->out);
}

static void words_sample(const struct kw_etcd_report *report,
                         const struct kw_restore_sample *sample,
                         const struct kw_restore_result *result)
{
    struct kw_etcd_key parts;
    struct kw_etcd_names n;
    const bool has_parts =
        kw_etcd_key_read(sample->key, kw_span_str(report->prefix), &parts);
    const struct kw_etcd_found found = {.key = sample->key,
                                        .parts = has_parts ? &parts : NULL};
    kw_etcd_object_names(report->redaction, &found, &n);
    fprintf(report->out, "object %s %s%s%s", n.resource, n.name_space,
            n.name_space[0] != '\0' ? "/" : "", n.name);
    words_result(report->out, result);
    putc('\n', report->out);
}

static void words_restore(const struct kw_etcd_report *report,
                          const struct kw_etcd_verdict *v)
{
    const struct kw_restore *r = report->restore;
    const struct kw_restore_sum *sum = &v->restore_sum;
    FILE *out = report->out;
    for (const struct kw_restore_sample *s = r->samples; s != NULL; s = s->next)
        if (r->results[r->findings->seed_count + s->i].state != KW_RESTORE_OPENED)
            words_sample(report, s, &r->results[r->findings->seed_count + s->i]);
    if (r->shared->label[0] != '\0')
        fprintf(out, "token      %s, serial %s\n", r->shared->label, r->shared->serial);
    if (kw_failed(r->token_err))
        fprintf(out, "token      could not be asked: %s\n", kw_etcd_token_why(report));
    fputs("restore    of the seeds that current objects need", out);
    for (unsigned i = KW_RESTORE_OPENED + 1; i-- > 0;)
        if (sum->of[i] > 0)
            fprintf(out, ", %" PRIu64 " %s", sum->of[i],
                    i == KW_RESTORE_OPENED
                        ? "open"
                        : kw_restore_state_name((enum kw_restore_state)i));
    if (r->sample_count > 0)
        fprintf(out, "; %" PRIu64 " of %zu objects opened to the end%s",
                sum->samples[KW_RESTORE_OPENED], r->sample_count,
                r->samples_cut ? ", and for more there was no room" : "");
    if (sum->others > 0)
        fprintf(out, "; %" PRIu64 " objects under other providers are not judged",
                sum->others);
    fprintf(out, ": %s\n", kw_restore_verdict_name(v->restore));
}

static bool words_has_log(const struct kw_etcd_report *report)
{
    for (size_t i = 0; i < report->input_count; i++)
        if (report->inputs[i].kind == KW_ETCD_INPUT_LOG)
            return true;
    return false;
}

static void words_files(const struct kw_etcd_report *report,
                        const struct kw_etcd_findings *f)
{
    if (f->has_db) {
        fprintf(report->out,
                "database   revision %" PRIu64 ", compacted at %" PRIu64 ", %" PRIu64
                " keys; %" PRIu64 " pages of %" PRIu32 " bytes, %" PRIu64
                " unreachable (%" PRIu64 " %%)\n",
                f->revision, f->db.compact_revision, f->keys, f->db.pages,
                f->db.page_size, f->db.unreachable,
                f->db.pages > 0 ? 100 * f->db.unreachable / f->db.pages : 0);
        fprintf(
            report->out, "integrity  %s\n",
            f->db.trailer == KW_ETCD_TRAILER_GOOD ? "the snapshot's own digest is good"
            : f->db.trailer == KW_ETCD_TRAILER_WRONG
                ? "the snapshot's own digest is WRONG: it was changed or cut since"
                : "a copied file, without a digest: its pages agree with one another");
    }
    if (f->has_log)
        fprintf(report->out,
                "log        %u files, entries %" PRIu64 " to %" PRIu64 ", %" PRIu64
                " puts%s\n",
                f->log.files, f->log.first_index, f->log.last_index, f->log.puts,
                f->log.is_gapless ? "" : "; files or entries are MISSING between");
    else if (!words_has_log(report))
        fputs("log        not looked at: --member or --wal\n", report->out);
}

static void words_unread(const struct kw_etcd_report *report,
                         const struct kw_etcd_findings *f)
{
    char path[KW_FOREIGN_MAX], why[KW_NOTE_MAX];
    for (size_t i = 0; i < report->input_count; i++)
        if (report->inputs[i].failed) {
            kw_etcd_input_text(report->redaction, &report->inputs[i], path, why);
            fprintf(report->out, "unread     %s: %s\n", path, why);
        }
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++) {
        const struct kw_etcd_blind *b = &f->blind[i];
        kw_etcd_blind_file(report->redaction, b, path);
        if (b->things > 0)
            fprintf(report->out,
                    "unread     %s: %" PRIu64 " cannot be judged, %" PRIu64
                    " with marks of objects; the first%s%s at %" PRIu64 ": %s\n",
                    kw_etcd_blind_name(i), b->things, b->marked,
                    path[0] != '\0' ? " in " : "", path, b->at, b->why);
    }
}

static void words_verdict(const struct kw_etcd_report *report,
                          const struct kw_etcd_verdict *v)
{
    fprintf(report->out, "%s", v->word);
    const char *begins = ": not as it must be are";
    for (unsigned w = 0; w < KW_ETCD_PLACES; w++)
        if (v->not_allowed[w] > 0) {
            fprintf(report->out, "%s %" PRIu64 " %s", begins, v->not_allowed[w],
                    kw_etcd_where_name((enum kw_etcd_where)w));
            begins = ",";
        }
    fprintf(report->out, "%s\n",
            v->is_unread ? "; something could not be read, and may hold anything" : "");
}

static void words_end(struct kw_etcd_report *report, const struct kw_etcd_findings *f,
                      const struct kw_etcd_verdict *verdict)
{
    char cure[KW_ETCD_CURE_MAX];
    for (size_t i = 0; i < f->row_count; i++)
        words_row(report, &f->rows[i]);
    for (size_t i = 0; i < f->seed_count; i++)
        words_seed(report, &f->seeds[i],
                   report->restore != NULL ? &report->restore->results[i] : NULL);
    words_files(report, f);
    words_unread(report, f);
    if (report->restore != NULL)
        words_restore(report, verdict);
    words_verdict(report, verdict);
    kw_etcd_cure(report, f, verdict, cure);
    if (cure[0] != '\0')
        fprintf(report->out, "next:\n%s", cure);
}

const struct kw_etcd_format kw_etcd_words = {words_begin, words_object, words_end};
