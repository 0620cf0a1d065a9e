/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint that was kept elsewhere. */
#include <keyward/audit_anchor.h>

#include <string.h>

#include "spelling.h"

enum { DIGITS = 2 * KW_SHA256 };

static bool anchor_take_hash(struct kw_src *src, uint8_t dst[KW_SHA256])
{
    const kw_span hex = kw_src_take(src, DIGITS);
    return !src->bad && kw_unhex(dst, KW_SHA256, hex);
}

static kw_span anchor_from(kw_span line, const char *text)
{
    const uint8_t *at =
        line.len == 0 ? NULL : memmem(line.ptr, line.len, text, strlen(text));
    return at == NULL ? kw_span_of(NULL, 0)
                      : kw_span_of(at, line.len - (size_t)(at - line.ptr));
}

/* Alone, or as the system log wrote its copy, behind date, host and sender. */
static bool anchor_record(kw_span line, struct kw_audit_record *ret_record)
{
    uint8_t hash[KW_SHA256];
    return !kw_failed(
        kw_audit_read(anchor_from(line, "{\"seq\":"), ret_record, hash, NULL));
}

/* A checkpoint, or of the operator's log a record in the other one.  It has been read as
 * one, so its members are as they must be. */
static bool anchor_of_record(kw_span line, struct kw_audit_anchor *a)
{
    struct kw_audit_record r;
    if (!anchor_record(line, &r))
        return false;
    const bool is_operator = r.kind == KW_AUDIT_OPERATOR_LOG;
    const struct kw_audit_value *v = r.value;
    if ((!is_operator && r.kind != KW_AUDIT_CHECKPOINT) ||
        (is_operator && v[KW_AUDIT_OPERATOR_LOG_LOG].is_null))
        return false;
    a->seq =
        v[is_operator ? KW_AUDIT_OPERATOR_LOG_LAST : KW_AUDIT_CHECKPOINT_COVERED].number;
    a->has_log = true;
    a->is_operator = is_operator;
    const size_t head =
        is_operator ? KW_AUDIT_OPERATOR_LOG_HEAD : KW_AUDIT_CHECKPOINT_HEAD;
    const size_t log = is_operator ? KW_AUDIT_OPERATOR_LOG_LOG : KW_AUDIT_CHECKPOINT_LOG;
    return kw_unhex(a->head, KW_SHA256, v[head].text) &&
           kw_unhex(a->log, KW_SHA256, v[log].text);
}

static bool anchor_of_words(kw_span line, struct kw_audit_anchor *a)
{
    struct kw_src src = kw_src_of(line);
    return kw_audit_take_number(&src, &a->seq) && kw_audit_take(&src, ":") &&
           anchor_take_hash(&src, a->head) && kw_src_done(&src);
}

/* How the daemon's log has it, in either form. */
static const struct {
    const char *seq, *head, *log, *end; /* end: "" or this comes behind */
    bool may_end;                       /* or nothing */
} forms[] = {
    {"level=info event=audit-checkpoint seq=", " head=", " log=", " ", true},
    {"\"event\":\"audit-checkpoint\",\"seq\":", ",\"head\":\"", "\",\"log\":\"", "\"",
     false},
};

static bool anchor_of_log(kw_span line, size_t form, struct kw_audit_anchor *a)
{
    const char *begin = forms[form].seq;
    struct kw_src src = kw_src_of(anchor_from(line, begin));
    a->has_log = true;
    return kw_audit_take(&src, begin) && kw_audit_take_number(&src, &a->seq) &&
           kw_audit_take(&src, forms[form].head) && anchor_take_hash(&src, a->head) &&
           kw_audit_take(&src, forms[form].log) && anchor_take_hash(&src, a->log) &&
           ((forms[form].may_end && kw_src_done(&src)) ||
            kw_audit_take(&src, forms[form].end));
}

bool kw_audit_anchor_read(kw_span line, struct kw_audit_anchor *ret_anchor)
{
    struct kw_audit_anchor a = {.seq = 0};
    bool is_one = anchor_of_record(line, &a);
    for (size_t form = 0; !is_one && form < sizeof forms / sizeof forms[0]; form++) {
        a = (struct kw_audit_anchor){.seq = 0};
        is_one = anchor_of_log(line, form, &a);
    }
    if (!is_one) {
        a = (struct kw_audit_anchor){.seq = 0};
        is_one = anchor_of_words(line, &a);
    }
    if (is_one)
        *ret_anchor = a;
    return is_one;
}

bool kw_audit_anchor_is_beside(kw_span line)
{
    struct kw_audit_record r;
    return anchor_record(line, &r) && r.kind != KW_AUDIT_CHECKPOINT;
}
