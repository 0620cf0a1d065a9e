/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the log: what is committed is there and follows, whatever the disk, a crash
 * or somebody else did; what is not is not. */
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/audit_checkpoint.h>
#include <keyward/file.h>

#include "check.h"

/* ---- a disk that fails when told to ------------------------------------------------------ */

static struct {
    int write_error, sync_error; /* errno, or 0 */
    unsigned syncs_left;         /* that fail; 0: all */
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
    const int error = bad.sync_error;
    if (bad.syncs_left > 0 && --bad.syncs_left == 0)
        bad.sync_error = 0;
    errno = error;
    return error != 0 ? -1 : fdatasync(fd);
}

static struct kw_audit_disk disk;

static void begin(void)
{
    bad.write_error = bad.sync_error = bad.writes_left = 0;
    bad.syncs_left = 0;
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

/* Whoever may read all of it can lock what he reads. */
TEST(open__a_reader_holds_a_lock_on_folder_and_file__opened)
{
    int folder = open(logs.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = open(logs_path("audit.jsonl"), O_RDONLY | O_CLOEXEC);
    CHECK(folder >= 0 && file >= 0);
    kw_audit_log_close(logs.log);
    logs.log = NULL;
    CHECK(flock(folder, LOCK_SH) == 0 && flock(file, LOCK_SH) == 0);
    CHECK_OK(logs_open(&logs.log));
    struct stat st;
    CHECK(stat(logs_path("audit.lock"), &st) == 0 && (st.st_mode & 07777) == 0600);
    close(folder);
    close(file);
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

/* ---- a failing disk ---------------------------------------------------------------------- */

TEST(write__in_pieces__whole)
{
    bad.write_most = 7;
    CHECK_OK(logs_commit(3));
    logs_chain_is("gsss");
}

TEST(write__fails_after_some_bytes__cut_off_and_the_next_one_is_good)
{
    bad.write_most = 100;
    bad.writes_left = 2;
    bad.write_error = ENOSPC;
    kw_err e = logs_commit(2);
    CHECK_CODE(e, KW_CODE_IO);
    assert_int_equal(e.native, ENOSPC);
    logs_chain_is("g");
    bad.write_error = 0;
    CHECK_OK(logs_commit(1));
    logs_chain_is("gs");
}

static long size_of(const char *name)
{
    struct stat st;
    CHECK(stat(logs_path(name), &st) == 0);
    return (long)st.st_size;
}

TEST(sync__fails__never_the_same_file_again_and_on_record)
{
    char unsynced[64];
    const long empty = size_of("audit.jsonl");
    CHECK_OK(logs_commit(1));
    snprintf(unsynced, sizeof unsynced, "\"kind\":\"unsynced\",\"bytes\":%ld,",
             2 * (size_of("audit.jsonl") - empty));
    bad.sync_error = EIO;
    CHECK_CODE(logs_commit(2), KW_CODE_IO);
    logs_chain_is("gs");
    CHECK_CODE(logs_commit(2), KW_CODE_IO); /* the new file's too */
    bad.sync_error = 0;
    CHECK_OK(logs_commit(2));
    logs_chain_is("gsfuss");
    CHECK(logs_there_is("audit-000000000000-000000000001.jsonl"));
    logs_has_text("audit.jsonl", unsynced);
    logs_reopen();
    logs_chain_is("gsfuss");
}

/* ---- a log that is lazy ------------------------------------------------------------------- */

static long committed_lazily(void)
{
    logs.is_lazy = true;
    logs_reopen();
    const long before = size_of("audit.jsonl");
    CHECK_OK(logs_commit(2));
    return size_of("audit.jsonl") - before;
}

static void unsynced_is(long bytes)
{
    char unsynced[64];
    snprintf(unsynced, sizeof unsynced, "\"kind\":\"unsynced\",\"bytes\":%ld,", bytes);
    logs_has_text("audit.jsonl", unsynced);
}

TEST(lazy_sync__fails_while_it_is_remembered__on_record_at_once)
{
    const long bytes = committed_lazily();
    bad.sync_error = EIO;
    bad.syncs_left = 1;
    CHECK_CODE(kw_audit_log_remember(logs.log), KW_CODE_IO);
    logs_chain_is("gssfu");
    unsynced_is(bytes);
    CHECK_OK(kw_audit_log_remember(logs.log));
    CHECK_OK(logs_commit(1));
    logs_reopen();
    logs_chain_is("gssfus");
}

TEST(lazy_sync__fails_for_a_while__on_record_when_it_does_not)
{
    const long bytes = committed_lazily();
    bad.sync_error = EIO;
    CHECK_CODE(kw_audit_log_remember(logs.log), KW_CODE_IO);
    CHECK_CODE(logs_commit(1), KW_CODE_IO);
    CHECK_CODE(kw_audit_log_remember(logs.log), KW_CODE_IO);
    bad.sync_error = 0;
    CHECK_OK(kw_audit_log_remember(logs.log)); /* before the end, perhaps */
    logs_chain_is("gssfu");
    unsynced_is(bytes);
}

/* What the next file hangs on would be missing after a power cut. */
TEST(lazy_sync__fails_as_a_file_ends__on_record_in_the_next)
{
    const long bytes = committed_lazily();
    kw_audit_log_rotate(logs.log);
    bad.sync_error = EIO;
    bad.syncs_left = 1;
    CHECK_OK(logs_commit(1));
    logs_chain_is("gssfus");
    unsynced_is(bytes);
}

/* ---- somebody else ----------------------------------------------------------------------- */

TEST(file__moved_away__tampered_and_a_new_one)
{
    CHECK_OK(logs_commit(1));
    CHECK(rename(logs_path("audit.jsonl"), logs_path("audit-0.jsonl")) == 0);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsfts");
}

TEST(file__exchanged_for_another__tampered_and_that_one_put_aside)
{
    CHECK_OK(logs_commit(1));
    CHECK(rename(logs_path("audit.jsonl"), logs_path("audit-0.jsonl")) == 0);
    logs_append("audit.jsonl", "mine\n");
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsfts");
    CHECK(logs_there_is("audit-000000000002.foreign"));
}

/* Whoever also fills the disk does not keep it off the record. */
TEST(file__moved_away_and_no_file_can_be_begun__tampered_when_one_can)
{
    CHECK_OK(logs_commit(1));
    CHECK(rename(logs_path("audit.jsonl"), logs_path("audit-0.jsonl")) == 0);
    bad.sync_error = EIO;
    CHECK_CODE(logs_commit(1), KW_CODE_IO);
    CHECK_CODE(logs_commit(1), KW_CODE_IO);
    bad.sync_error = 0;
    CHECK_OK(logs_commit(1));
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsftss");
}

TEST(file__longer__tampered_with_both_sizes)
{
    logs_append("audit.jsonl", "more\n");
    CHECK_OK(logs_commit(1));
    CHECK(logs_there_is("audit-000000000000-000000000000.jsonl"));
    logs_has_text("audit.jsonl", "\"what\":\"size\",\"wanted\":");
}

TEST(file__copied_and_truncated__tampered)
{
    CHECK_OK(logs_commit(2));
    CHECK(truncate(logs_path("audit.jsonl"), 0) == 0);
    CHECK_OK(logs_commit(1));
    logs_has_text("audit.jsonl", "\"found\":0,");
}

TEST(folder__taken_away__fails_until_there_is_one_of_ours_again)
{
    CHECK_OK(logs_commit(1));
    CHECK(remove(logs_path("audit.jsonl")) == 0 && remove(logs_path("audit.lock")) == 0 &&
          remove(logs.dir) == 0);
    CHECK_CODE(logs_commit(1), KW_CODE_IO);
    CHECK_CODE(logs_commit(1), KW_CODE_IO);
    CHECK(mkdir(logs.dir, 0777) == 0 && chmod(logs.dir, 0777) == 0);
    CHECK_CODE(logs_commit(1), KW_CODE_DENIED);
    CHECK_CODE(logs_commit(1), KW_CODE_DENIED);
    CHECK(chmod(logs.dir, 0750) == 0);
    CHECK_OK(logs_commit(1));
    CHECK_OK(logs_commit(1));
    logs_has_text("audit.jsonl", "\"kind\":\"tampered\",\"what\":\"moved\"");
    logs_has_text("audit.jsonl", "\"seq\":2,");
    struct kw_audit_log *second = NULL;
    CHECK_CODE(logs_open(&second), KW_CODE_BUSY);
}

TEST(file__with_a_second_name__tampered)
{
    CHECK(link(logs_path("audit.jsonl"), logs_path("elsewhere")) == 0);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gfts");
    CHECK_OK(logs_commit(1));
    logs_chain_is("gftss");
}

/* ---- a crash ----------------------------------------------------------------------------- */

TEST(open__bytes_behind_the_last_record__kept_cut_off_and_on_record)
{
    CHECK_OK(logs_commit(1));
    logs_append("audit.jsonl", "{\"seq\":2,\"time\":\"20");
    logs_reopen();
    logs_chain_is("gst");
    struct kw_blob torn = {0};
    CHECK_OK(kw_file_read(logs_path("audit-000000000002-0.torn"), 4096, &torn, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&torn), "{\"seq\":2,\"time\":\"20"));
    kw_blob_wipe(&torn);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsts");
}

/* Two lives end right behind the cut. */
TEST(open__crash_before_it_is_on_record__the_next_start_has_it)
{
    CHECK_OK(logs_commit(1));
    logs_append("audit.jsonl", "some bytes");
    logs_close();
    bad.write_error = EIO;
    bad.writes_left = 1;
    CHECK_CODE(logs_open(&logs.log), KW_CODE_IO);
    CHECK(logs_there_is("audit-000000000002-0.torn"));
    logs_append("audit.jsonl", "{\"seq\":2"); /* of its record */
    bad.writes_left = 1;
    CHECK_CODE(logs_open(&logs.log), KW_CODE_IO);
    CHECK(logs_there_is("audit-000000000002-1.torn"));
    bad.write_error = 0;
    logs_reopen();
    logs_chain_is("gstt");
    logs_has_text("audit.jsonl", "\"kind\":\"torn\",\"bytes\":10,");
    logs_has_text("audit.jsonl", "\"kind\":\"torn\",\"bytes\":8,");
    logs_reopen();
    logs_chain_is("gstt");
}

TEST(open__crash_between_two_that_are_on_record__the_next_start_has_the_second)
{
    CHECK_OK(logs_commit(1));
    logs_close();
    logs_append("audit-000000000002-0.torn", "one");
    logs_append("audit-000000000002-1.torn", "another");
    logs_reopen();
    logs_chain_is("gstt");
    logs_close();
    const long size = size_of("audit.jsonl");
    CHECK(truncate(logs_path("audit.jsonl"), size - 1) == 0);
    logs_reopen();
    logs_chain_is("gsttt");
    CHECK(logs_there_is("audit-000000000003-0.torn"));
    logs_has_text("audit.jsonl", "\"kind\":\"torn\",\"bytes\":7,");
}

TEST(open__crash_before_it_is_cut_off__kept_once)
{
    CHECK_OK(logs_commit(1));
    logs_close();
    logs_append("audit.jsonl", "some bytes");
    logs_append("audit-000000000002-0.torn", "some bytes");
    logs_reopen();
    logs_chain_is("gst");
    CHECK(!logs_there_is("audit-000000000002-1.torn"));
}

TEST(open__crash_before_a_file_is_begun_that_says_so__the_next_start_does)
{
    CHECK_OK(logs_commit(1));
    logs_close();
    CHECK(rename(logs_path("audit.jsonl"),
                 logs_path("audit-000000000000-000000000001.jsonl")) == 0);
    logs_append("audit-000000000002-0.torn", "one");
    logs_append("audit-000000000002-1.torn", "another");
    logs_reopen();
    logs_chain_is("gsftt");
    logs_reopen();
    logs_chain_is("gsftt");
}

TEST(open__a_changed_record__cut_off_from_there)
{
    CHECK_OK(logs_commit(3));
    struct kw_blob text = {0};
    CHECK_OK(kw_file_read(logs_path("audit.jsonl"), 1 << 20, &text, NULL));
    uint8_t *at = memmem(text.ptr, text.len, "\"seq\":2", 7);
    CHECK(at != NULL);
    const off_t offset = at - text.ptr + 6;
    kw_blob_wipe(&text);
    int fd = open(logs_path("audit.jsonl"), O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, "7", 1, offset) == 1 && close(fd) == 0);
    logs_reopen();
    logs_chain_is("gst");
    CHECK(logs_there_is("audit-000000000002-0.torn"));
}

TEST(open__between_two_files__goes_on_from_the_one_before)
{
    CHECK_OK(logs_commit(2));
    kw_audit_log_close(logs.log);
    logs.log = NULL;
    CHECK(rename(logs_path("audit.jsonl"),
                 logs_path("audit-000000000000-000000000002.jsonl")) == 0);
    CHECK_OK(logs_open(&logs.log));
    logs_chain_is("gssf");
    kw_audit_log_close(logs.log);
    logs.log = NULL;
    CHECK(truncate(logs_path("audit.jsonl"), 0) == 0); /* made, and not yet written */
    CHECK_OK(logs_open(&logs.log));
    logs_chain_is("gssf");
}

/* ---- refused ----------------------------------------------------------------------------- */

TEST(open__a_file_that_is_no_log__refused_and_left_alone)
{
    kw_audit_log_close(logs.log);
    logs.log = NULL;
    CHECK(truncate(logs_path("audit.jsonl"), 0) == 0);
    logs_append("audit.jsonl", "a diary\n");
    CHECK_CODE(logs_open(&logs.log), KW_CODE_FORGED);
    CHECK_HAS(logs.note.text, "put it aside");
    struct stat st;
    CHECK(stat(logs_path("audit.jsonl"), &st) == 0 && st.st_size == 8);
}

TEST(open__no_folder_or_writable_by_others__refused)
{
    kw_audit_log_close(logs.log);
    logs.log = NULL;
    CHECK(chmod(logs.dir, 0770) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_DENIED);
    CHECK_HAS(logs.note.text, "0750");
    CHECK(chmod(logs.dir, 0700) == 0 && chmod(logs_path("audit.jsonl"), 0660) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_DENIED);
    CHECK_HAS(logs.note.text, "0640");
    CHECK(unlink(logs_path("audit.jsonl")) == 0);
    CHECK(symlink("/dev/null", logs_path("audit.jsonl")) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_IO);
    char there[sizeof logs.dir];
    memcpy(there, logs.dir, sizeof logs.dir);
    snprintf(logs.dir, sizeof logs.dir, "/tmp/keyward-audit-none");
    CHECK_CODE(logs_open(&logs.log), KW_CODE_MISSING);
    memcpy(logs.dir, there, sizeof logs.dir);
}

TEST(open__under_another_name__a_log_of_its_own_beside_it)
{
    struct kw_audit_log *audit = logs.log, *other = NULL;
    struct kw_audit_head first, second;
    kw_audit_log_head(audit, &first);
    logs.name = "operator";
    CHECK_OK(logs_open(&logs.log));
    kw_audit_log_head(logs.log, &second);
    CHECK(!kw_span_equal(kw_span_of(first.log, KW_SHA256),
                         kw_span_of(second.log, KW_SHA256)));
    CHECK_CODE(logs_open(&other), KW_CODE_BUSY);
    CHECK_HAS(logs.note.text, "writes operator.jsonl");
    CHECK_OK(logs_commit(1));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    logs_chain_is("gsfs");
    CHECK(rename(logs_path("operator.jsonl"),
                 logs_path("operator-000000000002-000000000003.jsonl")) == 0);
    logs_reopen(); /* as after a crash between the two */
    logs_chain_is("gsfsf");
    logs_close();
    logs.log = audit;
    logs.name = NULL;
    CHECK_OK(logs_commit(1));
    logs_chain_is("gs");
}

/* ---- checkpoints ------------------------------------------------------------------------- */

static struct kw_audit_record a_checkpoint(void)
{
    static const struct kw_checkpoint what = {.node = "node-1", .time_us = 1};
    struct kw_audit_record r;
    kw_audit_checkpoint_record(&what, &r);
    return r;
}

/* What it covers is what was before it, whatever that is by then. */
static void checkpoint_covers(size_t before, uint64_t covered, uint64_t records)
{
    struct kw_audit_record r[4] = {{0}};
    for (size_t i = 0; i < before; i++) {
        r[i].kind = KW_AUDIT_STOP;
        r[i].value[KW_AUDIT_STOP_REASON] = kw_audit_text("test");
    }
    r[before] = a_checkpoint();
    CHECK_OK(kw_audit_log_commit(logs.log, r, before + 1));
    assert_int_equal(r[before].value[KW_AUDIT_CHECKPOINT_COVERED].number, covered);
    CHECK(!r[before].value[KW_AUDIT_CHECKPOINT_RECORDS].is_null);
    assert_int_equal(r[before].value[KW_AUDIT_CHECKPOINT_RECORDS].number, records);
}

TEST(checkpoint__covers_the_record_before_it_and_counts_those_since_the_last)
{
    checkpoint_covers(0, 0, 1); /* the genesis */
    checkpoint_covers(2, 3, 3); /* with the checkpoint before */
    logs_reopen();
    checkpoint_covers(1, 5, 2);
    kw_audit_log_rotate(logs.log);
    checkpoint_covers(0, 7, 2); /* the other, and file */
    logs_chain_is("gcsscscfc");
}

TEST(checkpoint__in_a_file_that_has_none__does_not_know_how_many)
{
    struct kw_audit_record r = a_checkpoint();
    checkpoint_covers(0, 0, 1);
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    logs_reopen();
    CHECK_OK(kw_audit_log_commit(logs.log, &r, 1));
    CHECK(r.value[KW_AUDIT_CHECKPOINT_RECORDS].is_null);
    logs_chain_is("gcfsc");
}

/* Tried anew it covers what is before it then. */
TEST(checkpoint__that_the_disk_did_not_take__covers_as_if_it_never_was)
{
    struct kw_audit_record r = a_checkpoint();
    bad.write_error = ENOSPC;
    CHECK_CODE(kw_audit_log_commit(logs.log, &r, 1), KW_CODE_IO);
    bad.write_error = 0;
    checkpoint_covers(1, 1, 2);
    logs_chain_is("gsc");
}

KW_SUITE_AROUND("provider/audit/log", begin, logs_end)
