/* SPDX-License-Identifier: Apache-2.0 */
/* What lifts a latch, and what does not; what a running daemon sees of the tool. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node.h"

static struct instance h;
static const char wrong_pin[] = "000000000000000000000000";

/* A node whose PIN was refused once: the right one is in the file, the module honest. */
static void make_latched(void)
{
    node_make(&h);
    instance_fault_set(&h, "C_Login rv=0xa0\n");
    node_start_daemon(&h);
    assert_int_equal(node_logins(&h), 1);
    instance_fault_set(&h, "");
}

static void still_latched(void)
{
    node_start_mixed(&h, 2);
    assert_int_equal(node_logins(&h), 1);
}

static void up_after_one_command(void)
{
    instance_do(&h, "pin", "retry", NULL);
    instance_up(&h);
    instance_await_workers(&h, 2);
    assert_int_equal(node_logins(&h), 3);
    instance_read_status(&h, 0);
}

/* ---- what lifts nothing ------------------------------------------------------------ */

TEST(touch_chmod_chown_anew__lift_nothing)
{
    const struct timespec epoch[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    make_latched();
    still_latched();
    CHECK(utimensat(AT_FDCWD, h.pin, epoch, 0) == 0);
    still_latched();
    CHECK(chmod(h.pin, 0400) == 0);
    still_latched();
    CHECK(chown(h.pin, h.uid, geteuid() == 0 ? 1 : (gid_t)-1) == 0);
    still_latched();
    char *same = instance_read(h.pin); /* an agent that renders it anew */
    instance_write(h.pin, same);
    still_latched();
    free(same);
    up_after_one_command();
    node_remove(&h);
}

TEST(token_named_otherwise_in_the_configuration__lifts_nothing)
{
    char by_serial[128], serial[32];
    make_latched();
    char *text = node_remembered(&h);
    const char *at = strstr(text, "\"serial\": \"");
    CHECK(at != NULL && sscanf(at, "\"serial\": \"%31[0-9a-f]\"", serial) == 1);
    snprintf(by_serial, sizeof by_serial, "uri: \"pkcs11:serial=%s\" #", serial);
    instance_edit(&h, "uri: ", by_serial);
    still_latched();
    up_after_one_command();
    free(text);
    node_remove(&h);
}

TEST(key_lost__latch_stays_until_one_command)
{
    char key[160];
    make_latched();
    snprintf(key, sizeof key, "%s/run/pin-key", h.dir);
    for (int i = 0; i < 3; i++) { /* the machine was restarted */
        CHECK(unlink(key) == 0);
        still_latched();
    }
    up_after_one_command();
    node_remove(&h);
}

TEST(key_lost__a_proof_is_none)
{
    char key[160];
    node_make_proven(&h);
    snprintf(key, sizeof key, "%s/run/pin-key", h.dir);
    CHECK(unlink(key) == 0);
    instance_fault_set(&h, "C_Login rv=0x5\n");
    node_start_mixed(&h, 10);
    assert_int_equal(node_logins(&h), 1);
    instance_fault_set(&h, "");
    still_latched();
    up_after_one_command();
    node_remove(&h);
}

/* An agent that flaps between two files that it rendered. */
static void flap(const char *const pins[2], unsigned starts)
{
    for (unsigned i = 0; i < starts; i++) {
        instance_write(h.pin, pins[i % 2]);
        if (i % 3 == 0)
            node_start_daemon(&h);
        else
            node_start_tool(&h);
    }
}

TEST(two_wrong_pins_by_turns__one_login_each_until_one_command)
{
    static const char *const wrong[] = {wrong_pin, "111111111111111111111111"};
    char out[8192];
    node_make(&h);
    char *right = instance_read(h.pin);
    flap(wrong, 6); /* the token itself refuses, and counts */
    assert_int_equal(node_logins(&h), 2);
    CHECK(instance_tool(&h, out, sizeof out, "check", NULL) != 0);
    CHECK_HAS(out, "was refused or stopped here before");
    instance_do(&h, "pin", "retry", NULL);
    flap(wrong, 6);
    assert_int_equal(node_logins(&h), 4);
    instance_write(h.pin, right);
    node_start_tool(&h);
    assert_int_equal(node_logins(&h), 5);
    CHECK(instance_tool(&h, out, sizeof out, "pin", "retry", NULL) == 0);
    CHECK_HAS(out, "no login is stopped here; 2 PINs that were refused are forgotten");
    free(right);
    node_remove(&h);
}

/* Processes of one application share a login at some HSMs: C_Login says so, whatever the
 * PIN, and nobody has looked at that. */
TEST(token_that_was_logged_in_already__proves_no_pin)
{
    node_make(&h);
    instance_fault_set(&h, "C_Login rv=0x100\n");
    node_start_mixed(&h, 2);
    char *text = node_remembered(&h);
    CHECK_HAS(text, "\"proven\": false");
    CHECK_HAS(text, "\"latched\": false");
    CHECK_HAS(text, "\"tried\": null");
    free(text);
    node_forget_count(&h);
    instance_fault_set(&h, "C_Login rv=0x5\n"); /* CKR_GENERAL_ERROR: one try, as ever */
    node_start_mixed(&h, 4);
    assert_int_equal(node_logins(&h), 1);
    text = node_remembered(&h);
    CHECK_HAS(text, "\"latched\": true");
    free(text);
    node_remove(&h);
}

/* ---- what lifts -------------------------------------------------------------------- */

TEST(wrong_pin_then_the_right_one__up_by_itself)
{
    node_make(&h);
    char *right = instance_read(h.pin);
    instance_write(h.pin, wrong_pin); /* the token itself refuses, and counts */
    node_start_mixed(&h, 4);
    assert_int_equal(node_logins(&h), 1);
    instance_write(h.pin, right);
    instance_up(&h);
    instance_await_workers(&h, 2);
    assert_int_equal(node_logins(&h), 3);
    free(right);
    node_remove(&h);
}

TEST(proven_unclear_once__back_by_itself)
{
    node_make_proven(&h);
    instance_fault_set(&h, "C_Login rv=0x30\n"); /* CKR_DEVICE_ERROR */
    node_start_daemon(&h);
    instance_fault_set(&h, "");
    node_age(&h, 10 * KW_S_NS);
    instance_up(&h);
    instance_await_workers(&h, 2);
    assert_int_equal(node_logins(&h), 3);
    node_remove(&h);
}

TEST(proven_unclear_often__retry_allows_one_at_once)
{
    node_make_proven(&h);
    instance_fault_set(&h, "C_Login rv=0x30\n");
    node_start_daemon(&h);
    node_age(&h, 10 * KW_S_NS);
    node_start_daemon(&h); /* now it is an hour */
    assert_int_equal(node_logins(&h), 2);
    instance_do(&h, "pin", "retry", NULL);
    node_start_mixed(&h, 5);
    assert_int_equal(node_logins(&h), 3);
    instance_fault_set(&h, "");
    instance_do(&h, "pin", "retry", NULL);
    instance_up(&h);
    node_remove(&h);
}

/* ---- daemon and tool see each other ------------------------------------------------ */

TEST(tool_is_refused_while_the_daemon_serves__shown_and_not_tried)
{
    node_make_proven(&h);
    instance_up(&h);
    instance_await_workers(&h, 2);
    node_forget_count(&h);
    size_t mark = instance_mark(&h);
    instance_fault_set(&h, "C_Login rv=0xa0\n");
    node_start_tool(&h);
    instance_await(&h, mark, NULL, "event=pin-latched", "CKR_PIN_INCORRECT", NULL);
    CHECK_HAS(instance_read_status(&h, 1), "a PIN is latched");
    instance_signal_workers(&h, 9);
    instance_await(&h, mark, NULL, "event=worker-failed", "err=pin-stop", NULL);
    assert_int_equal(node_logins(&h), 1);
    instance_fault_set(&h, "");
    instance_do(&h, "pin", "retry", NULL);
    instance_await(&h, mark, NULL, "event=pin-unlatched", NULL);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    instance_await_workers(&h, 2);
    instance_read_status(&h, 0);
    node_remove(&h);
}

TEST(daemon_is_refused__the_tool_sees_it_and_lifts_it)
{
    char out[8192];
    make_latched();
    CHECK(instance_tool(&h, out, sizeof out, "check", NULL) != 0);
    CHECK_HAS(out, "no login is tried since");
    CHECK_HAS(out, "CKR_PIN_INCORRECT");
    CHECK(instance_tool(&h, out, sizeof out, "pin", "retry", "--json", NULL) == 0);
    CHECK_HAS(out, "\"lifted\": true");
    instance_do(&h, "check", NULL);
    node_remove(&h);
}

TEST(pin_with_the_line_end_of_windows__no_login_and_said)
{
    char out[8192];
    node_make(&h);
    char *right = instance_read(h.pin), crlf[64];
    snprintf(crlf, sizeof crlf, "%s\r\n", right);
    instance_write(h.pin, crlf);
    size_t mark = instance_mark(&h);
    node_start_mixed(&h, 10);
    instance_await(&h, mark, NULL, "event=worker-failed", "carriage return", NULL);
    CHECK(instance_tool(&h, out, sizeof out, "check", NULL) != 0);
    CHECK_HAS(out, "carriage return");
    CHECK(strstr(out, right) == NULL && instance_count(&h, 0, right) == 0);
    assert_int_equal(node_logins(&h), 0);
    free(right);
    node_remove(&h);
}

KW_CASES("logins/lifts", CASE(touch_chmod_chown_anew__lift_nothing),
         CASE(token_named_otherwise_in_the_configuration__lifts_nothing),
         CASE(key_lost__latch_stays_until_one_command), CASE(key_lost__a_proof_is_none),
         CASE(two_wrong_pins_by_turns__one_login_each_until_one_command),
         CASE(token_that_was_logged_in_already__proves_no_pin),
         CASE(wrong_pin_then_the_right_one__up_by_itself),
         CASE(proven_unclear_once__back_by_itself),
         CASE(proven_unclear_often__retry_allows_one_at_once),
         CASE(tool_is_refused_while_the_daemon_serves__shown_and_not_tried),
         CASE(daemon_is_refused__the_tool_sees_it_and_lifts_it),
         CASE(pin_with_the_line_end_of_windows__no_login_and_said))
