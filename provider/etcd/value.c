/* SPDX-License-Identifier: Apache-2.0 */
/* value - how a stored value is encrypted, by its first bytes */
#include <keyward/etcd_value.h>

#include "proto.h"

enum { VALUE_KEY_ID_MAX = 1024, VALUE_WRAPPED_MAX = 1024 }; /* kube-apiserver's */

static const struct {
    const char *begins;
    size_t len;
    enum kw_stored_kind kind;
} beginnings[] = {
    {"k8s\0", 4, KW_STORED_PROTOBUF},
    {"{", 1, KW_STORED_JSON},
    {"\xd9\xd9\xf7", 3, KW_STORED_CBOR},
    {"k8s:enc:aescbc:v1:", 18, KW_STORED_AESCBC},
    {"k8s:enc:aesgcm:v1:", 18, KW_STORED_AESGCM},
    {"k8s:enc:secretbox:v1:", 21, KW_STORED_SECRETBOX},
    {"k8s:enc:kms:v1:", 15, KW_STORED_KMS_V1},
    {"k8s:enc:kms:v2:", 15, KW_STORED_KMS_V2},
    {"k8s:enc:", 8, KW_STORED_UNKNOWN},
};

const char *kw_stored_kind_name(enum kw_stored_kind kind)
{
    static const char *const names[KW_STORED_KINDS] = {
        "plain-protobuf", "plain-json", "plain-cbor", "aescbc",  "aesgcm",
        "secretbox",      "kms-v1",     "kms-v2",     "unknown", "other"};
    return kind < KW_STORED_KINDS ? names[kind] : "?";
}

static bool value_begins(kw_span value, const char *with, size_t len)
{
    return value.len >= len &&
           kw_span_equal(kw_span_of(value.ptr, len), kw_span_of(with, len));
}

/* The name before a colon, taken off. */
static kw_span value_take_name(struct kw_src *src, const kw_span *known, size_t count)
{
    const kw_span rest = kw_src_rest(src);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != ':')
        len++;
    for (size_t i = 0; i < count; i++)
        if (known[i].len > len && known[i].len < rest.len &&
            kw_span_equal(known[i], kw_span_of(rest.ptr, known[i].len)) &&
            rest.ptr[known[i].len] == ':')
            len = known[i].len;
    const kw_span name = kw_src_take(src, len);
    kw_src_take(src, 1);
    return name;
}

/* EncryptedObject: any order of fields, unknown ones left alone. */
static bool value_take_object(struct kw_src *src, struct kw_stored *stored)
{
    struct kw_proto_field f;
    uint64_t type = KW_STORED_TYPE_KEY;
    while (kw_proto_next(src, &f)) {
        const bool is_bytes = f.wire == KW_PROTO_BYTES;
        const bool is_type = f.number == 5 && f.wire == KW_PROTO_VARINT;
        if (f.number >= 1 && f.number <= 5 && !is_type && !(is_bytes && f.number < 5))
            return false;
        if (f.number == 1)
            stored->data = f.bytes;
        else if (f.number == 2)
            stored->key_id = f.bytes;
        else if (f.number == 3)
            stored->wrapped = f.bytes;
        else if (f.number == 4)
            stored->annotations++;
        else if (is_type)
            type = f.value;
    }
    if (type > KW_STORED_TYPE_SEED)
        return false;
    stored->type = type;
    return kw_src_done(src) && stored->data.len > 0 && stored->key_id.len > 0 &&
           stored->key_id.len <= VALUE_KEY_ID_MAX && stored->wrapped.len > 0 &&
           stored->wrapped.len <= VALUE_WRAPPED_MAX;
}

void kw_stored_read(kw_span value, const kw_span *known, size_t known_count,
                    struct kw_stored *ret_stored)
{
    struct kw_stored s = {.kind = KW_STORED_OTHER};
    size_t i = 0;
    const size_t count = sizeof beginnings / sizeof beginnings[0];
    while (i < count && !value_begins(value, beginnings[i].begins, beginnings[i].len))
        i++;
    if (i < count)
        s.kind = beginnings[i].kind;
    if (s.kind >= KW_STORED_AESCBC && s.kind <= KW_STORED_KMS_V2) {
        struct kw_src src = kw_src_of(value);
        kw_src_take(&src, beginnings[i].len);
        /* A name of KMS v2 holds no colon: kube-apiserver refuses one that does. */
        const size_t names = s.kind == KW_STORED_KMS_V2 ? 0 : known_count;
        s.name = value_take_name(&src, known, names);
        const bool is_whole =
            !src.bad && (s.kind != KW_STORED_KMS_V2 || value_take_object(&src, &s));
        if (!is_whole)
            s = (struct kw_stored){.kind = KW_STORED_UNKNOWN, .name = s.name};
    }
    *ret_stored = s;
}
