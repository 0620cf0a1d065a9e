/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of a call through rpc that a decent client sees. */
#include "rig.h"

#define IN_TIME (30 * KW_S_NS)

static const char key_id[] = "kw1-1-0123456789abcdef01234567";

static void status__kms_says_ok__v2_ok_and_key_id(void **state)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    (void)state;
    CHECK_OK(kw_client_status(r->client, IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_STR(reply.version, "v2");
    CHECK_STR(reply.healthz, "ok");
    CHECK_STR(reply.key_id, key_id);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

static void encrypt__finished_in_begin__ciphertext_and_key_id(void **state)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    (void)state;
    CHECK_OK(
        kw_client_encrypt(r->client, kw_span_of(rig_seed, 32), "uid-1", IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_STR(reply.key_id, key_id);
    assert_int_equal(reply.ciphertext_len, 32);
    assert_int_equal(reply.ciphertext[0], rig_seed[0] ^ 0xff);
    assert_int_equal(reply.annotation_count, 0);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

static void decrypt__finished_in_begin__plaintext(void **state)
{
    struct rig *r = rig_new();
    struct kw_client_reply reply;
    (void)state;
    CHECK_OK(kw_client_decrypt(r->client, kw_span_str("sealed"), kw_span_str(key_id),
                               "uid-2", IN_TIME, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), kw_span_of(rig_seed, 32)));
    CHECK(r->kms.last_len == 6 && memcmp(r->kms.last_bytes, "sealed", 6) == 0);
    assert_int_equal(r->kms.last.key_id.len, strlen(key_id));
    assert_int_equal(r->kms.last.uid.len, 5);
    assert_int_equal(r->kms.last.peer.pid, 4242);
    assert_int_equal(r->kms.last.peer.pid_start, 77);
    kw_client_reply_wipe(&reply);
    rig_free(r);
}

KW_CASES("provider/rpc/calls", CASE(status__kms_says_ok__v2_ok_and_key_id),
         CASE(encrypt__finished_in_begin__ciphertext_and_key_id),
         CASE(decrypt__finished_in_begin__plaintext))
