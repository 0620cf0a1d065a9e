/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that needs neither a cache nor another process, and the floor: what nothing can
 * be cheaper than. */
#include <stdio.h>

#include <openssl/evp.h>

#include <keyward/envelope.h>
#include <keyward/keyring.h>
#include <keyward/policy.h>

#include "codec.h"
#include "micro.h"

#define DOMAIN "cluster.example"
#define KEY_ID "kw1-1-0123456789abcdef01234567"

enum { SEED = 32, INNER = SEED + KW_INNER_DIGEST };

/* ---- the floor ---------------------------------------------------------------------- */

static bool floor_empty(uint64_t n)
{
    kw_micro_keep(&n);
    return true;
}

/* AES-256-GCM in software over as many bytes as the wrap of a seed seals. */
static EVP_CIPHER_CTX *sealing;
static uint8_t iv[KW_IV_MAX], aad[60], plain[INNER], sealed[INNER + KW_GCM_TAG];

static bool gcm_setup(int64_t argument)
{
    uint8_t key[32];
    kw_micro_fill(key, sizeof key, 1);
    kw_micro_fill(iv, sizeof iv, 2);
    kw_micro_fill(aad, sizeof aad, 3);
    kw_micro_fill(plain, sizeof plain, 4);
    sealing = EVP_CIPHER_CTX_new();
    return sealing != NULL &&
           EVP_EncryptInit_ex(sealing, EVP_aes_256_gcm(), NULL, key, NULL) == 1;
}

/* The key is in the context already, as a token has it. */
static bool gcm_encrypt(uint64_t turn)
{
    int n = 0;
    return EVP_EncryptInit_ex(sealing, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(sealing, NULL, &n, aad, sizeof aad) == 1 &&
           EVP_EncryptUpdate(sealing, sealed, &n, plain, INNER) == 1 &&
           EVP_EncryptFinal_ex(sealing, sealed + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_GCM_GET_TAG, KW_GCM_TAG,
                               sealed + INNER) == 1;
}

KW_MICRO_OF_N(gcm_teardown, (EVP_CIPHER_CTX_free(sealing), true))

/* ---- envelope: the stored bytes, read and proven ------------------------------------- */

static uint8_t token_bytes[KW_SEALED_MAX], stored_bytes[KW_CIPHERTEXT_MAX],
    bound_bytes[KW_AAD_MAX], seed[SEED];
static kw_span stored, bound;
static struct kw_secret inner;
static struct kw_envelope env;

static bool envelope_setup(int64_t argument)
{
    const enum kw_mechanism gcm = KW_MECH_AES_256_GCM;
    kw_dst text = kw_dst_of(stored_bytes, sizeof stored_bytes);
    kw_dst names = kw_dst_of(bound_bytes, sizeof bound_bytes);
    kw_micro_fill(iv, sizeof iv, 1);
    kw_micro_fill(token_bytes, sizeof token_bytes, 2);
    kw_micro_fill(seed, sizeof seed, 3);
    env = (struct kw_envelope){
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_SEED,
        .mechanism = gcm,
        .scope = kw_span_str("secrets"),
        .seed_len = SEED,
        .iv = kw_span_of(iv, kw_mechanism_iv_len(gcm)),
        .sealed = kw_span_of(token_bytes, kw_mechanism_sealed_len(gcm, INNER))};
    if (kw_failed(kw_envelope_write(&env, &text)) ||
        kw_failed(
            kw_envelope_aad(&env, kw_span_str(KEY_ID), kw_span_str(DOMAIN), &names)))
        return false;
    stored = kw_dst_span(&text);
    bound = kw_dst_span(&names);
    return !kw_failed(kw_envelope_inner(bound, kw_span_of(seed, SEED), &inner));
}

KW_MICRO_OF_N(envelope_teardown, (kw_secret_wipe(&inner), true))

static bool envelope_parse(uint64_t n)
{
    struct kw_envelope got = {0};
    kw_err e = kw_envelope_parse(stored, &got);
    kw_micro_keep(&got);
    return !kw_failed(e);
}

/* As after an unwrap: the token's bytes in the arena, the digest checked, the seed wiped. */
static bool envelope_prove(uint64_t n)
{
    KW_AUTO_SECRET(s);
    kw_err e = kw_secret_copy(&s, kw_secret_peek(&inner));
    return !kw_failed(e) && !kw_failed(kw_envelope_prove(bound, SEED, &s));
}

/* ---- policy: facts in, a verdict out ------------------------------------------------- */

static const struct kw_policy_facts facts[] = {
    {.method = KW_METHOD_STATUS, .hsm = KW_HSM_IS_GOOD, .active_known = true},
    {.method = KW_METHOD_DECRYPT, .hsm = KW_HSM_IS_GOOD, .active_known = true},
    {.method = KW_METHOD_DECRYPT, .hsm = KW_HSM_IS_LOST, .active_known = true},
};

static bool policy_verdict(uint64_t n)
{
    struct kw_policy_verdict v =
        kw_policy_judge(&facts[n % (sizeof facts / sizeof facts[0])]);
    kw_micro_keep(&v);
    return true;
}

/* ---- codec: a KMS v2 message, without a server round it ------------------------------ */

static struct kw_pb_block block;
static uint8_t message[512];
static size_t message_len;

/* A field of bytes, shorter than 128: what kube-apiserver sends has no longer one. */
static bool put_field(kw_dst *dst, uint8_t number, kw_span s)
{
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)) &&
           kw_dst_put_u8(dst, (uint8_t)s.len) && kw_dst_put(dst, s);
}

