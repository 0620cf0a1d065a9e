/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/client.h>

#include "fault_module.h"
#include "token_internal.h"
#include "run.h"
#include "test_server.h"
#include "test_softhsm.h"

static struct kw_softhsm hsm;
static struct kw_run r;

enum { OK = 0, INVALID_ARGUMENT = 3 };

/* The words of a server on this token, and whatever else is asked for. */
static void start(struct kw_test_server *s, const char *more, const char *value)
{
    kw_test_server_make(s);
    kw_test_server_start(s, KEYWARD_BENCH,
                         (const char *const[]){"serve", s->socket, "--work", "token",
                                               "--module", hsm.module, "--uri", hsm.uri,
                                               "--pin", hsm.pin_source, more, value,
                                               NULL});
}

/* How many objects the token has, private ones included. */
static unsigned objects(void)
{
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = 0;
    struct kw_token *t = kw_softhsm_open(&hsm, KW_SOFTHSM_READ_WRITE);
    if (!t->has_session)
        CHECK_OK(kw_session_ready(t));
    CHECK(t->ck->C_FindObjectsInit(t->session, NULL, 0) == CKR_OK);
    CHECK(t->ck->C_FindObjects(t->session, found, 16, &count) == CKR_OK);
    CHECK(t->ck->C_FindObjectsFinal(t->session) == CKR_OK);
    kw_token_close(t);
    return (unsigned)count;
}

static void drive(const struct kw_test_server *s, const char *mix)
{
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "load", s->socket, "--mix", mix,
                                     "--calls", "100", "--warmup", "0s", "--ciphertexts",
                                     "distinct:20", "--json", NULL});
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"wrong\": 0");
}

TEST(no_softhsm__refused_and_nothing_tried)
{
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    kw_fault_set(&hsm, "othermaker\n");
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "serve", "/nonexistent/kw/s",
                                     "--work", "token", "--module", hsm.module, "--uri",
                                     hsm.uri, "--pin", hsm.pin_source, NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "no SoftHSM");
    CHECK(kw_fault_count(&hsm, "C_Login") == 0);
    kw_softhsm_remove(&hsm);
}

TEST(wrong_pin__three_after_one_login)
{
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    kw_softhsm_write_pin(&hsm, "000000000000");
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "serve", "/tmp/kw-never.sock",
                                     "--work", "token", "--module", hsm.module, "--uri",
                                     hsm.uri, "--pin", hsm.pin_source, NULL});
    CHECK(r.status == 3);
    CHECK(kw_fault_count(&hsm, "C_Login") == 1);
    kw_softhsm_remove(&hsm);
}

/* The socket cannot be made when the key is there already: it goes all the same. */
TEST(bad_socket__key_destroyed)
{
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "serve", "/nonexistent/kw/s",
                                     "--work", "token", "--module", hsm.module, "--uri",
                                     hsm.uri, "--pin", hsm.pin_source, NULL});
    CHECK(r.status == 3);
    CHECK(kw_fault_count(&hsm, "C_GenerateKey") == 1);
    CHECK(objects() == 0);
    kw_softhsm_remove(&hsm);
}

TEST(token_spoils_a_session__renewed_and_served_on)
{
    struct kw_test_server s;
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    start(&s, NULL, NULL);
    kw_fault_set(&hsm, "C_Decrypt rv=0xB3 count=1\n"); /* CKR_SESSION_HANDLE_INVALID */
    drive(&s, "decrypt");
    CHECK(kw_test_server_stop(&s) == 0);
    CHECK(objects() == 0);
    kw_softhsm_remove(&hsm);
}

TEST(key_on_the_token__round_trips_then_destroyed)
{
    struct kw_test_server s;
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    start(&s, NULL, NULL);
    CHECK(objects() == 1);
    drive(&s, "encrypt");
    drive(&s, "decrypt");
    drive(&s, "status");
    CHECK(kw_test_server_stop(&s) == 0);
    CHECK(objects() == 0);
    kw_softhsm_remove(&hsm);
}

TEST(key_of_the_session__never_on_the_token)
{
    struct kw_test_server s;
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    start(&s, "--key", "session");
    CHECK(objects() == 0);
    drive(&s, "decrypt");
    CHECK(kw_test_server_stop(&s) == 0);
    kw_softhsm_remove(&hsm);
}

TEST(copy__in_the_session_and_its_original_destroyed)
{
    struct kw_test_server s;
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    start(&s, "--key", "copy");
    CHECK(kw_fault_count(&hsm, "C_CopyObject") == 1);
    CHECK(objects() == 1);
    drive(&s, "encrypt");
    drive(&s, "decrypt");
    CHECK(kw_test_server_stop(&s) == 0);
    CHECK(objects() == 0);
    kw_softhsm_remove(&hsm);
}

/* The original is there already when the copy is refused. */
TEST(copy__refused__three_and_no_key_left)
{
    kw_test_arena(1 << 16);
    kw_softhsm_make(&hsm);
    kw_fault_between(&hsm);
    kw_fault_set(&hsm, "C_CopyObject rv=0x54\n"); /* CKR_FUNCTION_NOT_SUPPORTED */
    kw_run(&r,
           (const char *const[]){KEYWARD_BENCH, "serve", "/nonexistent/kw/s", "--work",
                                 "token", "--module", hsm.module, "--uri", hsm.uri,
                                 "--pin", hsm.pin_source, "--key", "copy", NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "does not copy");
    CHECK(kw_fault_count(&hsm, "C_GenerateKey") == 1);
    CHECK(objects() == 0);
    kw_softhsm_remove(&hsm);
}

/* Verifying is one C_Decrypt more for each Encrypt, and only that. */
TEST(no_verify__no_decrypt_in_the_token)
{
    static const char *const words[] = {NULL, "--no-verify"};
    kw_test_arena(1 << 17);
    for (size_t i = 0; i < 2; i++) {
        struct kw_test_server s;
        static struct kw_client_reply reply;
        struct kw_client *client = NULL;
        kw_softhsm_make(&hsm);
        kw_fault_between(&hsm);
        start(&s, words[i], NULL);
        unsigned before = kw_fault_count(&hsm, "C_Decrypt");
        CHECK_OK(kw_client_open(s.socket, &client));
        CHECK_OK(
            kw_client_encrypt(client, kw_span_str("a seed"), "u", 10 * KW_S_NS, &reply));
        CHECK(reply.grpc_status == OK);
        CHECK((kw_fault_count(&hsm, "C_Decrypt") > before) == (i == 0));
        reply.ciphertext[reply.ciphertext_len - 1] ^= 1;
        static struct kw_client_reply refused;
        CHECK_OK(
            kw_client_decrypt(client, kw_span_of(reply.ciphertext, reply.ciphertext_len),
                              kw_span_str(reply.key_id), "u", 10 * KW_S_NS, &refused));
        CHECK(refused.grpc_status == INVALID_ARGUMENT);
        kw_client_close(client);
        CHECK(kw_test_server_stop(&s) == 0);
        CHECK(objects() == 0);
        kw_softhsm_remove(&hsm);
    }
}

KW_CASES("bench/serve", CASE(no_softhsm__refused_and_nothing_tried),
         CASE(copy__refused__three_and_no_key_left),
         CASE(copy__in_the_session_and_its_original_destroyed),
         CASE(wrong_pin__three_after_one_login), CASE(bad_socket__key_destroyed),
         CASE(token_spoils_a_session__renewed_and_served_on),
         CASE(key_on_the_token__round_trips_then_destroyed),
         CASE(key_of_the_session__never_on_the_token),
         CASE(no_verify__no_decrypt_in_the_token))
