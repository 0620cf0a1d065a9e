/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a log in the place of its files: keyward audit verify, and show. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "run.h"

enum { FILES = 40 }; /* more than a command line takes */

static struct kw_run r;
static char dir[64];
static struct kw_blob text[2]; /* of the golden log's files */

static const char *in_dir(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* The last of them are one line each, those before are empty. */
static const char *ended(unsigned i)
{
    static char name[64];
    snprintf(name, sizeof name, "audit-%012u-%012u.jsonl", i, i);
    return name;
}

static void put(const char *name, kw_span bytes)
{
    CHECK_OK(kw_file_replace(in_dir(name), bytes, 0644, NULL));
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-files-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    CHECK_OK(kw_file_read(KW_VECTORS "/audit-genesis.jsonl", 1 << 16, &text[0], NULL));
    CHECK_OK(kw_file_read(KW_VECTORS "/audit-later.jsonl", 1 << 16, &text[1], NULL));
    struct kw_src src = kw_src_of(kw_blob_peek(&text[0]));
    for (unsigned i = 0; i < FILES; i++) {
        const kw_span left = kw_src_rest(&src);
        const uint8_t *feed = i < FILES - 6 ? NULL : memchr(left.ptr, '\n', left.len);
        const size_t len = feed == NULL ? 0 : (size_t)(feed - left.ptr) + 1;
        put(ended(i), kw_src_take(&src, len));
    }
    CHECK(kw_src_done(&src));
}

static void end(void)
{
    for (unsigned i = 0; i < FILES; i++)
        (void)unlink(in_dir(ended(i)));
    (void)unlink(in_dir("audit.jsonl"));
    (void)unlink(in_dir("operator.jsonl"));
    (void)unlink(in_dir("audit-000000000006-0.torn"));
    CHECK(rmdir(dir) == 0);
    kw_blob_wipe(&text[0]);
    kw_blob_wipe(&text[1]);
}

static void verify(void)
{
    kw_run(&r, (const char *const[]){KEYWARD, "audit", "verify", dir, NULL});
}

/* The other one, with an option behind the folder. */
static void verify_too(void)
{
    kw_run(&r, (const char *const[]){KW_VECTORS "/verify-audit", dir, "--key",
                                     KW_VECTORS "/audit.pem", NULL});
}

TEST(folder__all_its_files_in_their_order_and_nothing_else)
{
    put("audit.jsonl", kw_blob_peek(&text[1]));
    put("operator.jsonl", kw_span_str("of another log\n"));
    put("audit-000000000006-0.torn", kw_span_str("torn"));
    verify();
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "records    0 to 24\n");
    verify_too();
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "whole: records 0 to 24,");
    kw_run(&r, (const char *const[]){KEYWARD, "audit", "show", dir, "--json", NULL});
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "{\"seq\":0,");
    CHECK_HAS(r.out, "{\"seq\":24,");
}

TEST(folder__of_ended_files_alone__read)
{
    verify();
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "records    0 to 5\n");
    verify_too();
    CHECK_HAS(r.out, "whole: records 0 to 5,");
}

/* Its new name was seen, and what was opened is the same. */
static void ended_meanwhile(unsigned i, const char *want, const char *too)
{
    char path[160];
    snprintf(path, sizeof path, "%s", in_dir(ended(i)));
    CHECK(link(path, in_dir("audit.jsonl")) == 0);
    verify();
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, want);
    verify_too();
    CHECK_HAS(r.out, too);
    CHECK(unlink(in_dir("audit.jsonl")) == 0);
}

TEST(folder__the_running_file_ends_meanwhile__read_once_and_what_came_then_is_not)
{
    ended_meanwhile(FILES - 1, "records    0 to 5\n", "whole: records 0 to 5,");
    ended_meanwhile(FILES - 2, "records    0 to 4\n", "whole: records 0 to 4,");
    ended_meanwhile(FILES - 4, "records    0 to 2\n", "whole: records 0 to 2,");
}

TEST(folder__broken__the_file_in_it_is_named)
{
    CHECK(unlink(in_dir(ended(FILES - 2))) == 0);
    verify();
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, in_dir(ended(FILES - 1)));
    CHECK_HAS(r.out, "line 1, byte 0");
}

TEST(folder__without_a_log__three_and_said)
{
    for (unsigned i = 0; i < FILES; i++)
        CHECK(unlink(in_dir(ended(i))) == 0);
    verify();
    assert_int_equal(r.status, 3);
    CHECK_HAS(r.err, "there is neither audit.jsonl nor audit-*.jsonl in it");
}

TEST(folder__a_file_that_cannot_be_read__three_and_said)
{
    CHECK(unlink(in_dir(ended(0))) == 0 && mkdir(in_dir(ended(0)), 0700) == 0);
    verify();
    CHECK(rmdir(in_dir(ended(0))) == 0);
    assert_int_equal(r.status, 3);
    CHECK_HAS(r.err, ended(0));
}

/* Nobody writes to it, and nobody waits for that. */
TEST(folder__a_pipe_in_it__three_and_said)
{
    const char *const names[] = {ended(0), "audit.jsonl"};
    for (size_t i = 0; i < 2; i++) {
        (void)unlink(in_dir(names[i]));
        CHECK(mkfifo(in_dir(names[i]), 0600) == 0);
        verify();
        CHECK(unlink(in_dir(names[i])) == 0);
        assert_int_equal(r.status, 3);
        CHECK_HAS(r.err, names[i]);
    }
}

/* Who makes it need not be who reads what is said of it. */
TEST(folder__a_name_that_moves_the_cursor__is_not_printed_as_it_is)
{
    static const char name[] = "audit-\033[2J-0.jsonl";
    put(name, kw_span_str("no record\n"));
    verify();
    CHECK(unlink(in_dir(name)) == 0);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "broken at  ");
    CHECK(strchr(r.out, '\033') == NULL);
}

KW_SUITE_AROUND("provider/cli/audit_files", begin, end)
