/* SPDX-License-Identifier: Apache-2.0 */
/* Target: a message of Protocol Buffers, field by field.  Input: what etcd and
 * kube-apiserver stored.  Useful maximum: none of its own; messages of each size up to
 * two small fields stand for all, and one whose numbers go on for ever.
 * Claim: nothing outside the message is read, bytes of a field lie in it, each field takes
 * at least a byte, and what is bad gives no more. */
#include "proof.h"

#include "proto.h"

enum { SIZES = 13 };
static uint8_t in[SIZES];

static void next(size_t len, size_t at)
{
    struct kw_src src = kw_src_of(kw_span_of(PROOF_TAIL(in, len), len));
    struct kw_proto_field f = {.number = 1};
    src.at = at;
    bool ok = kw_proto_next(&src, &f);
    /*@ assert onwards: at <= src.at <= len; */
    /*@ assert taken: ok ==> at < src.at; */
    /*@ assert number: ok ==> f.number <= 0x1fffffff; */
    /*@ assert within: ok ==> f.bytes.len <= len; */
    if (src.bad) {
        ok = kw_proto_next(&src, &f);
        /*@ assert latched: !ok; */
    }
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SIZES; len++)
        for (size_t at = 0; at <= len; at++)
            next(len, at);
    return 0;
}
