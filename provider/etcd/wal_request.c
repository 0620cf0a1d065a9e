/* SPDX-License-Identifier: Apache-2.0 */
/* The puts of a request: InternalRaftRequest, TxnRequest and RequestOp by their fields.
 *
 * A transaction's operations hold transactions; those that are not read to their end yet
 * lie on a stack of fixed size. */
#include "proto.h"
#include "wal_frame.h"

enum { WAL_LEVELS = 2 * KW_WAL_DEPTH + 1 };

static const char wal_no_request[] = "no request that is known";

/* ---- which kind of request ---------------------------------------------------------------- */

enum request_kind { REQUEST_NONE, REQUEST_OWN, REQUEST_V2 };

/* Those of versions up to 3.6; 2 is a request of the v2 API. */
static bool request_field_is_known(uint32_t number)
{
    static const struct {
        uint32_t low, high;
    } known[] = {{1, 11},      {100, 100},   {1000, 1000}, {1011, 1013},
                 {1100, 1107}, {1200, 1204}, {1300, 1302}, {9900, 9900}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (number >= known[i].low && number <= known[i].high)
            return true;
    return false;
}

/* All but the ID are messages; of a request of the v2 API most fields are numbers. */
static bool request_is_v3(kw_span data)
{
    struct kw_src src = kw_src_of(data);
    struct kw_proto_field f;
    while (kw_proto_next(&src, &f))
        if (f.wire != (f.number == 1 ? KW_PROTO_VARINT : KW_PROTO_BYTES))
            return false;
    return !src.bad;
}

/* Whoever used the v2 API wrote below /1.  An empty path is that of SYNC, a clock. */
static bool v2_path_is_own(kw_span path)
{
    return path.len == 0 || (path.len >= 2 && path.ptr[0] == '/' && path.ptr[1] == '0' &&
                             (path.len == 2 || path.ptr[2] == '/'));
}

static enum request_kind v2_request_kind(kw_span data)
{
    enum { V2_METHOD = 2, V2_PATH, V2_VALUE, V2_PREVIOUS = 6, V2_LAST = 17 };
    struct kw_src src = kw_src_of(data);
    struct kw_proto_field f;
    bool is_own = true;
    while (kw_proto_next(&src, &f)) {
        const bool is_text =
            (f.number >= V2_METHOD && f.number <= V2_VALUE) || f.number == V2_PREVIOUS;
        if (f.number > V2_LAST || f.wire != (is_text ? KW_PROTO_BYTES : KW_PROTO_VARINT))
            return REQUEST_NONE;
        if (f.number == V2_PATH && !v2_path_is_own(f.bytes))
            is_own = false;
    }
    if (src.bad)
        return REQUEST_NONE;
    return is_own ? REQUEST_OWN : REQUEST_V2;
}

static const char *v2_request_fault(enum request_kind kind)
{
    if (kind == REQUEST_OWN)
        return NULL;
    return kind == REQUEST_V2 ? "a request of the v2 API" : wal_no_request;
}

void kw_wal_puts_begin(struct kw_wal_puts *puts, kw_span data)
{
    puts->depth = 0;
    puts->why = NULL;
    puts->all = data;
    if (request_is_v3(data)) {
        puts->level[0] = (struct kw_wal_level){KW_WAL_REQUEST, kw_src_of(data)};
        puts->depth = 1;
        return;
    }
    puts->why = v2_request_fault(v2_request_kind(data));
}

/* ---- one put ------------------------------------------------------------------------------ */

enum put_field { PUT_KEY = 1, PUT_VALUE, PUT_LEASE, PUT_IGNORE_VALUE = 5, PUT_LAST };

struct put_parts {
    bool has_key, has_value, keeps_value;
    kw_span key, value;
};

static bool put_take(struct put_parts *parts, const struct kw_proto_field *f)
{
    const bool is_bytes = f->number == PUT_KEY || f->number == PUT_VALUE;
    if (f->number > PUT_LAST || f->wire != (is_bytes ? KW_PROTO_BYTES : KW_PROTO_VARINT))
        return false;
    bool *const has = f->number == PUT_KEY ? &parts->has_key : &parts->has_value;
    if (is_bytes && *has)
        return false;
    if (is_bytes)
        *has = true;
    if (f->number == PUT_KEY)
        parts->key = f->bytes;
    else if (f->number == PUT_VALUE)
        parts->value = f->bytes;
    else if (f->number == PUT_IGNORE_VALUE)
        parts->keeps_value = f->value != 0;
    return true;
}

/* A finding, but for a put that brings no value and lets the key keep its own. */
static bool put_read(kw_span bytes, struct kw_wal_found *ret_found)
{
    struct kw_src src = kw_src_of(bytes);
    struct put_parts parts = {0};
    struct kw_proto_field f;
    bool is_put = true;
    while (is_put && kw_proto_next(&src, &f))
        is_put = put_take(&parts, &f);
    if (!is_put || src.bad) {
        *ret_found = (struct kw_wal_found){.why = "no put", .bytes = bytes};
        return true;
    }
    *ret_found = (struct kw_wal_found){.key = parts.key, .value = parts.value};
    return !parts.keeps_value || parts.value.len > 0;
}

/* ---- the walk ----------------------------------------------------------------------------- */

static bool wal_unknown(const char *why, kw_span bytes, struct kw_wal_found *ret_found)
{
    *ret_found = (struct kw_wal_found){.why = why, .bytes = bytes};
    return true;
}

static bool puts_enter(struct kw_wal_puts *puts, enum kw_wal_message message,
                       kw_span bytes, struct kw_wal_found *ret_found)
{
    if (puts->depth >= WAL_LEVELS)
        return wal_unknown("transactions are nested too deep", bytes, ret_found);
    puts->level[puts->depth] = (struct kw_wal_level){message, kw_src_of(bytes)};
    puts->depth++;
    return false;
}

/* Gives up the message on top, once and wholly. */
static bool puts_leave(struct kw_wal_puts *puts, const char *why,
                       struct kw_wal_found *ret_found)
{
    puts->depth--;
    return wal_unknown(why, puts->level[puts->depth].src.all, ret_found);
}

static bool request_field(struct kw_wal_puts *puts, const struct kw_proto_field *f,
                          struct kw_wal_found *ret_found)
{
    enum { REQUEST_OF_V2 = 2, REQUEST_PUT = 4, REQUEST_TXN = 6 };
    if (f->number == REQUEST_PUT)
        return put_read(f->bytes, ret_found);
    if (f->number == REQUEST_TXN)
        return puts_enter(puts, KW_WAL_TXN, f->bytes, ret_found);
    const char *const fault = f->number == REQUEST_OF_V2
                                  ? v2_request_fault(v2_request_kind(f->bytes))
                              : request_field_is_known(f->number) ? NULL
                                                                  : wal_no_request;
    return fault != NULL && wal_unknown(fault, f->bytes, ret_found);
}

/* What it compares with is no put. */
static bool txn_field(struct kw_wal_puts *puts, const struct kw_proto_field *f,
                      struct kw_wal_found *ret_found)
{
    enum { TXN_COMPARE = 1, TXN_SUCCESS, TXN_FAILURE };
    if (f->wire != KW_PROTO_BYTES || f->number > TXN_FAILURE)
        return puts_leave(puts, "no transaction that is known", ret_found);
    return f->number != TXN_COMPARE && puts_enter(puts, KW_WAL_OP, f->bytes, ret_found);
}

static bool op_field(struct kw_wal_puts *puts, const struct kw_proto_field *f,
                     struct kw_wal_found *ret_found)
{
    enum { OP_RANGE = 1, OP_PUT, OP_DELETE, OP_TXN };
    if (f->wire != KW_PROTO_BYTES || f->number > OP_TXN)
        return puts_leave(puts, "no operation that is known", ret_found);
    if (f->number == OP_PUT)
        return put_read(f->bytes, ret_found);
    return f->number == OP_TXN && puts_enter(puts, KW_WAL_TXN, f->bytes, ret_found);
}

static bool level_field(struct kw_wal_puts *puts, enum kw_wal_message message,
                        const struct kw_proto_field *f, struct kw_wal_found *ret_found)
{
    switch (message) {
    case KW_WAL_REQUEST: return request_field(puts, f, ret_found);
    case KW_WAL_TXN: return txn_field(puts, f, ret_found);
    case KW_WAL_OP: break;
    }
    return op_field(puts, f, ret_found);
}

bool kw_wal_puts_next(struct kw_wal_puts *puts, struct kw_wal_found *ret_found)
{
    struct kw_proto_field f;
    if (puts->why != NULL) {
        (void)wal_unknown(puts->why, puts->all, ret_found);
        puts->why = NULL;
        return true;
    }
    while (puts->depth > 0) {
        struct kw_wal_level *const top = &puts->level[puts->depth - 1];
        if (kw_proto_next(&top->src, &f)) {
            if (level_field(puts, top->message, &f, ret_found))
                return true;
            continue;
        }
        if (top->src.bad)
            return puts_leave(puts, "no message", ret_found);
        puts->depth--;
    }
    return false;
}
