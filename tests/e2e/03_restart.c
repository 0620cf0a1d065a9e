/* SPDX-License-Identifier: Apache-2.0 */
/* 03: what a restart keeps (the keys, the marks) and what it forgets (the seeds). */
#include "house.h"

#include <signal.h>
#include <sys/stat.h>

static struct kw_client_reply sealed, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";

static void opens(struct house *h)
{
    struct kw_client *c = house_client(h, h->secrets);
    kw_client_reply_wipe(&reply);
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), "a-uid", 10 * KW_S_NS,
                               &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), kw_span_of(seed, 32)));
    kw_client_reply_wipe(&reply);
    kw_client_close(c);
}

static void restart__after_sigterm_and_after_sigkill__still_opens(void **state)
{
    struct house h;
    (void)state;
    kw_test_arena(1 << 20);
    house_build(&h, NULL);
    house_up(&h);
    struct kw_client *c = house_client(&h, h.secrets);
    house_encrypt(c, kw_span_of(seed, 32), &sealed);
    kw_client_close(c);
    assert_int_equal(house_stop(&h), 0);
    house_up(&h);
    opens(&h);
    house_signal(&h, SIGKILL); /* the daemon, which never logs in */
    assert_int_equal(house_wait_end(&h), 128 + SIGKILL);
    house_up(&h); /* over the stale socket files */
    opens(&h);
    house_raze(&h);
}

static void restart__one_client_all_along__reconnects_by_itself(void **state)
{
    struct house h;
    (void)state;
    kw_test_arena(1 << 20);
    house_build(&h, NULL);
    house_up(&h);
    struct kw_client *c = house_client(&h, h.secrets);
    house_round_trip(c);
    assert_int_equal(house_stop(&h), 0);
    house_up(&h);
    /* gRPC core's client looks at an idle connection only when it is used again, so this
     * call may be the one that finds it closed; from then on it is connected anew. */
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == 0 || reply.grpc_status == 14);
    house_round_trip(c);
    kw_client_close(c);
    house_raze(&h);
}

/* A mark that cannot be written would let an older keyring in after the next restart. */
static void state__not_writable__said_and_tried_again(void **state)
{
    struct house h;
    char out[8192];
    (void)state;
    house_build(&h, NULL);
    CHECK(chmod(h.state, 0500) == 0);
    size_t mark = house_mark(&h);
    house_start(&h, NULL);
    mark = house_await(&h, mark, NULL, "event=state-not-written", NULL);
    assert_int_equal(house_tool(&h, out, sizeof out, "status", NULL), 1);
    CHECK_HAS(out, "state directory cannot be written");
    CHECK(chmod(h.state, 0700) == 0);
    house_await(&h, mark, NULL, "event=keyring-proven", NULL);
    assert_int_equal(house_tool(&h, out, sizeof out, "status", NULL), 0);
    house_raze(&h);
}

KW_CASES("03-restart", CASE(restart__after_sigterm_and_after_sigkill__still_opens),
         CASE(restart__one_client_all_along__reconnects_by_itself),
         CASE(state__not_writable__said_and_tried_again))
