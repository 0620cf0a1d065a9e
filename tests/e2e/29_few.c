/* SPDX-License-Identifier: Apache-2.0 */
/* 29: fewer descriptors, processes and threads than a daemon wants: each limit from the least
 * up.  It never dies of a signal, and says what it lacks and what raises it.  As a uid that
 * nobody else runs as: the kernel counts all of a user's processes. */
#include "acts.h"

#include <dirent.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, ALONE = 61000, ALONE_OF = 4000, LEAST_FDS = 4 };

struct few {
    struct instance h;
    int resource;
    rlim_t limit; /* 0: as it is */
};

static uid_t alone;

static int few_give(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)what;
    (void)at;
    return st->st_uid == NOBODY ? lchown(path, alone, alone) : 0;
}

/* With three descriptors alone ld.so(8) opens no library, and says so in its own words. */
static void few_limit(void *ctx)
{
    const struct few *f = ctx;
    const struct rlimit limit = {f->limit, f->limit};
    if (f->limit == 0)
        return;
    if (close_range(3, ~0U, 0) != 0 ||
        setrlimit((__rlimit_resource_t)f->resource, &limit) != 0)
        _exit(126);
}

static void few_build(struct few *f, int resource, const char *hsm)
{
    kw_test_as_root();
    kw_test_arena(1 << 20);
    instance_build(&f->h, hsm);
    alone = ALONE + (uid_t)getpid() % ALONE_OF;
    CHECK(nftw(f->h.dir, few_give, 16, FTW_PHYS) == 0);
    f->h.uid = alone;
    f->h.in_child = few_limit;
    f->h.in_child_ctx = f;
    f->resource = resource;
}

/* Until its sockets are there, or its last line, which must say what raises the limit. */
static bool few_comes_up(struct few *f, rlim_t limit, const char *cure)
{
    size_t mark = instance_mark(&f->h);
    const char *line;
    f->limit = limit;
    instance_start(&f->h, NULL);
    for (;;) {
        mark = instance_await(&f->h, mark, &line, "", NULL);
        if (strstr(line, "event=listening") != NULL)
            return true;
        if (strncmp(line, "keywardd: ", 10) != 0)
            continue;
        CHECK_HAS(line, cure);
        assert_int_equal(instance_wait_end(&f->h), 1);
        return false;
    }
}

TEST(descriptors__from_the_least_up__refused_with_what_raises_the_limit)
{
    static const rlim_t limits[] = {LEAST_FDS, 5,  6,   7,   8,   12,
                                    24,        64, 128, 256, 257, 259};
    static struct few f;
    few_build(&f, RLIMIT_NOFILE, NULL);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        CHECK(!few_comes_up(&f, limits[i], "LimitNOFILE="));
    CHECK(few_comes_up(&f, 300, "LimitNOFILE="));
    instance_await(&f.h, 0, NULL, "event=descriptors-few", NULL);
    assert_int_equal(instance_stop(&f.h), 0);
    instance_destroy(&f.h);
}

TEST(threads__from_one_process_up__refused_with_what_raises_the_limit)
{
    static struct few f;
    rlim_t limit = 1;
    few_build(&f, RLIMIT_NPROC, NULL);
    while (!few_comes_up(&f, limit, "LimitNPROC="))
        limit++;
    CHECK(limit > 1);
    assert_int_equal(instance_stop(&f.h), 0);
    instance_destroy(&f.h);
}

/* ---- workers ---- */

static rlim_t few_tasks(pid_t pid)
{
    char path[64];
    rlim_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* By a process of the daemon's user: without CAP_SYS_RESOURCE root may not. */
static void few_allow(const struct few *f, rlim_t tasks)
{
    int status;
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct rlimit limit;
        if (setgroups(0, NULL) != 0 || setresgid(alone, alone, alone) != 0 ||
            setresuid(alone, alone, alone) != 0 ||
            prlimit(f->h.daemon, RLIMIT_NPROC, NULL, &limit) != 0)
            _exit(1);
        limit.rlim_cur = tasks < limit.rlim_max ? tasks : limit.rlim_max;
        _exit(prlimit(f->h.daemon, RLIMIT_NPROC, &limit, NULL) == 0 ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* The process itself, the thread that sees keywardd's end, and those of further sessions. */
TEST(worker__with_too_few_tasks_for_it__its_event_says_what_raises_the_limit)
{
    static const char *const events[] = {"event=worker-not-started",
                                         "event=worker-failed", "event=vendor-output"};
    static struct few f;
    pid_t worker;
    few_build(&f, RLIMIT_NPROC, NULL);
    instance_edit(&f.h, "module: ", "workers: 1\n      sessions: 2\n      module: ");
    instance_up(&f.h);
    const rlim_t own = few_tasks(f.h.daemon);
    CHECK(instance_workers(&f.h, &worker, 1) == 1);
    for (rlim_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        const size_t mark = instance_mark(&f.h);
        few_allow(&f, own + i);
        if (i == 0)
            CHECK(kill(worker, SIGKILL) == 0); /* it is ready, not in C_Login */
        instance_await(&f.h, mark, NULL, events[i], "LimitNPROC=", NULL);
    }
    const size_t mark = instance_mark(&f.h);
    few_allow(&f, RLIM_INFINITY);
    instance_await(&f.h, mark, NULL, "event=worker-ready", NULL);
    assert_int_equal(instance_stop(&f.h), 0);
    instance_destroy(&f.h);
}

KW_CASES("29-few",
         CASE(descriptors__from_the_least_up__refused_with_what_raises_the_limit),
         CASE(threads__from_one_process_up__refused_with_what_raises_the_limit),
         CASE(worker__with_too_few_tasks_for_it__its_event_says_what_raises_the_limit))
