/* SPDX-License-Identifier: Apache-2.0 */
/* A log that is not as it is remembered outside its folder says so, whoever did it. */
#include "logs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

#define OTHER "cccccccccccccccccccccccccccccccc"

static struct kw_audit_head head; /* of what is remembered */

/* g, four stops and the memory of all of it. */
static void begin(void)
{
    logs_begin();
    logs.remembers = true;
    logs.machine = LOGS_MACHINE;
    logs_reopen();
    CHECK_OK(logs_commit(4));
    CHECK_OK(kw_audit_log_remember(logs.log));
    kw_audit_log_head(logs.log, &head);
}

/* audit-0-4, audit-5-7 and audit.jsonl from 8 to 9; all of it is remembered. */
static void three_files(void)
{
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(2));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    CHECK_OK(kw_audit_log_remember(logs.log));
    kw_audit_log_head(logs.log, &head);
}

static void lost_is(const char *name)
{
    char text[192], id[2 * KW_SHA256 + 1], hash[2 * KW_SHA256 + 1];
    kw_hex(id, sizeof id, kw_span_of(head.log, KW_SHA256));
    kw_hex(hash, sizeof hash, kw_span_of(head.hash, KW_SHA256));
    snprintf(text, sizeof text, "\"log\":\"%s\",\"last\":%d,\"head\":\"%s\"", id,
             (int)head.next_seq - 1, hash);
    logs_has_text(name, text);
}

static void before_is(const char *name, const uint8_t log[KW_SHA256])
{
    char text[96], id[2 * KW_SHA256 + 1];
    kw_hex(id, sizeof id, kw_span_of(log, KW_SHA256));
    snprintf(text, sizeof text, "\"before\":\"%s\"", id);
    logs_has_text(name, text);
}

static bool is_same_log(void)
{
    struct kw_audit_head now;
    kw_audit_log_head(logs.log, &now);
    return memcmp(now.log, head.log, KW_SHA256) == 0;
}

/* What was said once is not said again. */
static void stays(const char *kinds)
{
    logs_chain_is(kinds);
    logs_reopen();
    logs_chain_is(kinds);
}

static void copy(const char *from, const char *to)
{
    struct kw_blob text = {0};
    CHECK_OK(kw_file_read(from, 1 << 20, &text, NULL));
    CHECK_OK(kw_file_replace(to, kw_blob_peek(&text), 0640, NULL));
    kw_blob_wipe(&text);
}

static void empty_folder(void)
{
    char name[16][64];
    for (size_t i = 0, n = logs_names(name); i < n; i++)
        CHECK(unlink(logs_path(name[i])) == 0);
}

/* audit-ID-I, the folder of a log that was put aside, and a file in it. */
static const char *aside(const uint8_t log[KW_SHA256], const char *name)
{
    static char path[160];
    char id[2 * 8 + 1];
    kw_hex(id, sizeof id, kw_span_of(log, 8));
    snprintf(path, sizeof path, "audit-%s-0/%s", id, name);
    return path;
}

/* ---- nothing is lost ------------------------------------------------------------------- */

TEST(open__as_remembered_or_longer__nothing_to_say)
{
    stays("gssss");
    CHECK_OK(logs_commit(2));
    stays("gssssss");
}

TEST(open__three_files_as_remembered__nothing_to_say)
{
    three_files();
    stays("gssssfssfs");
}

TEST(open__remembered_record_in_a_file_before__nothing_to_say)
{
    struct kw_audit_head before = head;
    char old[128];
    snprintf(old, sizeof old, "%s.old", logs.memory);
    copy(logs.memory, old);
    three_files();
    CHECK(rename(old, logs.memory) == 0);
    head = before;
    stays("gssssfssfs");
}

TEST(open__files_before_in_an_archive__nothing_to_say)
{
    three_files();
    CHECK(unlink(logs_path("audit-000000000000-000000000004.jsonl")) == 0);
    CHECK(unlink(logs_path("audit-000000000005-000000000007.jsonl")) == 0);
    logs_reopen();
    CHECK_OK(logs_commit(1));
    CHECK(is_same_log());
    struct kw_audit_head now;
    kw_audit_log_head(logs.log, &now);
    assert_int_equal(now.next_seq, head.next_seq + 1);
}

