/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and its like: never in a login, never in a ceremony, elsewhere at once.  The
 * module hangs where the case says, and its call log is a FIFO that tells when. */
#include "site.h"

#include <signal.h>
#include <unistd.h>

static struct site s;

static void begin(const char *control)
{
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_watch_calls(&s);
    site_tell(&s, control);
}

TEST(in_the_login__it_ends_first)
{
    begin("C_Login hang\n");
    pid_t pid = SITE_START(&s, "check");
    site_await_call(&s, "C_Login", 1);
    CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGINT) == 0);
    site_tell(&s, "\n");
    CHECK(site_end(&s, pid) == 0); /* all was looked at */
    site_remove(&s);
}

TEST(after_the_login_of_a_look__at_once)
{
    begin("C_EncryptInit hang\n");
    pid_t pid = SITE_START(&s, "check");
    site_await_call(&s, "C_EncryptInit", 1);
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(site_end(&s, pid) ==
          3); /* nothing is told to the module: the child ended in its call */
    CHECK(site_sealed(s.tokens) >= 4);
    site_remove(&s);
}

TEST(in_a_ceremony__it_ends_first_and_the_token_is_sealed)
{
    begin("C_GenerateKey hang skip=1\n"); /* the first is the self-test's */
    pid_t pid = SITE_START(&s, "key", "create");
    site_await_call(&s, "C_GenerateKey", 2);
    CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGHUP) == 0);
    site_tell(&s, "\n");
    CHECK(site_end(&s, pid) == 0);
    KEYWARD_MUST(&s, 0, "key", "show", "2");
    CHECK(site_sealed(s.tokens) >= 6);
    site_remove(&s);
}

KW_CASES("token/cli/signals", CASE(in_the_login__it_ends_first),
         CASE(after_the_login_of_a_look__at_once),
         CASE(in_a_ceremony__it_ends_first_and_the_token_is_sealed))
