/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the log: what is committed is there and follows, whatever the disk, a crash
 * or somebody else did; what is not is not. */
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

/* ---- a disk that fails when told to ------------------------------------------------------ */

static struct {
    int write_error, sync_error; /* errno, or 0 */
    size_t write_most;           /* bytes at a time; 0: all */
    int writes_left;             /* before write_error */
} bad;

static ssize_t disk_write(int fd, const void *bytes, size_t len)
{
    if (bad.write_error != 0 && bad.writes_left-- <= 0) {
        errno = bad.write_error;
        return -1;
    }
    return write(fd, bytes,
                 bad.write_most > 0 && len > bad.write_most ? bad.write_most : len);
}

static int disk_sync(int fd)
{
    errno = bad.sync_error;
    return bad.sync_error != 0 ? -1 : fdatasync(fd);
}

static struct kw_audit_disk disk;

static void begin(void)
{
    bad.write_error = bad.sync_error = bad.writes_left = 0;
    bad.write_most = 0;
    logs_begin();
    disk = kw_audit_disk_system;
    disk.write = disk_write;
    disk.sync = disk_sync;
    logs.disk = &disk;
    CHECK_OK(logs_open(&logs.log));
}

/* ---- the usual --------------------------------------------------------------------------- */

TEST(open__empty_folder__a_log_begins)
{
    struct stat st;
    logs_chain_is("g");
    CHECK(stat(logs_path("audit.jsonl"), &st) == 0 && (st.st_mode & 07777) == 0640);
}

TEST(commit__records__follow_each_other)
{
    CHECK_OK(logs_commit(3));
    CHECK_OK(logs_commit(1));
    CHECK_OK(logs_commit(0));
    logs_chain_is("gssss");
}

TEST(open__again__goes_on_where_it_was)
{
    struct kw_audit_head before, after;
    CHECK_OK(logs_commit(2));
    kw_audit_log_head(logs.log, &before);
    logs_reopen();
    kw_audit_log_head(logs.log, &after);
    assert_memory_equal(&before, &after, sizeof before);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsss");
}

TEST(open__while_another_one_has_it__busy)
{
    struct kw_audit_log *other = NULL;
    CHECK_CODE(logs_open(&other), KW_CODE_BUSY);
    CHECK(other == NULL && logs.note.text[0] != '\0');
}

TEST(rotate__next_commit_begins_a_file_named_by_its_records)
{
    kw_audit_log_rotate(logs.log);
    logs_chain_is("g");
    CHECK_OK(logs_commit(2));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gfssfs");
    CHECK(logs_there_is("audit-000000000000-000000000000.jsonl") &&
          logs_there_is("audit-000000000001-000000000003.jsonl"));
    logs_reopen();
    CHECK_OK(logs_commit(1));
    logs_chain_is("gfssfss");
}

TEST(rotate__by_size__no_file_longer)
{
    logs.rotate_bytes = 4096;
    logs_reopen();
    for (int i = 0; i < 40; i++)
        CHECK_OK(logs_commit(1));
    char name[16][64];
    const size_t files = logs_names(name);
    CHECK(files > 2);
    for (size_t i = 0; i < files; i++) {
        struct stat st;
        CHECK(stat(logs_path(name[i]), &st) == 0 && st.st_size <= 4096);
    }
    struct kw_audit_head head;
    kw_audit_log_head(logs.log, &head);
    assert_int_equal(head.next_seq, 40 + files); /* genesis, and a file record each */
}

TEST(commit__wrongly_spelled__bad_input_and_nothing_written)
{
    struct kw_audit_record r[2] = {{.kind = KW_AUDIT_STOP}, {.kind = KW_AUDIT_STOP}};
    r[0].value[KW_AUDIT_STOP_REASON] = kw_audit_text("good");
    r[1].value[KW_AUDIT_STOP_REASON] = kw_audit_text("Not good");
    CHECK_CODE(kw_audit_log_commit(logs.log, r, 2), KW_CODE_BAD_INPUT);
    logs_chain_is("g");
    CHECK_OK(logs_commit(1));
    logs_chain_is("gs");
}

KW_SUITE_AROUND("provider/audit/log", begin, logs_end)
