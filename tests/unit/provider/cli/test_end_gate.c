/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key disable and key destroy: what shows that a version is needed no more, and
 * what stands of it in the history. */
#include "gate_site.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/sha256.h>

#define REPORTS "--live member.report --backup backup.report"

#define STRANGE "k8s:enc:kms:v3:keyward:something"

static const struct gate_put under_1[] = {{7, "/registry/secrets/ns/c", KEY_1, NULL}};
static const struct gate_put strange[] = {
    {7, "/registry/secrets/ns/c", KEY_4, NULL},
    {8, "/registry/secrets/ns/d", NULL, STRANGE},
};

/* Refused, with these words, and nothing done. */
#define REFUSED(why, ...)                                                                \
    do {                                                                                 \
        KEY_MUST(1, __VA_ARGS__);                                                        \
        CHECK_HAS(gate.run.err, why);                                                    \
        CHECK(gate_history().serial == 70 && gate_state(1) == KW_KEY_RETIRED);           \
    } while (0)

/* ---- a report that is none ---- */

TEST(report_is_no_json__refused)
{
    static const char *const texts[] = {"", "no", "{", "[1,", "{} {}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gate_write("bad", texts[i]);
        REFUSED("keyward: bad: it is no JSON document (line ",
                "disable 1 --live bad --no-backups");
        REFUSED("keyward: bad: it is no JSON document (line ",
                "disable 1 --live member.report --backup bad");
    }
}

TEST(a_number_of_21_digits_or_a_member_twice__no_json)
{
    gate_change("member.report", "\"objects\": 1,", "\"objects\": 123456789012345678901,",
                "bad");
    REFUSED("it is no JSON document (line ", "disable 1 --live bad --no-backups");
    gate_change("member.report", "\"unread\": []", "\"unread\": [1], \"unread\": []",
                "bad");
    REFUSED("it is no JSON document (line ", "disable 1 --live bad --no-backups");
}

TEST(report_of_something_else__refused)
{
    gate_write("bad", "{\"ok\": true}");
    REFUSED("bad: it is no report of keyward etcd audit --json, format 1",
            "disable 1 --live bad --no-backups");
    REFUSED("bad: it is no report of keyward etcd audit --json, format 1",
            "disable 1 " REPORTS " --backup bad");
}

/* A member that was killed has in its log what its database lacks. */
TEST(live_of_a_copied_database_without_its_log__refused_and_as_a_backup_taken)
{
    gate_change("member.report", "\"trailer\": \"good\"", "\"trailer\": \"absent\"",
                "copied");
    REFUSED("copied: it is of a copied database without its log",
            "disable 1 --live copied --no-backups");
    gate_change("backup.report", "\"trailer\": \"good\"", "\"trailer\": \"absent\"",
                "copied");
    KEY_MUST(0, "disable 1 --live member.report --backup copied");
}

TEST(no_such_file_or_no_plain_one__refused)
{
    KEY_MUST(3, "disable 1 --live gone --no-backups");
    CHECK_HAS(gate.run.err, "gone: cannot open: No such file or directory");
    CHECK(gate_line("mkfifo fifo; mkdir -p up/down; cp backup.report up") == 0);
    REFUSED("fifo: not a regular file", "disable 1 --live fifo --no-backups");
    REFUSED("up/down: not a regular file", "disable 1 --live member.report --backup up");
}

/* ---- folders ---- */

TEST(folder_without_a_report__not_taken_for_all_of_them)
{
    CHECK(gate_line("mkdir empty") == 0);
    REFUSED("empty: there is no report in it",
            "disable 1 --live member.report --backup empty");
    REFUSED("empty: there is no report in it", "disable 1 --live empty --no-backups");
    REFUSED("empty: there is no report in it", "disable 1 " REPORTS " --backup empty");
}

TEST(folder_with_one_that_needs_it__refused_hidden_or_not)
{
    gate_db("old.db", under_1, 1);
    gate_audit("old.db", "old.report");
    CHECK(gate_line("mkdir all; cp backup.report all/a; cp old.report all/b") == 0);
    REFUSED("all/b: objects under " KEY_1 ": 1; ",
            "disable 1 --live member.report --backup all");
    CHECK(gate_line("mv all/b all/.b") == 0);
    REFUSED("all/.b: objects under " KEY_1 ": 1; ",
            "disable 1 --live member.report --backup all");
}

