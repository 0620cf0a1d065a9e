/* SPDX-License-Identifier: Apache-2.0 */
/* A hundred starts of daemon and tool, by turns: how many logins the token sees. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "node.h"

enum { STARTS = 100 };
static struct instance h;

static const char pin_incorrect[] = "C_Login rv=0xa0\n";
static const char general_error[] = "C_Login rv=0x5\n";
static const char aborts[] = "C_Login crash\n";

static void says(const char *what, const char *word)
{
    char out[16384];
    CHECK(instance_tool(&h, out, sizeof out, "check", NULL) != 0);
    if (strstr(out, word) == NULL)
        fail_msg("%s: \"%s\" is not said:\n%s", what, word, out);
}

/* ---- a PIN that never worked here -------------------------------------------------- */

static void one_of_a_hundred(const char *lie)
{
    node_make(&h);
    instance_fault_set(&h, lie);
    node_start_mixed(&h, STARTS);
    assert_int_equal(node_logins(&h), 1);
    says("latched", "no login is tried since");
    assert_int_equal(node_logins(&h), 1);
    node_remove(&h);
}

TEST(never_proven__pin_incorrect__one)
{
    one_of_a_hundred(pin_incorrect);
}

TEST(never_proven__general_error__one)
{
    one_of_a_hundred(general_error);
}

TEST(never_proven__abort_in_c_login__one)
{
    one_of_a_hundred(aborts);
}

TEST(never_proven__tool_comes_first__one)
{
    node_make(&h);
    instance_fault_set(&h, aborts);
    node_start_tool(&h);
    node_start_mixed(&h, 9);
    assert_int_equal(node_logins(&h), 1);
    node_remove(&h);
}

static void none_of_a_hundred(void (*close_it)(struct instance *instance),
                              const char *word)
{
    size_t mark;
    node_make(&h);
    close_it(&h);
    mark = instance_mark(&h);
    node_start_mixed(&h, STARTS);
    assert_int_equal(node_logins(&h), 0);
    instance_await(&h, mark, NULL, "event=worker-failed", "no login is tried", word,
                   NULL);
    says("not writable", "no login is tried, as a refused PIN could not be remembered");
    assert_int_equal(node_logins(&h), 0);
    node_remove(&h);
}

TEST(never_proven__full_disk__none_and_said)
{
    none_of_a_hundred(node_fill_disk, "No space left");
}

TEST(never_proven__state_directory_read_only__none_and_said)
{
    none_of_a_hundred(node_close_state, "Permission denied");
}

/* ---- a PIN that has worked --------------------------------------------------------- */

TEST(proven__pin_incorrect__one)
{
    node_make_proven(&h);
    instance_fault_set(&h, pin_incorrect);
    node_start_mixed(&h, STARTS);
    assert_int_equal(node_logins(&h), 1);
    node_remove(&h);
}

/* One; after ten seconds, if the starts take so long, another; then none for an hour. */
static void proven_by_the_rule(const char *lie)
{
    node_make_proven(&h);
    instance_fault_set(&h, lie);
    node_start_mixed(&h, STARTS);
    unsigned n = node_logins(&h);
    CHECK(n == 1 || n == 2);
    if (n == 1) {
        node_age(&h, 10 * KW_S_NS);
        node_start_mixed(&h, 2);
        assert_int_equal(node_logins(&h), 2);
    }
    node_start_mixed(&h, 6);
    assert_int_equal(node_logins(&h), 2);
    node_age(&h, 3600 * KW_S_NS);
    node_start_mixed(&h, 6);
    assert_int_equal(node_logins(&h), 3);
    node_remove(&h);
}

TEST(proven__general_error__by_the_rule)
{
    proven_by_the_rule(general_error);
}

TEST(proven__abort_in_c_login__by_the_rule)
{
    proven_by_the_rule(aborts);
}

TEST(proven__full_disk__refused_once_by_the_runtime_directory)
{
    node_make_proven(&h);
    node_fill_disk(&h);
    instance_fault_set(&h, pin_incorrect);
    node_start_mixed(&h, STARTS);
    assert_int_equal(node_logins(&h), 1);
    node_remove(&h);
}

TEST(proven__full_disk_right_pin__serves_and_the_log_says_so)
{
    node_make_proven(&h);
    node_fill_disk(&h);
    size_t mark = instance_mark(&h);
    instance_up(&h);
    instance_await(&h, mark, NULL, "event=pin-marker-in-runtime", "No space left", NULL);
    assert_int_equal(instance_stop(&h), 0);
    node_remove(&h);
}

/* ---- killed inside C_Login --------------------------------------------------------- */

static void start_and_wait_for_the_login(void)
{
    unsigned before = node_logins(&h);
    instance_start(&h, NULL);
    while (node_logins(&h) == before)
        sched_yield();
}

TEST(killed_in_c_login__never_proven__one_in_eight_restarts)
{
    node_make(&h);
    instance_fault_set(&h, "C_Login hang\n");
    start_and_wait_for_the_login();
    pid_t workers[4];
    size_t n = instance_workers(&h, workers, 4);
    instance_signal(&h, SIGKILL);
    CHECK(n == 1 && kill(workers[0], SIGKILL) == 0);
    assert_int_equal(instance_wait_end(&h), 128 + SIGKILL);
    instance_fault_set(&h, "");
    node_start_mixed(&h, 8);
    assert_int_equal(node_logins(&h), 1);
    says("killed", "began a login");
    node_remove(&h);
}

TEST(terminated_in_c_login__its_end_is_waited_for_and_remembered)
{
    node_make(&h);
    instance_fault_set(&h, "C_Login hang\n");
    start_and_wait_for_the_login();
    instance_signal(&h, SIGTERM);
    instance_fault_set(&h, "");
    assert_int_equal(instance_wait_end(&h), 0);
    char *text = node_remembered(&h);
    CHECK_HAS(text, "\"proven\": true");
    CHECK_HAS(text, "\"tried\": null");
    free(text);
    instance_up(&h);
    node_remove(&h);
}

/* ---- what ends before C_Login counts nothing --------------------------------------- */

TEST(dies_before_c_login__never_proven__tried_by_the_next)
{
    node_make(&h);
    instance_fault_set(&h, "C_OpenSession crash\n");
    node_start_mixed(&h, 10);
    assert_int_equal(node_logins(&h), 0);
    instance_fault_set(&h, "");
    instance_up(&h);
    node_remove(&h);
}

KW_CASES("logins/starts", CASE(never_proven__pin_incorrect__one),
         CASE(never_proven__general_error__one),
         CASE(never_proven__abort_in_c_login__one),
         CASE(never_proven__tool_comes_first__one),
         CASE(never_proven__full_disk__none_and_said),
         CASE(never_proven__state_directory_read_only__none_and_said),
         CASE(proven__pin_incorrect__one), CASE(proven__general_error__by_the_rule),
         CASE(proven__abort_in_c_login__by_the_rule),
         CASE(proven__full_disk__refused_once_by_the_runtime_directory),
         CASE(proven__full_disk_right_pin__serves_and_the_log_says_so),
         CASE(killed_in_c_login__never_proven__one_in_eight_restarts),
         CASE(terminated_in_c_login__its_end_is_waited_for_and_remembered),
         CASE(dies_before_c_login__never_proven__tried_by_the_next))
