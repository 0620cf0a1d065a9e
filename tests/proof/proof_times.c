/* SPDX-License-Identifier: Apache-2.0 */
/* Target: times in the keyring and in the marks.  Input: a member's text.  Useful
 * maximum: KW_TIME_TEXT; a fraction of any length is looked at byte by byte.
 * Claim: nothing outside the text is read, and a time has a length. */
#include "proof.h"

#include <keyward/clock.h>

enum { SIZES = 24 };

static void time_of(kw_span text)
{
    bool ok = kw_is_time(text);
    /*@ assert length: ok ==> text.len == 20 || text.len >= 22; */
}

int main(void)
{
    static uint8_t in[SIZES];
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SIZES; len++)
        time_of(kw_span_of(PROOF_TAIL(in, len), len));
    return 0;
}
