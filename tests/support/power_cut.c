/* SPDX-License-Identifier: Apache-2.0 */
#include "power_cut.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, STATES = 64, NAME = 64, CHANGES = 64 };

/* What a file holds: at its last sync, and after each change since then. */
struct content {
    uint8_t *bytes;
    size_t len;
};
static struct file {
    ino_t ino;
    struct content state[STATES];
    size_t states; /* 0: there is no such file */
} files[POWER_FILES];

struct entry {
    char name[NAME];
    size_t file;
};
static struct entry entries[POWER_FILES]; /* at the folder's last sync */
static size_t entry_count;

/* Since then: `file` loses the one name, and gets the other; "" is none. */
static struct change {
    char from[NAME], to[NAME];
    size_t file;
} changes[CHANGES];
static size_t change_count;

static void (*on_step)(void);
static bool is_lying;
static uint32_t fails_one_of;
static bool has_just_failed;
static uint64_t generator;

void power_seed(uint64_t seed)
{
    generator = seed * 2 + 1;
}

/* xorshift64* (Vigna, 2016) */
uint32_t power_random(uint32_t limit)
{
    generator ^= generator >> 12;
    generator ^= generator << 25;
    generator ^= generator >> 27;
    return (uint32_t)((generator * 0x2545f4914f6cdd1du) >> 33) % limit;
}

void power_fail_syncs(uint32_t of)
{
    fails_one_of = of;
    has_just_failed = false;
}

/* ---- files --------------------------------------------------------------------------- */

static struct content power_copy(const struct content *c, size_t len)
{
    struct content copy = {calloc(len + 1, 1), len};
    CHECK(copy.bytes != NULL);
    memcpy(copy.bytes, c->bytes, c->len < len ? c->len : len);
    return copy;
}

static struct content *power_add_state(struct file *f, size_t len)
{
    CHECK(f->states < STATES);
    f->state[f->states] = power_copy(&f->state[f->states - 1], len);
    return &f->state[f->states++];
}

/* Only the last state is left: it is on the disk. */
static void power_settle(struct file *f)
{
    for (size_t i = 0; i + 1 < f->states; i++)
        free(f->state[i].bytes);
    f->state[0] = f->state[f->states - 1];
    f->states = 1;
}

static size_t power_add_file(int fd)
{
    struct stat st;
    size_t at = 0;
    CHECK(fstat(fd, &st) == 0);
    while (at < POWER_FILES && files[at].states > 0) {
        if (files[at].ino == st.st_ino) /* of a file that is gone */
            files[at].ino = 0;
        at++;
    }
    CHECK(at < POWER_FILES);
    files[at] = (struct file){.ino = st.st_ino, .states = 1};
    files[at].state[0] =
        (struct content){calloc((size_t)st.st_size + 1, 1), (size_t)st.st_size};
    CHECK(files[at].state[0].bytes != NULL);
    CHECK(pread(fd, files[at].state[0].bytes, (size_t)st.st_size, 0) == st.st_size);
    return at;
}

static struct file *power_file_of(int fd)
{
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    for (size_t i = 0; i < POWER_FILES && files[i].states > 0; i++)
        if (files[i].ino == st.st_ino)
            return &files[i];
    fail_msg("a file that is not known");
    return NULL;
}

/* ---- names --------------------------------------------------------------------------- */

static void power_drop(struct entry *list, size_t *count, const char *name, size_t file)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].name, name) == 0 && list[i].file == file)
            list[i--] = list[--*count];
}

static void power_apply(struct entry *list, size_t *count, const struct change *c)
{
    power_drop(list, count, c->from, c->file);
    for (size_t i = 0; i < *count; i++) /* what had the name is without one */
        if (strcmp(list[i].name, c->to) == 0)
            list[i--] = list[--*count];
    if (c->to[0] == '\0')
        return;
    CHECK(*count < POWER_FILES);
    snprintf(list[*count].name, NAME, "%s", c->to);
    list[(*count)++].file = c->file;
}

static void power_change(const char *from, const char *to, size_t file)
{
    CHECK(change_count < CHANGES);
    struct change *c = &changes[change_count++];
    snprintf(c->from, NAME, "%s", from);
    snprintf(c->to, NAME, "%s", to);
    c->file = file;
}

