/* SPDX-License-Identifier: Apache-2.0 */
/* The archive as other programs read it, and programs that do not end. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "run.h"
#include "support_archive.h"
#include "support_command.h"
#include "support_rig.h"

static struct kw_run r;

/* ---- tar ---- */

TEST(header__no_name_too_long_a_one_or_a_number_without_room__refused)
{
    uint8_t block[KW_SUPPORT_TAR_BLOCK];
    char name[KW_SUPPORT_TAR_NAME + 1];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(!kw_support_tar_header("", 0, 0, block));
    CHECK(!kw_support_tar_header(name, 0, 0, block));
    CHECK(kw_support_tar_header(name + 1, 0, 0, block));
    CHECK(!kw_support_tar_header("a", UINT64_C(1) << 33, 0, block));
    CHECK(kw_support_tar_header("a", (UINT64_C(1) << 33) - 1, 0, block));
    CHECK(!kw_support_tar_header("a", 0, -1, block));
}

TEST(tar__read_by_tar_and_by_python__names_sizes_owner_time_and_texts)
{
    static const char script[] =
        "import sys, tarfile\n"
        "t = tarfile.open(sys.argv[1], 'r:')\n"
        "for m in t: print(m.name, m.size, m.mode, m.uid, m.gid, m.mtime, m.isreg(),\n"
        "  len(t.extractfile(m).read()))\n";
    char text[1025];
    begin();
    memset(text, 'x', sizeof text);
    FILE *out = fopen(path, "we");
    CHECK(out != NULL);
    CHECK(kw_support_tar_put(out, "k/empty", kw_span_str(""), 1));
    CHECK(kw_support_tar_put(out, "k/block", kw_span_of(text, 512), 86400));
    CHECK(kw_support_tar_put(out, "k/more", kw_span_of(text, 1025), 1769817600));
    kw_support_tar_end(out);
    CHECK(fclose(out) == 0);
    struct stat st;
    CHECK(stat(path, &st) == 0 && st.st_size == KW_SUPPORT_TAR_RECORD);
    kw_run(&r, (const char *const[]){"/usr/bin/python3", "-c", script, path, NULL});
    CHECK_STR(r.out, "k/empty 0 384 0 0 1 True 0\n"
                     "k/block 512 384 0 0 86400 True 512\n"
                     "k/more 1025 384 0 0 1769817600 True 1025\n");
    kw_run(&r, (const char *const[]){"/bin/tar", "tvf", path, NULL});
    CHECK(r.status == 0);
    CHECK_STR(r.err, "");
    CHECK_HAS(r.out, "-rw------- root/root");
    CHECK_HAS(r.out, "1025");
    end();
}

/* ---- programs ---- */

static kw_err command(const char *const argv[], unsigned seconds, char *out, size_t cap,
                      int *ret_status)
{
    struct kw_support_text text, said;
    kw_support_text_init(&text, cap - 1);
    kw_support_text_init(&said, 256);
    const kw_err e = kw_support_command(argv, seconds, &text, &said, ret_status);
    snprintf(out, cap, "%.*s", (int)text.len, text.bytes);
    kw_support_text_wipe(&text);
    kw_support_text_wipe(&said);
    return e;
}

TEST(command__none_of_this_name__missing)
{
    char out[64];
    int status = -1;
    CHECK_CODE(
        command((const char *const[]){"/nonexistent", NULL}, 5, out, sizeof out, &status),
        KW_CODE_MISSING);
}

TEST(command__does_not_end__ended_and_what_it_said_is_there)
{
    char out[64];
    int status = -1;
    CHECK_CODE(
        command((const char *const[]){"/bin/sh", "-c",
                                      "echo first; exec cat /dev/zero >/dev/null", NULL},
                1, out, sizeof out, &status),
        KW_CODE_DEADLINE);
    CHECK_STR(out, "first\n");
}

TEST(command__ends__its_output_status_and_environment)
{
    char out[128];
    int status = -1;
    CHECK_OK(command((const char *const[]){"/usr/bin/env", NULL}, 30, out, sizeof out,
                     &status));
    CHECK_STR(out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
    CHECK(status == 0);
    CHECK_OK(
        command((const char *const[]){"/bin/sh", "-c", "echo 12345678; exit 3", NULL}, 30,
                out, 5, &status));
    CHECK_STR(out, "1234"); /* as much as there is room for, and it ends all the same */
    CHECK(status == 3);
}

KW_CASES("provider/cli/support_file",
         CASE(header__no_name_too_long_a_one_or_a_number_without_room__refused),
         CASE(tar__read_by_tar_and_by_python__names_sizes_owner_time_and_texts),
         CASE(command__none_of_this_name__missing),
         CASE(command__does_not_end__ended_and_what_it_said_is_there),
         CASE(command__ends__its_output_status_and_environment))
