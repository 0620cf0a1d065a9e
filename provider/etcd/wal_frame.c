/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, records, and what records hold but for requests. */
#include "wal_frame.h"

#include "proto.h"

enum { FRAME_FLAGS_AT = 56, FRAME_PADDED = 0x80 };

bool kw_wal_frame_of(uint64_t word, uint64_t left, struct kw_wal_frame *ret_frame)
{
    const uint64_t record = word & (((uint64_t)1 << FRAME_FLAGS_AT) - 1);
    const unsigned pad = (unsigned)(0 - record) % KW_WAL_WORD;
    const unsigned flags = (unsigned)(word >> FRAME_FLAGS_AT);
    if (flags != (pad == 0 ? 0 : FRAME_PADDED | pad))
        return false;
    if (record > left || pad > left - record)
        return false;
    *ret_frame = (struct kw_wal_frame){record, pad};
    return true;
}

/* ---- messages whose fields come once each ----------------------------------------------- */

enum { ONCE_FIELDS = 4 };

/* Reads a message of fields 1 to `count`, each of them at most once and of the wire type
 * that `wires` says.  What is missing is 0 or empty, as Protocol Buffers have it. */
static bool once_read(kw_span bytes, const enum kw_proto_wire *wires, unsigned count,
                      struct kw_proto_field ret[ONCE_FIELDS])
{
    struct kw_src src = kw_src_of(bytes);
    struct kw_proto_field f;
    for (unsigned i = 0; i < ONCE_FIELDS; i++)
        ret[i] = (struct kw_proto_field){0};
    while (kw_proto_next(&src, &f)) {
        const uint32_t i = f.number - 1;
        if (i >= count || ret[i].number != 0 || f.wire != wires[i])
            return false;
        ret[i] = f;
    }
    return !src.bad;
}

bool kw_wal_record_of(kw_span bytes, struct kw_wal_record *ret_record)
{
    static const enum kw_proto_wire wires[] = {KW_PROTO_VARINT, KW_PROTO_VARINT,
                                               KW_PROTO_BYTES};
    struct kw_proto_field f[ONCE_FIELDS];
    if (!once_read(bytes, wires, 3, f))
        return false;
    if (f[0].value < KW_WAL_METADATA || f[0].value > KW_WAL_SNAPSHOT)
        return false;
    if (f[1].value > UINT32_MAX || (f[0].value == KW_WAL_CRC && f[2].bytes.len > 0))
        return false;
    *ret_record = (struct kw_wal_record){(enum kw_wal_type)f[0].value,
                                         (uint32_t)f[1].value, f[2].bytes};
    return true;
}

bool kw_wal_entry_of(kw_span data, struct kw_wal_entry *ret_entry)
{
    static const enum kw_proto_wire wires[] = {KW_PROTO_VARINT, KW_PROTO_VARINT,
                                               KW_PROTO_VARINT, KW_PROTO_BYTES};
    struct kw_proto_field f[ONCE_FIELDS];
    if (!once_read(data, wires, 4, f) || f[0].value > KW_WAL_ENTRY_CHANGE_V2)
        return false;
    *ret_entry = (struct kw_wal_entry){f[0].value, f[1].value, f[2].value, f[3].bytes};
    return true;
}

bool kw_wal_is_metadata(kw_span data)
{
    static const enum kw_proto_wire wires[] = {KW_PROTO_VARINT, KW_PROTO_VARINT};
    struct kw_proto_field f[ONCE_FIELDS];
    return once_read(data, wires, 2, f);
}

bool kw_wal_is_state(kw_span data)
{
    static const enum kw_proto_wire wires[] = {KW_PROTO_VARINT, KW_PROTO_VARINT,
                                               KW_PROTO_VARINT};
    struct kw_proto_field f[ONCE_FIELDS];
    return once_read(data, wires, 3, f);
}

bool kw_wal_snapshot_of(kw_span data, uint64_t *ret_index)
{
    static const enum kw_proto_wire wires[] = {KW_PROTO_VARINT, KW_PROTO_VARINT,
                                               KW_PROTO_BYTES};
    struct kw_proto_field f[ONCE_FIELDS];
    if (!once_read(data, wires, 3, f))
        return false;
    *ret_index = f[0].value;
    return true;
}
