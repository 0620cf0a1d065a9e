/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/sha256.h>

static const char *of(const char *text)
{
    static char hex[2 * KW_SHA256 + 1];
    uint8_t sha256[KW_SHA256];
    CHECK_OK(kw_sha256(kw_span_str(text), sha256));
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    return hex;
}

/* Source: FIPS 180-4's examples, and the digest of nothing. */
TEST(sha256__known_texts__known_digests)
{
    CHECK_STR(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_STR(of("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

KW_SUITE("hsm/base/sha256")
