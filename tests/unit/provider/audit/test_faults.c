/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full, or fails: whichever call it is, and however many after it, what a
 * commit said is in the log is, the files are one chain, and when the disk is well again
 * the log goes on. */
#include "logs.h"
#include "numbered.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"

/* ---- the disk -------------------------------------------------------------------------- */

static struct {
    unsigned calls;
    unsigned first, past; /* those of these numbers fail */
    int error;
    bool is_full; /* only what needs room fails, and a write comes half as far before */
} fault;

static bool fault_hits(void)
{
    const unsigned call = fault.calls++;
    errno = fault.error;
    return call >= fault.first && call < fault.past;
}

static int fault_create(int dir, const char *name)
{
    return fault_hits() ? -1 : kw_audit_disk_system.create(dir, name);
}

static ssize_t fault_write(int fd, const void *bytes, size_t len)
{
    if (!fault_hits())
        return kw_audit_disk_system.write(fd, bytes, len);
    if (len < 2)
        return -1;
    (void)!write(fd, bytes, len / 2); /* it comes to the file, whatever is said */
    errno = fault.error;
    return fault.is_full ? (ssize_t)(len / 2) : -1;
}

static int fault_truncate(int fd, off_t size)
{
    return !fault.is_full && fault_hits() ? -1 : kw_audit_disk_system.truncate(fd, size);
}

static int fault_sync(int fd)
{
    (void)fd;
    return !fault.is_full && fault_hits() ? -1 : 0;
}

static int fault_rename(int from_dir, const char *from, int to_dir, const char *to)
{
    return !fault.is_full && fault_hits()
               ? -1
               : kw_audit_disk_system.rename(from_dir, from, to_dir, to);
}

static int fault_remove(int dir, const char *name)
{
    return !fault.is_full && fault_hits() ? -1 : kw_audit_disk_system.remove(dir, name);
}

static int fault_sync_folder(int dir)
{
    (void)dir;
    return !fault.is_full && fault_hits() ? -1 : 0;
}

static const struct kw_audit_disk disk = {.create = fault_create,
                                          .write = fault_write,
                                          .truncate = fault_truncate,
                                          .sync = fault_sync,
                                          .rename = fault_rename,
                                          .remove = fault_remove,
                                          .sync_folder = fault_sync_folder};

/* ---- a log that goes through it -------------------------------------------------------- */

static void begin(void)
{
    memset(&fault, 0, sizeof fault);
    numbered_begin();
    logs_begin();
    logs.disk = &disk;
    logs.keeps_lines = true;
    logs_reopen();
}

/* A few commits, with files that end in between; how many failed. */
static unsigned some_commits(void)
{
    unsigned failed = 0;
    for (unsigned i = 0; i < 12; i++) {
        if (i % 4 == 2)
            kw_audit_log_rotate(logs.log);
        failed += kw_failed(numbered_commit(logs.log, 1 + i % 3));
        logs_take();
    }
    return failed;
}

static void holds(unsigned first, unsigned count)
{
    if (!numbered_hold(logs.dir))
        fail_msg("calls %u to %u: %s", first, first + count - 1, numbered.wrong);
    logs_take();
    if (!logs_taken_hold())
        fail_msg("calls %u to %u: other lines were taken", first, first + count - 1);
}

/* The calls from `first` on fail, `count` of them; false when there are not so many. */
static bool through(unsigned first, unsigned count)
{
    const int error = fault.error;
    const bool is_full = fault.is_full;
    begin();
    fault.error = error;
    fault.is_full = is_full;
    fault.calls = 0;
    fault.first = first;
    fault.past = first + count;
    const unsigned failed = some_commits();
    const bool was_hit = fault.calls > first;
    fault.first = fault.past = 0;
    if (was_hit && failed == 0 && fault.error == EIO)
        fail_msg("calls %u to %u: no commit told", first, first + count - 1);
    CHECK_OK(numbered_commit(logs.log, 2));
    holds(first, count);
    logs_reopen();
    CHECK_OK(numbered_commit(logs.log, 1));
    holds(first, count);
    logs_end();
    return was_hit;
}

static void through_all(unsigned count)
{
    unsigned first = 0;
    logs_end();
    while (through(first, count))
        first++;
    assert_in_range(first, 15, 500);
    begin();
}

TEST(disk__fails_once__at_each_call)
{
    fault.error = EIO;
    through_all(1);
}

TEST(disk__fails_a_few_times__from_each_call_on)
{
    fault.error = EIO;
    for (unsigned count = 2; count < 8; count++)
        through_all(count);
}

TEST(disk__full_for_a_while__from_each_call_on)
{
    fault.error = ENOSPC;
    fault.is_full = true;
    for (unsigned count = 1; count < 8; count++)
        through_all(count);
}

/* ---- for ever -------------------------------------------------------------------------- */

static unsigned files_in_folder(void)
{
    unsigned count = 0;
    DIR *dir = opendir(logs.dir);
    CHECK(dir != NULL);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;)
        count += d->d_name[0] != '.' && strcmp(d->d_name, "audit.lock") != 0;
    closedir(dir);
    return count;
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Neither files nor descriptors pile up, and each commit says so. */
static void for_ever(int error, bool is_full)
{
    fault.error = error;
    fault.is_full = is_full;
    CHECK_OK(numbered_commit(logs.log, 1));
    const unsigned before = open_files();
    fault.past = UINT32_MAX;
    for (unsigned i = 0; i < 50; i++) {
        kw_err e = numbered_commit(logs.log, 2);
        CHECK_CODE(e, KW_CODE_IO);
        assert_int_equal(e.native, error);
        CHECK(files_in_folder() <= 2);
    }
    CHECK(open_files() <= before);
    fault.past = 0;
    CHECK_OK(numbered_commit(logs.log, 1));
    holds(0, 50);
}

TEST(disk__fails_for_ever__told_each_time_and_nothing_piles_up)
{
    for_ever(EIO, false);
}

TEST(disk__full_for_ever__told_each_time_and_nothing_piles_up)
{
    for_ever(ENOSPC, true);
    assert_int_equal(files_in_folder(), 1); /* the same one goes on */
}

TEST(disk__fails_while_a_file_ends__one_file_ends_and_no_other)
{
    char names[16][64];
    CHECK_OK(numbered_commit(logs.log, 1));
    kw_audit_log_rotate(logs.log);
    fault.error = EIO;
    fault.first = fault.calls;
    fault.past = fault.calls + 1;
    CHECK_CODE(numbered_commit(logs.log, 1), KW_CODE_IO);
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(numbered_commit(logs.log, 1));
    assert_int_equal(logs_names(names), 2);
    holds(0, 1);
}

TEST(disk__full_while_a_file_ends__told_each_time_and_the_next_one_follows)
{
    kw_audit_log_rotate(logs.log);
    for_ever(ENOSPC, true);
}

KW_SUITE_AROUND("provider/audit/faults", begin, logs_end)
