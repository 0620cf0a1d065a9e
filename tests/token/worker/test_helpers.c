/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that the vendor's library starts, and what becomes of them. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "world.h"

static struct world w;

static bool two_ready(struct world *x)
{
    return is_up(x) && ready_count(x) == 2;
}

/* A library starts one when it logs in; whose worker is gone becomes a child of this
 * process, which can wait for its end. */
static void begin(const char *control)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    world_make(&w);
    kw_fault_set(&w.hsm, control);
    world_start(&w);
    world_until(&w, two_ready);
}

/* Of the i-th worker that logged in. */
static pid_t helper(unsigned i)
{
    const char *at = kw_fault_calls(&w.hsm);
    long pid = 0;
    for (unsigned k = 0; k <= i; k++) {
        at = strstr(at, "+ helper pid=");
        CHECK(at != NULL && sscanf(at, "+ helper pid=%ld", &pid) == 1);
        at++;
    }
    return (pid_t)pid;
}

static void check_killed(pid_t pid)
{
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid); /* for ever, if it lives */
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static pid_t victim;
static bool victim_is_gone(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    for (size_t i = 0; i < s.worker_count; i++)
        if (s.workers[i].pid == victim)
            return false;
    return true;
}

TEST(worker_killed__its_helper_ends_with_it)
{
    begin("C_Login helper\n");
    victim = ready_pid(&w, 0);
    CHECK(kill(victim, SIGKILL) == 0);
    world_until(&w, victim_is_gone);
    check_killed(helper(0));
    world_until(&w, two_ready);
    world_end(&w);
}

TEST(stop__no_helper_is_left)
{
    begin("C_Login helper\n");
    pid_t helpers[] = {helper(0), helper(1)};
    world_stop(&w);
    for (size_t i = 0; i < 2; i++)
        check_killed(helpers[i]);
    world_end(&w);
}

KW_SUITE("worker/helpers")
