/* SPDX-License-Identifier: Apache-2.0 */
/* Verdict, why, and numbers. */
#include "bundle_log_row.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "coverage_report.h"

/* There was an operators' log: all of it is cut off. */
static bool row_is_gone(const struct kw_bundle_log_row *row)
{
    return row->daemon != NULL && row->daemon->speaks_of_one &&
           row->verification->records == 0;
}

/* ---- why ---- */

struct reasons {
    char text[2048]; /* all that can be said of one log has room */
    size_t len;
};

static void reasons_add(struct reasons *why, const char *fmt, ...) KW_PRINTF(2, 3);
static void reasons_add(struct reasons *why, const char *fmt, ...)
{
    va_list args;
    char one[2 * KW_NOTE_MAX];
    va_start(args, fmt);
    vsnprintf(one, sizeof one, fmt, args);
    va_end(args);
    const int n = snprintf(why->text + why->len, sizeof why->text - why->len, "%s%s",
                           why->len > 0 ? "; " : "", one);
    why->len += (size_t)n;
    KW_INVARIANT(why->len < sizeof why->text);
}

/* The file as it is called inside of the folder. */
static void reasons_broken(struct reasons *why, const struct kw_bundle_log_row *row)
{
    const struct kw_verification *v = row->verification;
    const size_t len = strlen(row->folder);
    char file[256];
    const char *inside = v->file;
    if (strncmp(v->file, row->folder, len) == 0)
        inside += len + strspn(v->file + len, "/");
    kw_copy_printable(file, sizeof file, kw_span_str(inside));
    reasons_add(why, "%s, line %" PRIu64 ", byte %" PRIu64 ": %s", file, v->line + 1,
                v->offset, v->why.text);
}

static void reasons_marks(struct reasons *why, const struct kw_verification *v)
{
    for (size_t i = 0; i < KW_VERIFICATION_MARKS; i++) {
        const struct kw_verification_mark *mark = &kw_verification_marks[i];
        if (v->of_kind[mark->kind] > 0)
            reasons_add(why, "%s, %" PRIu64 " of its records: %s",
                        kw_audit_shape(mark->kind)->name, v->of_kind[mark->kind],
                        mark->words);
    }
    if (v->is_unended)
        reasons_add(why, "the last line has no end");
}

static void reasons_signatures(struct reasons *why, const struct kw_signatures *s)
{
    if (!s->has_key)
        return;
    if (s->good == 0)
        reasons_add(why, "nothing is signed by this key");
    else if (!kw_signatures_cover_the_end(s))
        reasons_add(why, "what comes behind record %" PRIu64 " is not signed",
                    s->signed_to);
    if (s->stretches > 0)
        reasons_add(why, "%" PRIu64 " stretches are signed only with what came later",
                    s->stretches);
    if (s->strangers > 0)
        reasons_add(why, "%" PRIu64 " signatures are by another key", s->strangers);
}

static void reasons_anchors(struct reasons *why, const struct kw_verification *v)
{
    if (v->wants_anchors && v->anchors.agreed == 0)
        reasons_add(why, "no anchor agrees");
    if (v->anchors.others > 0)
        reasons_add(why, "%" PRIu64 " anchors are of another log", v->anchors.others);
}

static void reasons_coverage(struct reasons *why, const struct kw_verification *v)
{
    if (v->wants_period && v->covered.is_more)
        reasons_add(why, "the period has more than %d intervals: ask for a shorter one",
                    KW_COVERAGE_MAX);
    else if (v->wants_period && !v->covered.is_whole)
        reasons_add(why, "the period has %" PRIu64 " gaps", v->covered.gaps);
}

static void reasons_calls(struct reasons *why, const struct kw_bundle_calls *calls)
{
    if (calls == NULL)
        return;
    if (calls->folded > 0)
        reasons_add(why,
                    "%" PRIu64 " calls that failed are counted with the key_id other, as "
                    "more than %d such were named",
                    calls->folded, KW_BUNDLE_KEYS_MAX);
    if (calls->left_out > 0)
        reasons_add(why, "%" PRIu64 " calls are counted in no row, as there are %d",
                    calls->left_out, KW_BUNDLE_CALLS_MAX);
}

/* What the daemon's log has against the operators' one. */
static void reasons_daemon(struct reasons *why, const struct kw_bundle_log_row *row)
{
    const struct kw_bundle_daemon *d = row->daemon;
    if (d == NULL)
        return;
    if (row_is_gone(row))
        reasons_add(why, "the audit log speaks of one that is not here");
    if (d->found_none > 0)
        reasons_add(why, "%" PRIu64 " times the audit log says that it was no log",
                    d->found_none);
    if (d->is_broken)
        reasons_add(why, "the audit log, whose records anchor it, is broken");
    if (d->has_more_standings)
        reasons_add(why, "the audit log has more anchors for it than were compared");
}

