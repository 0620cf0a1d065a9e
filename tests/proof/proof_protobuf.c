/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the walk over a protobuf message's strings.  Input: what a peer on the socket
 * sends, before protobuf-c sees it.  Useful maximum: none of its own; messages of each
 * size up to three bytes stand for all, with each byte a small number, a large one or one
 * that goes on, and one that goes on for ever.
 * Claim: nothing outside the message is read, and the walk ends. */
#include "proof.h"

#include "text.h"
#include "proof_text_contract.h"

enum { SIZES = 3, CLASSES = 6, LONG = 14 };
static const uint8_t low[CLASSES] = {0, 1, 2, 3, 4, 128};
static const uint8_t high[CLASSES] = {0, 1, 2, 3, 127, 255};
static uint8_t in[LONG];

static void walk(const uint8_t *bytes, size_t len)
{
    (void)kw_wire_strings_are_text(kw_span_of(bytes, len),
                                   Frama_C_unsigned_int_interval(0, UINT32_MAX));
}

/* The length of a field is the second byte of its kind: each small one on its own. */
static void walk_classes(size_t len, size_t second, size_t third)
{
    uint8_t *bytes = PROOF_TAIL(in, len);
    PROOF_UNKNOWN(in);
    if (len > 1)
        bytes[1] = Frama_C_unsigned_char_interval(low[second], high[second]);
    if (len > 2)
        bytes[2] = Frama_C_unsigned_char_interval(low[third], high[third]);
    walk(bytes, len);
}

static void walk_on(void)
{
    for (size_t i = 0; i < LONG; i++)
        in[i] = Frama_C_unsigned_char_interval(128, 255);
    walk(in, LONG);
}

int main(void)
{
    for (size_t len = 0; len <= SIZES; len++)
        for (size_t second = 0; second < CLASSES; second++)
            for (size_t third = 0; third < CLASSES; third++)
                walk_classes(len, second, third);
    walk_on();
    return 0;
}
