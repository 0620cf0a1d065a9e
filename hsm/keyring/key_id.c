/* SPDX-License-Identifier: Apache-2.0 */
/* key_id - the public name of a KEK version */
#include <keyward/keyring.h>

#include <stdio.h>

#include <openssl/evp.h>

#define PREFIX "kw1-"

enum { RANDOM = 12, HEX = 2 * RANDOM, N_DIGITS = 6 };

void kw_key_id_make(uint32_t n, char dst[KW_KEY_ID_MAX + 1])
{
    uint8_t random[RANDOM];
    char hex[HEX + 1];
    KW_INVARIANT(n >= 1 && n <= KW_VERSION_N_MAX);
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    snprintf(dst, KW_KEY_ID_MAX + 1, PREFIX "%u-%s", n, hex);
}

/* Takes the digits of a number without a leading zero; 0 when there are none. */
static uint32_t key_id_take_number(struct kw_src *src)
{
    uint32_t n = 0;
    for (unsigned digits = 0; digits < N_DIGITS && kw_src_left(src) > 0; digits++) {
        uint8_t c = kw_src_rest(src).ptr[0];
        if (c < '0' || c > '9' || (n == 0 && c == '0'))
            break;
        n = 10 * n + (uint32_t)(kw_src_u8(src) - '0');
    }
    return n;
}

bool kw_key_id_parse(kw_span key_id, uint32_t *ret_n)
{
    uint8_t random[RANDOM];
    struct kw_src src = kw_src_of(key_id);

    if (!kw_span_equal_str(kw_src_take(&src, sizeof PREFIX - 1), PREFIX))
        return false;
    uint32_t n = key_id_take_number(&src);
    if (n == 0 || kw_src_u8(&src) != '-' || !kw_unhex(random, RANDOM, kw_src_rest(&src)))
        return false;
    if (ret_n != NULL)
        *ret_n = n;
    return true;
}

void kw_locator_make(const char *domain, const char *key_id,
                     uint8_t ret_locator[KW_NEW_LOCATOR])
{
    static const char prefix[] = "keyward-locator";
    uint8_t text[sizeof prefix + KW_DOMAIN_MAX + KW_KEY_ID_MAX];
    uint8_t sha256[32];
    kw_dst dst = kw_dst_of(text, sizeof text);
    KW_MUST(kw_dst_put(&dst, kw_span_str(prefix)) &&
            kw_dst_put(&dst, kw_span_str(domain)) &&
            kw_dst_put(&dst, kw_span_str(key_id)) &&
            EVP_Digest(text, dst.len, sha256, NULL, EVP_sha256(), NULL) == 1);
    kw_copy(ret_locator, KW_NEW_LOCATOR, kw_span_of(sha256, KW_NEW_LOCATOR));
}
