/* SPDX-License-Identifier: Apache-2.0 */
/* Target: kw_audit_memory_read.  Input: audit-memory.json, as a disk kept it.  Useful
 * maximum: 258 bytes, the longest good one; one byte more, and shorter ones that end within
 * each member.  What stands in hex is read by kw_unhex, which proof/text proves.
 * Claim: nothing outside the text is read, and a text that is refused gives nothing. */
#include "proof.h"

#include "memory_text.h"

/*@ requires readable: hex.len == 0 || \valid_read(hex.ptr + (0 .. hex.len - 1));
    requires room: \valid(dst + (0 .. len - 1));
    assigns dst[0 .. len - 1] \from hex.ptr[0 .. hex.len - 1];
    assigns \result \from \nothing;
    ensures answer: \result == 0 || \result == 1; */
bool kw_unhex(uint8_t *dst, size_t len, kw_span hex);

enum { LONGEST = 258 };

static void read_one(kw_span text)
{
    struct kw_audit_memory m = {.seq = 7};
    size_t at = 0;
    bool ok = kw_audit_memory_read(text, &m, &at) == NULL;
    /*@ assert nothing: !ok ==> m.seq == 7; */
    /*@ assert place: !ok ==> at <= text.len; */
    (void)ok;
}

int main(void)
{
    static uint8_t in[LONGEST + 1];
    PROOF_UNKNOWN(in);
    static const uint16_t lens[] = {0, 1, 33, 99, 210, 240, LONGEST, LONGEST + 1};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        read_one(kw_span_of(PROOF_TAIL(in, lens[i]), lens[i]));
    return 0;
}