TEST(open__nothing_remembered_yet__goes_on_and_is_remembered)
{
    struct stat st;
    CHECK(unlink(logs.memory) == 0);
    stays("gssss");
    CHECK(stat(logs.memory, &st) == 0 && (st.st_mode & 07777) == 0600);
}

/* ---- something is lost ----------------------------------------------------------------- */

TEST(folder_emptied__new_log_that_names_the_one_before)
{
    empty_folder();
    logs_reopen();
    stays("gl");
    CHECK(!is_same_log());
    lost_is("audit.jsonl");
    before_is("audit.jsonl", head.log);
}

TEST(last_file_removed__goes_on_and_says_so)
{
    three_files();
    CHECK(unlink(logs_path("audit.jsonl")) == 0);
    logs_reopen();
    stays("gssssfssfl");
    CHECK(is_same_log());
    lost_is("audit.jsonl");
}

TEST(file_cut_at_a_records_end__goes_on_and_says_so)
{
    char line[KW_AUDIT_LINE_MAX + 1];
    FILE *file = fopen(logs_path("audit.jsonl"), "re");
    CHECK(file != NULL);
    for (int i = 0; i < 3; i++)
        CHECK(fgets(line, sizeof line, file) != NULL);
    const long size = ftell(file);
    CHECK(fclose(file) == 0 && truncate(logs_path("audit.jsonl"), size) == 0);
    logs_reopen();
    stays("gssl");
    CHECK(is_same_log());
    lost_is("audit.jsonl");
}

TEST(file_cut_within_a_record__torn_and_lost)
{
    struct stat st;
    CHECK(stat(logs_path("audit.jsonl"), &st) == 0);
    CHECK(truncate(logs_path("audit.jsonl"), st.st_size - 10) == 0);
    logs_reopen();
    stays("gssstl");
    lost_is("audit.jsonl");
}

TEST(older_copy_put_back__goes_on_and_says_so)
{
    copy(logs_path("audit.jsonl"), logs_path("copy"));
    CHECK_OK(logs_commit(3));
    CHECK_OK(kw_audit_log_remember(logs.log));
    kw_audit_log_head(logs.log, &head);
    CHECK(rename(logs_path("copy"), logs_path("audit.jsonl")) == 0);
    logs_reopen();
    stays("gssssl");
    CHECK(is_same_log());
    lost_is("audit.jsonl");
}

/* Without the memory it goes on unseen; as long as it was, it still holds another record. */
static void copy_that_went_on(void)
{
    copy(logs_path("audit.jsonl"), logs_path("copy"));
    CHECK_OK(logs_commit(1));
    CHECK_OK(kw_audit_log_remember(logs.log));
    kw_audit_log_head(logs.log, &head);
    CHECK(rename(logs_path("copy"), logs_path("audit.jsonl")) == 0);
    logs.remembers = false;
    logs_reopen();
    CHECK_OK(logs_commit(3));
    logs.remembers = true;
}

TEST(older_copy_went_on__lost_although_longer)
{
    copy_that_went_on();
    logs_reopen();
    stays("gsssssssl");
    lost_is("audit.jsonl");
}

TEST(older_copy_went_on_into_other_files__lost)
{
    copy_that_went_on();
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    logs_reopen();
    stays("gsssssssfsfsl");
    lost_is("audit.jsonl");
}

TEST(log_of_another_id__put_aside_and_a_new_one)
{
    struct kw_audit_head other;
    empty_folder();
    logs.remembers = false;
    logs_reopen();
    CHECK_OK(logs_commit(1));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    kw_audit_log_head(logs.log, &other);
    logs.remembers = true;
    logs_reopen();
    stays("gl");
    CHECK(!is_same_log());
    lost_is("audit.jsonl");
    before_is("audit.jsonl", head.log);
    CHECK(logs_there_is(aside(other.log, "audit-000000000000-000000000001.jsonl")));
    CHECK(logs_there_is(aside(other.log, "audit-000000000002-000000000003.jsonl")));
}

