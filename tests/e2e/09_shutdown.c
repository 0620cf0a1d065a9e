/* SPDX-License-Identifier: Apache-2.0 */
/* 09: SIGTERM while calls are in flight. */
#include "acts.h"
#include "load.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void ended_cleanly(struct instance *h)
{
    assert_int_equal(instance_wait_end(h), 0);
    instance_check_workers_gone(h, 0);
    CHECK(access(h->secrets, F_OK) != 0 && access(h->bulk, F_OK) != 0 &&
          access(h->status, F_OK) != 0);
}

/* Behind the end of the daemon the clients wait for a server until their own deadline. */
TEST(sigterm__under_load__exit_0_and_no_reply_is_wrong)
{
    struct load_counts secrets, bulk;
    INSTANCE_AND_ARENA(h, NULL);
    instance_edit(&h, "{level: debug}", "{level: info}");
    instance_up(&h);
    struct load *on_secrets = load_start(h.secrets, 4), *on_bulk = load_start(h.bulk, 2);
    load_await(on_secrets, 50);
    load_await(on_bulk, 20);
    instance_signal(&h, SIGTERM);
    ended_cleanly(&h);
    load_stop(on_secrets, &secrets);
    load_stop(on_bulk, &bulk);
    const unsigned allowed = LOAD_MAY(GRPC_UNAVAILABLE) | LOAD_MAY(GRPC_CANCELLED) |
                             LOAD_MAY(GRPC_DEADLINE_EXCEEDED);
    load_judge(&secrets, allowed);
    load_judge(&bulk, allowed);
    instance_destroy(&h);
}

struct lone {
    struct kw_client *client;
    struct kw_client_reply sealed, reply;
    kw_err err;
};

static void *ask(void *ctx)
{
    struct lone *l = ctx;
    l->err = kw_client_decrypt(
        l->client, kw_span_of(l->sealed.ciphertext, l->sealed.ciphertext_len),
        kw_span_str(l->sealed.key_id), "a-uid", 10 * KW_S_NS, &l->reply);
    return NULL;
}

static void await_sent(struct instance *h)
{
    static char doc[65536];
    do
        instance_status(h, doc, sizeof doc);
    while (strstr(doc, "\"sent\":1,") == NULL);
}

/* `how` makes the call hang.  Returns the gRPC status that it got in the end; the daemon
 * and all of its workers are gone. */
static int in_flight(struct instance *h, void (*how)(struct instance *h),
                     void (*after)(struct instance *h))
{
    static struct lone l;
    pthread_t thread;
    instance_up(h);
    instance_await_workers(h, 2);
    l.client = instance_client(h, h->secrets);
    instance_encrypt(l.client, kw_span_str("a seed that waits"), &l.sealed);
    how(h);
    CHECK(pthread_create(&thread, NULL, ask, &l) == 0);
    await_sent(h);
    size_t mark = instance_mark(h);
    instance_signal(h, SIGTERM);
    instance_await(h, mark, NULL, "event=stopping", NULL);
    after(h);
    ended_cleanly(h);
    pthread_join(thread, NULL);
    CHECK_OK(l.err);
    int status = l.reply.grpc_status;
    if (status == GRPC_OK)
        CHECK(kw_span_equal_str(kw_secret_peek(&l.reply.plaintext), "a seed that waits"));
    kw_client_reply_wipe(&l.reply);
    kw_client_close(l.client);
    return status;
}

static void stand_still(struct instance *h)
{
    assert_int_equal(instance_signal_workers(h, SIGSTOP), 2);
}

/* The status socket answers while calls are let finish. */
static void go_on(struct instance *h)
{
    static char text[1 << 16];
    instance_status(h, text, sizeof text);
    CHECK_HAS(text, "\"handed_over\":");
    instance_signal_workers(h, SIGCONT);
}

static void nothing(struct instance *h)
{
    (void)h;
}

static void hang(struct instance *h)
{
    instance_fault_set(h, "C_Decrypt hang\n");
}

static const char calm[] = "  deadline: 2900ms\n"
                           "  patience: 60s\n"
                           "  suspect: 60s\n"
                           "  recover: 1s\n"
                           "  probe: {every: 60s, stale-after: 10m}\n";

TEST(sigterm__call_that_still_can__is_finished)
{
    INSTANCE_AND_ARENA(h, calm);
    assert_int_equal(in_flight(&h, stand_still, go_on), GRPC_OK);
    instance_destroy(&h);
}

TEST(sigterm__call_that_hangs_for_ever__fails_and_nobody_is_left)
{
    INSTANCE_AND_ARENA(h, calm);
    instance_fault_between(&h);
    int status = in_flight(&h, hang, nothing);
    assert_int_equal(status, GRPC_UNAVAILABLE); /* its caller did not go away */
    instance_destroy(&h);
}

TEST(sigterm__workers_stopped__fails_and_nobody_is_left)
{
    INSTANCE_AND_ARENA(h, calm);
    int status = in_flight(&h, stand_still, nothing);
    assert_int_equal(status, GRPC_UNAVAILABLE); /* its caller did not go away */
    instance_destroy(&h);
}

/* As systemd's KillMode=control-group does it, and whoever signals a group: the workers
 * may be first.  They are not replaced, with a login each, for an end that is asked of all. */
TEST(sigterm__to_workers_and_then_the_daemon__nobody_logs_in_again)
{
    INSTANCE_AND_ARENA(h, calm);
    instance_fault_between(&h);
    instance_up(&h);
    instance_await_workers(&h, 2);
    struct kw_client *client = instance_client(&h, h.secrets);
    unsigned logins = instance_fault_count(&h, "C_Login");
    size_t mark = instance_mark(&h);
    assert_int_equal(instance_signal_workers(&h, SIGTERM), 2);
    for (int i = 0; i < 20; i++)
        instance_round_trip(client); /* they serve on */
    kw_client_close(client);
    instance_signal(&h, SIGTERM);
    ended_cleanly(&h);
    assert_int_equal(instance_fault_count(&h, "C_Login"), logins);
    assert_int_equal(instance_count(&h, mark, "event=worker-started"), 0);
    instance_destroy(&h);
}

/* The first worker is still logging in: it is let out of there alive. */
TEST(sigterm__while_starting__exit_0)
{
    INSTANCE(h, NULL);
    instance_start(&h, NULL);
    instance_await(&h, 0, NULL, "event=worker-started", NULL);
    instance_signal(&h, SIGTERM);
    ended_cleanly(&h);
    instance_destroy(&h);
}

KW_CASES("09-shutdown", CASE(sigterm__under_load__exit_0_and_no_reply_is_wrong),
         CASE(sigterm__call_that_still_can__is_finished),
         CASE(sigterm__call_that_hangs_for_ever__fails_and_nobody_is_left),
         CASE(sigterm__workers_stopped__fails_and_nobody_is_left),
         CASE(sigterm__to_workers_and_then_the_daemon__nobody_logs_in_again),
         CASE(sigterm__while_starting__exit_0))
