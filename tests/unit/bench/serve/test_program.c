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

TEST(words_that_do_not_fit_or_name_nothing__status_and_which)
{
    static const struct {
        int status;
        const char *said, *words[9];
    } rows[] = {
        {2, "SOCKET", {"--work=echo"}},
        {2, "echo, software or token", {"/tmp/s"}},
        {2, "dance", {"/tmp/s", "--work=dance"}},
        {2, "--uri", {"/tmp/s", "--work=token", "--module=/x"}},
        {2, "are for --work token", {"/tmp/s", "--work=software", "--key=token"}},
        {2, "--no-verify", {"/tmp/s", "--work=echo", "--no-verify"}},
        {3, "/nonexistent/kw", {"/nonexistent/kw/s", "--work=software"}},
        {3, "/nonexistent/kw", {"/nonexistent/kw/s", "--work=echo"}},
        {3,
         "/nonexistent.so",
         {"/tmp/s", "--work=token", "--module=/nonexistent.so", "--uri=pkcs11:token=a",
          "--pin=file:/x"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const *w = rows[i].words;
        RUN("serve", w[0], w[1], w[2], w[3], w[4]);
        CHECK(r.status == rows[i].status);
        CHECK_HAS(r.err, rows[i].said);
    }
}

static struct kw_client_reply reply;

static struct kw_test_server s;
static struct kw_client *client;

/* Starts it with these words and drives it with everything, and then there is a client. */
static void begin(const char *const words[])
{
    kw_test_server_start(&s, KEYWARD_BENCH, words);
    RUN("load", s.socket, "--mix", "decrypt:2,encrypt:2,status:1", "--calls", "500",
        "--warmup", "0s", "--ciphertexts", "distinct:50", "--json");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"good\": 500");
    CHECK_OK(kw_client_open(s.socket, &client));
}

static void end(void)
{
    kw_client_close(client);
    CHECK(kw_test_server_stop(&s) == 0);
}

TEST(software__tampered_refused_and_the_rest_opens)
{
    static struct kw_client_reply sealed;
    const kw_span seed = kw_span_str("thirty-two bytes, or not quite");
    kw_test_arena(1 << 17);
    kw_test_server_make(&s);
    begin(WORDS("serve", s.socket, "--work", "software"));
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
TEST(echo__by_either_name__answers_its_input)
{
    kw_test_arena(1 << 17);
    for (int i = 0; i < 2; i++) {
        kw_test_server_make(&s);
        begin(i == 0 ? WORDS("echo", s.socket)
                     : WORDS("serve", "--work", "echo", "--cpu", "0", s.socket));
        CHECK_OK(
            kw_client_encrypt(client, kw_span_str("a seed"), "u", 10 * KW_S_NS, &reply));
        CHECK_STR(reply.key_id, "kw1-0-echo-protects-nothing---");
        CHECK(memcmp(reply.ciphertext, "\0\6a seed", 8) == 0);
        end();
    }
}

KW_CASES("bench/serve/program",
         CASE(words_that_do_not_fit_or_name_nothing__status_and_which),
         CASE(software__tampered_refused_and_the_rest_opens),
         CASE(echo__by_either_name__answers_its_input))