static void reasons_all(struct reasons *why, const struct kw_bundle_log_row *row)
{
    const struct kw_verification *v = row->verification;
    if (kw_verification_is_broken(v)) {
        reasons_broken(why, row);
    } else if (v->records == 0) {
        reasons_add(why, v->files == 0 ? "there is no file of it" : "there is no record");
    } else {
        reasons_anchors(why, v);
        reasons_signatures(why, &v->signatures);
        reasons_coverage(why, v);
    }
    reasons_marks(why, v);
    reasons_daemon(why, row);
    reasons_calls(why, row->calls);
}

/* ---- the verdict ---- */

static bool row_is_doubted(const struct kw_bundle_log_row *row)
{
    const struct kw_bundle_daemon *d = row->daemon;
    return d != NULL && row->verification->records > 0 &&
           (d->found_none > 0 || d->has_more_standings || d->is_broken);
}

static const char *row_verdict(const struct kw_bundle_log_row *row)
{
    const struct kw_verification *v = row->verification;
    if (kw_verification_is_broken(v) || row_is_gone(row))
        return kw_audit_verdict_word(KW_AUDIT_VERDICT_BROKEN);
    if (v->records == 0)
        return "none";
    return kw_audit_verdict_word(row_is_doubted(row) ? KW_AUDIT_VERDICT_INCOMPLETE
                                                     : kw_verification_verdict(v));
}

/* ---- the row ---- */

static json_t *row_number(bool is_known, uint64_t number)
{
    return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *row_hash(bool is_known, const uint8_t hash[KW_SHA256])
{
    char text[2 * KW_SHA256 + 1];
    kw_hex(text, sizeof text, kw_span_of(hash, KW_SHA256));
    return is_known ? json_string(text) : json_null();
}

static json_t *row_text(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static uint64_t row_marks(const struct kw_verification *v)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < KW_VERIFICATION_MARKS; i++)
        sum += v->of_kind[kw_verification_marks[i].kind];
    return sum;
}

/* NULL: out of memory.  Of a broken log neither anchors nor signatures nor coverage say
 * anything. */
static json_t *row_of(const struct kw_bundle_log_row *row, const char *why)
{
    const struct kw_verification *v = row->verification;
    const struct kw_signatures *s = &v->signatures;
    const bool has_any = v->records > 0, is_good = !kw_verification_is_broken(v);
    const bool has_period = is_good && v->wants_period;
    const bool has_list = has_period && !v->covered.is_more;
    return json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:b, s:I, "
        "s:o, "
        "s:I, s:I, s:I, s:o, s:o, s:o}",
        "node", row->node, "log", row->log, "files", (json_int_t)v->files, "verdict",
        row_verdict(row), "why", row_text(why), "records", (json_int_t)v->records,
        "first_time", row_text(row->seen->first_time), "last_time",
        row_text(row->seen->last_time), "log_id", row_hash(has_any, v->chain.log), "head",
        row_hash(has_any, v->chain.head), "beginning_known", v->chain.knows_its_beginning,
        "anchored_to",
        row_number(is_good && v->anchors.agreed > 0, v->anchors.anchored_to), "signed_to",
        row_number(is_good && s->good > 0, s->signed_to), "end_signed",
        is_good && kw_signatures_cover_the_end(s), "unsigned_stretches",
        (json_int_t)s->stretches, "key_sha256",
        row_hash(s->has_key && has_any, s->sha256), "marks", (json_int_t)row_marks(v),
        "checkpoints", (json_int_t)row->seen->checkpoints, "unsynchronised",
        (json_int_t)row->seen->unsynchronised, "covered",
        has_period ? json_boolean(v->covered.is_whole) : json_null(), "gaps",
        row_number(has_list, v->covered.gaps), "gap_seconds",
        row_number(has_list, kw_covered_gap_seconds(&v->covered)));
}

void kw_bundle_log_row(const struct kw_bundle_log_row *row, struct kw_evidence *e)
{
    struct reasons why = {.len = 0};
    reasons_all(&why, row);
    kw_evidence_add(e, KW_EVIDENCE_LOGS, row_of(row, why.text));
}

void kw_bundle_log_row_uncopied(const char *node, const char *log, struct kw_evidence *e)
{
    static const struct kw_verification nothing;
    static const struct kw_bundle_seen none;
    const struct kw_bundle_log_row row = {
        .node = node, .log = log, .verification = &nothing, .seen = &none};
    kw_evidence_add(e, KW_EVIDENCE_LOGS, row_of(&row, "it was not copied"));
}
