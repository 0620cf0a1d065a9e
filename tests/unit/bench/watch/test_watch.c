/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "fake_proc.h"
#include "watch.h"

static struct kw_watch w, used;

/* A server and its worker, looked at for the first time. */
static void begin(void)
{
    fake_proc_begin();
    fake_proc_put(4000, 1, "server", 1000);
    fake_proc_put(4001, 4000, "worker", 500);
    kw_watch_begin(&w, fake_proc, 4000);
}

TEST(begin__name_with_brackets_and_blanks__read)
{
    fake_proc_put(5000, 1, "a) S 9 (b", 123456789);
    kw_watch_begin(&w, fake_proc, 5000);
    const struct kw_process_usage *u = &w.server;
    CHECK(w.known && w.child_count == 0);
    CHECK_STR(u->name, "a) S 9 (b");
    CHECK(u->cpu_ns == 123456789 && u->switches == 42 && u->threads == 1);
    CHECK(u->user_ticks == 70 && u->system_ticks == 30 && u->parent == 1);
    CHECK(u->resident_kib == 1024 && u->resident_max_kib == 2048 && u->pss_kib == 0);
    fake_proc_file(5000, "smaps_rollup", "0-1 ---p 0 0:0 0 [rollup]\nPss:  512 kB\n");
    kw_watch_begin(&w, fake_proc, 5000);
    CHECK(w.server.pss_kib == 512);
}

TEST(begin__children_of_children__found_and_strangers_not)
{
    fake_proc_put(4002, 4001, "grandchild", 1);
    fake_proc_put(4003, 1, "stranger", 1);
    kw_watch_begin(&w, fake_proc, 4000);
    CHECK(w.child_count == 2 && w.child[0].pid + w.child[1].pid == 4001 + 4002);
}

TEST(watch__two_looks__the_difference)
{
    fake_proc_put(4000, 1, "server", 4000);
    fake_proc_put(4001, 4000, "worker", 700);
    fake_proc_put(4002, 4000, "worker", 90); /* born meanwhile: all of it counts */
    kw_watch_end(&w, &used);
    CHECK(used.known && !used.lost && used.child_count == 2);
    CHECK(used.server.cpu_ns == 3000 &&
          used.child[0].cpu_ns + used.child[1].cpu_ns == 290);
    CHECK(used.server.switches == 0 &&
          used.child[0].switches + used.child[1].switches == 42);
    CHECK(used.server.resident_kib == 1024 && used.server.resident_before_kib == 1024);
    kw_watch_again(&w); /* the first look once more counts from there */
    kw_watch_end(&w, &used);
    CHECK(used.server.cpu_ns == 0 && used.child[0].cpu_ns + used.child[1].cpu_ns == 90);
}

TEST(watch__child_gone__lost)
{
    fake_proc_put(4001, 1, "worker", 500); /* no child of ours any more */
    kw_watch_end(&w, &used);
    CHECK(used.known && used.lost);
}

TEST(watch__server_unknown_or_init__not_known)
{
    fake_proc_put(1, 0, "init", 1);
    kw_watch_begin(&w, fake_proc, 1); /* a socket that systemd made says pid 1 */
    CHECK(!w.known && w.child_count == 0);
    kw_watch_begin(&w, fake_proc, 0);
    CHECK(!w.known);
    kw_watch_begin(&w, fake_proc, 4444); /* no such process */
    CHECK(!w.known);
}

KW_SUITE_AROUND("bench/watch", begin, fake_proc_end)
