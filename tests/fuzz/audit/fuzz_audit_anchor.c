/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_audit_anchor_read.
 * Input: a line of a file of anchors; attacker: whoever writes to the log that they were kept
 * in.
 * Useful maximum: 1024 bytes.
 * Claim: refuses, or what it read as words is an anchor, too, and says the same. */
#include <stdio.h>

#include <keyward/audit_anchor.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_audit_anchor a, again;
    char head[2 * KW_SHA256 + 1], text[2 * KW_SHA256 + 32];
    if (!kw_audit_anchor_read(kw_span_of(data, len), &a))
        return 0;
    KW_INVARIANT(a.seq <= INT64_MAX);
    kw_hex(head, sizeof head, kw_span_of(a.head, sizeof a.head));
    snprintf(text, sizeof text, "%llu:%s", (unsigned long long)a.seq, head);
    KW_MUST(kw_audit_anchor_read(kw_span_str(text), &again));
    KW_INVARIANT(again.seq == a.seq && !again.has_log &&
                 kw_span_equal(kw_span_of(again.head, sizeof again.head),
                               kw_span_of(a.head, sizeof a.head)));
    return 0;
}
