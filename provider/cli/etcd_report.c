/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict, and how things are called in every kind of report. */
#include "etcd_report.h"

#include <string.h>

static bool report_is_unread(const struct kw_etcd_report *report,
                             const struct kw_etcd_findings *findings)
{
    for (size_t i = 0; i < report->input_count; i++)
        if (report->inputs[i].failed)
            return true;
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++)
        if (findings->blind[i].things > 0)
            return true;
    return (findings->has_db && findings->db.trailer == KW_ETCD_TRAILER_WRONG) ||
           (findings->has_log && !findings->log.is_gapless);
}

struct kw_etcd_verdict kw_etcd_judge(const struct kw_etcd_report *report,
                                     const struct kw_etcd_findings *findings)
{
    struct kw_etcd_verdict v = {.code = KW_EXIT_GOOD,
                                .word = "clean",
                                .is_unread = report_is_unread(report, findings)};
    uint64_t elsewhere = 0;
    for (size_t i = 0; i < findings->row_count; i++)
        for (unsigned w = 0; findings->rows[i].why != NULL && w < KW_ETCD_PLACES; w++) {
            v.not_allowed[w] += findings->rows[i].at[w].objects;
            elsewhere += w != KW_ETCD_CURRENT ? findings->rows[i].at[w].objects : 0;
        }
    if (report->restore != NULL)
        v.restore = kw_restore_verdict(report->restore, &v.restore_sum);
    if (v.not_allowed[KW_ETCD_CURRENT] > 0) {
        v.code = KW_EXIT_PROBLEM;
        v.word = "violated";
    } else if (v.restore != KW_RESTORABLE) {
        v.code = v.restore == KW_NOT_RESTORABLE ? KW_EXIT_PROBLEM : KW_EXIT_BLIND;
        v.word = kw_restore_verdict_name(v.restore);
    } else if (v.is_unread) {
        v.code = KW_EXIT_BLIND;
        v.word = "unread";
    } else if (elsewhere > 0) {
        v.code = KW_EXIT_LEFTOVERS;
        v.word = "leftovers";
    }
    return v;
}

void kw_etcd_resource_text(const struct kw_redaction *redaction,
                           const struct kw_etcd_builtin *builtin, kw_span group,
                           kw_span resource, char ret_text[2 * KW_FOREIGN_MAX])
{
    char name[KW_FOREIGN_MAX], in[KW_FOREIGN_MAX];
    if (builtin != NULL) {
        snprintf(ret_text, KW_FOREIGN_MAX, "%s", builtin->plural);
        return;
    }
    kw_foreign_text(redaction, KW_FOREIGN_RESOURCE, resource, name);
    kw_foreign_text(redaction, KW_FOREIGN_GROUP, group, in);
    snprintf(ret_text, (size_t)2 * KW_FOREIGN_MAX, "%s%s%s", name,
             group.len > 0 ? "." : "", in);
}

void kw_etcd_object_names(const struct kw_redaction *redaction,
                          const struct kw_etcd_found *found,
                          struct kw_etcd_names *ret_names)
{
    const struct kw_etcd_key none = {.name = found->key}, *parts = found->parts;
    if (parts == NULL)
        parts = &none;
    kw_etcd_resource_text(redaction, parts->builtin, parts->group, parts->resource,
                          ret_names->resource);
    kw_foreign_text(redaction, KW_FOREIGN_NAMESPACE, parts->name_space,
                    ret_names->name_space);
    kw_foreign_text(redaction, KW_FOREIGN_NAME, parts->name, ret_names->name);
}

/* A note names the path at its beginning. */
void kw_etcd_input_text(const struct kw_redaction *redaction,
                        const struct kw_etcd_input *input, char ret_path[KW_FOREIGN_MAX],
                        char ret_why[KW_NOTE_MAX])
{
    const size_t len = strlen(input->path);
    const char *why = input->note.text;
    const bool is_redacted = redaction != NULL && redaction->on;
    kw_foreign_text(redaction, KW_FOREIGN_PATH, kw_span_of(input->path, len), ret_path);
    if (strncmp(why, input->path, len) == 0 && strncmp(why + len, ": ", 2) == 0 &&
        (!is_redacted || input->kind != KW_ETCD_INPUT_LOG))
        why += len + 2;
    else if (is_redacted && input->failed)
        why = "it could not be read; without --redact it is said why";
    snprintf(ret_why, KW_NOTE_MAX, "%s", why);
}

/* What the token or its PIN says of itself names paths. */
const char *kw_etcd_token_why(const struct kw_etcd_report *report)
{
    const struct kw_restore *r = report->restore;
    if (report->redaction != NULL && report->redaction->on)
        return "without --redact it is said why";
    return r->token_note.text[0] != '\0' ? r->token_note.text
                                         : kw_code_name(r->token_err.code);
}

void kw_etcd_blind_file(const struct kw_redaction *redaction,
                        const struct kw_etcd_blind *blind, char ret_file[KW_FOREIGN_MAX])
{
    kw_foreign_text(redaction, KW_FOREIGN_PATH, kw_span_str(blind->file), ret_file);
}

const char *kw_etcd_input_name(enum kw_etcd_input_kind kind)
{
    static const char *const names[] = {"database", "copy", "log", "other"};
    return names[kind];
}

const char *kw_etcd_trailer_name(enum kw_etcd_trailer trailer)
{
    static const char *const names[] = {"absent", "good", "wrong"};
    return names[trailer];
}

const char *kw_etcd_blind_name(unsigned i)
{
    static const char *const names[KW_ETCD_PLACES + 1] = {
        "reachable pages", "copies", "unreachable pages", "log", "other files"};
    return names[i];
}