static bool codec_setup(int64_t argument)
{
    uint8_t bytes[100];
    kw_dst dst = kw_dst_of(message, sizeof message);
    kw_micro_fill(bytes, sizeof bytes, 1);
    bool fits = put_field(&dst, 1, kw_span_of(bytes, sizeof bytes)) &&
                put_field(&dst, 2, kw_span_str("01234567-89ab-cdef-0123-456789abcdef")) &&
                put_field(&dst, 3, kw_span_str(KEY_ID));
    message_len = dst.len;
    return fits && !kw_failed(kw_pb_block_init(&block, KW_CODEC_BLOCK));
}

KW_MICRO_OF_N(codec_teardown, (kw_pb_block_wipe(&block), true))

static bool codec_parse(uint64_t n)
{
    struct kw_codec_fields fields = {0};
    kw_err e = kw_codec_decode(KW_METHOD_DECRYPT, kw_span_of(message, message_len),
                               &block, &fields);
    kw_micro_keep(&fields);
    kw_pb_block_clear(&block);
    return !kw_failed(e);
}

/* ---- the arena: a loan of locked memory, wiped and given back ------------------------ */

static bool secret_take_give(uint64_t n)
{
    KW_AUTO_SECRET(s);
    kw_err e = kw_secret_init(&s, SEED);
    kw_micro_keep(s.ptr);
    return !kw_failed(e);
}

/* ---- keyring: which KEK version a ciphertext names ----------------------------------- */

static struct kw_keyring *ring;

static bool keyring_setup(int64_t versions)
{
    static struct kw_version v; /* large */
    kw_err e = kw_keyring_new(DOMAIN, &ring);
    for (uint32_t n = 1; !kw_failed(e) && n <= (uint32_t)versions; n++) {
        v = (struct kw_version){.n = n, .state = KW_KEY_RETIRED};
        snprintf(v.key_id, sizeof v.key_id, "kw1-%u-%024x", n, n);
        e = kw_keyring_add(ring, &v);
    }
    return !kw_failed(e);
}

/* Every version in turn: on average half of the others are passed over. */
static bool keyring_by_key_id(uint64_t n)
{
    const struct kw_version *v = &ring->versions[n % ring->count];
    return kw_keyring_by_key_id(ring, kw_span_str(v->key_id)) == v;
}

static bool keyring_teardown(uint64_t turns)
{
    kw_keyring_give(ring);
    ring = NULL;
    return true;
}

static const int64_t version_counts[] = {1, 16, KW_VERSIONS_MAX};
const struct kw_micro_case kw_micro_parts[] = {
    {.name = "floor/empty", .turn = floor_empty},
    {"floor/aes_256_gcm_encrypt", gcm_setup, gcm_encrypt, gcm_teardown},
    {"envelope/parse", envelope_setup, envelope_parse, envelope_teardown},
    {"envelope/prove", envelope_setup, envelope_prove, envelope_teardown},
    {.name = "policy/verdict", .turn = policy_verdict},
    {"codec/parse_decrypt", codec_setup, codec_parse, codec_teardown},
    {.name = "secret/take_give", .turn = secret_take_give},
    {"keyring/by_key_id", keyring_setup, keyring_by_key_id, keyring_teardown, "versions",
     version_counts, 3},
    {.name = NULL},
};
