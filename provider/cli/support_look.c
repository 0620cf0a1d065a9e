/* SPDX-License-Identifier: Apache-2.0 */
/* Versions and files. */
#include "support_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <keyward/clock.h>
#include <keyward/file.h>

/* A name from a folder may hold anything. */
static void look_name(struct kw_support_text *dst, const char *name)
{
    char shown[NAME_MAX + 1];
    (void)kw_copy_printable(shown, sizeof shown, kw_span_str(name));
    kw_support_say(dst, "%s", shown);
}

/* ---- versions ---- */

static int look_library(struct dl_phdr_info *info, size_t size, void *ctx)
{
    char real[PATH_MAX];
    (void)size;
    if (info->dlpi_name != NULL && info->dlpi_name[0] == '/')
        kw_support_say(ctx, "library: %s\n",
                       realpath(info->dlpi_name, real) != NULL ? real : info->dlpi_name);
    return 0;
}

static void look_distribution(struct kw_support_text *dst, struct kw_support_text *missed)
{
    struct kw_blob b = {0};
    enum { RELEASE_MAX = 16384 };
    if (kw_failed(kw_file_read("/etc/os-release", RELEASE_MAX, &b, NULL)))
        kw_support_say(missed, "the distribution: /etc/os-release cannot be read\n");
    else
        kw_support_put(dst, kw_blob_peek(&b));
    kw_blob_wipe(&b);
}

static void look_module(const char *path, struct kw_support_text *dst,
                        struct kw_support_text *missed)
{
    char when[KW_TIME_TEXT];
    struct stat st;
    if (stat(path, &st) != 0) {
        kw_support_say(missed, "the PKCS#11 module %s: %s\n", path, strerror(errno));
        return;
    }
    kw_time_text(when, (int64_t)st.st_mtim.tv_sec * KW_S_NS);
    kw_support_say(dst, "module: %s, %lld bytes, of %s\n", path, (long long)st.st_size,
                   when);
}

void kw_support_versions(const struct kw_support_redacted *config,
                         struct kw_support_text *dst, struct kw_support_text *missed)
{
    struct utsname kernel;
    kw_support_say(dst, "keyward: %s\n", KW_VERSION);
    if (uname(&kernel) == 0)
        kw_support_say(dst, "kernel: %s %s %s %s\n", kernel.sysname, kernel.release,
                       kernel.version, kernel.machine);
    kw_support_say(dst, "cores: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    (void)dl_iterate_phdr(look_library, dst);
    for (size_t i = 0; i < config->module_count; i++)
        look_module(config->modules[i], dst, missed);
    kw_support_say(dst, "\n/etc/os-release:\n");
    look_distribution(dst, missed);
}

/* ---- files ---- */

static bool look_may_have_size(const char *name)
{
    static const char *const ends[] = {".json", ".jsonl", ".yaml", ".lock", ".reserve"};
    const size_t len = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t n = strlen(ends[i]);
        if (len > n && strcmp(name + len - n, ends[i]) == 0)
            return true;
    }
    return false;
}

static char look_type(mode_t mode)
{
    if (S_ISREG(mode))
        return '-';
    if (S_ISDIR(mode))
        return 'd';
    if (S_ISLNK(mode))
        return 'l';
    return S_ISSOCK(mode) ? 's' : '?';
}

static void look_line(struct kw_support_text *dst, const char *name,
                      const struct stat *st)
{
    char when[KW_TIME_TEXT], size[32] = "-";
    if (S_ISREG(st->st_mode) && look_may_have_size(name))
        snprintf(size, sizeof size, "%lld", (long long)st->st_size);
    kw_time_text(when, (int64_t)st->st_mtim.tv_sec * KW_S_NS);
    kw_support_say(dst, "%c %04o %u:%u %12s %s ", look_type(st->st_mode),
                   (unsigned)(st->st_mode & 07777), st->st_uid, st->st_gid, size, when);
    look_name(dst, name);
    kw_support_say(dst, "\n");
}

static void look_entries(DIR *d, struct kw_support_text *dst)
{
    enum { ENTRIES_MAX = 2000 };
    unsigned n = 0;
    struct stat st;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (++n <= ENTRIES_MAX &&
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            look_line(dst, e->d_name, &st);
    }
    kw_support_say(dst, "entries: %u\n\n", n);
}

static void look_folder(const char *what, const char *path, struct kw_support_text *dst,
                        struct kw_support_text *missed)
{
    struct stat st;
    DIR *d = NULL;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (d = fdopendir(fd)) == NULL)
        close(fd);
    if (d == NULL) {
        kw_support_say(missed, "%s %s: %s\n", what, path, strerror(errno));
        return;
    }
    kw_support_say(dst, "%s %s\n", what, path);
    if (fstat(dirfd(d), &st) == 0)
        look_line(dst, ".", &st);
    look_entries(d, dst);
    closedir(d);
}

static void look_folder_of(const char *what, const char *file,
                           struct kw_support_text *dst, struct kw_support_text *missed)
{
    char path[KW_PATH_MAX];
    const char *slash = strrchr(file, '/');
    const size_t len = slash == NULL ? 0 : slash == file ? 1 : (size_t)(slash - file);
    if (kw_copy_str(path, sizeof path,
                    slash != NULL ? kw_span_of(file, len) : kw_span_str(".")))
        look_folder(what, path, dst, missed);
}

void kw_support_files(const struct kw_support_redacted *config, const char *config_path,
                      struct kw_support_text *dst, struct kw_support_text *missed)
{
    kw_support_say(dst,
                   "type mode uid:gid size modified name; a size of - is not shown\n\n");
    look_folder("state directory", config->state, dst, missed);
    if (config->audit[0] != '\0')
        look_folder("audit log", config->audit, dst, missed);
    look_folder_of("folder of the keyring", config->keyring, dst, missed);
    look_folder_of("folder of the status socket", config->status, dst, missed);
    look_folder_of("folder of the configuration", config_path, dst, missed);
}
