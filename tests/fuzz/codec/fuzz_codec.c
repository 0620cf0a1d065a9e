/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_codec_decode.  Input: one byte that picks the method, then a request
 * message. Attacker: whoever may connect; a Decrypt's fields come from whoever can write
 * to etcd. Useful maximum: 8193 bytes.  Claim: refuses, or what it decoded is within the
 * limits, is text where it must be, and writes a canonical message that decodes to the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include <keyward/alloc.h>

#include "codec.h"
#include "kms_v2.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MESSAGE_MAX = 4096 };
static struct kw_pb_block first, second;

static void must(bool so)
{
    if (!so)
        abort();
}

static void open_once(void)
{
    static bool done;
    if (done)
        return;
    must(!kw_failed(kw_arena_open(4 * KW_CODEC_BLOCK, KW_ARENA_AUTO, NULL)));
    must(!kw_failed(kw_pb_block_init(&first, KW_CODEC_BLOCK)));
    must(!kw_failed(kw_pb_block_init(&second, KW_CODEC_BLOCK)));
    done = true;
}

/* A C string; the decoded spans are text, so nothing is lost. */
static char *text_of(kw_span s)
{
    char *copy = kw_strdup(s);
    must(copy != NULL);
    return copy;
}

static ProtobufCBinaryData data_of(kw_span s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

/* The shortest message with this meaning, annotations left out. */
static size_t write_back(enum kw_method ask, const struct kw_codec_fields *r, uint8_t *to)
{
    size_t len = 0;
    char *uid = text_of(r->uid), *key_id = text_of(r->key_id);
    if (ask == KW_METHOD_ENCRYPT) {
        V2__EncryptRequest m;
        v2__encrypt_request__init(&m);
        m.plaintext = data_of(r->bytes);
        m.uid = uid;
        must(v2__encrypt_request__get_packed_size(&m) <= 2 * MESSAGE_MAX);
        len = v2__encrypt_request__pack(&m, to);
    } else if (ask == KW_METHOD_DECRYPT) {
        V2__DecryptRequest m;
        v2__decrypt_request__init(&m);
        m.ciphertext = data_of(r->bytes);
        m.uid = uid;
        m.key_id = key_id;
        must(v2__decrypt_request__get_packed_size(&m) <= 4 * MESSAGE_MAX);
        len = v2__decrypt_request__pack(&m, to);
    }
    kw_free(uid);
    kw_free(key_id);
    return len;
}

static void check(enum kw_method ask, const struct kw_codec_fields *r)
{
    static uint8_t canonical[4 * MESSAGE_MAX];
    struct kw_codec_fields again = {0};
    must(kw_is_text(r->uid) && kw_is_text(r->key_id));
    must(r->key_id.len <= KW_WIRE_KEY_ID_MAX);
    must(r->bytes.len <= (ask == KW_METHOD_ENCRYPT ? KW_SEED_MAX : KW_CIPHERTEXT_MAX));
    size_t len = write_back(ask, r, canonical);
    kw_pb_block_clear(&second);
    must(!kw_failed(kw_codec_decode(ask, kw_span_of(canonical, len), &second, &again)));
    must(kw_span_equal(again.uid, r->uid) && kw_span_equal(again.key_id, r->key_id) &&
         kw_span_equal(again.bytes, r->bytes) && !again.has_annotations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_codec_fields r = {0};
    open_once();
    if (len == 0 || len > 8193)
        return 0;
    enum kw_method ask = (enum kw_method)(data[0] % 3);
    kw_pb_block_clear(&first);
    if (!kw_failed(kw_codec_decode(ask, kw_span_of(data + 1, len - 1), &first, &r)))
        check(ask, &r);
    for (size_t i = first.used; i < first.bytes.len; i++)
        must(first.bytes.ptr[i] ==
             0); /* nothing lies where the clear would not wipe it */
    return 0;
}
