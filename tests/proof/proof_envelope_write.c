/* SPDX-License-Identifier: Apache-2.0 */
/* Target: the envelope's writer, and what is bound to it (AAD).  Input: fields that
 * nobody checked, and room of each size.  Useful maximum: the format's own.
 * Claim: what does not fit, or could not be read, leaves the room's length as it was; the
 * rest lies within the room. */
#include "proof.h"

#include <keyward/envelope.h>

static uint8_t in[KW_ENVELOPE_MAX];
static uint8_t out[KW_ENVELOPE_MAX];

static struct kw_envelope any(size_t scope_len)
{
    return (struct kw_envelope){
        .format = proof_u8(),
        .purpose = (enum kw_purpose)proof_u8(),
        .mechanism = (enum kw_mechanism)proof_u8(),
        .scope = kw_span_of(PROOF_TAIL(in, scope_len), scope_len),
        .seed_len = proof_size(0, SIZE_MAX),
        .iv = kw_span_of(in, proof_size(0, sizeof in)),
        .sealed = kw_span_of(in, proof_size(0, sizeof in)),
    };
}

static void write_any(size_t scope_len, size_t room)
{
    const struct kw_envelope env = any(scope_len);
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    kw_err e = kw_envelope_write(&env, &dst);
    if (kw_failed(e)) {
        /*@ assert nothing: dst.len == 0; */
        return;
    }
    /*@ assert fits: 6 + 1 + 12 + 33 <= dst.len <= room; */
}

static void bind_any(size_t scope_len, size_t key_id_len, size_t room)
{
    const struct kw_envelope env = any(scope_len);
    kw_dst dst = kw_dst_of(PROOF_TAIL(out, room), room);
    kw_err e = kw_envelope_aad(&env, kw_span_of(PROOF_TAIL(in, key_id_len), key_id_len),
                               kw_span_of(in, proof_size(0, sizeof in)), &dst);
    if (kw_failed(e)) {
        /*@ assert nothing: dst.len == 0; */
        return;
    }
    /*@ assert fits: 7 + 6 + 1 + 12 + 3 + 3 <= dst.len <= room; */
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t scope_len = 0; scope_len <= KW_SCOPE_MAX + 1; scope_len++)
        write_any(scope_len, sizeof out);
    for (size_t key_id_len = 0; key_id_len <= KW_KEY_ID_MAX + 1; key_id_len++)
        bind_any(KW_SCOPE_MAX, key_id_len, KW_AAD_MAX);
    for (size_t room = 0; room <= 40; room++) {
        write_any(5, room);
        bind_any(5, 1, room);
    }
    (void)kw_is_domain(kw_span_of(PROOF_TAIL(in, 3), 3));
    return 0;
}
