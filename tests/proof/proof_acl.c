/* SPDX-License-Identifier: Apache-2.0 */
/* Target: a file's access list, as the kernel stores it.  Input: an extended attribute.
 * Useful maximum: none of its own; an entry has eight bytes behind a head of four, so
 * lists of up to two entries and a broken one stand for all.
 * Claim: nothing outside the list is read, and the walk ends. */
#include "proof.h"

#include "acl.h"

enum { SIZES = 4 + 8 + 8 + 3 };

int main(void)
{
    static uint8_t in[SIZES];
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SIZES; len++)
        (void)kw_acl_is_only_for(kw_span_of(PROOF_TAIL(in, len), len),
                                 Frama_C_unsigned_int_interval(0, UINT32_MAX));
    return 0;
}
