/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the envelope's reader.  Input: what an API server stored, and what somebody
 * who writes into its database did to it.  Useful maximum: KW_ENVELOPE_MAX.
 * Claim: a failed parse leaves its output alone; a good one's fields lie within the
 * input and have the sizes of the format. */
#include "proof.h"

#include <keyward/envelope.h>

enum { UNTOUCHED = 77777, SHORT = 48 };

static void parse_all_of(const uint8_t *bytes, size_t len)
{
    struct kw_envelope env = {.seed_len = UNTOUCHED};
    kw_err e = kw_envelope_parse(kw_span_of(bytes, len), &env);
    if (kw_failed(e)) {
        /*@ assert untouched: env.seed_len == UNTOUCHED; */
        /*@ assert told: e.code == KW_CODE_BAD_INPUT; */
        return;
    }
    /*@ assert seed: 1 <= env.seed_len <= KW_SEED_MAX; */
    /*@ assert iv: env.iv.len == 12; */
    /*@ assert scope: 1 <= env.scope.len <= len; */
    /*@ assert borrowed: \subset(env.scope.ptr, bytes + (0 .. len)); */
}

int main(void)
{
    static uint8_t in[KW_ENVELOPE_MAX + 1];
    enum kw_mechanism m;
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= SHORT; len++)
        parse_all_of(PROOF_TAIL(in, len), len);
    for (size_t len = KW_ENVELOPE_MAX - 2; len <= sizeof in; len++)
        parse_all_of(PROOF_TAIL(in, len), len);
    (void)kw_mechanism_sealed_len((enum kw_mechanism)proof_u8(), proof_size(0, SIZE_MAX));
    (void)kw_mechanism_from_name(proof_bool() ? "aes-256-gcm" : "rot13", &m);
    return 0;
}
