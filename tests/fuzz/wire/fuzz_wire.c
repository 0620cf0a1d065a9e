/* SPDX-License-Identifier: Apache-2.0 */
/* target: all readers of hsm/wire.  Input: one message, or a brief.  Attacker: a vendor
 * library that took its worker over, and writes to the socket.  Useful maximum: 1024
 * bytes (a brief: more).  Claim: every reader refuses, or what it read writes back byte
 * for byte; no message is of two kinds. */
#include <stdint.h>
#include <stdlib.h>

#include <keyward/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t out[KW_WIRE_MAX];

static void must_equal(kw_err written, const kw_dst *dst, kw_span input)
{
    if (kw_failed(written) || !kw_span_equal(kw_dst_span(dst), input))
        abort();
}

#define TRY(name) TRY_AS(name, struct kw_wire_##name)
#define TRY_AS(name, type)                                                               \
    do {                                                                                 \
        type read;                                                                       \
        kw_dst dst = kw_dst_of(out, sizeof out);                                         \
        if (!kw_failed(kw_wire_decode_##name(input, &read))) {                           \
            must_equal(kw_wire_encode_##name(&read, &dst), &dst, input);                 \
            kinds++;                                                                     \
        }                                                                                \
    } while (0)

static void try_brief(kw_span input)
{
    static uint8_t room[KW_BRIEF_MAX];
    struct kw_brief brief;
    kw_dst dst = kw_dst_of(room, sizeof room);
    if (!kw_failed(kw_brief_decode(input, &brief)))
        must_equal(kw_brief_encode(&brief, &dst), &dst, input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    kw_span input = kw_span_of(data, len);
    unsigned kinds = 0;
    TRY(job);
    TRY(answer);
    TRY(facts);
    TRY(verdict);
    TRY(ready);
    TRY(failed);
    TRY_AS(pin, struct kw_pin_facts);
    TRY(permit);
    TRY(login);
    if (kinds > 1)
        abort();
    try_brief(input);
    return 0;
}