TEST(folders_of_reports__each_counted)
{
    CHECK(gate_line(
              "mkdir all live; cp backup.report all/a; cp backup.report all/b;"
              "echo >>all/a; cp member.report live/a; echo >>all/b; echo >>all/b") == 0);
    KEY_MUST(0, "disable 1 --live live --backup all --backup backup.report");
    CHECK(strncmp(gate_history().proof,
                  "etcd: 1 live, 3 backups, said to be all, sha256 ", 48) == 0);
}

/* Two members are two reports, whatever the files are called. */
TEST(same_bytes_twice__one_report_and_refused)
{
    static const char says[] = ": it has the same bytes as ";
    CHECK(gate_line("cp member.report again; ln -s member.report link; mkdir all live;"
                    "cp backup.report all/a; cp backup.report all/b;"
                    "cp member.report live/x") == 0);
    REFUSED("again: it has the same bytes as member.report, and is the same report",
            "disable 1 --live member.report --live again --no-backups");
    REFUSED("member.report: it has the same bytes as member.report",
            "disable 1 --live member.report --live member.report --no-backups");
    REFUSED(says, "disable 1 --live link --live member.report --no-backups");
    REFUSED("again: it has the same bytes as live/x",
            "disable 1 --live live --live again --no-backups");
    REFUSED("all/b: it has the same bytes as all/a",
            "disable 1 --live member.report --backup all");
    /* A snapshot of now is a backup, too. */
    CHECK(gate_line("cp backup.report now") == 0);
    KEY_MUST(0, "disable 1 --live now --backup backup.report");
}

/* ---- how much is read ---- */

/* JSON may end in any number of blanks. */
static void pad(const char *name, off_t size)
{
    char path[128];
    static char blanks[65536];
    struct stat st;
    memset(blanks, ' ', sizeof blanks);
    snprintf(path, sizeof path, "%s/%s", gate.dir, name);
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    for (off_t left = size - st.st_size, n; left > 0; left -= n) {
        n = left < (off_t)sizeof blanks ? left : (off_t)sizeof blanks;
        CHECK(write(fd, blanks, (size_t)n) == (ssize_t)n);
    }
    close(fd);
}

TEST(report_of_64_mib__read_and_a_byte_more_is_not)
{
    pad("backup.report", 64 << 20);
    pad("member.report", (64 << 20) + 1);
    REFUSED("member.report: larger than 67108864 bytes",
            "disable 1 --live member.report --no-backups");
    CHECK(gate_line("cp backup.report member.report") == 0);
    KEY_MUST(0, "disable 1 --live member.report --no-backups");
}

/* ---- what is needed still ---- */

TEST(current_under_it_in_a_member__refused_old_revisions_are_not)
{
    const struct gate_put puts[] = {{2, "/registry/secrets/ns/a", KEY_1, NULL},
                                    {3, "/registry/secrets/ns/b", KEY_4, NULL}};
    gate_db("other.db", puts, 2);
    gate_audit("other.db", "other.report");
    REFUSED("version 1 may be needed still: other.report: objects under " KEY_1
            " that are current: 1; write them again first, under the new key",
            "disable 1 " REPORTS " --live other.report");
    KEY_MUST(0, "disable 1 " REPORTS); /* revision 2 of member.db is one */
}

TEST(nothing_later_under_the_baseline__refused)
{
    const struct gate_put puts[] = {{3, "/registry/secrets/ns/a", KEY_4, NULL},
                                    {4, "/registry/secrets/ns/b", KEY_1, NULL},
                                    {5, "/registry/secrets/ns/b", NULL, "{}"}};
    gate_db("other.db", puts, 3);
    gate_audit("other.db", "other.report");
    REFUSED("other.report: nothing is sealed under the baseline, " KEY_4
            ", later than under " KEY_1 ": an API server may write under that still",
            "disable 1 --live other.report --no-backups");
    gate_db("none.db", puts + 2, 1);
    gate_audit("none.db", "none.report");
    REFUSED("none.report: nothing is sealed under the baseline",
            "disable 1 --live none.report --no-backups");
}

