/* SPDX-License-Identifier: Apache-2.0 */
#include "bad_disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <keyward/file.h>

extern char **environ;

/* Between fork and exec. */
static void bad_disk_give(void *ctx)
{
    struct bad_disk *disk = ctx;
    environ = disk->whole;
}

static void bad_disk_add(struct bad_disk *disk, size_t i, const char *name,
                         const char *value)
{
    CHECK(snprintf(disk->env[i], sizeof disk->env[i], "%s=%s", name, value) <
          (int)sizeof disk->env[i]);
    disk->whole[i] = disk->env[i];
}

/* Behind those, which are found first (getenv(3) takes the first of a name). */
static void bad_disk_inherit(struct bad_disk *disk, size_t n)
{
    for (char **e = environ; *e != NULL; e++) {
        CHECK(n + 1 < sizeof disk->whole / sizeof disk->whole[0]);
        disk->whole[n++] = *e;
    }
}

void bad_disk_between(struct bad_disk *disk, struct instance *h)
{
    const char *asan = getenv("ASAN_OPTIONS");
    char options[512];
    *disk = (struct bad_disk){.lock = -1};
    instance_lend(h, KW_DISK_PATH, "disk.so", disk->module);
    snprintf(disk->control, sizeof disk->control, "%s/disk-control", h->dir);
    snprintf(disk->gate, sizeof disk->gate, "%s/disk-gate", h->dir);
    CHECK_OK(kw_file_replace(disk->control, kw_span_str(" "), 0644, NULL));
    CHECK_OK(kw_file_replace(disk->gate, kw_span_str(" "), 0644, NULL));
    /* A sanitizer's runtime wants to be the first library otherwise. */
    snprintf(options, sizeof options, "%s%sverify_asan_link_order=0",
             asan != NULL ? asan : "", asan != NULL ? ":" : "");
    bad_disk_add(disk, 0, "LD_PRELOAD", disk->module);
    bad_disk_add(disk, 1, "KW_DISK_CONTROL", disk->control);
    bad_disk_add(disk, 2, "KW_DISK_GATE", disk->gate);
    bad_disk_add(disk, 3, "ASAN_OPTIONS", options);
    bad_disk_inherit(disk, 4);
    h->in_child = bad_disk_give;
    h->in_child_ctx = disk;
}

void bad_disk_is(const struct bad_disk *disk, enum bad_disk_state state)
{
    const char byte = (char)state;
    int fd = open(disk->control, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, &byte, 1, 0) == 1);
    close(fd);
}

void bad_disk_hang(struct bad_disk *disk)
{
    CHECK(disk->lock < 0);
    disk->lock = open(disk->gate, O_RDONLY | O_CLOEXEC);
    CHECK(disk->lock >= 0 && flock(disk->lock, LOCK_EX) == 0);
}

void bad_disk_go_on(struct bad_disk *disk)
{
    CHECK(disk->lock >= 0);
    close(disk->lock);
    disk->lock = -1;
}
