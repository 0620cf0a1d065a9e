/* SPDX-License-Identifier: Apache-2.0 */
/* A P-256 key as SubjectPublicKeyInfo (RFC 5480), which is what stands before the point
 * and the point: there is one encoding, of 91 bytes. */
#include <keyward/checkpoint.h>

#include <openssl/evp.h>

#include "spki.h"

enum { OCTET_STRING = 0x04, UNCOMPRESSED = 0x04, POINT = KW_SPKI - KW_SPKI_HEAD };

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING } */
const uint8_t kw_spki_head[KW_SPKI_HEAD] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* Two lengths, two forms: neither is taken for the other. */
static kw_span point_in(kw_span ec_point)
{
    struct kw_src src = kw_src_of(ec_point);
    if (ec_point.len == POINT)
        return ec_point;
    const uint8_t tag = kw_src_u8(&src), len = kw_src_u8(&src);
    const kw_span point = kw_src_take(&src, POINT);
    const bool is_string = tag == OCTET_STRING && len == POINT && kw_src_done(&src);
    return is_string ? point : kw_span_of(NULL, 0);
}

kw_err kw_spki_of_point(kw_span ec_point, uint8_t ret_spki[KW_SPKI])
{
    const kw_span point = point_in(ec_point);
    if (point.len == 0 || point.ptr[0] != UNCOMPRESSED)
        return kw_err_at(KW_CODE_BAD_INPUT, "public key");
    kw_copy(ret_spki, KW_SPKI_HEAD, kw_span_of(kw_spki_head, KW_SPKI_HEAD));
    kw_copy(ret_spki + KW_SPKI_HEAD, POINT, point);
    return KW_OK;
}

/* RFC 7468: 64 characters a line. */
void kw_spki_pem(const uint8_t spki[KW_SPKI], char ret_pem[KW_SPKI_PEM + 1])
{
    enum { LINE_BYTES = 48, LINE = 64 };
    unsigned char text[2 * LINE + 1];
    kw_dst dst = kw_dst_of(ret_pem, KW_SPKI_PEM);
    const int first = EVP_EncodeBlock(text, spki, LINE_BYTES);
    const int rest =
        EVP_EncodeBlock(text + LINE, spki + LINE_BYTES, (int)KW_SPKI - LINE_BYTES);
    KW_INVARIANT(first == LINE && rest > 0 && rest <= LINE);
    KW_MUST(kw_dst_put(&dst, kw_span_str("-----BEGIN PUBLIC KEY-----\n")) &&
            kw_dst_put(&dst, kw_span_of(text, LINE)) && kw_dst_put_u8(&dst, '\n') &&
            kw_dst_put(&dst, kw_span_of(text + LINE, (size_t)rest)) &&
            kw_dst_put(&dst, kw_span_str("\n-----END PUBLIC KEY-----\n")));
    KW_INVARIANT(dst.len == KW_SPKI_PEM);
    ret_pem[dst.len] = '\0';
}

/* What is decoded must be encoded as the same, so how lenient OpenSSL is does not matter. */
kw_err kw_spki_of_pem(kw_span pem, uint8_t ret_spki[KW_SPKI])
{
    enum { BEGIN = 27, END = 25, TEXT = KW_SPKI_PEM - BEGIN - END };
    char again[KW_SPKI_PEM + 1];
    unsigned char text[TEXT], bytes[TEXT];
    size_t count = 0;
    if (pem.len != KW_SPKI_PEM)
        return kw_err_at(KW_CODE_BAD_INPUT, "public key");
    for (size_t i = BEGIN; i < KW_SPKI_PEM - END; i++)
        if (pem.ptr[i] != '\n')
            text[count++] = pem.ptr[i];
    if (EVP_DecodeBlock(bytes, text, (int)count) < (int)KW_SPKI)
        return kw_err_at(KW_CODE_BAD_INPUT, "public key");
    kw_spki_pem(bytes, again);
    if (!kw_span_equal_str(pem, again))
        return kw_err_at(KW_CODE_BAD_INPUT, "public key");
    kw_copy(ret_spki, KW_SPKI, kw_span_of(bytes, KW_SPKI));
    return KW_OK;
}
