/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

#include <keyward/alloc.h>
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

/* A file of `len` bytes that count up to 250. */
static int counting(size_t len)
{
    int fd = memfd_create("counting", MFD_CLOEXEC);
    CHECK(fd >= 0);
    uint8_t *bytes = kw_new(len + 1, 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i % 251);
    CHECK(write(fd, bytes, len) == (ssize_t)len);
    kw_free(bytes);
    return fd;
}

TEST(file__shorter_than_said__io)
{
    uint8_t sha256[KW_SHA256];
    int fd = counting(10);
    CHECK_CODE(kw_sha256_file(fd, 11, sha256), KW_CODE_IO);
    CHECK_CODE(kw_sha256_file(-1, 11, sha256), KW_CODE_IO);
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_sha256_file(fd, 10, sha256), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    close(fd);
}

TEST(file__in_pieces__as_in_one)
{
    static const size_t lens[] = {0, 1, 131071, 131072, 131073, 400000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t whole[KW_SHA256], pieces[KW_SHA256];
        int fd = counting(lens[i] + 5);
        uint8_t *bytes = kw_new(lens[i] + 1, 1);
        CHECK(pread(fd, bytes, lens[i], 0) == (ssize_t)lens[i]);
        CHECK_OK(kw_sha256(kw_span_of(bytes, lens[i]), whole));
        CHECK_OK(kw_sha256_file(fd, lens[i], pieces));
        CHECK(memcmp(whole, pieces, sizeof whole) == 0);
        kw_free(bytes);
        close(fd);
    }
}

TEST(hmac__rfc_4231_case_1__its_bytes)
{
    uint8_t bytes[20], mac[KW_SHA256];
    char hex[2 * KW_SHA256 + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0x0b;
    const struct kw_secret key = {bytes, sizeof bytes};
    CHECK_OK(kw_hmac_sha256(&key, kw_span_str("Hi There"), mac));
    kw_hex(hex, sizeof hex, kw_span_of(mac, sizeof mac));
    CHECK_STR(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

KW_SUITE("hsm/base/sha256")
