/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence, as an auditor's operator runs it: what it refuses, what it leaves, and that
 * equal inputs give equal bytes. */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collected.h"
#include "syscalls.h"

/* In the folder of the case: cp-1 and cp-2. */
#define PERIOD " --period 2026-11-28T12:00:01Z..2026-11-28T12:00:05Z"
#define WHEN PERIOD " --at 2026-11-29T00:00:00Z"
#define NODES " --node cp-1=cp-1 --node cp-2=cp-2 --node cp-3"
#define BUNDLE "keyward evidence" NODES WHEN " --out "

static void begin(void)
{
    collected_begin();
    collected_node("cp-1");
    collected_node("cp-2");
}

static bool is_there(const char *name)
{
    return access(collected_at(name), F_OK) == 0;
}

#define MUST(want, ...)                                                                  \
    do {                                                                                 \
        const int must_status = collected_line(__VA_ARGS__);                             \
        if (must_status != (want))                                                       \
            fail_msg("exit status %d, not %d\n%s", must_status, (want), collected_said); \
    } while (0)

/* ---- nothing is made ---- */

TEST(words_that_are_none__two_and_no_folder)
{
    static const struct {
        const char *words, *why;
    } bad[] = {
        {"", "--out DIR"},
        {"--out ''" NODES WHEN, "--out wants DIR"},
        {"--out o" NODES, "--period FROM..TO"},
        {"--out o" NODES " --period 2026", "--period FROM..TO"},
        {"--out o" NODES " --period 2026-02-01..2026-01-01", "--period FROM..TO"},
        {"--out o" NODES " --period 2026-01-01..2026-01-01", "--period FROM..TO"},
        {"--out o" WHEN, "--node NAME=DIR of each control plane"},
        {"--out o --node A=b" WHEN, "--node A=b: it wants"},
        {"--out o --node a=" WHEN, "--node a=: it wants"},
        {"--out o --node a=b --node a" WHEN, "'a' is named twice"},
        {"--out o" NODES PERIOD " --at yesterday", "--at yesterday"},
        {"--out o" NODES WHEN " --anchors a", "--anchors a: it wants NAME=FILE"},
        {"--out o" NODES WHEN " --anchors cp-3=f", "no --node NAME=DIR has this name"},
        {"--out o" NODES WHEN " --anchors cp-9=f", "no --node NAME=DIR has this name"},
        {"--out o" NODES WHEN " --encryption-config f", "goes with --snapshot"},
        {"--out o" NODES WHEN " more", "more"},
        {"--out o" NODES WHEN " --wrong x", "wrong"},
        {"--out o" NODES WHEN " --key", "key"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST(2, "keyward evidence %s", bad[i].words);
        CHECK_HAS(collected_said, bad[i].why);
        CHECK(!is_there("o"));
    }
}

TEST(folder_is_there_or_none_above__refused_and_untouched)
{
    MUST(0, "mkdir o; touch o/mine; ln -s /nonexistent link");
    MUST(1, BUNDLE "o");
    CHECK_HAS(collected_said, "is there already");
    MUST(1, BUNDLE "link");
    MUST(0, "test \"$(ls o)\" = mine");
    MUST(3, BUNDLE "none/o");
    CHECK_HAS(collected_said, "No such file or directory");
}

TEST(input_that_is_none_or_not_there__named_and_no_folder)
{
    static const struct {
        int status;
        const char *before, *words, *why;
    } cases[] = {
        {3, ":", "--node cp-4=none", "none/node.json"},
        {3, ":", "--key none", "none"},
        {3, ":", "--stated none", "none"},
        {3, ":", "--etcd-report none", "none"},
        {3, ":", "--snapshot none", "none"},
        {3, ":", "--anchors cp-1=none", "none"},
        {1, "echo no >f", "--key f", "f"},
        {1, "echo no >f", "--stated f", "f: "},
        {1, "echo no >f", "--etcd-report f", "f: it is no JSON"},
        {1, "echo '{}' >f", "--etcd-report f", "f, as etcd/report-01.json: "},
        {1, "echo '{\"report\": \"keyward-etcd-audit\", \"format\": 2}' >f",
         "--etcd-report f", "f, as etcd/report-01.json: "},
        {1, "echo no >f", "--anchors cp-1=f", "f"},
        {1, "cp -r cp-1 f; echo >>f/keyward.yaml", "--node f=f",
         "f is of the node 'cp-1'"},
        {1, "echo >>cp-1/keyward.yaml", "", "cp-1/keyward.yaml: it has another size"},
        {1, "echo >>cp-2/audit/audit.jsonl", "",
         "cp-2/audit/audit.jsonl: it has another"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        collected_end();
        begin();
        MUST(0, "%s", cases[i].before);
        MUST(cases[i].status, BUNDLE "o %s", cases[i].words);
        CHECK_HAS(collected_said, cases[i].why);
        CHECK(!is_there("o"));
    }
}

/* Which of two folders has it? */
TEST(document_that_lacks_something__its_folder_is_named)
{
    collected_seal("cp-2", json_pack("{sn}", "version"));
    MUST(1, BUNDLE "o");
    CHECK_HAS(collected_said, "cp-2: node.json: 'version' is missing");
    CHECK(!is_there("o"));
}

/* A disk that takes no more than so much of a file, from that of a digest to the page. */
TEST(disk_is_full__said_and_nothing_is_left)
{
    MUST(4, BUNDLE "whole");
    for (unsigned blocks = 0; blocks < 64; blocks = blocks * 2 + 1) {
        MUST(3, "trap '' XFSZ; ulimit -f %u; exec " BUNDLE "o", blocks);
        CHECK_HAS(collected_said, "not written: File too large");
        CHECK(!is_there("o"));
    }
    MUST(4, BUNDLE "o");
    MUST(0, "diff -r whole o");
}

static void run_to(struct syscalls_run *run)
{
    static char nodes[2][300], out[300], err[300];
    snprintf(out, sizeof out, "%s", collected_at("o"));
    snprintf(err, sizeof err, "%s", collected_at("err"));
    snprintf(nodes[0], sizeof nodes[0], "cp-1=%s", collected_at("cp-1"));
    snprintf(nodes[1], sizeof nodes[1], "cp-2=%s", collected_at("cp-2"));
    const char *const argv[] = {KEYWARD,    "evidence",
                                "--out",    out,
                                "--node",   nodes[0],
                                "--node",   nodes[1],
                                "--node",   "cp-3",
                                "--period", "2026-11-28T12:00:01Z..2026-11-28T12:00:05Z",
                                "--at",     "2026-11-29T00:00:00Z",
                                NULL};
    run->argv = argv;
    run->err_path = err;
    run->signal = SIGINT;
    syscalls_run(run);
}

/* It is whole, or it is not there. */
static void judge_interrupted(const struct syscalls_run *run, size_t *gone)
{
    if (is_there("o")) {
        if (run->status != 4)
            fail_msg("call %zu: exit status %d, and a folder", run->at, run->status);
        MUST(0, "diff -r whole o && rm -r o");
    } else {
        ++*gone;
        if (run->status != 3 && run->status != 128 + SIGINT)
            fail_msg("call %zu: exit status %d, and no folder", run->at, run->status);
    }
}

TEST(interrupted_while_it_writes__nothing_is_left)
{
    static long numbers[1 << 16];
    struct syscalls_run all = {.numbers = numbers, .room = 1 << 16};
    size_t gone = 0, met = 0;
    MUST(4, BUNDLE "whole");
    run_to(&all);
    CHECK(all.status == 4 && all.count <= all.room);
    MUST(0, "diff -r whole o && rm -r o");
    for (size_t at = 1; at <= all.count; at++) {
        const long n = numbers[at - 1];
        if (n != SYS_mkdir && n != SYS_mkdirat && (n != SYS_fsync || met++ % 4 != 0))
            continue;
        struct syscalls_run run = {.at = at, .to_first = true};
        run_to(&run);
        judge_interrupted(&run, &gone);
    }
    CHECK(gone >= 10);
}

/* ---- what is made ---- */

TEST(made__four_as_a_check_is_not_answered_and_each_of_them_said)
{
    MUST(4, BUNDLE "o");
    CHECK_HAS(collected_said, "not-answered");
    CHECK_HAS(collected_said, "nodes-complete         cp-3: nothing was collected of it");
    CHECK_HAS(collected_said, "made o, ");
    CHECK_HAS(collected_said, "keyward evidence sign o");
    MUST(4, BUNDLE "p --json");
    CHECK_HAS(collected_said, "\"ok\": false");
    CHECK_HAS(collected_said, "\"outcome\": \"fail\"");
    MUST(0, "test \"$(stat -c %%a o o/nodes o/nodes/cp-1)\" = \"$(printf '700\\n%%.0s' 1 "
            "2 3)\"");
    MUST(0, "test -z \"$(find o -type f ! -perm 600)\"");
}

/* By the key that was said, and of no other node's. */
TEST(manifest__lists_the_keys_by_which_logs_were_judged)
{
    MUST(4, BUNDLE "o --key cp-1/audit.pem");
    MUST(0, "grep -q '\"audit_keys\": "
            "\\[\"207fea09581ca0d9dbb502be85f42ee05402a0e8cdec2db4c0a"
            "a1ed653142944\"\\]' o/manifest.json");
}

TEST(equal_inputs__equal_bytes_wherever_they_lie_and_whoever_runs_it)
{
    static const char *const ways[] = {
        BUNDLE "p",
        "umask 0; " BUNDLE "p",
        "umask 0777; " BUNDLE "p",
        "TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 LANG=tr_TR HOME=/x COLUMNS=3 TERM=x; export TZ "
        "LC_ALL LANG HOME COLUMNS TERM; " BUNDLE "p",
        "keyward evidence --node cp-1=./cp-1/ --node cp-2=$PWD/../$(basename $PWD)/cp-2 "
        "--node cp-3" WHEN " --out $PWD/p",
        "mkdir -p sub; cp -r cp-1 sub/x; touch sub/x/*; ln -sfn ../cp-2 sub/y; cd sub; "
        "keyward evidence --node cp-1=x --node cp-2=y --node cp-3" WHEN
        " --out ../p; s=$?; rm -rf x; exit $s",
    };
    MUST(4, BUNDLE "o");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        MUST(4, "%s", ways[i]);
        MUST(0, "diff -r o p && rm -r p");
    }
}

/* A log that is broken is told by the name of its file, however long the way to it is. */
TEST(broken_log_in_a_folder_far_away__equal_bytes_and_no_path_of_it)
{
    MUST(0, "sed -i 's/\"took_us\":157/\"took_us\":158/' cp-1/audit/audit.jsonl");
    collected_seal("cp-1", NULL);
    MUST(4, BUNDLE "o --key cp-1/audit.pem");
    CHECK_HAS(collected_said, "broken: audit/audit.jsonl, line ");
    MUST(0,
         "d=$(printf 'x%%.0s' $(seq 200)); mkdir -p $d/$d/$d; cp -r cp-1 $d/$d/$d; "
         "! keyward evidence --node cp-1=$PWD/$d/$d/$d/cp-1 --node cp-2=cp-2 --node cp-3 "
         "--key $PWD/$d/$d/$d/cp-1/audit.pem" WHEN " --out p; diff -r o p");
    MUST(1, "grep -rF -e $PWD -e xxxxx o p");
}

KW_SUITE_AROUND("provider/cli/bundle", begin, collected_end)
