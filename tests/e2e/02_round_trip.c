/* SPDX-License-Identifier: Apache-2.0 */
/* 02: Encrypt and Decrypt through real gRPC, a real worker and a real token. */
#include "instance.h"
#include "kmsraw.h"

static struct kw_client_reply sealed, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"

static int decrypt(struct kw_client *c, kw_span ct, const char *key_id)
{
    kw_client_reply_wipe(&reply);
    CHECK_OK(kw_client_decrypt(c, ct, kw_span_str(key_id), UID, 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == 0 || reply.plaintext.len == 0);
    return reply.grpc_status;
}

enum { OK = 0, INVALID_ARGUMENT = 3, NOT_FOUND = 5, PERMISSION_DENIED = 7 };

TEST(decrypt__other_class__permission_denied_and_both_scopes_in_the_log)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *secrets = instance_client(&h, h.secrets),
                     *bulk = instance_client(&h, h.bulk);
    instance_encrypt(secrets, SEED, &sealed);
    size_t mark = instance_mark(&h);
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    assert_int_equal(decrypt(bulk, ct, sealed.key_id), PERMISSION_DENIED);
    instance_await(&h, mark, NULL, "event=scope-refused", "class_scope=bulk",
                   "sealed_scope=secrets", NULL);
    kw_client_close(secrets);
    kw_client_close(bulk);
    instance_destroy(&h);
}

/* All at once: each waits for a canary, which many share. */
TEST(decrypt__any_bit_changed__invalid_argument)
{
    static uint32_t calls[8 * KW_CIPHERTEXT_MAX];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    struct h2raw *raw = kmsraw_open(h.secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    for (size_t bit = 0; bit < 8 * ct.len; bit++) {
        sealed.ciphertext[bit / 8] ^= (uint8_t)(1u << bit % 8);
        calls[bit] = kmsraw_decrypt(raw, ct, sealed.key_id, NULL);
        sealed.ciphertext[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * ct.len; bit++) {
        int got = kmsraw_outcome(raw, calls[bit]);
        if (got != INVALID_ARGUMENT && got != PERMISSION_DENIED) /* a bit of the scope */
            fail_msg("bit %zu of byte %zu: gRPC status %d", bit % 8, bit / 8, got);
    }
    assert_int_equal(decrypt(c, ct, sealed.key_id), OK);
    kw_client_reply_wipe(&reply);
    h2raw_free(raw);
    kw_client_close(c);
    instance_destroy(&h);
}

/* format, purpose, mechanism, scope length; scope; seed length (2); then the IV. */
TEST(decrypt__iv_of_zeros__invalid_argument_and_no_bug)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    size_t mark = instance_mark(&h), iv = 4u + sealed.ciphertext[3] + 2u;
    memset(sealed.ciphertext + iv, 0, 12);
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    for (int i = 0; i < 3; i++)
        assert_int_equal(decrypt(c, ct, sealed.key_id), INVALID_ARGUMENT);
    instance_await(&h, mark, NULL, "event=call-failed", "outcome=forged", NULL);
    instance_round_trip(c);
    assert_int_equal(instance_count(&h, mark, "outcome=bug"), 0);
    assert_int_equal(instance_count(&h, mark, "event=worker-ended"), 0);
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(decrypt__unknown_key_id__not_found)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    assert_int_equal(decrypt(c, ct, "kw1-7-0123456789abcdef01234567"), NOT_FOUND);
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(encrypt__empty_or_too_long__invalid_argument)
{
    static const uint8_t big[257] = {1};
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    CHECK_OK(kw_client_encrypt(c, kw_span_of(big, 0), UID, 5 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, INVALID_ARGUMENT);
    CHECK_OK(kw_client_encrypt(c, kw_span_of(big, 257), UID, 5 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, INVALID_ARGUMENT);
    instance_round_trip(c); /* and the session is not poisoned */
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(many__both_classes__every_reply_is_right)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *secrets = instance_client(&h, h.secrets),
                     *bulk = instance_client(&h, h.bulk);
    for (unsigned i = 0; i < 100; i++) {
        instance_round_trip(secrets);
        instance_round_trip(bulk);
    }
    kw_client_close(secrets);
    kw_client_close(bulk);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(probe__class_of_the_configuration__its_socket)
{
    static char said[1 << 14];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    assert_int_equal(
        instance_tool(&h, said, sizeof said, "probe", "bulk", "--rounds", "1", NULL), 0);
    assert_int_equal(instance_tool(&h, said, sizeof said, "probe", "bulk", "--json",
                                   "--rounds", "1", NULL),
                     0);
    CHECK_HAS(said, h.bulk);
    assert_int_equal(instance_tool(&h, said, sizeof said, "probe", "others", NULL), 3);
    CHECK_HAS(said, "there are secrets, bulk");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_CASES("02-round-trip", CASE(probe__class_of_the_configuration__its_socket),
         CASE(decrypt__other_class__permission_denied_and_both_scopes_in_the_log),
         CASE(decrypt__any_bit_changed__invalid_argument),
         CASE(decrypt__iv_of_zeros__invalid_argument_and_no_bug),
         CASE(decrypt__unknown_key_id__not_found),
         CASE(encrypt__empty_or_too_long__invalid_argument),
         CASE(many__both_classes__every_reply_is_right))
