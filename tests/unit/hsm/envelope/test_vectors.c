/* SPDX-License-Identifier: Apache-2.0 */
/* keyward's own bytes against tests/vectors/envelope.txt, which another language and
 * another library computed. */
#include <keyward/envelope.h>

#include <stdio.h>

#include <openssl/evp.h>

#include "check.h"

enum { BYTES_MAX = 1024, VECTORS = 4 };

struct bytes {
    uint8_t data[BYTES_MAX];
    size_t len;
};

struct vector {
    char name[64];
    char key_id[64];
    char domain[128];
    char scope[64];
    unsigned purpose;
    struct bytes kek, seed, iv, aad, digest, sealed, envelope;
};

static kw_span span(const struct bytes *b)
{
    return kw_span_of(b->data, b->len);
}

static void unhex(struct bytes *b, const char *hex)
{
    b->len = strlen(hex) / 2;
    CHECK(b->len <= BYTES_MAX && kw_unhex(b->data, b->len, kw_span_str(hex)));
}

static void text(char *dst, size_t cap, const char *value)
{
    CHECK(kw_copy_str(dst, cap, kw_span_str(value)));
}

static void member(struct vector *v, const char *key, const char *value)
{
    const struct {
        const char *key;
        struct bytes *bytes;
    } hex[] = {{"kek", &v->kek},          {"seed", &v->seed},     {"iv", &v->iv},
               {"aad", &v->aad},          {"digest", &v->digest}, {"sealed", &v->sealed},
               {"envelope", &v->envelope}};
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++)
        if (strcmp(hex[i].key, key) == 0) {
            unhex(hex[i].bytes, value);
            return;
        }
    if (strcmp(key, "name") == 0)
        text(v->name, sizeof v->name, value);
    else if (strcmp(key, "key_id") == 0)
        text(v->key_id, sizeof v->key_id, value);
    else if (strcmp(key, "domain") == 0)
        text(v->domain, sizeof v->domain, value);
    else if (strcmp(key, "scope") == 0)
        text(v->scope, sizeof v->scope, value);
    else if (strcmp(key, "purpose") == 0)
        v->purpose = (unsigned)(value[0] - '0');
    else
        fail_msg("unknown member %s", key);
}

static void load(struct vector v[VECTORS])
{
    char line[4096];
    size_t count = 0;
    FILE *f = fopen(KW_VECTORS, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, ' ');
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(line, "name") == 0)
            CHECK(++count <= VECTORS);
        CHECK(count > 0);
        member(&v[count - 1], line, value);
    }
    fclose(f);
    CHECK(count == VECTORS);
}

static void every(void (*check)(const struct vector *v))
{
    static struct vector v[VECTORS];
    kw_test_arena(8192);
    load(v);
    for (size_t i = 0; i < VECTORS; i++) {
        print_message("%s\n", v[i].name);
        check(&v[i]);
    }
}

static struct kw_envelope fields(const struct vector *v)
{
    return (struct kw_envelope){
        .format = 1,
        .purpose = (enum kw_purpose)v->purpose,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str(v->scope),
        .seed_len = v->seed.len,
        .iv = span(&v->iv),
        .sealed = span(&v->sealed),
    };
}

/* What a token does, with OpenSSL in its place. */
static void seal(const struct vector *v, kw_span aad, kw_span inner, struct bytes *ret)
{
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, v->kek.data, v->iv.data) == 1);
    CHECK(EVP_EncryptUpdate(ctx, NULL, &n, aad.ptr, (int)aad.len) == 1);
    CHECK(EVP_EncryptUpdate(ctx, ret->data, &n, inner.ptr, (int)inner.len) == 1);
    ret->len = (size_t)n;
    CHECK(EVP_EncryptFinal_ex(ctx, ret->data + n, &n) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, ret->data + ret->len) == 1);
    ret->len += 16;
    EVP_CIPHER_CTX_free(ctx);
}

static void sealed_forward(const struct vector *v)
{
    uint8_t aad_bytes[KW_AAD_MAX];
    uint8_t stored_bytes[KW_CIPHERTEXT_MAX];
    static struct bytes sealed;
    struct kw_envelope env = fields(v);
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    kw_dst stored = kw_dst_of(stored_bytes, sizeof stored_bytes);
    KW_AUTO_SECRET(inner);

    CHECK_OK(kw_envelope_aad(&env, kw_span_str(v->key_id), kw_span_str(v->domain), &aad));
    CHECK(kw_span_equal(kw_dst_span(&aad), span(&v->aad)));
    CHECK_OK(kw_envelope_inner(kw_dst_span(&aad), span(&v->seed), &inner));
    CHECK(kw_span_equal(kw_span_of(inner.ptr + v->seed.len, 16), span(&v->digest)));
    seal(v, kw_dst_span(&aad), kw_secret_peek(&inner), &sealed);
    env.sealed = span(&sealed);
    CHECK_OK(kw_envelope_write(&env, &stored));
    CHECK(kw_span_equal(kw_dst_span(&stored), span(&v->envelope)));
}

static void opened_back(const struct vector *v)
{
    uint8_t aad_bytes[KW_AAD_MAX];
    struct kw_envelope env;
    kw_dst aad = kw_dst_of(aad_bytes, sizeof aad_bytes);
    KW_AUTO_SECRET(inner);

    CHECK_OK(kw_envelope_parse(span(&v->envelope), &env));
    CHECK(env.purpose == (enum kw_purpose)v->purpose && env.seed_len == v->seed.len);
    CHECK(kw_span_equal_str(env.scope, v->scope));
    CHECK(kw_span_equal(env.iv, span(&v->iv)));
    CHECK(kw_span_equal(env.sealed, span(&v->sealed)));
    CHECK_OK(kw_envelope_aad(&env, kw_span_str(v->key_id), kw_span_str(v->domain), &aad));
    CHECK_OK(kw_secret_init(&inner, v->seed.len + KW_INNER_DIGEST));
    kw_copy(inner.ptr, inner.len, span(&v->seed));
    kw_copy(inner.ptr + v->seed.len, KW_INNER_DIGEST, span(&v->digest));
    CHECK_OK(kw_envelope_prove(kw_dst_span(&aad), env.seed_len, &inner));
    CHECK(kw_span_equal(kw_secret_peek(&inner), span(&v->seed)));
}

TEST(golden__made_by_us__aad_digest_sealed_and_envelope_equal)
{
    every(sealed_forward);
}

TEST(golden__read_by_us__seed_comes_back_proven)
{
    every(opened_back);
}

static void documented(const char *formats, const struct bytes *b)
{
    char hex[2 * BYTES_MAX + 1];
    kw_hex(hex, sizeof hex, span(b));
    CHECK_HAS(formats, hex);
}

TEST(golden__worked_vector__stands_in_formats_md)
{
    static struct vector v[VECTORS];
    static char formats[65536];
    FILE *f = fopen(KW_FORMATS, "r");
    CHECK(f != NULL && fread(formats, 1, sizeof formats - 1, f) > 0);
    fclose(f);
    load(v);
    documented(formats, &v[0].kek);
    documented(formats, &v[0].seed);
    documented(formats, &v[0].iv);
    documented(formats, &v[0].aad);
    documented(formats, &v[0].digest);
    documented(formats, &v[0].sealed);
    documented(formats, &v[0].envelope);
}

KW_CASES("hsm/envelope/vectors", CASE(golden__worked_vector__stands_in_formats_md),
         CASE(golden__made_by_us__aad_digest_sealed_and_envelope_equal),
         CASE(golden__read_by_us__seed_comes_back_proven))
