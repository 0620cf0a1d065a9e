/* SPDX-License-Identifier: Apache-2.0 */
/* 15: keyring and last good one are lost; the key is found again, and what was sealed
 * before is read. */
#include "acts.h"

#include <stdio.h>
#include <unistd.h>

static struct instance h;
static struct kw_client_reply sealed, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"

static char sample[128], out[16384];

/* A node that serves, with something sealed; then its keyring is gone, and the copy that
 * the state directory had. */
static void begin(void)
{
    char last[160];
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_client_close(c);
    snprintf(sample, sizeof sample, "%s/sample.json", h.dir);
    instance_do(&h, "probe", h.secrets, "--rounds", "0", "--sample", sample, NULL);
    assert_int_equal(instance_stop(&h), 0);
    snprintf(last, sizeof last, "%s/keyring.json", h.state);
    CHECK(unlink(h.keyring) == 0 && unlink(last) == 0);
}

static void refused(const char *word)
{
    int status = instance_tool(&h, out, sizeof out, "key", "create", "--adopt",
                               sealed.key_id, NULL);
    assert_int_equal(status, 1);
    CHECK_HAS(out, word);
    CHECK(access(h.keyring, F_OK) != 0);
}

static void must_be_read(void)
{
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), UID, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), SEED));
    kw_client_reply_wipe(&reply);
    instance_round_trip(c); /* and the baseline wraps again */
    kw_client_close(c);
}

TEST(sample_kept__proves_the_key_and_the_node_serves_again)
{
    begin();
    refused("nothing shows that");
    instance_do(&h, "key", "create", "--adopt", sealed.key_id, "--sample", sample, NULL);
    must_be_read();
    CHECK_HAS(instance_read_status(&h, 0), "adopted: opened a sample, 20");
    instance_destroy(&h);
}

TEST(nothing_kept__unproven_is_shown_by_the_daemon_too)
{
    begin();
    instance_do(&h, "key", "create", "--adopt", sealed.key_id, "--unproven", NULL);
    must_be_read();
    CHECK_HAS(instance_read_status(&h, 0), "  unproven: ");
    instance_destroy(&h);
}

KW_CASES("15-lost-keyring", CASE(sample_kept__proves_the_key_and_the_node_serves_again),
         CASE(nothing_kept__unproven_is_shown_by_the_daemon_too))
