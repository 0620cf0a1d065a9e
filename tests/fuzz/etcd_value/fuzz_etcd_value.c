/* SPDX-License-Identifier: Apache-2.0 */
/* target: what is stored under a key of etcd's, and the key.
 * Input: one byte, how long a prefix or known name is; that; a value or a key; attacker:
 * whoever writes to etcd.
 * Useful maximum: 4096 bytes.
 * Claim: all parts lie in the input, in their order where the format has one; a known name
 * is taken where it stands before a colon; a key that is written from its parts reads
 * alike; nothing is written for what is no key. */
#include <string.h>

#include <keyward/etcd_value.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 4096 };

static bool lies_within(kw_span part, kw_span all)
{
    return part.len == 0 || (part.ptr >= all.ptr && part.len <= all.len &&
                             (size_t)(part.ptr - all.ptr) <= all.len - part.len);
}

static void try_value(kw_span value, kw_span known)
{
    struct kw_stored s, without;
    kw_stored_read(value, &known, 1, &s);
    KW_INVARIANT(s.kind < KW_STORED_KINDS && kw_stored_kind_name(s.kind)[0] != '?');
    KW_INVARIANT(lies_within(s.name, value) && lies_within(s.key_id, value) &&
                 lies_within(s.wrapped, value) && lies_within(s.data, value));
    KW_INVARIANT(s.annotations <= value.len && s.type <= KW_STORED_TYPE_SEED);
    const bool is_v2 = s.kind == KW_STORED_KMS_V2;
    KW_INVARIANT(is_v2 == (s.key_id.len > 0) && is_v2 == (s.wrapped.len > 0) &&
                 is_v2 == (s.data.len > 0));
    KW_INVARIANT(s.name.len == 0 || value.ptr[0] == 'k');
    kw_stored_read(value, NULL, 0, &without);
    KW_INVARIANT(kw_span_equal(without.name, s.name) || kw_span_equal(s.name, known));
    KW_INVARIANT(memchr(without.name.ptr != NULL ? (const char *)without.name.ptr : "",
                        ':', without.name.len) == NULL);
}

static void try_key(kw_span key, kw_span prefix)
{
    static uint8_t room[2 * INPUT_MAX];
    struct kw_etcd_key k = {.name = {room, 7}}, again;
    if (!kw_etcd_key_read(key, prefix, &k)) {
        KW_INVARIANT(k.name.ptr == room && k.name.len == 7 && k.resource.len == 0);
        return;
    }
    KW_INVARIANT(k.name.len > 0 && k.resource.len > 0);
    KW_INVARIANT(lies_within(k.group, key) && lies_within(k.resource, key) &&
                 lies_within(k.name_space, key) && lies_within(k.name, key));
    KW_INVARIANT(k.builtin == NULL || kw_span_equal_str(k.resource, k.builtin->path));
    kw_dst dst = kw_dst_of(room, sizeof room);
    KW_MUST(kw_dst_put(&dst, prefix) && kw_dst_put_u8(&dst, '/'));
    if (k.group.len > 0)
        KW_MUST(kw_dst_put(&dst, k.group) && kw_dst_put_u8(&dst, '/'));
    KW_MUST(kw_dst_put(&dst, k.resource) && kw_dst_put_u8(&dst, '/'));
    if (k.name_space.len > 0)
        KW_MUST(kw_dst_put(&dst, k.name_space) && kw_dst_put_u8(&dst, '/'));
    KW_MUST(kw_dst_put(&dst, k.name));
    /* "//name" has an empty namespace, which is not written again. */
    const bool is_same = kw_span_equal(kw_dst_span(&dst), key);
    KW_INVARIANT(is_same || (k.name_space.len == 0 && dst.len + 1 == key.len));
    if (is_same) {
        KW_MUST(kw_etcd_key_read(kw_dst_span(&dst), prefix, &again));
        KW_INVARIANT(kw_span_equal(again.name, k.name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_src src = kw_src_of(kw_span_of(data, len));
    if (len == 0 || len > INPUT_MAX)
        return 0;
    const size_t first = kw_src_u8(&src);
    const kw_span known =
        kw_src_take(&src, first < kw_src_left(&src) ? first : kw_src_left(&src));
    const kw_span rest = kw_src_rest(&src);
    try_value(rest, known);
    try_key(rest, known);
    return 0;
}
