/* SPDX-License-Identifier: Apache-2.0 */
/* A /proc of our own. */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"

static char proc[64];
static struct kw_note note;

static const char softhsm[] =
    "7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n"
    "7f02-7f03 rw-p 00000000 00:00 0 \n"
    "7f04-7f05 r-xp 00000000 08:01 2 /usr/lib/softhsm/libsofthsm2.so\n";
static const char vendor[] =
    "7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n"
    "7f04-7f05 r-xp 00000000 08:01 2 /opt/libsofthsm2.so/libvendor.so\n";

static void put(int pid, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%d/%s", proc, pid, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* maps NULL: nobody may read it. */
static void process(int pid, int parent, const char *comm, const char *maps)
{
    char path[160], stat[128];
    snprintf(path, sizeof path, "%s/%d", proc, pid);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/%d/task", proc, pid);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(stat, sizeof stat, "%d (%s) S %d 1 1 0 -1 0 1 2 3 4 70 30 0 0 20 0\n", pid,
             comm, parent);
    put(pid, "stat", stat);
    put(pid, "status", "VmRSS:\t 1024 kB\n");
    if (maps != NULL)
        put(pid, "maps", maps);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void begin(void)
{
    snprintf(proc, sizeof proc, "/tmp/kw-guard-XXXXXX");
    CHECK(mkdtemp(proc) != NULL);
    note.text[0] = '\0';
}

static void end(void)
{
    CHECK(nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void denied(int32_t pid, bool is_keyward, const char *why)
{
    CHECK_CODE(kw_guard(proc, pid, is_keyward, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, why);
    CHECK_HAS(note.text, "--yes");
}

TEST(worker_with_another_module__denied)
{
    begin();
    process(4000, 1, "keywardd", "");
    process(4001, 4000, "keyward-hsm", softhsm);
    process(4002, 4000, "keyward-hsm", vendor);
    denied(4000, true, "(pid 4002) whose PKCS#11 module is not libsofthsm2.so");
    put(4001, "maps", vendor); /* also the other way round: every worker is looked at */
    put(4002, "maps", softhsm);
    denied(4000, true, "(pid 4001) whose PKCS#11 module is not libsofthsm2.so");
    end();
}

TEST(worker_with_a_proxy_of_all_modules__denied)
{
    char maps[512];
    begin();
    snprintf(maps, sizeof maps, "%s7f04-7f05 r-xp 0 08:01 2 /usr/lib/p11-kit-proxy.so\n",
             softhsm);
    process(4000, 1, "keywardd", "");
    process(4001, 4000, "keyward-hsm", maps);
    denied(4000, true, "not libsofthsm2.so");
    end();
}

TEST(worker_that_cannot_be_read__denied)
{
    begin();
    process(4000, 1, "keywardd", "");
    process(4001, 4000, "keyward-hsm", NULL);
    denied(4000, true, "(pid 4001) whose loaded modules this user cannot read");
    put(4001, "maps", ""); /* as a process without rights sees it on some kernels */
    denied(4000, true, "cannot read");
    end();
}

TEST(no_worker__denied)
{
    begin();
    process(4000, 1, "keywardd", "");
    denied(4000, true, "keywardd (pid 4000) has no worker");
    end();
}

TEST(keyward_behind_an_unseen_process__denied)
{
    begin();
    denied(0, true, "--server-pid");
    denied(1, true, "--server-pid");
    denied(4000, true, "--server-pid");
    end();
}

TEST(keywardd_on_softhsm__passes)
{
    begin();
    process(4000, 1, "keywardd", "");
    process(4001, 4000, "keyward-hsm", softhsm);
    process(4002, 1, "stranger", vendor);
    CHECK_OK(kw_guard(proc, 4000, true, &note));
    end();
}

TEST(another_server__passes)
{
    begin();
    process(4000, 1, "keyward-bench", "");
    process(4001, 4000, "child", vendor);
    CHECK_OK(kw_guard(proc, 4000, true, &note));
    CHECK_OK(kw_guard(proc, 0, false, &note));
    CHECK_OK(kw_guard(proc, 4444, false, &note));
    end();
}

KW_CASES("bench/load/guard", CASE(worker_with_another_module__denied),
         CASE(worker_with_a_proxy_of_all_modules__denied),
         CASE(worker_that_cannot_be_read__denied), CASE(no_worker__denied),
         CASE(keyward_behind_an_unseen_process__denied),
         CASE(keywardd_on_softhsm__passes), CASE(another_server__passes))