static size_t power_named(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    CHECK(fd >= 0);
    const size_t file = (size_t)(power_file_of(fd) - files);
    close(fd);
    return file;
}

/* ---- the calls ----------------------------------------------------------------------- */

static void power_step(void)
{
    if (on_step != NULL)
        on_step();
}

int power_create(int dir, const char *name)
{
    power_step();
    int fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0)
        power_change("", name, power_add_file(fd));
    return fd;
}

ssize_t power_write(int fd, const void *bytes, size_t len)
{
    power_step();
    const ssize_t n = write(fd, bytes, len);
    if (n > 0) {
        struct file *f = power_file_of(fd);
        const size_t before = f->state[f->states - 1].len;
        memcpy(power_add_state(f, before + (size_t)n)->bytes + before, bytes, (size_t)n);
    }
    return n;
}

int power_truncate(int fd, off_t size)
{
    power_step();
    const int result = ftruncate(fd, size);
    if (result == 0)
        (void)power_add_state(power_file_of(fd), (size_t)size);
    return result;
}

int power_sync(int fd)
{
    power_step();
    has_just_failed =
        !has_just_failed && fails_one_of > 0 && power_random(fails_one_of) == 0;
    if (has_just_failed) {
        errno = EIO;
        return -1;
    }
    struct file *f = power_file_of(fd);
    if (!is_lying || f->states > STATES / 2) /* some day it comes to the disk by itself */
        power_settle(f);
    return 0;
}

int power_rename(int from_dir, const char *from, int to_dir, const char *to)
{
    power_step();
    const int result = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
    if (result == 0)
        power_change(from, to, power_named(to_dir, to));
    return result;
}

int power_remove(int dir, const char *name)
{
    power_step();
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    power_change(name, "", (size_t)(power_file_of(fd) - files));
    close(fd);
    return unlinkat(dir, name, 0);
}

int power_sync_folder(int dir)
{
    (void)dir;
    power_step();
    for (size_t i = 0; i < change_count; i++)
        power_apply(entries, &entry_count, &changes[i]);
    change_count = 0;
    return 0;
}

/* ---- before and after ---------------------------------------------------------------- */

static void power_image_file(const struct file *f, int dir, const char *name)
{
    const struct content *sized = &f->state[power_random((uint32_t)f->states)];
    struct content left = {calloc(sized->len + 1, 1), sized->len};
    CHECK(left.bytes != NULL);
    for (size_t at = 0; at < left.len; at += PAGE) {
        const struct content *page = &f->state[power_random((uint32_t)f->states)];
        const size_t end = at + PAGE < left.len ? at + PAGE : left.len;
        if (page->len > at)
            memcpy(left.bytes + at, page->bytes + at,
                   (page->len < end ? page->len : end) - at);
    }
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    CHECK(fd >= 0 && write(fd, left.bytes, left.len) == (ssize_t)left.len);
    close(fd);
    free(left.bytes);
}

void power_image(const char *to)
{
    static struct entry left[POWER_FILES];
    size_t count = entry_count;
    memcpy(left, entries, sizeof left);
    for (size_t i = 0; i < change_count; i++)
        if (power_random(2) == 0)
            power_apply(left, &count, &changes[i]);
    CHECK(mkdir(to, 0750) == 0);
    int dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(dir >= 0);
    for (size_t i = 0; i < count; i++)
        power_image_file(&files[left[i].file], dir, left[i].name);
    close(dir);
}

void power_begin(const char *folder, void (*step)(void), bool lies)
{
    power_end();
    on_step = step;
    is_lying = lies;
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] == '.')
            continue;
        int fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        CHECK(fd >= 0 && entry_count < POWER_FILES);
        snprintf(entries[entry_count].name, NAME, "%s", d->d_name);
        entries[entry_count++].file = power_add_file(fd);
        close(fd);
    }
    closedir(dir);
}

void power_end(void)
{
    for (size_t i = 0; i < POWER_FILES; i++)
        for (size_t k = 0; k < files[i].states; k++)
            free(files[i].state[k].bytes);
    memset(files, 0, sizeof files);
    entry_count = change_count = 0;
    on_step = NULL;
}
