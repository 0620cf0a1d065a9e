/* SPDX-License-Identifier: Apache-2.0 */
/* 06: a wrong PIN costs one login, whatever happens, until there is another one. */
#include "acts.h"

#include <signal.h>

enum { RESTARTS = 20, UNAVAILABLE = 14 };
static struct kw_client_reply reply;
static const char wrong_pin[] = "000000000000000000000000";

static void status_is(struct instance *h, const char *socket, int want)
{
    struct kw_client *c = instance_client(h, socket);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    if (reply.grpc_status != want)
        fail_msg("Status: gRPC status %d: %s", reply.grpc_status, reply.message);
    CHECK(strstr(reply.message, wrong_pin) == NULL);
    kw_client_close(c);
}

static void stopped(struct instance *h)
{
    status_is(h, h->secrets, UNAVAILABLE);
    status_is(h, h->bulk, UNAVAILABLE);
    const char *said = instance_read_status(h, 1);
    CHECK_HAS(said, "CKR_PIN_INCORRECT");
    CHECK_HAS(said, "a PIN is latched");
    CHECK(strstr(said, wrong_pin) == NULL);
}

static void start_latched(struct instance *h)
{
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, "event=hsm-state", "to=lost", "why=pin-stop", NULL);
}

TEST(pin__wrong__one_login_through_20_restarts_then_cured_by_its_file)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    char *right = instance_read(h.pin);
    instance_write(h.pin, wrong_pin);
    start_latched(&h);
    stopped(&h);
    for (unsigned i = 0; i < RESTARTS; i++) {
        assert_int_equal(instance_stop(&h), 0);
        start_latched(&h);
    }
    stopped(&h);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 1);
    size_t mark = instance_mark(&h);
    instance_write(h.pin, right);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    status_is(&h, h.secrets, 0);
    instance_await_workers(&h, 2);
    instance_read_status(&h, 0);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 3); /* one for each worker */
    free(right);
    instance_destroy(&h);
}

/* It worked until somebody changed the token's PIN; the workers that are logged in serve
 * on, but the next one to start stops all logins. */
TEST(pin__wrong_after_it_worked__one_login_too)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    instance_up(&h);
    instance_await_workers(&h, 2);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 2);
    instance_fault_set(&h, "C_Login rv=0xa0\n"); /* CKR_PIN_INCORRECT */
    size_t mark = instance_mark(&h);
    instance_signal_workers(&h, SIGKILL);
    instance_await(&h, mark, NULL, "event=pin-latched", NULL);
    char *same = instance_read(h.pin);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(instance_stop(&h), 0);
        instance_write(h.pin, same); /* another file with the same PIN lifts nothing */
        start_latched(&h);
    }
    stopped(&h);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 3);
    instance_fault_set(&h, "");
    mark = instance_mark(&h);
    instance_do(&h, "pin", "retry", NULL);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    free(same);
    instance_destroy(&h);
}

/* The file is the same: only the operator's word lets the running daemon try again. */
TEST(pin__refused_then_retry_is_said__serves_again)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    instance_fault_set(&h, "C_Login rv=0xa0\n");
    start_latched(&h);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 1);
    instance_fault_set(&h, "");
    size_t mark = instance_mark(&h);
    instance_do(&h, "pin", "retry", NULL);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    instance_await_workers(&h, 2);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 3);
    instance_destroy(&h);
}

TEST(pin__one_try_left__no_login_at_all)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    instance_fault_set(&h, "pinflags=final-try\n");
    start_latched(&h);
    status_is(&h, h.secrets, UNAVAILABLE);
    CHECK_HAS(instance_read_status(&h, 1), "one more wrong PIN locks it");
    assert_int_equal(instance_fault_count(&h, "C_Login"), 0);
    instance_destroy(&h);
}

KW_CASES("06-pin", CASE(pin__wrong__one_login_through_20_restarts_then_cured_by_its_file),
         CASE(pin__wrong_after_it_worked__one_login_too),
         CASE(pin__refused_then_retry_is_said__serves_again),
         CASE(pin__one_try_left__no_login_at_all))
