/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint and its record. */
#include <keyward/audit_checkpoint.h>

#include <assert.h>

static_assert(KW_AUDIT_CHECKPOINT_LOGIN - KW_AUDIT_CHECKPOINT_WRAP + 1 ==
                  (int)KW_CHECKPOINT_COUNTS,
              "the counts are all there, in their order");

bool kw_audit_checkpoint_read(const struct kw_audit_record *record,
                              struct kw_checkpoint *ret_checkpoint)
{
    const struct kw_audit_value *v = record->value;
    struct kw_checkpoint c = {.covered = v[KW_AUDIT_CHECKPOINT_COVERED].number,
                              .time_us = v[KW_AUDIT_CHECKPOINT_TIME_US].number,
                              .synchronised =
                                  v[KW_AUDIT_CHECKPOINT_SYNCHRONISED].number == 1};
    KW_MUST(kw_unhex(c.log, sizeof c.log, v[KW_AUDIT_CHECKPOINT_LOG].text));
    KW_MUST(kw_unhex(c.head, sizeof c.head, v[KW_AUDIT_CHECKPOINT_HEAD].text));
    kw_copy_str(c.node, sizeof c.node, v[KW_AUDIT_CHECKPOINT_NODE].text);
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        c.counts[i] = v[KW_AUDIT_CHECKPOINT_WRAP + i].number;
    *ret_checkpoint = c;
    return v[KW_AUDIT_CHECKPOINT_SYNCHRONISED].number <= 1;
}

void kw_audit_checkpoint_record(const struct kw_checkpoint *checkpoint,
                                struct kw_audit_record *ret_record)
{
    static const char none[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    struct kw_audit_record r = {.kind = KW_AUDIT_CHECKPOINT};
    r.value[KW_AUDIT_CHECKPOINT_LOG] = kw_audit_text(none);
    r.value[KW_AUDIT_CHECKPOINT_NODE] = kw_audit_text(checkpoint->node);
    r.value[KW_AUDIT_CHECKPOINT_HEAD] = kw_audit_text(none);
    r.value[KW_AUDIT_CHECKPOINT_RECORDS] = KW_AUDIT_NULL;
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        r.value[KW_AUDIT_CHECKPOINT_WRAP + i] = kw_audit_number(checkpoint->counts[i]);
    r.value[KW_AUDIT_CHECKPOINT_TIME_US] = kw_audit_number(checkpoint->time_us);
    r.value[KW_AUDIT_CHECKPOINT_SYNCHRONISED] =
        kw_audit_number(checkpoint->synchronised ? 1 : 0);
    *ret_record = r;
}

bool kw_audit_signature_read(const struct kw_audit_record *record, kw_dst *dst)
{
    uint8_t der[KW_SIGNATURE_DER_MAX];
    const kw_span hex = record->value[KW_AUDIT_SIGNATURE_SIGNATURE].text;
    return hex.len % 2 == 0 && hex.len / 2 <= sizeof der &&
           kw_unhex(der, hex.len / 2, hex) &&
           kw_dst_put(dst, kw_span_of(der, hex.len / 2));
}
