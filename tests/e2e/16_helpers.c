/* SPDX-License-Identifier: Apache-2.0 */
/* 16: processes that a vendor's library starts beside itself. */
#include "acts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, KINDS_MAX = 8 };

/* Those of a kind ("helper", "daemon") that the library has started so far. */
static size_t started(const struct instance *h, const char *kind, pid_t pids[KINDS_MAX])
{
    char path[160], mark[32];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/fault/calls", h->dir);
    snprintf(mark, sizeof mark, "+ %s pid=", kind);
    char *calls = instance_read(path);
    for (const char *at = calls; (at = strstr(at, mark)) != NULL && n < KINDS_MAX;) {
        at += strlen(mark);
        pids[n++] = (pid_t)strtol(at, NULL, 10);
    }
    free(calls);
    return n;
}

static void await_end(struct instance *h, size_t mark, pid_t pid)
{
    char who[32];
    snprintf(who, sizeof who, " pid=%d ", (int)pid);
    instance_await(h, mark, NULL, "event=stray-ended", who, "signal=9", NULL);
}

/* In the worker's group: it ends with the worker, and is reaped while keywardd runs. */
TEST(worker_killed__its_helper_ends_with_it_and_is_told)
{
    pid_t workers[WORKERS], helpers[KINDS_MAX];
    INSTANCE(h, NULL);
    instance_fault_between(&h);
    instance_fault_set(&h, "C_Login helper\n");
    instance_up(&h);
    instance_await_workers(&h, WORKERS);
    size_t mark = instance_mark(&h);
    CHECK(instance_workers(&h, workers, WORKERS) == WORKERS);
    CHECK(started(&h, "helper", helpers) == WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(kill(workers[i], SIGKILL) == 0);
    for (size_t i = 0; i < WORKERS; i++)
        await_end(&h, mark, helpers[i]);
    instance_await_workers(&h, WORKERS);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* It made itself a daemon: keywardd adopts it, and ends it when it ends itself. */
TEST(library_starts_a_daemon__adopted_and_gone_when_keywardd_is)
{
    pid_t workers[WORKERS], daemons[KINDS_MAX];
    INSTANCE(h, NULL);
    instance_fault_between(&h);
    instance_fault_set(&h, "C_Login daemon\n");
    instance_up(&h);
    instance_await_workers(&h, WORKERS);
    size_t mark = instance_mark(&h);
    CHECK(instance_workers(&h, workers, WORKERS) == WORKERS);
    CHECK(started(&h, "daemon", daemons) == WORKERS);
    CHECK(kill(workers[0], SIGKILL) == 0);
    instance_await(&h, mark, NULL, "event=worker-ended", NULL);
    instance_await_workers(&h, WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(kill(daemons[i], 0) == 0); /* they may serve others */
    size_t all = started(&h, "daemon", daemons);
    assert_int_equal(all, WORKERS + 1);
    assert_int_equal(instance_stop(&h), 0);
    for (size_t i = 0; i < all; i++)
        CHECK(kill(daemons[i], 0) == -1 && errno == ESRCH);
    instance_destroy(&h);
}

KW_SUITE("16-helpers")
