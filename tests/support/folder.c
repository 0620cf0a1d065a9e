/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

enum { PATH_CAP = 512, FOLDER_FILE_MAX = 1 << 20 };

/* dst/name from src/name, with its owner and mode, unless it is there. */
static void folder_copy_file(const char *src, const char *dst, const char *name)
{
    char from[2 * PATH_CAP], to[2 * PATH_CAP];
    struct kw_blob b = {0};
    struct stat st;
    snprintf(from, sizeof from, "%s/%s", src, name);
    snprintf(to, sizeof to, "%s/%s", dst, name);
    if (access(to, F_OK) == 0)
        return;
    CHECK(stat(from, &st) == 0);
    CHECK_OK(kw_file_read(from, FOLDER_FILE_MAX, &b, NULL));
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, b.ptr, b.len) == (ssize_t)b.len);
    CHECK(fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, st.st_mode & 07777) == 0);
    close(fd);
    kw_blob_wipe(&b);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

void folder_copy(const char *src, const char *dst)
{
    char from[PATH_CAP], to[PATH_CAP];
    struct stat st, in;
    CHECK(stat(src, &st) == 0);
    CHECK(mkdir(dst, 0700) == 0 || chmod(dst, 0700) == 0);
    DIR *d = opendir(src);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (is_dots(e->d_name))
            continue;
        snprintf(from, sizeof from, "%s/%.80s", src, e->d_name);
        snprintf(to, sizeof to, "%s/%.80s", dst, e->d_name);
        if (stat(from, &in) == 0 && S_ISDIR(in.st_mode))
            folder_copy(from, to);
        else
            folder_copy_file(src, dst, e->d_name);
    }
    closedir(d);
    CHECK(chown(dst, st.st_uid, st.st_gid) == 0 && chmod(dst, st.st_mode & 07777) == 0);
}

/* ---- files ---- */

static struct {
    char (*dst)[FOLDER_PATH];
    size_t count, max;
} listed;

static int folder_list_one(const char *path, const struct stat *st, int kind,
                           struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (kind != FTW_F)
        return 0;
    CHECK(listed.count < listed.max &&
          kw_copy_str(listed.dst[listed.count], FOLDER_PATH, kw_span_str(path)));
    listed.count++;
    return 0;
}

size_t folder_files(const char *dir, char dst[][FOLDER_PATH], size_t max)
{
    listed.dst = dst;
    listed.count = 0;
    listed.max = max;
    CHECK(nftw(dir, folder_list_one, 16, FTW_PHYS) == 0);
    return listed.count;
}
