/* SPDX-License-Identifier: Apache-2.0 */
/* keyward etcd audit --member: which files a member has, and what none of them hides. */
#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etcd_sample.h"

#define WAL "0000000000000000-0000000000000000.wal"
#define SECRET "/registry/secrets/default/one"

static void begin(void)
{
    sample_begin();
    sample_secret("data/member/snap/db", SAMPLE_SEALED);
    sample_log("data/member/wal/" WAL, SECRET, SAMPLE_SEALED);
}

static void audit_member(const char *name, int want, const char *says)
{
    AUDIT("--member", sample_at(name));
    if (audited.status != want)
        fail_msg("%d, not %d\n%s%s", audited.status, want, audited.out, audited.err);
    CHECK_HAS(audited.out, says);
    CHECK_STR(audited.err, "");
}

TEST(database__none__3_and_the_log_is_read)
{
    sample_log("data/member/wal/" WAL, SECRET, SAMPLE_PLAIN);
    CHECK(unlink(sample_at("data/member/snap/db")) == 0);
    audit_member("data", 3, "snap/db: cannot open");
    CHECK_HAS(audited.out, "log secrets default/one");
    CHECK(rmdir(sample_at("data/member/snap")) == 0);
    audit_member("data/member", 3, "snap/db: cannot open");
}

TEST(log__none__3_and_the_database_is_read)
{
    CHECK(unlink(sample_at("data/member/wal/" WAL)) == 0);
    audit_member("data", 3, "/wal: no file in it ends in .wal");
    CHECK_HAS(audited.out, "1 keys");
    CHECK(rmdir(sample_at("data/member/wal")) == 0);
    audit_member("data", 3, "No such file or directory");
}

/* What is cut off may have held anything. */
TEST(log__cut_at_its_end__3_and_alone_clean)
{
    uint8_t head[4096];
    FILE *log = fopen(sample_at("data/member/wal/" WAL), "r");
    CHECK(log != NULL);
    const size_t len = fread(head, 1, sizeof head, log);
    CHECK(fclose(log) == 0 && len > 60);
    size_t end = 0; /* of the records before the one entry */
    for (int record = 0; record < 2; record++)
        end += 8 + head[end] + (head[end + 7] & 7u);
    sample_write("data/member/wal/" WAL, kw_span_of(head, end));
    audit_member("data", 3,
                 "unread     log: 1 cannot be judged, 0 with marks of objects; "
                 "the first at 0: the log ends before the database does");
    AUDIT("--wal", sample_at("data/member/wal"));
    CHECK(audited.status == 0);
    AUDIT("--json", "--member", sample_at("data"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.out, "\"first_at\": 0, \"first_why\": \"the log ends before");
}

/* Bytes of any kind, where no file should be: each place says so by itself. */
TEST(other_file__with_marks__3_wherever_it_lies)
{
    static const char *const places[] = {"data/old.db", "data/member/dump",
                                         "data/member/snap/a.snap",
                                         "data/member/snap/xdb", "data/member/wal/0.tmp"};
    char says[64];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sample_text(places[i], "..\"key\":\"/registry/secrets/a/b\"..");
        snprintf(says, sizeof says, "the first in %s at 0", strrchr(places[i], '/') + 1);
        audit_member("data", 3, says);
        CHECK_HAS(audited.out, "other files: 1 cannot be judged, 1 with marks");
        CHECK(unlink(sample_at(places[i])) == 0);
    }
}

TEST(other_file__no_regular_one__3_without_waiting)
{
    CHECK(mkfifo(sample_at("data/member/fifo"), 0600) == 0);
    audit_member("data", 3, "fifo: no regular file");
    CHECK(unlink(sample_at("data/member/fifo")) == 0);
    CHECK(symlink("nowhere", sample_at("data/member/snap/link")) == 0);
    audit_member("data", 3, "link: No such file");
    CHECK(unlink(sample_at("data/member/snap/link")) == 0);
    CHECK(symlink("/dev/zero", sample_at("data/member/wal/link")) == 0);
    audit_member("data", 3, "link: no regular file");
    CHECK(unlink(sample_at("data/member/wal/link")) == 0);
    CHECK(mkfifo(sample_at("data/member/snap/x.snap.db"), 0600) == 0);
    audit_member("data", 3, "x.snap.db: not a regular file");
    CHECK(unlink(sample_at("data/member/snap/x.snap.db")) == 0);
    CHECK(mkfifo(sample_at("data/member/wal/x.wal"), 0600) == 0);
    audit_member("data", 3, "the first in x.wal");
}

TEST(folder__with_something_in_it__3)
{
    sample_text("data/member/snap/below/dump", "k8s:enc:");
    audit_member("data", 3, "below: no regular file");
}

TEST(files__more_than_64__3_and_said)
{
    char name[64];
    for (int i = 0; i < 62; i++) { /* with the database and the log 64 */
        snprintf(name, sizeof name, "data/member/snap/%02d.snap", i);
        sample_text(name, "");
    }
    audit_member("data", 0, "\nclean\n");
    sample_text("data/member/snap/uniq.snap", "");
    AUDIT("--redact", "--member", sample_at("data"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.err, "more than 64 files");
    CHECK(strstr(audited.err, "uniq") == NULL);
}

TEST(path__too_long__3_and_said)
{
    static char path[PATH_MAX + 16];
    memset(path, 'x', sizeof path - 1);
    AUDIT("--member", path);
    CHECK(audited.status == 3 && audited.err[0] != '\0');
    path[PATH_MAX - 8] = '\0';
    AUDIT("--member", path);
    CHECK(audited.status == 3 && audited.err[0] != '\0');
}

TEST(copy__what_only_it_has__a_leftover)
{
    static const char *const copies[] = {"data/member/snap/0000000000000010.snap.db",
                                         "data/member/snap/db.tmp.123"};
    for (size_t i = 0; i < 2; i++) {
        const struct bolt_item item = sample_put("/registry/secrets/a/old", SAMPLE_PLAIN);
        sample_db(copies[i], &item, 1, NULL, 0);
        audit_member("data", 4, "historic secrets a/old");
        sample_text(copies[i], "torn");
        audit_member("data", 3, "unread");
        CHECK(unlink(sample_at(copies[i])) == 0);
    }
}

TEST(member__whole__clean_from_either_folder)
{
    sample_text("data/member/snap/0000000000000001-0000000000000002.snap", "{}");
    sample_text("data/member/wal/0.tmp", "");
    CHECK(mkdir(sample_at("data/lost+found"), 0700) == 0);
    CHECK(mkdir(sample_at("data/member/wal/lost+found"), 0700) == 0);
    audit_member("data", 0, "\nclean\n");
    audit_member("data/member", 0, "\nclean\n");
}

TEST(folders__on_another_disk_by_a_link__read_once)
{
    CHECK(rename(sample_at("data/member/wal"), sample_at("wal")) == 0);
    CHECK(rename(sample_at("data/member/snap"), sample_at("snap")) == 0);
    CHECK(symlink("../../wal", sample_at("data/member/wal")) == 0);
    CHECK(symlink("../../snap", sample_at("data/member/snap")) == 0);
    audit_member("data", 0, "\nclean\n");
    CHECK_HAS(audited.out, "current 1 ");
    CHECK_HAS(audited.out, "log 1 ");
}

KW_SUITE_AROUND("provider/cli/etcd_member", begin, sample_end)