TEST(encrypted_in_a_way_that_is_not_known__refused_where_it_counts)
{
    gate_db("odd.db", strange, 2);
    gate_audit("odd.db", "odd.report");
    REFUSED("odd.report: current objects encrypted in a way that the audit did not know, "
            "perhaps under " KEY_1 ": 1",
            "disable 1 --live odd.report --no-backups");
    REFUSED("odd.report: objects encrypted in a way that the audit did not know, perhaps "
            "under " KEY_1 ": 1",
            "disable 1 --live member.report --backup odd.report");
    const struct gate_put rewritten[] = {{7, "/registry/secrets/ns/c", NULL, STRANGE},
                                         {8, "/registry/secrets/ns/c", KEY_4, NULL}};
    gate_db("was.db", rewritten, 2);
    gate_audit("was.db", "was.report");
    REFUSED("was.report: objects encrypted in a way that the audit did not know",
            "disable 1 --live member.report --backup was.report");
    KEY_MUST(0, "disable 1 --live was.report --no-backups"); /* an old revision */
}

TEST(more_reports_than_are_counted__refused)
{
    CHECK(gate_line("mkdir many; cd many; seq 10000 | xargs touch") == 0);
    REFUSED("many: more reports in it than are looked at",
            "disable 1 --live member.report --backup many");
    CHECK(gate_line("cd many; rm 1; mv 2 0; : >0") == 0); /* 9,999 of them */
    REFUSED("many/0: it is no JSON document",
            "disable 1 --live member.report --backup many");
}

TEST(anything_under_it_in_a_backup__refused_by_each_place)
{
    REFUSED("member.report: objects under " KEY_1
            ": 1; without the key this backup does not open: keep the key as long as "
            "the backup",
            "disable 1 --live member.report --backup member.report"); /* historic */
    gate_db("old.db", under_1, 1);
    gate_audit("old.db", "old.report"); /* current */
    REFUSED("old.report: objects under " KEY_1 ": 1; ",
            "disable 1 --live member.report --backup backup.report --backup old.report");
}

TEST(no_baseline__nothing_at_all_may_be_sealed_under_it)
{
    struct kw_keyring *golden = NULL, *ring = NULL;
    CHECK_OK(kw_keyring_load(gate.keyring, &golden, NULL, NULL));
    CHECK_OK(kw_keyring_new("demo", &ring));
    struct kw_version v = *kw_keyring_by_n(golden, 6);
    v.state = KW_KEY_ACCEPTED;
    snprintf(v.accepted, sizeof v.accepted, "%s", v.created);
    CHECK_OK(kw_keyring_add(ring, &v));
    CHECK(unlink(gate.keyring) == 0);
    CHECK_OK(kw_keyring_save(gate.keyring, ring, NULL, NULL));
    const struct gate_put puts[] = {{2, "/registry/secrets/ns/a", v.key_id, NULL},
                                    {3, "/registry/secrets/ns/a", KEY_4, NULL}};
    gate_db("other.db", puts, 2);
    gate_audit("other.db", "other.report");
    kw_keyring_give(golden);
    kw_keyring_give(ring);
    KEY_MUST(1, "disable 6 --live other.report --no-backups");
    CHECK_HAS(gate.run.err, "other.report: no version is the baseline, and something is "
                            "sealed under kw1-6-");
    KEY_MUST(0, "disable 6 --live member.report --no-backups");
}

/* ---- what is said ---- */

