/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of evidence, and the logs that are copied into it. */
#include "evidence_log.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static char base[64];
static struct kw_evidence_folder folder;
static struct kw_note note;

static const char *in_base(const char *name)
{
    static char paths[4][160];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

static void begin(void)
{
    snprintf(base, sizeof base, "/tmp/keyward-evidence-XXXXXX");
    CHECK(mkdtemp(base) != NULL);
    CHECK(mkdir(in_base("log"), 0750) == 0);
    note = (struct kw_note){{0}};
    CHECK_OK(kw_evidence_folder_make(in_base("out"), &folder, &note));
}

/* Nothing but what is named is in the way of the folders' end. */
static void end(void)
{
    kw_evidence_folder_remove(&folder);
    CHECK(access(in_base("out"), F_OK) != 0 && errno == ENOENT);
    CHECK(rmdir(in_base("log")) == 0 && rmdir(base) == 0);
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(in_base(name), kw_span_str(text), 0640, NULL));
}

static bool holds(const char *name, const char *text)
{
    struct kw_blob blob = {0};
    CHECK_OK(kw_file_read(in_base(name), 1 << 20, &blob, NULL));
    const bool same = kw_span_equal_str(kw_blob_peek(&blob), text);
    kw_blob_wipe(&blob);
    return same;
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    CHECK(lstat(in_base(name), &st) == 0);
    return st.st_mode & 07777;
}

static const char *listed(size_t i, const char *member)
{
    return json_string_value(json_object_get(json_array_get(folder.files, i), member));
}

/* ---- the folder ---- */

TEST(make__something_of_the_name_is_there__denied_and_untouched)
{
    struct kw_evidence_folder other = KW_EVIDENCE_FOLDER_NONE;
    begin();
    put("file", "mine");
    CHECK(symlink("/nonexistent", in_base("link")) == 0);
    CHECK(mkdir(in_base("empty"), 0755) == 0);
    static const char *const names[] = {"file", "link", "empty", "out"};
    for (size_t i = 0; i < 4; i++) {
        CHECK_CODE(kw_evidence_folder_make(in_base(names[i]), &other, &note),
                   KW_CODE_DENIED);
        CHECK_HAS(note.text, "is there already");
        CHECK(other.fd == -1);
    }
    CHECK(holds("file", "mine") && mode_of("empty") == 0755);
    CHECK(unlink(in_base("file")) == 0 && unlink(in_base("link")) == 0);
    CHECK(rmdir(in_base("empty")) == 0);
    end();
}

