/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench serve and a client that knows nothing of it. */
#include "check.h"

#include <keyward/client.h>

#include "run.h"
#include "test_server.h"

static struct kw_test_server s;
static struct kw_client *client;
static struct kw_client_reply reply;
enum { OK = 0, INVALID_ARGUMENT = 3 };

/* Starts it with these words and drives it with everything, and then there is a client. */
static void begin(const char *const words[])
{
    static struct kw_run r;
    kw_test_server_start(&s, KEYWARD_BENCH, words);
    kw_run_line(&r, 0, KEYWARD_BENCH,
                "load %s --mix decrypt:2,encrypt:2,status:1 --calls 500 --warmup 0s "
                "--ciphertexts distinct:50 --json",
                s.socket);
    CHECK_HAS(r.out, "\"good\": 500");
    CHECK_OK(kw_client_open(s.socket, &client));
}
#define BEGIN(...)                                                                       \
    kw_test_arena(1 << 17);                                                              \
    kw_test_server_make(&s);                                                             \
    begin((const char *const[]){__VA_ARGS__, NULL})

static void end(void)
{
    kw_client_close(client);
    CHECK(kw_test_server_stop(&s) == 0);
}

TEST(software__tampered_refused_and_the_rest_opens)
{
    static struct kw_client_reply sealed;
    const kw_span seed = kw_span_str("thirty-two bytes, or not quite");
    BEGIN("serve", s.socket, "--work", "software");
    CHECK_OK(kw_client_status(client, 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == OK);
    CHECK_STR(reply.healthz, "ok");
    CHECK_STR(reply.key_id, "kw1-0-software-protects-little");
    CHECK_OK(kw_client_encrypt(client, seed, "u", 10 * KW_S_NS, &sealed));
    CHECK(sealed.grpc_status == OK && sealed.annotation_count == 0);
    for (int i = 0; i < 2; i++) {
        sealed.ciphertext[sealed.ciphertext_len - 1] ^= 1; /* and back again */
        CHECK_OK(kw_client_decrypt(
            client, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
            kw_span_str(sealed.key_id), "u", 10 * KW_S_NS, &reply));
        CHECK(reply.grpc_status == (i == 0 ? INVALID_ARGUMENT : OK));
        CHECK(i == 0 || kw_span_equal(kw_secret_peek(&reply.plaintext), seed));
        kw_client_reply_wipe(&reply);
    }
    end();
}

/* What it answers is its input, framed. */
#define ECHOES(name, ...)                                                                \
    TEST(name)                                                                           \
    {                                                                                    \
        const kw_span seed = kw_span_str("a seed");                                      \
        BEGIN(__VA_ARGS__);                                                              \
        CHECK_OK(kw_client_encrypt(client, seed, "u", 10 * KW_S_NS, &reply));            \
        CHECK_STR(reply.key_id, "kw1-0-echo-protects-nothing---");                       \
        CHECK(memcmp(reply.ciphertext, "\0\6a seed", 8) == 0);                           \
        end();                                                                           \
    }
ECHOES(echo__answers_its_input, "echo", s.socket)
ECHOES(echo_of_serve__answers_its_input, "serve", "--work=echo", "--cpu=0", s.socket)

KW_SUITE("bench/serve/program")
