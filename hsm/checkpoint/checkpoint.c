/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a checkpoint as bytes, and back.
 *
 *   log 32, node behind a length of one byte, covered 8, head 32, seven counts of 8,
 *   time_us 8, synchronised 1
 */
#include <keyward/checkpoint.h>

#include <string.h>

static const char domain[] = "keyward-checkpoint-1";

static bool checkpoint_is_number(uint64_t n)
{
    return n <= INT64_MAX;
}

static kw_span node_of(const struct kw_checkpoint *c)
{
    return kw_span_of(c->node, strnlen(c->node, sizeof c->node - 1));
}

bool kw_checkpoint_is_sane(const struct kw_checkpoint *c)
{
    bool ok = checkpoint_is_number(c->covered) && checkpoint_is_number(c->time_us) &&
              kw_is_printable_text(node_of(c));
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        ok = ok && checkpoint_is_number(c->counts[i]);
    return ok;
}

bool kw_checkpoint_put(kw_dst *dst, const struct kw_checkpoint *c)
{
    const size_t before = dst->len;
    bool ok = kw_checkpoint_is_sane(c) &&
              kw_dst_put(dst, kw_span_of(c->log, sizeof c->log)) &&
              kw_dst_put_u8(dst, (uint8_t)node_of(c).len) &&
              kw_dst_put(dst, node_of(c)) && kw_dst_put_u64(dst, c->covered) &&
              kw_dst_put(dst, kw_span_of(c->head, sizeof c->head));
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        ok = ok && kw_dst_put_u64(dst, c->counts[i]);
    ok = ok && kw_dst_put_u64(dst, c->time_us) && kw_dst_put_u8(dst, c->synchronised);
    if (!ok)
        dst->len = before;
    return ok;
}

void kw_checkpoint_take(struct kw_src *src, struct kw_checkpoint *ret)
{
    struct kw_checkpoint c = {.covered = 0};
    kw_copy(c.log, sizeof c.log, kw_src_take(src, sizeof c.log));
    const kw_span node = kw_src_take(src, kw_src_u8(src));
    const bool fits = kw_copy_str(c.node, sizeof c.node, node);
    c.covered = kw_src_u64(src);
    kw_copy(c.head, sizeof c.head, kw_src_take(src, sizeof c.head));
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        c.counts[i] = kw_src_u64(src);
    c.time_us = kw_src_u64(src);
    const uint8_t synchronised = kw_src_u8(src);
    c.synchronised = synchronised == 1;
    if (!fits || synchronised > 1 || !kw_checkpoint_is_sane(&c))
        src->bad = true;
    *ret = c;
}

kw_err kw_checkpoint_write(const struct kw_checkpoint *c, kw_dst *dst)
{
    const size_t before = dst->len;
    if (!kw_checkpoint_is_sane(c))
        return kw_err_at(KW_CODE_BAD_INPUT, "checkpoint");
    if (kw_dst_put(dst, kw_span_str(domain)) && kw_checkpoint_put(dst, c))
        return KW_OK;
    dst->len = before;
    return kw_err_at(KW_CODE_NO_MEMORY, "checkpoint");
}

kw_err kw_checkpoint_hash(const struct kw_checkpoint *c, uint8_t ret_hash[KW_SHA256])
{
    uint8_t bytes[KW_CHECKPOINT_MAX];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    kw_err e = kw_checkpoint_write(c, &dst);
    return kw_failed(e) ? e : kw_sha256(kw_dst_span(&dst), ret_hash);
}
