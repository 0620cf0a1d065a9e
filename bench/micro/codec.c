/* SPDX-License-Identifier: Apache-2.0 */
/* KMS v2 messages, in and out: provider/rpc/codec.h, without a server round it. */
#include "codec.h"

#include "micro.h"

#define KEY_ID "kw1-1-0123456789abcdef01234567"
#define UID "01234567-89ab-cdef-0123-456789abcdef"

enum { SEED = 32, CIPHERTEXT = 100, MESSAGE_MAX = 512 };

static struct fixture {
    struct kw_pb_block block;
    uint8_t message[MESSAGE_MAX];
    size_t len;
    struct kw_request call;
} f;

/* A field of bytes, shorter than 128: what kube-apiserver sends has no longer one. */
static bool field(kw_dst *dst, uint8_t number, kw_span s)
{
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)) &&
           kw_dst_put_u8(dst, (uint8_t)s.len) && kw_dst_put(dst, s);
}

static void *setup(struct kw_micro *m, kw_span bytes, kw_span key_id)
{
    kw_dst dst = kw_dst_of(f.message, sizeof f.message);
    bool fits = field(&dst, 1, bytes) && field(&dst, 2, kw_span_str(UID)) &&
                (key_id.len == 0 || field(&dst, 3, key_id));
    f.len = dst.len;
    if (!fits)
        kw_micro_fail(m, "the request does not fit");
    if (!fits || kw_micro_failed(m, kw_pb_block_init(&f.block, KW_CODEC_BLOCK)))
        return NULL;
    return &f;
}

static void *setup_encrypt(struct kw_micro *m)
{
    uint8_t seed[SEED];
    kw_micro_fill(seed, sizeof seed, 1);
    return setup(m, kw_span_of(seed, sizeof seed), (kw_span){0});
}

static void *setup_decrypt(struct kw_micro *m)
{
    uint8_t ciphertext[CIPHERTEXT];
    kw_micro_fill(ciphertext, sizeof ciphertext, 2);
    return setup(m, kw_span_of(ciphertext, sizeof ciphertext), kw_span_str(KEY_ID));
}

static void teardown(void *fixture)
{
    (void)fixture;
    kw_pb_block_wipe(&f.block);
}

static void parse(struct kw_micro *m, enum kw_method ask)
{
    struct kw_codec_fields request = {0};
    kw_err e = KW_OK;
    while (!kw_failed(e) && kw_micro_next(m)) {
        e = kw_codec_decode(ask, kw_span_of(f.message, f.len), &f.block, &request);
        kw_micro_keep(&request);
        kw_pb_block_clear(&f.block);
    }
    (void)kw_micro_failed(m, e);
    kw_micro_bytes(m, kw_micro_iterations(m) * (int64_t)f.len);
}

static void parse_encrypt(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    parse(m, KW_METHOD_ENCRYPT);
}

static void parse_decrypt(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    parse(m, KW_METHOD_DECRYPT);
}

static void pack(struct kw_micro *m)
{
    uint8_t reply[KW_REPLY_PLAIN_MAX];
    kw_err e = KW_OK;
    while (!kw_failed(e) && kw_micro_next(m)) {
        kw_dst dst = kw_dst_of(reply, sizeof reply);
        e = kw_codec_encode(&f.call, &dst);
        kw_micro_keep(reply);
    }
    (void)kw_micro_failed(m, e);
}

static void pack_encrypt(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    f.call = (struct kw_request){.method = KW_METHOD_ENCRYPT, .out_ciphertext_len = CIPHERTEXT};
    (void)kw_copy_str(f.call.out_key_id, sizeof f.call.out_key_id, kw_span_str(KEY_ID));
    pack(m);
}

static void pack_status(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    f.call = (struct kw_request){.method = KW_METHOD_STATUS};
    (void)kw_copy_str(f.call.out_key_id, sizeof f.call.out_key_id, kw_span_str(KEY_ID));
    pack(m);
}

/* The bytes packed are made up: no secret goes into an array of the stack. */
static void pack_decrypt(struct kw_micro *m, void *fixture)
{
    (void)fixture;
    f.call = (struct kw_request){.method = KW_METHOD_DECRYPT};
    if (kw_micro_failed(m, kw_secret_init(&f.call.seed, SEED)))
        return;
    pack(m);
    kw_secret_wipe(&f.call.seed);
}

static const struct kw_micro_case cases[] = {
    {.name = "codec/parse_encrypt",
     .setup = setup_encrypt,
     .run = parse_encrypt,
     .teardown = teardown},
    {.name = "codec/parse_decrypt",
     .setup = setup_decrypt,
     .run = parse_decrypt,
     .teardown = teardown},
    {.name = "codec/pack_encrypt", .run = pack_encrypt},
    {.name = "codec/pack_decrypt", .run = pack_decrypt},
    {.name = "codec/pack_status", .run = pack_status},
};

void kw_micro_codec(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        kw_micro_register(&cases[i]);
}
