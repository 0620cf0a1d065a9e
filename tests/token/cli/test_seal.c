/* SPDX-License-Identifier: Apache-2.0 */
/* A SoftHSM token is open in a ceremony only: what is killed is sealed by the next verb,
 * what runs is left alone, what cannot be sealed is said aloud. */
#include "site.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct site s;

struct ceremony {
    pid_t keyward, child;
};

/* The first key of a ceremony is the self-test's: this one hangs while it makes the KEK,
 * with the token open. */
static void hang_in_a_ceremony(struct ceremony *c)
{
    site_make_fault(&s);
    site_watch_calls(&s);
    site_tell(&s, "C_GenerateKey hang skip=1\n");
    c->keyward = SITE_START(&s, "key", "create");
    c->child = site_await_call(&s, "C_GenerateKey", 2);
    CHECK(!site_is_sealed(s.tokens));
}

/* Both at once, as when the machine goes down. */
static void kill_it(const struct ceremony *c)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(kill(c->keyward, SIGKILL) == 0 && kill(c->child, SIGKILL) == 0);
    CHECK(WIFSIGNALED(site_reap(c->keyward)) && WIFSIGNALED(site_reap(c->child)));
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    site_tell(&s, "\n");
    CHECK(!site_is_sealed(s.tokens));
}

TEST(ceremony_killed__a_verb_without_login_seals)
{
    struct ceremony c;
    hang_in_a_ceremony(&c);
    kill_it(&c);
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK_HAS(s.run.err, "was open, and no ceremony is running");
    CHECK(site_is_sealed(s.tokens));
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK(strstr(s.run.err, "was open") == NULL);
    fclose(s.watch);
    site_remove(&s);
}

TEST(ceremony_killed__check_seals_and_says_so)
{
    struct ceremony c;
    hang_in_a_ceremony(&c);
    kill_it(&c);
    (void)KEYWARD_DO(&s, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  seal");
    CHECK_HAS(s.run.out, "is sealed now");
    CHECK(site_is_sealed(s.tokens));
    KEYWARD_MUST(&s, 0, "key", "create"); /* the token is none the worse */
    CHECK(site_is_sealed(s.tokens));
    fclose(s.watch);
    site_remove(&s);
}

static unsigned token_objects;

static int is_read_only(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    if (kind != FTW_F || strcmp(path + at->base, "token.object") != 0)
        return 0;
    token_objects++;
    return (st->st_mode & 0777) != 0400;
}

/* SoftHSM writes it anew at each login, also of the daemon's workers, to whom the token
 * would not be there for a moment, or be gone when one is killed. */
TEST(ceremony_runs__what_logins_rewrite_stays_sealed)
{
    struct ceremony c;
    hang_in_a_ceremony(&c);
    token_objects = 0;
    CHECK(nftw(s.tokens, is_read_only, 8, FTW_PHYS) == 0 && token_objects == 1);
    site_tell(&s, "\n");
    CHECK(site_end(&s, c.keyward) == 0);
    CHECK(site_is_sealed(s.tokens));
    site_remove(&s);
}

/* The child goes on without keyward, and its ceremony is one until it ends. */
TEST(keyward_killed_its_child_not__still_a_ceremony)
{
    struct ceremony c;
    hang_in_a_ceremony(&c);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(kill(c.keyward, SIGKILL) == 0 && WIFSIGNALED(site_reap(c.keyward)));
    (void)KEYWARD_DO(&s, "check", "--offline");
    CHECK_HAS(s.run.out, "a ceremony is running");
    CHECK(!site_is_sealed(s.tokens));
    site_tell(&s, "\n");
    CHECK(WIFEXITED(site_reap(c.child)));
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK(site_is_sealed(s.tokens));
    fclose(s.watch);
    site_remove(&s);
}

TEST(ceremony_is_running__left_open_and_a_second_one_refused)
{
    struct ceremony c;
    hang_in_a_ceremony(&c);
    (void)KEYWARD_DO(&s, "check", "--offline");
    CHECK_HAS(s.run.out, "a ceremony is running");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "another ceremony is running");
    CHECK(!site_is_sealed(s.tokens));
    site_tell(&s, "\n");
    CHECK(site_end(&s, c.keyward) == 0);
    CHECK(site_is_sealed(s.tokens));
    site_remove(&s);
}

static pid_t hang_in_the_login(void)
{
    site_make_fault(&s);
    site_watch_calls(&s);
    site_tell(&s, "C_Login hang\n");
    return SITE_START(&s, "key", "create");
}

