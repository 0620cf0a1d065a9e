/* SPDX-License-Identifier: Apache-2.0 */
/* new_file: under its name it is whole, or it is not there. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "etcd_sample.h"
#include "new_file.h"

static const enum kw_new_file_way ways[] = {KW_NEW_FILE_NAMELESS, KW_NEW_FILE_BESIDE};
static struct kw_new_file f;
static struct kw_note note;

static void begin(enum kw_new_file_way way)
{
    CHECK_OK(kw_new_file_begin(sample_at("report"), way, &f, &note));
    CHECK(fputs("half", f.out) >= 0 && fflush(f.out) == 0);
    CHECK(access(sample_at("report"), F_OK) != 0); /* not yet */
}

static void holds(const char *name, const char *text)
{
    char has[64] = "";
    FILE *in = fopen(sample_at(name), "r");
    CHECK(in != NULL);
    has[fread(has, 1, sizeof has - 1, in)] = '\0';
    CHECK(fclose(in) == 0);
    CHECK_STR(has, text);
}

static void folder_is_empty(void)
{
    CHECK(rmdir(sample_at("")) == 0 && mkdir(sample_at(""), 0700) == 0);
}

TEST(end__whole_and_0600_and_nothing_beside)
{
    struct stat st;
    for (size_t i = 0; i < 2; i++) {
        const mode_t before = umask(0277);
        begin(ways[i]);
        (void)umask(before);
        CHECK(fputs(" and half", f.out) >= 0);
        CHECK_OK(kw_new_file_end(&f, &note));
        holds("report", "half and half");
        CHECK(stat(sample_at("report"), &st) == 0 && (st.st_mode & 07777) == 0600);
        CHECK(st.st_nlink == 1);
        CHECK(unlink(sample_at("report")) == 0);
        folder_is_empty();
    }
}

TEST(relative_path__in_this_folder)
{
    char here[512];
    CHECK(getcwd(here, sizeof here) != NULL && chdir(sample_at("")) == 0);
    const kw_err e = kw_new_file_begin("report", KW_NEW_FILE_NAMELESS, &f, &note);
    const kw_err end = kw_failed(e) ? e : kw_new_file_end(&f, &note);
    CHECK(chdir(here) == 0);
    CHECK_OK(end);
    holds("report", "");
}

TEST(drop__nothing_is_left)
{
    for (size_t i = 0; i < 2; i++) {
        begin(ways[i]);
        kw_new_file_drop(&f);
        folder_is_empty();
    }
}

/* The child says when half of it is written, and is killed then. */
static void kill_half_way(enum kw_new_file_way way)
{
    int says[2], status = 0;
    char said;
    CHECK(pipe2(says, O_CLOEXEC) == 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin(way);
        (void)!write(says[1], "x", 1);
        for (;;)
            (void)pause();
    }
    CHECK(read(says[0], &said, 1) == 1);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(close(says[0]) == 0 && close(says[1]) == 0);
    if (way == KW_NEW_FILE_BESIDE) {
        char part[64];
        snprintf(part, sizeof part, ".report.part-%ld", (long)child);
        holds(part, "half");
        CHECK(unlink(sample_at(part)) == 0);
    }
    folder_is_empty();
}

TEST(killed_half_way__nothing_under_its_name)
{
    for (size_t i = 0; i < 2; i++)
        kill_half_way(ways[i]);
}

TEST(disk_is_full__io_and_nothing_is_left)
{
    for (size_t i = 0; i < 2; i++) {
        begin(ways[i]);
        const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        CHECK(full >= 0 && dup3(full, fileno(f.out), O_CLOEXEC) >= 0);
        CHECK(close(full) == 0 && fputs("more", f.out) >= 0);
        const kw_err e = kw_new_file_end(&f, &note);
        CHECK_CODE(e, KW_CODE_IO);
        CHECK(e.native == ENOSPC);
        CHECK_HAS(note.text, "report: No space left on device");
        folder_is_empty();
    }
}

TEST(there_already__denied_and_untouched)
{
    for (size_t i = 0; i < 2; i++) {
        sample_text("report", "mine");
        CHECK_CODE(kw_new_file_begin(sample_at("report"), ways[i], &f, &note),
                   KW_CODE_DENIED);
        CHECK_HAS(note.text, "a report is never written over");
        CHECK(unlink(sample_at("report")) == 0);
        begin(ways[i]);
        sample_text("report", "mine"); /* it came meanwhile */
        CHECK_CODE(kw_new_file_end(&f, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "a report is never written over");
        holds("report", "mine");
        CHECK(unlink(sample_at("report")) == 0);
        folder_is_empty();
    }
}

TEST(part_of_a_killed_one__denied_named_and_untouched)
{
    char part[64];
    snprintf(part, sizeof part, ".report.part-%ld", (long)getpid());
    sample_text(part, "other");
    CHECK_CODE(kw_new_file_begin(sample_at("report"), KW_NEW_FILE_BESIDE, &f, &note),
               KW_CODE_DENIED);
    CHECK_HAS(note.text, "is in its folder, left by a process that was killed");
    holds(part, "other");
}

TEST(no_folder_or_no_name__io)
{
    static const char *const names[] = {"none/report", "", "."};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK_CODE(
            kw_new_file_begin(sample_at(names[i]), KW_NEW_FILE_NAMELESS, &f, &note),
            KW_CODE_IO);
    folder_is_empty();
}

KW_SUITE_AROUND("provider/cli/new_file", sample_begin, sample_end)
