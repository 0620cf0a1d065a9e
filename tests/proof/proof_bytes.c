/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the reader that every parser takes from, the writer that all append with, and
 * copies.  Input: bytes and lengths of any kind.  Useful maximum: none of their own, so
 * arrays of each small size stand for all: no size is written in these functions but the
 * widths of numbers and their prefix of two bytes.
 * Claim: what is taken lies within the input, what is put within the room, and what does
 * not fit takes and puts nothing. */
#include "proof.h"

enum { SIZES = 9 };
static uint8_t in[SIZES];

static void take_from(size_t have, size_t before, size_t want)
{
    struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, have), have));
    src.bad = proof_bool();
    const bool was_bad = src.bad;
    /*@ split was_bad; */
    src.at = before;
    kw_span taken = kw_src_take(&src, want);
    /*@ assert latched: was_bad ==> src.bad && taken.len == 0; */
    /*@ assert within: !src.bad ==> taken.len == want && src.at == before + want <= have;
     */
    /*@ assert nothing: src.bad ==> taken.len == 0 && src.at == before; */
    for (size_t i = 0; i < taken.len; i++)
        in[0] = taken.ptr[i];
    kw_span rest = kw_src_rest(&src);
    for (size_t i = 0; i < rest.len; i++)
        in[0] = rest.ptr[i];
}

static void take_numbers(size_t have)
{
    const kw_span all = kw_span_of(PROOF_TAIL(in, have), have);
    struct kw_src src = kw_src_of(all);
    uint64_t sum = kw_src_u64(&src);
    src = kw_src_of(all);
    sum += kw_src_u32(&src);
    src = kw_src_of(all);
    sum += kw_src_u16(&src);
    sum += kw_src_u8(&src);
    src = kw_src_of(all);
    kw_span s = kw_src_sized(&src);
    for (size_t i = 0; i < s.len; i++)
        sum += s.ptr[i];
    in[0] = kw_src_done(&src) ? 1 : (uint8_t)sum;
}

static void put_into(size_t room, size_t len)
{
    uint8_t out[SIZES];
    const kw_span s = kw_span_of(PROOF_TAIL(in, len), len);
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    bool ok = kw_dst_put(&dst, s);
    /*@ assert whole: ok ==> dst.len == len <= room; */
    /*@ assert nothing: !ok ==> dst.len == 0 && len > room; */
    dst.len = 0;
    ok = kw_dst_put_sized(&dst, s);
    /*@ assert whole_sized: ok ==> dst.len == len + 2 <= room; */
    /*@ assert nothing_sized: !ok ==> dst.len == 0 && len + 2 > room; */
    dst.len = 0;
    ok = kw_dst_put_u8(&dst, proof_u8()) && kw_dst_put_u16(&dst, 0xfedc) &&
         kw_dst_put_u32(&dst, 0xfedcba98) && kw_dst_put_u64(&dst, 0xfedcba9876543210);
    /*@ assert all_or_less: !ok && dst.len <= room; */
}

static void copy_into(size_t cap, size_t len)
{
    char out[SIZES];
    const kw_span s = kw_span_of(PROOF_TAIL(in, len), len);
    if (len <= cap)
        kw_copy(PROOF_TAIL(out, cap), cap, s);
    if (cap > 0 && kw_copy_str(PROOF_TAIL(out, cap), cap, s))
        /*@ assert not_cut: len < cap; */
        in[0] = 0;
}

static void compare(size_t a, size_t b)
{
    const kw_span first = kw_span_of(PROOF_TAIL(in, a), a);
    const kw_span second = kw_span_of(PROOF_TAIL(in, b), b);
    const bool same = kw_span_equal(first, second);
    /*@ assert lengths: same ==> a == b; */
    const bool same_ct = kw_equal_ct(first, second);
    /*@ assert lengths_ct: same_ct ==> a == b; */
    if (kw_span_equal_str(first, "text") || kw_span_str(NULL).len == 1)
        in[0] = 0;
}

static bool is_small(uint8_t c)
{
    return c < 100;
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t i = 0; i <= SIZES; i++) {
        take_numbers(i);
        (void)kw_span_all(kw_span_of(PROOF_TAIL(in, i), i), is_small);
        for (size_t k = 0; k <= SIZES; k++) {
            put_into(i, k);
            copy_into(i, k);
            compare(i, k);
            for (size_t before = 0; before <= i; before++)
                take_from(i, before, k);
        }
        struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, i), i));
        (void)kw_src_take(&src, proof_size(0, SIZE_MAX));
        /*@ assert within_any: src.at <= i; */
    }
    /* A span that only says that it is long: its length alone must refuse it. */
    uint8_t out[4];
    kw_dst dst = kw_dst_of(out, sizeof out);
    if (kw_dst_put_sized(&dst, kw_span_of(in, proof_size(65536, SIZE_MAX))))
        /*@ assert never: \false; */
        return 1;
    return 0;
}
