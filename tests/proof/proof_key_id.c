/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the public name of a key's version.  Input: what a Decrypt request or a keyring
 * holds under key_id.  Useful maximum: KW_KEY_ID_MAX.
 * Claim: a number comes out only of a name that is long enough, within its range. */
#include "proof.h"

#include <keyward/keyring.h>

enum { UNTOUCHED = 7777777, SHORTEST = 4 + 1 + 1 + 24 };

static void key_id_of(kw_span text)
{
    uint32_t n = UNTOUCHED;
    bool ok = kw_key_id_parse(text, &n);
    /*@ assert untouched: !ok ==> n == UNTOUCHED; */
    /*@ assert range: ok ==> 1 <= n <= KW_VERSION_N_MAX; */
    /*@ assert length: ok ==> SHORTEST <= text.len <= KW_KEY_ID_MAX; */
}

int main(void)
{
    static uint8_t in[KW_KEY_ID_MAX + 1];
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= sizeof in; len++)
        key_id_of(kw_span_of(PROOF_TAIL(in, len), len));
    (void)kw_key_id_parse(kw_span_str("kw1-1-000000000000000000000000"), NULL);
    return 0;
}
