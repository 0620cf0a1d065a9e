/* SPDX-License-Identifier: Apache-2.0 */
/* KMS v2 messages, in and out: provider/rpc/codec.h, without a server round it. */
#include "codec.h"

#include "micro.h"

#define KEY_ID "kw1-1-0123456789abcdef01234567"
#define UID "01234567-89ab-cdef-0123-456789abcdef"

enum { SEED = 32, CIPHERTEXT = 100, MESSAGE_MAX = 512 };

static struct kw_pb_block block;
static uint8_t message[MESSAGE_MAX];
static size_t message_len;

/* A field of bytes, shorter than 128: what kube-apiserver sends has no longer one. */
static bool field(kw_dst *dst, uint8_t number, kw_span s)
{
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)) &&
           kw_dst_put_u8(dst, (uint8_t)s.len) && kw_dst_put(dst, s);
}

static bool codec_setup(struct kw_micro *m, size_t len, kw_span key_id)
{
    uint8_t bytes[CIPHERTEXT];
    kw_dst dst = kw_dst_of(message, sizeof message);
    kw_micro_fill(bytes, len, len);
    bool fits = field(&dst, 1, kw_span_of(bytes, len)) &&
                field(&dst, 2, kw_span_str(UID)) &&
                (key_id.len == 0 || field(&dst, 3, key_id));
    message_len = dst.len;
    if (!fits)
        kw_micro_fail(m, "the request does not fit");
    return fits && !kw_micro_failed(m, kw_pb_block_init(&block, KW_CODEC_BLOCK));
}

static bool setup_encrypt(struct kw_micro *m)
{
    return codec_setup(m, SEED, (kw_span){0});
}

static bool setup_decrypt(struct kw_micro *m)
{
    return codec_setup(m, CIPHERTEXT, kw_span_str(KEY_ID));
}

static void codec_teardown(void)
{
    kw_pb_block_wipe(&block);
}

static void codec_parse(struct kw_micro *m, enum kw_method method)
{
    struct kw_codec_fields request = {0};
    kw_err e;
    KW_MICRO_EACH(m, e)
    {
        e = kw_codec_decode(method, kw_span_of(message, message_len), &block, &request);
        kw_micro_keep(&request);
        kw_pb_block_clear(&block);
    }
    kw_micro_bytes(m, kw_micro_iterations(m) * (int64_t)message_len);
}

static void parse_encrypt(struct kw_micro *m)
{
    codec_parse(m, KW_METHOD_ENCRYPT);
}

static void parse_decrypt(struct kw_micro *m)
{
    codec_parse(m, KW_METHOD_DECRYPT);
}

static void pack(struct kw_micro *m, struct kw_request *request)
{
    uint8_t reply[KW_REPLY_PLAIN_MAX];
    kw_err e;
    (void)kw_copy_str(request->out_key_id, sizeof request->out_key_id,
                      kw_span_str(KEY_ID));
    KW_MICRO_EACH(m, e)
    {
        kw_dst dst = kw_dst_of(reply, sizeof reply);
        e = kw_codec_encode(request, &dst);
        kw_micro_keep(reply);
    }
}

static struct kw_request request;

static void pack_encrypt(struct kw_micro *m)
{
    request = (struct kw_request){.method = KW_METHOD_ENCRYPT,
                                  .out_ciphertext_len = CIPHERTEXT};
    pack(m, &request);
}

static void pack_status(struct kw_micro *m)
{
    request = (struct kw_request){.method = KW_METHOD_STATUS};
    pack(m, &request);
}

/* The bytes packed are made up: no secret goes into an array of the stack. */
static void pack_decrypt(struct kw_micro *m)
{
    request = (struct kw_request){.method = KW_METHOD_DECRYPT};
    if (kw_micro_failed(m, kw_secret_init(&request.seed, SEED)))
        return;
    pack(m, &request);
    kw_secret_wipe(&request.seed);
}

const struct kw_micro_case kw_micro_codec[] = {
    {"codec/parse_encrypt", setup_encrypt, parse_encrypt, codec_teardown},
    {"codec/parse_decrypt", setup_decrypt, parse_decrypt, codec_teardown},
    {.name = "codec/pack_encrypt", .run = pack_encrypt},
    {.name = "codec/pack_decrypt", .run = pack_decrypt},
    {.name = "codec/pack_status", .run = pack_status},
    {.name = NULL},
};
