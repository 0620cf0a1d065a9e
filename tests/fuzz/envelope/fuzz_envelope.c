/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_envelope_parse, kw_envelope_write, kw_envelope_aad.
 * Input: one stored ciphertext, as etcd kept it; attacker: whoever can write to etcd.
 * Useful maximum: 1024 bytes.
 * Claim: refuses, or what it parsed writes back byte for byte, and its AAD holds exactly
 * the bytes before `sealed`. */
#include <keyward/envelope.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t out[KW_CIPHERTEXT_MAX];
    uint8_t aad_bytes[KW_AAD_MAX];
    kw_dst dst = kw_dst_of(out, sizeof out);
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    kw_span stored = kw_span_of(data, len);
    struct kw_envelope env = {0};

    if (kw_failed(kw_envelope_parse(stored, &env)))
        return 0;
    KW_MUST(!kw_failed(kw_envelope_write(&env, &dst)));
    KW_INVARIANT(kw_span_equal(kw_dst_span(&dst), stored));
    KW_INVARIANT(
        !kw_failed(kw_envelope_aad(&env, kw_span_str("k"), kw_span_str("d"), &aad)));
    size_t header_len = len - env.sealed.len;
    KW_INVARIANT(aad.len == 7 + header_len + 6);
    KW_INVARIANT(kw_span_equal(kw_span_of(aad_bytes + 7, header_len),
                               kw_span_of(data, header_len)));
    return 0;
}
