/* SPDX-License-Identifier: Apache-2.0 */
/* The lies that take a process of their own: whoever believes the fault module must know
 * that it does what it is told. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "token_fixture.h"

/* A child that opens the token, logs in and asks for a session key's self-test. */
static pid_t start(const struct kw_softhsm *hsm)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing that hangs */
    struct kw_note note = {{0}};
    kw_test_arena(1 << 16);
    struct kw_token *token = kw_softhsm_open(hsm, KW_SOFTHSM_READ_ONLY);
    kw_err e = kw_token_self_test(token, &note);
    kw_token_close(token);
    _exit(kw_failed(e) ? 1 : 0);
}

static int ended(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    return status;
}

static void begin(struct fixture *f, const char *control)
{
    *f = (struct fixture){0};
    kw_softhsm_make(&f->hsm);
    kw_fault_between(&f->hsm);
    kw_fault_set(&f->hsm, control);
}

/* Blocks until the function was entered: each line of the log is an event. */
static void wait_entered(const struct kw_softhsm *hsm, int watch, const char *function)
{
    char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    while (kw_fault_count(hsm, function) == 0)
        CHECK(read(watch, events, sizeof events) > 0);
}

TEST(hang__told_to_stop__goes_on)
{
    struct fixture f;
    begin(&f, "C_Encrypt hang\n");
    int watch = inotify_init1(IN_CLOEXEC);
    CHECK(watch >= 0 && inotify_add_watch(watch, f.hsm.dir, IN_MODIFY | IN_CREATE) >= 0);
    pid_t pid = start(&f.hsm);
    wait_entered(&f.hsm, watch, "C_Encrypt");
    CHECK(strstr(kw_fault_calls(&f.hsm), "< C_Encrypt rv") == NULL);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    kw_fault_set(&f.hsm, "");
    CHECK(ended(pid) == 0);
    CHECK(strstr(kw_fault_calls(&f.hsm), "< C_Encrypt rv=0x00000000") != NULL);
    close(watch);
    fixture_end(&f);
}

TEST(crash__in_a_call__the_process_dies)
{
    struct fixture f;
    begin(&f, "C_Encrypt crash\n");
    CHECK(!WIFEXITED(ended(start(&f.hsm))));
    CHECK(kw_fault_count(&f.hsm, "C_Encrypt") == 1);
    CHECK(strstr(kw_fault_calls(&f.hsm), "< C_Encrypt rv") == NULL);
    fixture_end(&f);
}

TEST(control__with_a_mistake__the_process_dies)
{
    static const char *const bad[] = {"C_Encrypt rv=0x5 cuont=1\n",
                                      "C_Encrypt delay=5ns\n", "C_Encrypt delay=us\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture f;
        begin(&f, bad[i]);
        CHECK(!WIFEXITED(ended(start(&f.hsm))));
        fixture_end(&f);
    }
}

TEST(delay__then_the_answer)
{
    struct fixture f;
    begin(&f, "C_Encrypt delay=1 # a comment\n\n# another\n");
    CHECK(ended(start(&f.hsm)) == 0);
    fixture_end(&f);
    begin(&f, "C_Encrypt delay=500us\n");
    CHECK(ended(start(&f.hsm)) == 0);
    fixture_end(&f);
}

KW_CASES("fault", CASE(hang__told_to_stop__goes_on),
         CASE(crash__in_a_call__the_process_dies),
         CASE(control__with_a_mistake__the_process_dies), CASE(delay__then_the_answer))
