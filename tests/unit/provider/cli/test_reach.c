/* SPDX-License-Identifier: Apache-2.0 */
/* As root all is looked at by nobody, as `keyward check` does for the daemon's user. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "child.h"
#include "reach.h"

static char dir[64], folder[96], file[128];
static struct kw_note note;

struct question {
    kw_err (*ask)(const char *path, struct kw_note *note);
    const char *path;
};

static kw_err ask(void *shared, struct kw_note *why)
{
    const struct question *q = shared;
    return q->ask(q->path, why);
}

static kw_err as_user(kw_err (*what)(const char *, struct kw_note *), const char *path)
{
    struct question q = {what, path};
    const struct kw_child child = {.uid = geteuid() == 0 ? 65534 : geteuid(),
                                   .gid = 65534};
    note = (struct kw_note){{0}};
    return kw_child_run(&child, ask, &q, &note);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-reach-XXXXXX");
    CHECK(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
    snprintf(folder, sizeof folder, "%s/folder", dir);
    snprintf(file, sizeof file, "%s/file", folder);
    CHECK(mkdir(folder, 0755) == 0);
    CHECK_OK(kw_file_replace(file, kw_span_str("x"), 0644, NULL));
}

static int take_away(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void end(void)
{
    CHECK(chmod(folder, 0700) == 0);
    CHECK(nftw(dir, take_away, 8, FTW_PHYS | FTW_DEPTH) == 0);
}

TEST(folder_not_there__missing)
{
    char path[160];
    begin();
    snprintf(path, sizeof path, "%s/other/file", folder);
    CHECK_CODE(as_user(kw_reach_folders, path), KW_CODE_MISSING);
    CHECK_HAS(note.text, "folder/other");
    end();
}

TEST(folder_cannot_be_passed__named_with_its_remedy)
{
    begin();
    CHECK(chmod(folder, geteuid() == 0 ? 0700 : 0600) == 0);
    CHECK_CODE(as_user(kw_reach_folders, file), KW_CODE_DENIED);
    CHECK_HAS(note.text, folder);
    CHECK_HAS(note.text, "chmod a+x");
    end();
}

TEST(folder_is_for_others_to_write__named_but_for_the_sticky_bit)
{
    begin();
    CHECK(chmod(folder, 0777) == 0);
    CHECK_CODE(as_user(kw_reach_folders, file), KW_CODE_DENIED);
    CHECK_HAS(note.text, "0777");
    CHECK_HAS(note.text, folder);
    CHECK(chmod(folder, 01777) == 0);
    CHECK_OK(as_user(kw_reach_folders, file));
    if (geteuid() == 0) { /* its group is root's */
        CHECK(chmod(folder, 0775) == 0);
        CHECK_OK(as_user(kw_reach_folders, file));
        CHECK(chown(folder, 0, 1) == 0);
        CHECK_CODE(as_user(kw_reach_folders, file), KW_CODE_DENIED);
        CHECK(chown(folder, 1, 0) == 0 && chmod(folder, 0755) == 0);
        CHECK_CODE(as_user(kw_reach_folders, file), KW_CODE_DENIED);
        CHECK_HAS(note.text, "belongs to uid 1");
        CHECK(chown(folder, 65534, 0) == 0);
        CHECK_OK(as_user(kw_reach_folders, file));
    }
    end();
}

TEST(link_into_an_open_folder__seen)
{
    char link[160];
    begin();
    snprintf(link, sizeof link, "%s/link", dir);
    CHECK(symlink(file, link) == 0);
    CHECK_OK(as_user(kw_reach_folders, link));
    CHECK(chmod(folder, 0777) == 0);
    CHECK_CODE(as_user(kw_reach_folders, link), KW_CODE_DENIED);
    CHECK_HAS(note.text, folder);
    end();
}

TEST(file__only_readable_and_for_nobody_else_to_change)
{
    begin();
    CHECK_OK(as_user(kw_reach_file, file));
    CHECK(chmod(file, 0777) == 0);
    CHECK_CODE(as_user(kw_reach_file, file), KW_CODE_DENIED);
    CHECK_HAS(note.text, "0777");
    CHECK(chmod(file, geteuid() == 0 ? 0600 : 0) == 0);
    CHECK_CODE(as_user(kw_reach_file, file), KW_CODE_DENIED);
    CHECK_HAS(note.text, "cannot read");
    CHECK_CODE(as_user(kw_reach_file, folder), KW_CODE_BAD_INPUT);
    CHECK(unlink(file) == 0);
    CHECK_CODE(as_user(kw_reach_file, file), KW_CODE_MISSING);
    end();
}

static void is_empty(void)
{
    DIR *d = opendir(folder);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        CHECK(e->d_name[0] == 'f' || strcmp(e->d_name, ".") == 0 ||
              strcmp(e->d_name, "..") == 0);
    closedir(d);
}

TEST(not_writable_or_full__said_and_nothing_left)
{
    struct rlimit old, little;
    begin();
    CHECK(chmod(folder, 0555) == 0);
    CHECK_CODE(as_user(kw_reach_writable, folder), KW_CODE_IO);
    CHECK_HAS(note.text, "Permission denied");
    CHECK(chmod(folder, 0777) == 0);
    CHECK_OK(as_user(kw_reach_writable, folder));
    is_empty();
    /* A file system that is full half-way, as far as a write can tell. */
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    little = (struct rlimit){4096, old.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    kw_err e = as_user(kw_reach_writable, folder);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(e.code == KW_CODE_IO && e.native == EFBIG);
    is_empty();
    end();
}

KW_CASES("provider/cli/reach", CASE(folder_not_there__missing),
         CASE(folder_cannot_be_passed__named_with_its_remedy),
         CASE(folder_is_for_others_to_write__named_but_for_the_sticky_bit),
         CASE(link_into_an_open_folder__seen),
         CASE(file__only_readable_and_for_nobody_else_to_change),
         CASE(not_writable_or_full__said_and_nothing_left))
