/* SPDX-License-Identifier: Apache-2.0 */
#include "revision.h"

#include "proto.h"

enum { TOMBSTONE_LEN = 18 };
enum {
    KV_KEY = 1,
    KV_CREATE = 2,
    KV_MOD = 3,
    KV_VERSION = 4,
    KV_VALUE = 5,
    KV_LEASE = 6
};

bool kw_etcd_revision_read(kw_span name, struct kw_etcd_revision *ret_revision,
                           bool *ret_tombstone)
{
    struct kw_src src = kw_src_of(name);
    struct kw_etcd_revision r = {0, 0};
    r.main = kw_src_u64(&src);
    const bool separated = kw_src_u8(&src) == '_';
    r.sub = kw_src_u64(&src);
    const bool is_tombstone = name.len == TOMBSTONE_LEN && kw_src_u8(&src) == 't';
    if (!separated || !kw_src_done(&src))
        return false;
    if (name.len == TOMBSTONE_LEN && !is_tombstone)
        return false;
    *ret_revision = r;
    *ret_tombstone = is_tombstone;
    return true;
}

/* false when the field has another wire type than its number asks for. */
static bool kv_field(struct kw_etcd_kv *kv, const struct kw_proto_field *f)
{
    switch (f->number) {
    case KV_KEY: kv->key = f->bytes; return f->wire == KW_PROTO_BYTES;
    case KV_VALUE: kv->value = f->bytes; return f->wire == KW_PROTO_BYTES;
    case KV_CREATE: kv->create_revision = f->value; return f->wire == KW_PROTO_VARINT;
    case KV_VERSION: kv->version = f->value; return f->wire == KW_PROTO_VARINT;
    case KV_MOD:
    case KV_LEASE: return f->wire == KW_PROTO_VARINT;
    default: return true;
    }
}

bool kw_etcd_kv_read(kw_span message, struct kw_etcd_kv *ret_kv)
{
    struct kw_src src = kw_src_of(message);
    struct kw_etcd_kv kv = {0};
    struct kw_proto_field f;
    while (kw_proto_next(&src, &f))
        if (!kv_field(&kv, &f))
            return false;
    if (!kw_src_done(&src))
        return false;
    *ret_kv = kv;
    return true;
}

int kw_etcd_revision_compare(struct kw_etcd_revision a, struct kw_etcd_revision b)
{
    if (a.main != b.main)
        return a.main < b.main ? -1 : 1;
    return a.sub < b.sub ? -1 : a.sub > b.sub;
}
