/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench serve and a client that knows nothing of it. */
#include "check.h"

#include <keyward/client.h>

#include "run.h"
#include "test_server.h"

static struct kw_run r;
#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD_BENCH, __VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { OK = 0, INVALID_ARGUMENT = 3 };

TEST(bad_options__two_and_which)
{
    RUN("serve");
    CHECK(r.status == 2);
    RUN("serve", "/tmp/s");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "echo, software or token");
    RUN("serve", "/tmp/s", "--work", "dance");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "dance");
    RUN("serve", "/tmp/s", "--work", "token", "--module", "/x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--uri");
    RUN("serve", "/tmp/s", "--work", "token", "--module", "/x", "--uri", "pkcs11:token=a",
        "--pin", "file:/x", "--key", "pocket");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "pocket");
    RUN("serve", "/tmp/s", "--work", "software", "--key", "token");
    CHECK(r.status == 2);
    RUN("serve", "/tmp/s", "--work", "echo", "--no-verify");
    CHECK(r.status == 2);
}

TEST(no_such_folder_or_module__three_and_which)
{
    RUN("serve", "/nonexistent/kw/s", "--work", "software");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/kw");
    RUN("serve", "/tmp/s", "--work", "token", "--module", "/nonexistent.so", "--uri",
        "pkcs11:token=a", "--pin", "file:/x");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent.so");
}

static struct kw_client_reply reply;

static void tamper(struct kw_client *client, const char *key_id, kw_span ciphertext)
{
    uint8_t bytes[KW_CIPHERTEXT_MAX];
    kw_copy(bytes, sizeof bytes, ciphertext);
    bytes[ciphertext.len - 1] ^= 1;
    CHECK_OK(kw_client_decrypt(client, kw_span_of(bytes, ciphertext.len),
                               kw_span_str(key_id), "u", 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == INVALID_ARGUMENT);
    kw_client_reply_wipe(&reply);
}

TEST(software__tampered_refused_and_the_rest_opens)
{
    static struct kw_client_reply sealed;
    struct kw_test_server s;
    struct kw_client *client = NULL;
    const kw_span seed = kw_span_str("thirty-two bytes, or not quite");
    kw_test_arena(1 << 17);
    kw_test_server_make(&s);
    kw_test_server_start(&s, KEYWARD_BENCH,
                         WORDS("serve", s.socket, "--work", "software"));
    CHECK_OK(kw_client_open(s.socket, &client));
    CHECK_OK(kw_client_status(client, 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == OK);
    CHECK_STR(reply.healthz, "ok");
    CHECK_STR(reply.key_id, "kw1-0-software-protects-little");
    CHECK_OK(kw_client_encrypt(client, seed, "u", 10 * KW_S_NS, &sealed));
    CHECK(sealed.grpc_status == OK && sealed.annotation_count == 0);
    const kw_span text = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    tamper(client, sealed.key_id, text);
    CHECK_OK(kw_client_decrypt(client, text, kw_span_str(sealed.key_id), "u",
                               10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == OK);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), seed));
    kw_client_reply_wipe(&reply);
    kw_client_close(client);
    CHECK(kw_test_server_stop(&s) == 0);
}

TEST(software__driven_hard__no_wrong_reply)
{
    struct kw_test_server s;
    static const char *const mixes[] = {"encrypt", "decrypt", "status"};
    kw_test_server_make(&s);
    kw_test_server_start(&s, KEYWARD_BENCH,
                         WORDS("serve", s.socket, "--work", "software", "--no-verify"));
    for (size_t i = 0; i < 3; i++) {
        RUN("load", s.socket, "--mix", mixes[i], "--calls", "500", "--warmup", "0s",
            "--ciphertexts", "distinct:50", "--json");
        CHECK(r.status == 0);
        CHECK_HAS(r.out, "\"wrong\": 0");
    }
    CHECK(kw_test_server_stop(&s) == 0);
}

/* What it answers is its input, framed. */
static void echoed(const char *const words[], struct kw_test_server *s)
{
    static struct kw_client_reply sealed;
    struct kw_client *client = NULL;
    kw_test_server_start(s, KEYWARD_BENCH, words);
    RUN("load", s->socket, "--mix", "decrypt:2,encrypt:2,status:1", "--calls", "500",
        "--warmup", "0s", "--ciphertexts", "distinct:50", "--json");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"good\": 500");
    CHECK_OK(kw_client_open(s->socket, &client));
    CHECK_OK(
        kw_client_encrypt(client, kw_span_str("a seed"), "u", 10 * KW_S_NS, &sealed));
    CHECK_STR(sealed.key_id, "kw1-0-echo-protects-nothing---");
    CHECK(memcmp(sealed.ciphertext, "\0\6a seed", 8) == 0);
    kw_client_close(client);
    CHECK(kw_test_server_stop(s) == 0);
}

TEST(echo__by_either_name__answers_its_input)
{
    struct kw_test_server s;
    kw_test_arena(1 << 17);
    kw_test_server_make(&s);
    echoed(WORDS("echo", s.socket), &s);
    kw_test_server_make(&s);
    echoed(WORDS("serve", "--work", "echo", "--cpu", "0", s.socket), &s);
    RUN("echo");
    CHECK(r.status == 2);
    RUN("echo", "/nonexistent/kw/s");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/kw");
}

KW_CASES("bench/serve/program", CASE(bad_options__two_and_which),
         CASE(no_such_folder_or_module__three_and_which),
         CASE(software__tampered_refused_and_the_rest_opens),
         CASE(software__driven_hard__no_wrong_reply),
         CASE(echo__by_either_name__answers_its_input))
