/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log, then the operators' one, which it anchors. */
#include "bundle_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <keyward/limits.h>

#include "audit_verification.h"
#include "bundle_acts.h"
#include "bundle_calls.h"
#include "bundle_log_row.h"

struct bundle_log {
    const struct kw_bundle_log_asked *asked;
    struct kw_evidence *e;
    struct kw_period period;
    char folder[KW_PATH_MAX];   /* of both logs */
    struct kw_bundle_seen seen; /* in the log that is being read */
    struct kw_bundle_calls calls;
    struct kw_bundle_acts acts;
    struct kw_anchors standings; /* of the operators' log, as the daemon's has them */
    struct kw_bundle_daemon daemon;
    kw_err err;
};

/* ---- what records say, besides following each other ---- */

static void log_see(struct bundle_log *b, const struct kw_audit_record *r)
{
    struct kw_bundle_seen *seen = &b->seen;
    if (seen->first_time[0] == '\0')
        kw_copy_str(seen->first_time, sizeof seen->first_time, r->time);
    kw_copy_str(seen->last_time, sizeof seen->last_time, r->time);
    if (r->kind != KW_AUDIT_CHECKPOINT || !kw_period_has(&b->period, kw_time_us(r->time)))
        return;
    seen->checkpoints++;
    seen->unsynchronised += r->value[KW_AUDIT_CHECKPOINT_SYNCHRONISED].number == 0;
}

/* Where the operators' log stood.  That it was none is told by three nulls. */
static void log_standing(struct bundle_log *b, const struct kw_audit_record *r)
{
    const struct kw_audit_value *v = r->value;
    struct kw_audit_anchor anchor = {.seq = v[KW_AUDIT_OPERATOR_LOG_LAST].number,
                                     .has_log = true};
    if (v[KW_AUDIT_OPERATOR_LOG_LOG].is_null || v[KW_AUDIT_OPERATOR_LOG_LAST].is_null ||
        v[KW_AUDIT_OPERATOR_LOG_HEAD].is_null)
        b->daemon.found_none++;
    else if (b->standings.count == KW_BUNDLE_STANDINGS_MAX)
        b->daemon.has_more_standings = true;
    else {
        KW_MUST(kw_unhex(anchor.log, KW_SHA256, v[KW_AUDIT_OPERATOR_LOG_LOG].text));
        KW_MUST(kw_unhex(anchor.head, KW_SHA256, v[KW_AUDIT_OPERATOR_LOG_HEAD].text));
        b->err = kw_anchors_add(&b->standings, &anchor);
    }
}

static void log_each_of_daemon(void *self, const struct kw_audit_record *r)
{
    struct bundle_log *b = self;
    log_see(b, r);
    kw_bundle_calls_meet(&b->calls, r);
    if (r->kind == KW_AUDIT_OPERATOR_LOG && !kw_failed(b->err))
        log_standing(b, r);
}

static void log_each_of_operators(void *self, const struct kw_audit_record *r)
{
    struct bundle_log *b = self;
    log_see(b, r);
    kw_bundle_acts_meet(&b->acts, r);
}

/* ---- the daemon's log ---- */

static void log_coverage(struct bundle_log *b, const struct kw_covered *covered)
{
    for (size_t i = 0; i < covered->count; i++) {
        const struct kw_coverage_interval *one = &covered->at[i];
        char from[KW_TIME_TEXT], to[KW_TIME_TEXT];
        kw_time_text(from, one->from_us * 1000);
        kw_time_text(to, one->to_us * 1000);
        kw_evidence_add(b->e, KW_EVIDENCE_COVERAGE,
                        json_pack("{s:s, s:s, s:s, s:s, s:b}", "node", b->asked->node,
                                  "from", from, "to", to, "kind",
                                  kw_coverage_word(one->kind), "gap", one->is_gap));
    }
}

