/* SPDX-License-Identifier: Apache-2.0 */
/* proto - the wire format of Protocol Buffers, field by field, without a schema
 *
 * What etcd and kube-apiserver stored is read in place: a million values, none of them
 * copied or allocated for.
 *
 * Threads:  pure functions.
 * Sources:  protobuf.dev/programming-guides/encoding
 */
#ifndef KEYWARD_ETCD_PROTO_H
#define KEYWARD_ETCD_PROTO_H

#include <keyward/bytes.h>

enum kw_proto_wire {
    KW_PROTO_VARINT = 0,
    KW_PROTO_FIXED64 = 1,
    KW_PROTO_BYTES = 2,
    KW_PROTO_FIXED32 = 5,
};

struct kw_proto_field {
    uint32_t number; /* 1..2^29-1 */
    enum kw_proto_wire wire;
    uint64_t value; /* of a varint; of the fixed ones, little-endian; else 0 */
    kw_span bytes;  /* of bytes; borrows from what is read; else empty       */
};

/* The next field.  false at the end of the message (kw_src_done), and false with src->bad
 * for what is no field: cut off, a varint of more than 64 bits, number 0, a group (wire
 * 3 and 4, which neither etcd nor kube-apiserver write). */
bool kw_proto_next(struct kw_src *src, struct kw_proto_field *ret_field);

#endif
