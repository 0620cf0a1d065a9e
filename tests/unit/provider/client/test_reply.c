/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a server that may be any program. */
#include "check.h"

#include <keyward/client.h>

#include "kms_v2.pb-c.h"
#include "reply.h"

static struct kw_pb_block block;
static struct kw_client_reply reply;
static uint8_t bytes[8192];

static enum kw_code read_as(kw_reply_read *read, size_t len)
{
    if (block.bytes.ptr == NULL) {
        kw_test_arena(65536);
        CHECK_OK(kw_pb_block_init(&block, 16384));
    }
    kw_pb_block_clear(&block);
    reply = (struct kw_client_reply){0};
    return read(kw_span_of(bytes, len), &block, &reply).code;
}

static void done(void)
{
    kw_client_reply_wipe(&reply);
    kw_pb_block_wipe(&block);
}

static char *text(size_t len)
{
    static char t[4096];
    memset(t, 't', len);
    t[len] = '\0';
    return t;
}

TEST(any__garbage__bad_input)
{
    memset(bytes, 0xff, 64);
    CHECK(read_as(kw_reply_status, 64) == KW_CODE_BAD_INPUT);
    CHECK(read_as(kw_reply_encrypt, 64) == KW_CODE_BAD_INPUT);
    CHECK(read_as(kw_reply_decrypt, 64) == KW_CODE_BAD_INPUT);
    done();
}

TEST(status__texts_at_and_over_their_limit__as_sent_or_bad_input)
{
    V2__StatusResponse m;
    v2__status_response__init(&m);
    m.key_id = text(KW_WIRE_KEY_ID_MAX);
    CHECK(read_as(kw_reply_status, v2__status_response__pack(&m, bytes)) == KW_CODE_OK);
    assert_int_equal(strlen(reply.key_id), KW_WIRE_KEY_ID_MAX);
    m.key_id = text(KW_WIRE_KEY_ID_MAX + 1);
    CHECK(read_as(kw_reply_status, v2__status_response__pack(&m, bytes)) ==
          KW_CODE_BAD_INPUT);
    v2__status_response__init(&m);
    m.version = text(32);
    CHECK(read_as(kw_reply_status, v2__status_response__pack(&m, bytes)) ==
          KW_CODE_BAD_INPUT);
    v2__status_response__init(&m);
    m.healthz = text(128);
    CHECK(read_as(kw_reply_status, v2__status_response__pack(&m, bytes)) ==
          KW_CODE_BAD_INPUT);
    done();
}

TEST(encrypt__ciphertext_over_the_room__bad_input)
{
    static uint8_t c[sizeof reply.ciphertext + 1];
    V2__EncryptResponse m;
    v2__encrypt_response__init(&m);
    m.ciphertext = (ProtobufCBinaryData){sizeof reply.ciphertext, c};
    CHECK(read_as(kw_reply_encrypt, v2__encrypt_response__pack(&m, bytes)) == KW_CODE_OK);
    assert_int_equal(reply.ciphertext_len, sizeof reply.ciphertext);
    m.ciphertext.len++;
    CHECK(read_as(kw_reply_encrypt, v2__encrypt_response__pack(&m, bytes)) ==
          KW_CODE_BAD_INPUT);
    done();
}

TEST(encrypt__annotations__counted)
{
    V2__EncryptResponse m;
    V2__EncryptResponse__AnnotationsEntry a, b;
    V2__EncryptResponse__AnnotationsEntry *both[] = {&a, &b};
    v2__encrypt_response__init(&m);
    v2__encrypt_response__annotations_entry__init(&a);
    v2__encrypt_response__annotations_entry__init(&b);
    a.key = b.key = text(3);
    m.annotations = both;
    m.n_annotations = 2;
    CHECK(read_as(kw_reply_encrypt, v2__encrypt_response__pack(&m, bytes)) == KW_CODE_OK);
    assert_int_equal(reply.annotation_count, 2);
    done();
}

TEST(decrypt__plaintext__in_the_arena)
{
    V2__DecryptResponse m;
    v2__decrypt_response__init(&m);
    CHECK(read_as(kw_reply_decrypt, 0) == KW_CODE_OK);
    CHECK(reply.plaintext.len == 0);
    m.plaintext = (ProtobufCBinaryData){5, (uint8_t *)text(5)};
    CHECK(read_as(kw_reply_decrypt, v2__decrypt_response__pack(&m, bytes)) == KW_CODE_OK);
    CHECK(kw_span_equal_str(kw_secret_peek(&reply.plaintext), "ttttt"));
    done();
}

TEST(status_name__the_ends_and_beyond)
{
    CHECK_STR(kw_client_status_name(0), "OK");
    CHECK_STR(kw_client_status_name(3), "INVALID_ARGUMENT");
    CHECK_STR(kw_client_status_name(14), "UNAVAILABLE");
    CHECK_STR(kw_client_status_name(16), "UNAUTHENTICATED");
    CHECK_STR(kw_client_status_name(17), "?");
    CHECK_STR(kw_client_status_name(-1), "?");
}

KW_CASES("provider/client/reply", CASE(any__garbage__bad_input),
         CASE(status__texts_at_and_over_their_limit__as_sent_or_bad_input),
         CASE(encrypt__ciphertext_over_the_room__bad_input),
         CASE(encrypt__annotations__counted), CASE(decrypt__plaintext__in_the_arena),
         CASE(status_name__the_ends_and_beyond))
