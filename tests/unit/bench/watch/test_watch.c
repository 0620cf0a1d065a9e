/* SPDX-License-Identifier: Apache-2.0 */
/* A /proc of our own. */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

static char proc[64];

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void put_dir(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    (void)mkdir(path, 0700);
}

static void process(int pid, int parent, const char *comm, unsigned long cpu_ns)
{
    char name[64], text[256];
    snprintf(name, sizeof name, "%d", pid);
    put_dir(name);
    snprintf(name, sizeof name, "%d/task", pid);
    put_dir(name);
    snprintf(name, sizeof name, "%d/task/%d", pid, pid);
    put_dir(name);
    snprintf(name, sizeof name, "%d/stat", pid);
    snprintf(text, sizeof text,
             "%d (%s) S %d 1 1 0 -1 4194560 1 2 3 4 70 30 0 0 20 0 1 0 5 6 7\n", pid,
             comm, parent);
    put(name, text);
    snprintf(name, sizeof name, "%d/status", pid);
    put(name, "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n");
    snprintf(name, sizeof name, "%d/task/%d/schedstat", pid, pid);
    snprintf(text, sizeof text, "%lu 17 3\n", cpu_ns);
    put(name, text);
    snprintf(name, sizeof name, "%d/task/%d/status", pid, pid);
    put(name, "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n");
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
    snprintf(proc, sizeof proc, "/tmp/kw-proc-XXXXXX");
    CHECK(mkdtemp(proc) != NULL);
}

static void end(void)
{
    CHECK(nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

TEST(usage__no_such_process__false)
{
    struct kw_process_usage u = {.pid = 7};
    begin();
    CHECK(!kw_process_usage_read(proc, 4000, &u));
    CHECK(u.pid == 7);
    end();
}

TEST(usage__name_with_brackets_and_blanks__read)
{
    struct kw_process_usage u;
    begin();
    process(4000, 1, "a) S 9 (b", 123456789);
    CHECK(kw_process_usage_read(proc, 4000, &u));
    CHECK_STR(u.name, "a) S 9 (b");
    CHECK(u.cpu_ns == 123456789 && u.switches == 42 && u.threads == 1);
    CHECK(u.user_ticks == 70 && u.system_ticks == 30);
    CHECK(u.resident_kib == 1024 && u.resident_max_kib == 2048);
    end();
}

TEST(children__of_children__found_and_strangers_not)
{
    int32_t pids[8];
    begin();
    process(4000, 1, "server", 1);
    process(4001, 4000, "worker", 1);
    process(4002, 4001, "grandchild", 1);
    process(4003, 1, "stranger", 1);
    CHECK(kw_process_children(proc, 4000, pids, 8) == 2);
    CHECK(pids[0] == 4001 && pids[1] == 4002);
    CHECK(kw_process_children(proc, 4000, pids, 1) == 1);
    end();
}

TEST(watch__two_looks__the_difference)
{
    struct kw_watch w, used;
    begin();
    process(4000, 1, "server", 1000);
    process(4001, 4000, "worker", 500);
    kw_watch_begin(&w, proc, 4000);
    process(4000, 1, "server", 4000);
    process(4001, 4000, "worker", 700);
    process(4002, 4000, "worker", 90); /* born meanwhile: all of it counts */
    kw_watch_end(&w, &used);
    CHECK(used.known && !used.lost);
    CHECK(used.server.cpu_ns == 3000);
    CHECK(kw_watch_children(&used).cpu_ns == 290);
    CHECK(kw_watch_children(&used).resident_kib == 2048);
    CHECK(used.server.resident_before_kib == 1024);
    CHECK(kw_watch_children(&used).resident_before_kib == 1024);
    end();
}

TEST(watch__first_look_again__counts_from_there)
{
    struct kw_watch w, used;
    begin();
    process(4000, 1, "server", 1000);
    process(4001, 4000, "worker", 500);
    kw_watch_begin(&w, proc, 4000);
    process(4000, 1, "server", 4000);
    process(4001, 4000, "worker", 700);
    process(4002, 4000, "worker", 90);
    kw_watch_again(&w);
    kw_watch_end(&w, &used);
    CHECK(used.server.cpu_ns == 0);
    CHECK(kw_watch_children(&used).cpu_ns == 90);
    end();
}

TEST(watch__child_gone__lost)
{
    struct kw_watch w, used;
    begin();
    process(4000, 1, "server", 1000);
    process(4001, 4000, "worker", 500);
    kw_watch_begin(&w, proc, 4000);
    process(4001, 1, "worker", 500); /* no child of ours any more */
    kw_watch_end(&w, &used);
    CHECK(used.known && used.lost);
    end();
}

TEST(watch__server_unknown_or_init__not_known)
{
    struct kw_watch w;
    begin();
    process(1, 0, "init", 1);
    kw_watch_begin(&w, proc, 1); /* a socket that systemd made says pid 1 */
    CHECK(!w.known && w.child_count == 0);
    kw_watch_begin(&w, proc, 0);
    CHECK(!w.known);
    end();
}

KW_CASES("bench/watch", CASE(usage__no_such_process__false),
         CASE(usage__name_with_brackets_and_blanks__read),
         CASE(children__of_children__found_and_strangers_not),
         CASE(watch__two_looks__the_difference),
         CASE(watch__first_look_again__counts_from_there), CASE(watch__child_gone__lost),
         CASE(watch__server_unknown_or_init__not_known))