TEST(make__no_folder_above__io_and_nothing_made)
{
    struct kw_evidence_folder other = KW_EVIDENCE_FOLDER_NONE;
    begin();
    CHECK_CODE(kw_evidence_folder_make(in_base("none/out"), &other, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "none/out: not written: ");
    end();
}

TEST(put__name_is_taken__io_and_the_first_stays)
{
    begin();
    CHECK_OK(kw_evidence_put(&folder, "a", kw_span_str("one"), &note));
    CHECK_CODE(kw_evidence_put(&folder, "a", kw_span_str("two"), &note), KW_CODE_IO);
    CHECK(holds("out/a", "one") && json_array_size(folder.files) == 1);
    end();
}

TEST(put_json__no_document__no_memory_and_no_file)
{
    begin();
    CHECK_CODE(kw_evidence_put_json(&folder, "a", NULL, &note), KW_CODE_NO_MEMORY);
    CHECK(access(in_base("out/a"), F_OK) != 0);
    end();
}

TEST(copy__source_ends_before__told_and_nothing_left)
{
    bool is_unread = false;
    begin();
    put("log/x", "short");
    const int fd = open(in_base("log/x"), O_RDONLY | O_CLOEXEC);
    CHECK_CODE(kw_evidence_copy(&folder, "x", fd, 6, &is_unread, &note), KW_CODE_IO);
    CHECK(is_unread && access(in_base("out/x"), F_OK) != 0);
    CHECK(json_array_size(folder.files) == 0);
    close(fd);
    CHECK(unlink(in_base("log/x")) == 0);
    end();
}

TEST(put__whatever_the_umask__0600_in_0700_and_listed_as_it_lies_there)
{
    const mode_t old = umask(0);
    begin();
    CHECK_OK(kw_evidence_put(&folder, "a", kw_span_str("abc"), &note));
    CHECK_OK(kw_evidence_folder_inside(&folder, "audit", &note));
    CHECK_OK(kw_evidence_put_json(&folder, "audit/b", json_pack("{s:i}", "n", 1), &note));
    CHECK_OK(kw_evidence_folder_sync(&folder, &note));
    umask(old);
    CHECK(mode_of("out") == 0700 && mode_of("out/audit") == 0700);
    CHECK(mode_of("out/a") == 0600 && mode_of("out/audit/b") == 0600);
    CHECK(holds("out/audit/b", "{\n  \"n\": 1\n}\n"));
    CHECK_STR(listed(0, "name"), "a");
    /* FIPS 180-2, appendix B.1 */
    CHECK_STR(listed(0, "sha256"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(listed(1, "name"), "audit/b");
    CHECK(json_integer_value(json_object_get(json_array_get(folder.files, 0), "size")) ==
          3);
    end();
}

TEST(put__name_with_folders__made_as_it_needs_them_and_removed_again)
{
    const mode_t old = umask(0);
    begin();
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/a", kw_span_str("1"), &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-2/audit/b", kw_span_str("2"), &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/c", kw_span_str("3"), &note));
    umask(old);
    CHECK(json_array_size(folder.folders) == 4 && json_array_size(folder.files) == 3);
    CHECK(mode_of("out/nodes") == 0700 && mode_of("out/nodes/cp-2/audit") == 0700);
    CHECK(holds("out/nodes/cp-2/audit/b", "2") && holds("out/nodes/cp-1/c", "3"));
    CHECK_OK(kw_evidence_folder_sync(&folder, &note));
    end();
}

TEST(put__folder_is_a_file_or_has_a_file_of_the_name__io_and_all_removed)
{
    begin();
    CHECK_OK(kw_evidence_put(&folder, "nodes/a", kw_span_str("1"), &note));
    CHECK_CODE(kw_evidence_put(&folder, "nodes/a/b", kw_span_str("2"), &note),
               KW_CODE_IO);
    CHECK_HAS(note.text, "nodes/a: not written: ");
    CHECK_CODE(kw_evidence_put(&folder, "nodes", kw_span_str("2"), &note), KW_CODE_IO);
    CHECK_CODE(kw_evidence_put(&folder, "new//b", kw_span_str("2"), &note), KW_CODE_IO);
    CHECK(holds("out/nodes/a", "1") && json_array_size(folder.files) == 1);
    end();
}

/* ---- the logs ---- */

static struct kw_evidence_log copied;

static void copy_log(const char *name)
{
    CHECK_OK(kw_evidence_folder_inside(&folder, "audit", &note));
    CHECK_OK(kw_evidence_log(&folder, in_base("log"), name, &copied, &note));
}

#define ENDED_1 "audit-000000000000-000000000001.jsonl"
#define ENDED_2 "audit-000000000002-000000000003.jsonl"

TEST(log__no_folder__said_and_nothing_copied)
{
    begin();
    CHECK_OK(kw_evidence_folder_inside(&folder, "audit", &note));
    CHECK_OK(kw_evidence_log(&folder, in_base("none"), "audit", &copied, &note));
    CHECK(copied.files == 0);
    CHECK_HAS(copied.why.text, "/none: No such file or directory");
    end();
}

TEST(log__links_and_pipes_in_its_place__said_and_not_followed)
{
    begin();
    put("secret", "not of the log\n");
    CHECK(symlink(in_base("secret"), in_base("log/audit.jsonl")) == 0);
    CHECK(mkfifo(in_base("log/" ENDED_1), 0640) == 0);
    put("log/" ENDED_2, "{}\n");
    copy_log("audit");
    CHECK(copied.files == 1 && holds("out/audit/" ENDED_2, "{}\n"));
    CHECK_HAS(copied.why.text, "log/audit.jsonl: a symbolic link");
    CHECK(access(in_base("out/audit/audit.jsonl"), F_OK) != 0);
    CHECK(unlink(in_base("log/audit.jsonl")) == 0 &&
          unlink(in_base("log/" ENDED_1)) == 0 && unlink(in_base("log/" ENDED_2)) == 0 &&
          unlink(in_base("secret")) == 0);
    end();
}

/* A hard link to what only root may read would be such a file. */
TEST(log__file_of_another_user__said_and_not_copied)
{
    kw_test_as_root();
    begin();
    put("log/audit.jsonl", "not of the log\n");
    CHECK(chown(in_base("log"), 65534, 65534) == 0);
    copy_log("audit");
    CHECK(copied.files == 0);
    CHECK_HAS(copied.why.text, "belongs to another user than its folder does");
    CHECK(unlink(in_base("log/audit.jsonl")) == 0);
    end();
}

TEST(log__record_half_written__left_out_and_ended_files_whole)
{
    begin();
    put("log/" ENDED_1, "a\nb"); /* what an ended file has is evidence as it is */
    put("log/audit.jsonl", "c\nd\nhal");
    put("log/audit-000000000002-0.torn", "torn");
    put("log/operator.jsonl", "o\n");
    copy_log("audit");
    CHECK(copied.files == 2 && copied.why.text[0] == '\0');
    CHECK(holds("out/audit/" ENDED_1, "a\nb") &&
          holds("out/audit/audit.jsonl", "c\nd\n"));
    CHECK(access(in_base("out/audit/operator.jsonl"), F_OK) != 0);
    CHECK_OK(kw_evidence_log(&folder, in_base("log"), "operator", &copied, &note));
    CHECK(copied.files == 1 && holds("out/audit/operator.jsonl", "o\n"));
    CHECK(unlink(in_base("log/" ENDED_1)) == 0 &&
          unlink(in_base("log/audit.jsonl")) == 0 &&
          unlink(in_base("log/audit-000000000002-0.torn")) == 0 &&
          unlink(in_base("log/operator.jsonl")) == 0);
    end();
}

TEST(log__no_whole_record_or_long_ones__as_much_as_ends_with_a_line_feed)
{
    static char text[200 * 1024], want[sizeof text];
    begin();
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = i == 70 * 1024 ? '\n' : 'x';
    snprintf(want, sizeof want, "%.*s", 70 * 1024 + 1, text);
    put("log/audit.jsonl", text);
    put("log/operator.jsonl", "half");
    copy_log("audit");
    CHECK(copied.files == 1 && holds("out/audit/audit.jsonl", want));
    CHECK_OK(kw_evidence_log(&folder, in_base("log"), "operator", &copied, &note));
    CHECK(holds("out/audit/operator.jsonl", ""));
    CHECK(unlink(in_base("log/audit.jsonl")) == 0 &&
          unlink(in_base("log/operator.jsonl")) == 0);
    end();
}

/* Its new name is seen, and what came behind it is of a later moment. */
TEST(log__running_file_ends_meanwhile__once_and_nothing_later)
{
    begin();
    put("log/" ENDED_1, "a\n");
    CHECK(link(in_base("log/" ENDED_1), in_base("log/audit.jsonl")) == 0);
    put("log/" ENDED_2, "later\n");
    copy_log("audit");
    CHECK(copied.files == 1 && copied.why.text[0] == '\0');
    CHECK(holds("out/audit/audit.jsonl", "a\n"));
    CHECK(unlink(in_base("log/" ENDED_1)) == 0 && unlink(in_base("log/" ENDED_2)) == 0 &&
          unlink(in_base("log/audit.jsonl")) == 0);
    end();
}

KW_SUITE("provider/cli/evidence_folder")
