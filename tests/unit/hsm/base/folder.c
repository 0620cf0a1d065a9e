/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

void folder_make(struct folder *f)
{
    folder_make_in(f, "/tmp");
}

void folder_make_in(struct folder *f, const char *parent)
{
    snprintf(f->path, sizeof f->path, "%s/keyward-base-XXXXXX", parent);
    CHECK(mkdtemp(f->path) != NULL);
    snprintf(f->file, sizeof f->file, "%s/file", f->path);
}

void folder_remove(struct folder *f)
{
    unlink(f->file);
    CHECK(rmdir(f->path) == 0);
}

void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0);
    CHECK(close(fd) == 0);
}

void check_file(const char *path, const char *text)
{
    char got[4096];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, got, sizeof got - 1);
    close(fd);
    CHECK(n >= 0);
    got[n] = '\0';
    CHECK_STR(got, text);
}