TEST(words_that_exclude_each_other__two)
{
    char text[102];
    memset(text, 'x', sizeof text - 1);
    text[101] = '\0';
    static const char *const lines[][2] = {
        {"--live member.report", "--no-backups"},
        {"--backup backup.report", "it wants --live for each member"},
        {"--no-backups", "it wants --live for each member"},
        {REPORTS " --no-backups", "--no-backups and --backup exclude each other"},
        {"--without-proof x --no-backups", "--without-proof goes with no report"},
        {"--without-proof x --live member.report", "--without-proof goes with no report"},
        {"--without-proof x --backup backup.report",
         "--without-proof goes with no report"},
        {"--without-proof=", "--without-proof"},
        {"--without-proof \"$(printf 'a\\tb')\"", "1 to 100 bytes of printable text"},
        {"--without-proof x --without-proof y", "--without-proof"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        KEY_MUST(2, "disable 1 %s", lines[i][0]);
        CHECK_HAS(gate.run.err, lines[i][1]);
        KEY_MUST(2, "destroy 3 %s", lines[i][0]);
        CHECK_HAS(gate.run.err, lines[i][1]);
    }
    KEY_MUST(2, "disable 1 --without-proof %s", text);
    CHECK_HAS(gate.run.err, "--without-proof: 1 to 100 bytes of printable text");
    KEY_MUST(2, "retire 5 --without-proof x");
    KEY_MUST(2, "enable 3 --without-proof x");
    CHECK(gate_history().serial == 70);
}

/* The command below the n-th comment (from 0) that has these words, run. */
static int run_printed(const char *text, const char *below, int nth)
{
    const char *at = strstr(text, below);
    CHECK(at != NULL);
    for (at = strchr(at, '\n') + 1; nth > 0; nth--)
        at = strchr(at, '\n') + 1;
    return gate_line("%.*s", (int)strcspn(at, "\n"), at);
}

TEST(nothing_given__refused_and_the_printed_commands_do_it)
{
    static const char *const seen[] = {"of every member of etcd, now",
                                       "of every member of etcd, now",
                                       "of every backup that may be restored"};
    char told[4096];
    CHECK(gate_line("rm member.report backup.report; mv member.db there; "
                    "printf '#!/bin/sh\\ncp there \"$3\"\\n' >etcdctl; "
                    "chmod 0755 etcdctl") == 0);
    REFUSED("what is sealed under version 1 cannot be read then any more: show that "
            "nothing is",
            "disable 1");
    snprintf(told, sizeof told, "%s", gate.run.err);
    for (size_t i = 0; i < 3; i++)
        CHECK(run_printed(told, seen[i], i == 1) == 0);
    CHECK(run_printed(told, "--live for each member", 0) == 0);
    CHECK(gate_state(1) == KW_KEY_DISABLED);
    KEY_MUST(1, "disable 5");
    snprintf(told, sizeof told, "%s", gate.run.err);
    CHECK(run_printed(told, "when it cannot wait", 0) == 0);
    CHECK_STR(gate_history().proof, "without proof: WHY");
    KEY_MUST(1, "destroy 3 --now");
    snprintf(told, sizeof told, "%s", gate.run.err);
    CHECK_HAS(told, "  keyward key destroy 3 --live member.report --backup backup.report "
                    "--config /tmp/");
    CHECK_HAS(told, "  keyward key destroy 3 --without-proof WHY --config /tmp/");
}

TEST(nothing_given_json__the_commands_are_next)
{
    KEY_MUST(1, "disable 1 --json");
    CHECK_HAS(gate.run.out, "\"code\": \"refused\"");
    CHECK_HAS(gate.run.out, "\"etcdctl snapshot save member.db\"");
}

/* ---- what stands in the history ---- */

static void digest_add(uint8_t digest[KW_SHA256], const char *name)
{
    uint8_t both[2 * KW_SHA256];
    char *text = gate_read(name);
    memcpy(both, digest, KW_SHA256);
    CHECK_OK(kw_sha256(kw_span_str(text), both + KW_SHA256));
    CHECK_OK(kw_sha256(kw_span_of(both, sizeof both), digest));
    free(text);
}

TEST(reports__counted_and_digested_in_the_history)
{
    uint8_t digest[KW_SHA256] = {0};
    char hex[2 * KW_SHA256 + 1], want[160];
    KEY_MUST(0, "disable 1 --backup backup.report --live member.report "
                "--live backup.report");
    const struct kw_history h = gate_history();
    digest_add(digest, "member.report"); /* members come first */
    digest_add(digest, "backup.report");
    digest_add(digest, "backup.report");
    kw_hex(hex, sizeof hex, kw_span_of(digest, sizeof digest));
    snprintf(want, sizeof want, "etcd: 2 live, 1 backups, said to be all, sha256 %s",
             hex);
    CHECK_STR(h.act, "disable");
    CHECK(h.n == 1 && h.serial == 71);
    CHECK_STR(h.proof, want);
}

TEST(no_backups__said_in_the_history)
{
    KEY_MUST(0, "disable 1 --live member.report --no-backups");
    CHECK(strncmp(gate_history().proof,
                  "etcd: 1 live, no backups, said to be all, sha256 ", 49) == 0);
}

TEST(without_proof__its_words_in_the_history)
{
    char text[101], want[128];
    memset(text, 'x', sizeof text - 1);
    text[100] = '\0';
    snprintf(want, sizeof want, "without proof: %s", text);
    KEY_MUST(0, "disable 1 --without-proof %s", text);
    CHECK_STR(gate_history().proof, want);
    KEY_MUST(0, "destroy 3 --now --without-proof 'stolen, CHG-7: \xc3\xa4'");
    const struct kw_history h = gate_history();
    CHECK_STR(h.act, "destroy");
    CHECK_STR(h.proof, "without proof: stolen, CHG-7: \xc3\xa4");
    KEY_MUST(0, "show 3");
    CHECK_HAS(gate.run.out, ", destroy, 20");
    CHECK_HAS(gate.run.out, ": without proof: stolen, CHG-7: \xc3\xa4\n");
    CHECK(strstr(gate.run.out, "xxxx") == NULL); /* another version's */
    KEY_MUST(0, "show 1 --json");
    CHECK_HAS(gate.run.out, "\"act\": \"disable\"");
    CHECK_HAS(gate.run.out, "\"proof\": \"without proof: xxxx");
}

TEST(destroy__reports_again_and_in_the_history)
{
    gate_db("old.db",
            (const struct gate_put[]){
                {2, "/registry/secrets/ns/a", "kw1-3-22232425262728292a2b2c2d", NULL}},
            1);
    gate_audit("old.db", "old.report");
    REFUSED("version 3 may be needed still: old.report: objects under kw1-3-",
            "destroy 3 --now " REPORTS " --backup old.report");
    KEY_MUST(0, "destroy 3 --now " REPORTS);
    const struct kw_history h = gate_history();
    CHECK_STR(h.act, "destroy");
    CHECK(strncmp(h.proof, "etcd: 1 live, 1 backups, said to be all, sha256 ", 48) == 0);
    CHECK(gate_state(3) == KW_KEY_DESTROYED);
}

/* Whatever the reports say of names: key_ids are never redacted. */
TEST(redacted_report__as_good)
{
    CHECK(gate_line("keyward etcd audit member.db --json --redact --out hidden") == 0);
    KEY_MUST(0, "disable 1 --live hidden --no-backups");
}

/* ---- what needs nothing ---- */

TEST(never_accepted__nothing_wanted_and_what_is_given_is_looked_at)
{
    KEY_MUST(1, "disable 6 --live backup.db --no-backups");
    KEY_MUST(0, "disable 6");
    CHECK_STR(gate_history().proof, "");
    KEY_MUST(0, "enable 6");
    KEY_MUST(0, "disable 6 --without-proof 'a mistake'");
    CHECK_STR(gate_history().proof, "without proof: a mistake");
    KEY_MUST(0, "destroy 6");
    CHECK_STR(gate_history().proof, "");
}

TEST(enable_and_the_second_look__nothing_wanted)
{
    KEY_MUST(0, "enable 3");
    CHECK_STR(gate_history().proof, "");
    gate_key("destroy 7");
    CHECK(strstr(gate.run.err, "show that nothing is") == NULL);
    CHECK_HAS(gate.run.out, "version 7 (kw1-7-");
}

KW_SUITE_AROUND("provider/cli/end_gate", gate_begin, gate_end)
