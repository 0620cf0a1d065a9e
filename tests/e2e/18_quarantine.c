/* SPDX-License-Identifier: Apache-2.0 */
/* 18: a ciphertext that costs workers: refused after the second one that was well, shown,
 * and lifted by an operator.  The fault module plays the library. */
#include "acts.h"
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { WORKERS = 2 };

/* No probe falls into a case. */
static const char calm[] = "  deadline: 2900ms\n"
                           "  patience: 1m\n"
                           "  suspect: 1m\n"
                           "  probe: {every: 1m, stale-after: 5m}\n";

static struct kw_client_reply sealed, reply;

static int decrypt(struct kw_client *c)
{
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), "uid", 10 * KW_S_NS, &reply));
    int status = reply.grpc_status;
    kw_client_reply_wipe(&reply);
    return status;
}

/* The library dies of whatever it opens while that one is asked for; then it is good. */
static int die_of_it(struct instance *h, struct kw_client *c)
{
    instance_await_workers(h, WORKERS);
    instance_fault_set(h, "C_Decrypt crash\n");
    int status = decrypt(c);
    instance_fault_set(h, "");
    instance_await_workers(h, WORKERS);
    return status;
}

static void begin(struct instance *h, struct kw_client **c)
{
    kw_test_arena(1 << 20);
    instance_build(h, calm);
    instance_fault_between(h);
    instance_up(h);
    *c = instance_client(h, h->secrets);
    instance_encrypt(*c, kw_span_str("a seed of thirty-two bytes, here"), &sealed);
}

static void end(struct instance *h, struct kw_client *c)
{
    kw_client_close(c);
    assert_int_equal(instance_stop(h), 0);
    instance_destroy(h);
}

TEST(library_that_dies_of_everything_for_a_moment__the_seed_is_served_after_it)
{
    static struct instance h;
    struct kw_client *c;
    begin(&h, &c);
    assert_int_equal(die_of_it(&h, c), GRPC_UNAVAILABLE); /* both workers died over it */
    assert_int_equal(decrypt(c), GRPC_OK);
    CHECK_HAS(instance_read_status(&h, 0), "quarantine   none");
    end(&h, c);
}

TEST(quarantined__shown_without_the_ciphertext_and_lifted_by_the_verb)
{
    static struct instance h;
    struct kw_client *c;
    char out[4096];
    begin(&h, &c);
    while (die_of_it(&h, c) != GRPC_FAILED_PRECONDITION)
        ;
    const char *status = instance_read_status(&h, 1);
    CHECK_HAS(status, "quarantine   input ");
    CHECK_HAS(status, "1 ciphertext that cost workers is refused");
    assert_int_equal(decrypt(c), GRPC_FAILED_PRECONDITION); /* though all is well */
    size_t mark = instance_mark(&h);
    assert_int_equal(instance_tool(&h, out, sizeof out, "quarantine", "clear", NULL), 0);
    CHECK_HAS(out, "1 ciphertext may be tried again");
    instance_await(&h, mark, NULL, "event=quarantine-cleared", "inputs=1", NULL);
    assert_int_equal(decrypt(c), GRPC_OK);
    assert_int_equal(instance_tool(&h, out, sizeof out, "quarantine", "clear", NULL), 0);
    CHECK_HAS(out, "no ciphertext is refused");
    instance_read_status(&h, 0);
    end(&h, c);
}

KW_CASES("18-quarantine",
         CASE(library_that_dies_of_everything_for_a_moment__the_seed_is_served_after_it),
         CASE(quarantined__shown_without_the_ciphertext_and_lifted_by_the_verb))
