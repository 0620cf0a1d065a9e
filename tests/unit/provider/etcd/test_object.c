/* SPDX-License-Identifier: Apache-2.0 */
/* Does an object open?  Upstream's vectors, and every byte of one changed. */
#include <keyward/etcd_object.h>

#include <string.h>

#include "check.h"

static const char type_1[] =
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
    "404142434445464748494a4b6f6547cdc02b1504ddabf09fdb454f2eee6af5be6bc2ccbdfb1cadcd";
static const char type_0[] =
    "404142434445464748494a4b8adcc24f491cec6ebee46104ad8e1e5b350e2e13f69d815234b53f94";
/* kubernetes/apiserver, encrypt/aes/aes_test.go, TestExtendedNonceGCMLegacyDataCompatibility */
static const char pandas[] =
    "2442759e33945fbad709db577a0f037fd8a709fc76979b8942209debcecb9d57efe3d6ff6a1ef6ee9a50"
    "03b9"
    "833b3043cec1e47b35175b151107a8d2416b0e296bbf66b5d102fcefdf9a78f293d271";
static const char pandas_seed[] =
    "5d40323a820ff95561675e3b95e81867c5fdd561d35a88a2d08b08aa9d4fcf5c";
static const char counting[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
#define DEMO "/registry/secrets/default/demo"

static kw_err open_bytes(const char *seed_hex, const char *key, kw_span data,
                         uint64_t type)
{
    KW_AUTO_SECRET(seed);
    uint8_t bytes[64];
    const size_t len = strlen(seed_hex) / 2;
    CHECK(kw_unhex(bytes, len, kw_span_str(seed_hex)));
    CHECK_OK(kw_secret_copy(&seed, kw_span_of(bytes, len)));
    const struct kw_stored stored = {
        .kind = KW_STORED_KMS_V2, .data = data, .type = type};
    return kw_etcd_object_open(&seed, kw_span_str(key), &stored);
}

static kw_span data_of(const char *hex, uint8_t bytes[128])
{
    CHECK(strlen(hex) <= 256 && kw_unhex(bytes, strlen(hex) / 2, kw_span_str(hex)));
    return kw_span_of(bytes, strlen(hex) / 2);
}

static void before(void)
{
    struct kw_note note;
    CHECK_OK(kw_arena_open(65536, KW_ARENA_AUTO, &note));
}

static void after(void)
{
    struct kw_arena_info info;
    kw_arena_info(&info);
    CHECK(info.used == 0);
    kw_arena_close();
}

TEST(open__any_byte_changed__forged)
{
    uint8_t bytes[128];
    const kw_span data = data_of(type_1, bytes);
    for (size_t i = 0; i < data.len; i++) {
        bytes[i] ^= 1;
        CHECK_CODE(open_bytes(counting, DEMO, data, 1), KW_CODE_FORGED);
        bytes[i] ^= 1;
    }
    CHECK_OK(open_bytes(counting, DEMO, data, 1));
}

TEST(open__another_key_in_etcd_or_seed_or_type__forged)
{
    uint8_t bytes[128];
    const kw_span data = data_of(type_1, bytes);
    CHECK_CODE(open_bytes(counting, "/registry/secrets/default/other", data, 1),
               KW_CODE_FORGED);
    CHECK_CODE(open_bytes(pandas_seed, DEMO, data, 1), KW_CODE_FORGED);
    CHECK_CODE(open_bytes(counting, DEMO, data, 0), KW_CODE_FORGED);
}

TEST(open__too_short_or_no_key__bad_input)
{
    uint8_t bytes[128];
    const kw_span data = data_of(type_1, bytes);
    for (size_t len = 0; len < 60; len++)
        CHECK_CODE(open_bytes(counting, DEMO, kw_span_of(bytes, len), 1),
                   KW_CODE_BAD_INPUT);
    CHECK_CODE(open_bytes(counting, DEMO, kw_span_of(bytes, 60), 1), KW_CODE_FORGED);
    CHECK_CODE(open_bytes("0001020304", DEMO, data, 1), KW_CODE_BAD_INPUT);
}

TEST(open__upstreams_vectors__opens)
{
    uint8_t bytes[128];
    CHECK_OK(open_bytes(counting, DEMO, data_of(type_0, bytes), 0));
    CHECK_OK(open_bytes(pandas_seed, "bamboo", data_of(pandas, bytes), 1));
}

KW_SUITE_AROUND("provider/etcd/object", before, after)