/* Half a minute of it, and no more: the child is ended, and one command lets it go on. */
TEST(login_that_never_returns__ended_and_one_command_goes_on)
{
    pid_t keyward = hang_in_the_login();
    (void)site_await_call(&s, "C_Login", 1);
    CHECK(site_end(&s, keyward) == 3);
    CHECK_HAS(s.run.err, "it was in C_Login, which may take 30 s");
    CHECK(site_is_sealed(s.tokens));
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 0, "pin", "retry");
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

/* Its child, which has nobody any more. */
static pid_t lose_keyward_in_the_login(void)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t keyward = hang_in_the_login();
    pid_t child = site_await_call(&s, "C_Login", 1);
    CHECK(kill(keyward, SIGKILL) == 0 && WIFSIGNALED(site_reap(keyward)));
    return child;
}

static void one_command_goes_on(void)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 0, "pin", "retry");
    KEYWARD_MUST(&s, 0, "key", "create");
    fclose(s.watch);
    site_remove(&s);
}

TEST(keyward_killed_in_a_login_that_hangs__the_child_ends_too)
{
    pid_t child = lose_keyward_in_the_login();
    int status = site_reap(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    one_command_goes_on();
}

/* The login ends well when nobody is there any more who would record a key. */
TEST(keyward_killed_in_a_login__no_key_is_made)
{
    pid_t child = lose_keyward_in_the_login();
    site_tell(&s, "C_GenerateKey crash\n");
    CHECK(WIFEXITED(site_reap(child)));
    one_command_goes_on();
}

/* Deeper than the files of any token, so that nobody walks to its end. */
static void nest(char *path, size_t cap, int depth)
{
    size_t len = (size_t)snprintf(path, cap, "%s", s.tokens);
    for (int i = 0; i < depth; i++) {
        len += (size_t)snprintf(path + len, cap - len, "/d");
        CHECK(mkdir(path, 0755) == 0);
    }
}

static void unnest(char *path, int depth)
{
    for (int i = 0; i < depth; i++) {
        CHECK(rmdir(path) == 0);
        *strrchr(path, '/') = '\0';
    }
}

TEST(cannot_be_sealed__said_aloud_whatever_else_went_wrong)
{
    static const char *const controls[] = {"\n", "C_GenerateKey rv=0x30\n"};
    char path[256];
    for (size_t i = 0; i < 2; i++) {
        struct ceremony c;
        hang_in_a_ceremony(&c);
        nest(path, sizeof path, 6);
        site_tell(&s, controls[i]);
        CHECK(site_end(&s, c.keyward) == 3);
        CHECK_HAS(s.run.err, "THE TOKEN IS NOT SEALED");
        CHECK_HAS(s.run.err, i == 0 ? "the work is done" : "CKR_DEVICE_ERROR");
        unnest(path, 6);
        site_tell(&s, "\n");
        KEYWARD_MUST(&s, 0, "key", "list");
        CHECK(site_is_sealed(s.tokens));
        site_remove(&s);
    }
}

/* Ctrl-C before the login: keyward and its child are told by hand, as the terminal would
 * tell keyward, and keyward its child. */
TEST(interrupted_before_the_login__sealed_and_nothing_made)
{
    site_make_fault(&s);
    site_watch_calls(&s);
    site_tell(&s, "C_GetSlotList hang\n");
    pid_t pid = SITE_START(&s, "key", "create");
    (void)site_await_call(&s, "C_GetSlotList", 1);
    CHECK(!site_is_sealed(s.tokens));
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(site_end(&s, pid) == 3);
    CHECK_HAS(s.run.err, "interrupted by SIGTERM");
    CHECK_HAS(s.run.err, "the token is sealed");
    CHECK(site_is_sealed(s.tokens) && access(s.keyring, F_OK) != 0);
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

KW_CASES("token/cli/seal", CASE(ceremony_killed__a_verb_without_login_seals),
         CASE(ceremony_killed__check_seals_and_says_so),
         CASE(ceremony_runs__what_logins_rewrite_stays_sealed),
         CASE(keyward_killed_its_child_not__still_a_ceremony),
         CASE(login_that_never_returns__ended_and_one_command_goes_on),
         CASE(keyward_killed_in_a_login_that_hangs__the_child_ends_too),
         CASE(keyward_killed_in_a_login__no_key_is_made),
         CASE(ceremony_is_running__left_open_and_a_second_one_refused),
         CASE(cannot_be_sealed__said_aloud_whatever_else_went_wrong),
         CASE(interrupted_before_the_login__sealed_and_nothing_made))