/* A crash came between the new log's genesis and the memory of it. */
TEST(new_log_not_remembered_yet__goes_on_and_says_so_again)
{
    char old[128];
    snprintf(old, sizeof old, "%s.old", logs.memory);
    copy(logs.memory, old);
    empty_folder();
    logs_reopen();
    CHECK(rename(old, logs.memory) == 0);
    logs_reopen();
    stays("gll");
}

/* ---- another machine ------------------------------------------------------------------- */

TEST(other_machine__new_log_names_the_old_one_and_that_is_put_aside)
{
    logs.machine = OTHER;
    logs_reopen();
    stays("g");
    CHECK(!is_same_log());
    before_is("audit.jsonl", head.log);
    CHECK(logs_there_is(aside(head.log, "audit-000000000000-000000000004.jsonl")));
    CHECK_OK(logs_commit(1));
    stays("gs");
}

TEST(other_machine__all_files_of_the_old_log_go_together)
{
    three_files();
    logs_append("audit.jsonl", "torn");
    logs.machine = OTHER;
    logs_reopen();
    stays("g");
    CHECK(logs_there_is(aside(head.log, "audit-000000000000-000000000004.jsonl")));
    CHECK(logs_there_is(aside(head.log, "audit-000000000005-000000000007.jsonl")));
    CHECK(logs_there_is(aside(head.log, "audit-000000000008-000000000009.jsonl")));
}

TEST(other_machine__genesis_in_an_archive__known_from_the_memory)
{
    three_files();
    CHECK(unlink(logs_path("audit-000000000000-000000000004.jsonl")) == 0);
    logs.machine = OTHER;
    logs_reopen();
    stays("g");
    before_is("audit.jsonl", head.log);
}

TEST(other_machine__nothing_remembered__known_from_the_genesis)
{
    three_files();
    CHECK(unlink(logs.memory) == 0);
    logs.machine = OTHER;
    logs_reopen();
    stays("g");
    before_is("audit.jsonl", head.log);
}

TEST(other_machine_and_shorter__lost_too)
{
    three_files();
    CHECK(unlink(logs_path("audit.jsonl")) == 0);
    logs.machine = OTHER;
    logs_reopen();
    stays("gl");
    lost_is("audit.jsonl");
    before_is("audit.jsonl", head.log);
}

TEST(machine_not_known_now__goes_on_and_is_not_forgotten)
{
    three_files();
    CHECK(unlink(logs_path("audit-000000000000-000000000004.jsonl")) == 0);
    logs.machine = NULL;
    logs_reopen();
    CHECK(is_same_log());
    logs.machine = OTHER;
    logs_reopen();
    CHECK(!is_same_log());
}

/* ---- the memory itself ----------------------------------------------------------------- */

TEST(memory_damaged__refused_with_file_and_way_out)
{
    logs_close();
    CHECK(truncate(logs.memory, 100) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_BAD_INPUT);
    CHECK_HAS(logs.note.text, logs.memory);
    CHECK_HAS(logs.note.text, "put back a good copy, or remove it");
    CHECK(truncate(logs.memory, 0) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_BAD_INPUT);
    CHECK(truncate(logs.memory, 4096) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_BAD_INPUT);
    CHECK_HAS(logs.note.text, "remove it");
    CHECK(unlink(logs.memory) == 0 && mkdir(logs.memory, 0700) == 0);
    CHECK_CODE(logs_open(&logs.log), KW_CODE_BAD_INPUT);
    CHECK_HAS(logs.note.text, "remove it");
    CHECK(rmdir(logs.memory) == 0);
    logs_reopen();
    logs_chain_is("gssss");
}

/* It keeps nobody from going on. */
TEST(memory_cannot_be_written__told_by_remember)
{
    snprintf(logs.memory, sizeof logs.memory, "/tmp/keyward-audit-none/memory");
    logs_close();
    CHECK_OK(logs_open(&logs.log));
    CHECK_CODE(kw_audit_log_remember(logs.log), KW_CODE_IO);
    logs.remembers = false;
    logs_reopen();
    CHECK_OK(kw_audit_log_remember(logs.log)); /* nothing to do */
    logs_chain_is("gssss");
}

KW_SUITE_AROUND("provider/audit/remember", begin, logs_end)
