/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <signal.h>

#include "test_child.h"

TEST(name__no_code__question_mark)
{
    CHECK_STR(kw_code_name(KW_CODE_COUNT), "?");
    CHECK_STR(kw_code_name((enum kw_code)(KW_CODE_COUNT + 7)), "?");
}

TEST(from_name__unknown__false_and_untouched)
{
    enum kw_code code = KW_CODE_BUSY;
    CHECK(!kw_code_from_name("", &code));
    CHECK(!kw_code_from_name("?", &code));
    CHECK(!kw_code_from_name("HSM-DOWN", &code));
    CHECK(!kw_code_from_name("hsm-down ", &code));
    CHECK(code == KW_CODE_BUSY);
}

/* No hole in the table, no name twice, lower case and hyphens only. */
TEST(name__every_code__distinct_and_read_back)
{
    for (unsigned i = 0; i < KW_CODE_COUNT; i++) {
        const char *name = kw_code_name((enum kw_code)i);
        enum kw_code back = KW_CODE_COUNT;
        CHECK(name != NULL && name[0] != '\0');
        CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        CHECK(kw_code_from_name(name, &back));
        CHECK(back == (enum kw_code)i);
    }
}

TEST(name__a_code__as_documented)
{
    CHECK_STR(kw_code_name(KW_CODE_HSM_DOWN), "hsm-down");
}

TEST(err__ok__not_failed_everything_else_is)
{
    CHECK(!kw_failed(KW_OK));
    for (unsigned i = 1; i < KW_CODE_COUNT; i++)
        CHECK(kw_failed(kw_err_at((enum kw_code)i, "test")));
    kw_err e = kw_err_native(KW_CODE_IO, 13, "open");
    CHECK(e.code == KW_CODE_IO && e.native == 13);
    CHECK_STR(e.where, "open");
}

TEST(err__size__sixteen_bytes)
{
    CHECK(sizeof(kw_err) <= 16);
}

TEST(note__null__nobody_reads_it)
{
    kw_note_set(NULL, "%d", 1);
}

TEST(note__longer_than_its_text__cut_and_ended)
{
    struct kw_note note;
    memset(&note, 'x', sizeof note);
    kw_note_set(&note, "%s%0600d", "begin", 7);
    CHECK(strlen(note.text) == sizeof note.text - 1);
    CHECK(strncmp(note.text, "begin000", 8) == 0);
}

TEST(note__format__as_printf)
{
    struct kw_note note;
    kw_note_set(&note, "%s: line %d", "file", 3);
    CHECK_STR(note.text, "file: line 3");
}

TEST(errno_cure__no_limit__nothing)
{
    CHECK_STR(kw_errno_cure(0), "");
    CHECK_STR(kw_errno_cure(ENOENT), "");
}

TEST(errno_cure__each_limit__what_raises_it)
{
    CHECK_HAS(kw_errno_cure(EAGAIN), "LimitNPROC=");
    CHECK_HAS(kw_errno_cure(EAGAIN), "TasksMax=");
    CHECK_HAS(kw_errno_cure(EMFILE), "LimitNOFILE=");
    CHECK_HAS(kw_errno_cure(ENFILE), "fs.file-max");
}

TEST(note_failed__with_and_without_an_errno__what_where_and_what_to_do)
{
    struct kw_note note;
    kw_note_failed(&note, "start it", kw_err_native(KW_CODE_IO, ENOENT, "open"));
    CHECK_STR(note.text, "cannot start it: open: No such file or directory");
    kw_note_failed(&note, "start it", kw_err_at(KW_CODE_NO_MEMORY, "rpc"));
    CHECK_STR(note.text, "cannot start it: rpc: no-memory");
    kw_note_failed(&note, "start it", kw_err_native(KW_CODE_IO, EMFILE, "pipe2"));
    CHECK_HAS(note.text,
              "cannot start it: pipe2: Too many open files; raise LimitNOFILE=");
}

static void break_one(void *arg)
{
    int one = *(int *)arg;
    KW_INVARIANT(one + one == 3);
}

TEST(invariant__broken__says_where_and_aborts)
{
    int one = 1;
    char said[512];
    CHECK(child_said(break_one, &one, said, sizeof said) == SIGABRT);
    CHECK_HAS(said, "invariant broken: one + one == 3");
    CHECK_HAS(said, "test_err.c:");
}

KW_CASES("hsm/base/err", CASE(name__no_code__question_mark),
         CASE(from_name__unknown__false_and_untouched),
         CASE(name__every_code__distinct_and_read_back),
         CASE(name__a_code__as_documented), CASE(err__ok__not_failed_everything_else_is),
         CASE(err__size__sixteen_bytes), CASE(note__null__nobody_reads_it),
         CASE(note__longer_than_its_text__cut_and_ended), CASE(note__format__as_printf),
         CASE(errno_cure__no_limit__nothing),
         CASE(errno_cure__each_limit__what_raises_it),
         CASE(note_failed__with_and_without_an_errno__what_where_and_what_to_do),
         CASE(invariant__broken__says_where_and_aborts))