static void log_daemon_rows(struct bundle_log *b, const struct kw_verification *v)
{
    const struct kw_bundle_log_row row = {.node = b->asked->node,
                                          .log = "audit",
                                          .folder = b->asked->folder,
                                          .verification = v,
                                          .seen = &b->seen,
                                          .calls = &b->calls};
    kw_bundle_log_row(&row, b->e);
    log_coverage(b, &v->covered);
    kw_bundle_calls_rows(&b->calls, b->asked->node, b->e);
    b->daemon.has_records = v->records > 0;
    b->daemon.is_broken = kw_verification_is_broken(v);
    b->daemon.speaks_of_one = b->standings.count > 0 || b->daemon.found_none > 0;
}

static kw_err log_daemon(struct bundle_log *b, struct kw_note *note)
{
    const struct kw_verification_asked asked = {.anchors = b->asked->anchors,
                                                .key = b->asked->key,
                                                .period = &b->period,
                                                .each = log_each_of_daemon,
                                                .self = b};
    struct kw_verification v;
    kw_err e = kw_verification_begin(&v, &asked, note);
    if (!kw_failed(e))
        e = kw_verification_folder(&v, b->folder, "audit", note);
    e = kw_failed(e) ? e : b->err;
    if (!kw_failed(e))
        log_daemon_rows(b, &v);
    kw_verification_free(&v);
    return e;
}

/* ---- the operators' log ---- */

static kw_err log_operators(struct bundle_log *b, struct kw_note *note)
{
    kw_anchors_sort(&b->standings);
    b->seen = (struct kw_bundle_seen){.checkpoints = 0};
    const struct kw_verification_asked asked = {
        .at_hand = b->daemon.has_records ? &b->standings : NULL,
        .each = log_each_of_operators,
        .self = b};
    struct kw_verification v;
    kw_err e = kw_verification_begin(&v, &asked, note);
    if (!kw_failed(e))
        e = kw_verification_folder(&v, b->folder, "operator", note);
    if (!kw_failed(e)) {
        const struct kw_bundle_log_row row = {.node = b->asked->node,
                                              .log = "operator",
                                              .folder = b->asked->folder,
                                              .verification = &v,
                                              .seen = &b->seen,
                                              .daemon = &b->daemon};
        kw_bundle_log_row(&row, b->e);
        e = kw_bundle_acts_rows(&b->acts, !kw_verification_is_broken(&v) && !v.is_unended,
                                b->e);
    }
    kw_verification_free(&v);
    return e;
}

/* ---- both ---- */

static kw_err log_both(struct bundle_log *b, struct kw_note *note)
{
    if (!b->asked->copied) {
        kw_bundle_log_row_uncopied(b->asked->node, "audit", b->e);
        kw_bundle_log_row_uncopied(b->asked->node, "operator", b->e);
        return kw_evidence_state(b->e);
    }
    kw_err e = log_daemon(b, note);
    return kw_failed(e) ? e : log_operators(b, note);
}

kw_err kw_bundle_log(struct kw_evidence *e, const struct kw_bundle_log_asked *asked,
                     struct kw_note *note)
{
    const struct kw_evidence_head *head = kw_evidence_head(e);
    struct bundle_log b = {.asked = asked,
                           .e = e,
                           .period = {.from_us = head->from_us, .to_us = head->to_us}};
    const int len = snprintf(b.folder, sizeof b.folder, "%s/audit", asked->folder);
    if (len < 0 || (size_t)len >= sizeof b.folder) {
        kw_note_set(note, "%s: the path is too long", asked->folder);
        return kw_err_native(KW_CODE_IO, ENAMETOOLONG, "folder");
    }
    kw_err err = kw_bundle_calls_begin(&b.calls, &b.period);
    kw_bundle_acts_begin(&b.acts, asked->node, &b.period);
    if (!kw_failed(err))
        err = log_both(&b, note);
    kw_bundle_acts_free(&b.acts);
    kw_bundle_calls_free(&b.calls);
    kw_anchors_free(&b.standings);
    return kw_failed(err) ? err : kw_evidence_state(e);
}
