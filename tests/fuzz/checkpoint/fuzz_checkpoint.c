/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_signature_from_der, kw_spki_of_point, kw_spki_of_pem, kw_checkpoint_take, kw_checkpoint_verify.
 * Input: a signature, an EC point or the fields of a checkpoint; attacker: a vendor's
 * library, and whoever can write to a log.
 * Useful maximum: 230 bytes.
 * Claim: refuses, or what it read writes back byte for byte; a key that is none is told from
 * a signature that is none. */
#include <keyward/checkpoint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_signature(kw_span input)
{
    uint8_t plain[KW_SIGNATURE], room[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(room, sizeof room);
    if (kw_failed(kw_signature_from_der(input, plain)))
        return;
    KW_MUST(!kw_failed(kw_signature_to_der(plain, &dst)));
    KW_INVARIANT(kw_span_equal(kw_dst_span(&dst), input));
}

/* Any 64 bytes, too: what becomes DER is read again as the same. */
static void try_plain(kw_span input)
{
    uint8_t plain[KW_SIGNATURE], room[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(room, sizeof room);
    if (input.len != KW_SIGNATURE || kw_failed(kw_signature_to_der(input.ptr, &dst)))
        return;
    KW_MUST(!kw_failed(kw_signature_from_der(kw_dst_span(&dst), plain)));
    KW_INVARIANT(kw_span_equal(kw_span_of(plain, sizeof plain), input));
}

static void try_key(kw_span input)
{
    static const struct kw_checkpoint zero;
    static const uint8_t der[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    uint8_t spki[KW_SPKI];
    if (kw_failed(kw_spki_of_point(input, spki)))
        return;
    const kw_err e = kw_checkpoint_verify(&zero, kw_span_of(spki, sizeof spki),
                                          kw_span_of(der, sizeof der));
    KW_INVARIANT(e.code == KW_CODE_BAD_INPUT || e.code == KW_CODE_FORGED ||
                 e.code == KW_CODE_OK);
}

static void try_pem(kw_span input)
{
    char pem[KW_SPKI_PEM + 1];
    uint8_t spki[KW_SPKI];
    if (kw_failed(kw_spki_of_pem(input, spki)))
        return;
    kw_spki_pem(spki, pem);
    KW_INVARIANT(kw_span_equal_str(input, pem));
}

static void try_fields(kw_span input)
{
    uint8_t room[KW_CHECKPOINT_FIELDS_MAX], hash[KW_SHA256];
    kw_dst dst = kw_dst_of(room, sizeof room);
    struct kw_src src = kw_src_of(input);
    struct kw_checkpoint c;
    kw_checkpoint_take(&src, &c);
    if (!kw_src_done(&src))
        return;
    KW_MUST(kw_checkpoint_put(&dst, &c));
    KW_INVARIANT(kw_span_equal(kw_dst_span(&dst), input));
    KW_MUST(!kw_failed(kw_checkpoint_hash(&c, hash)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const kw_span input = kw_span_of(data, len);
    try_signature(input);
    try_plain(input);
    try_key(input);
    try_pem(input);
    try_fields(input);
    return 0;
}
