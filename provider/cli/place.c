/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and files with safe modes. */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/file.h>

enum { TEXT_MAX = 16 * 1024 };

static kw_err place_failed(const char *path, const char *what, struct kw_note *note)
{
    int saved = errno;
    kw_note_set(note, "%s: %s: %s", path, what, strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "init");
}

kw_err kw_place_owner(const char *name, bool system_wide, struct kw_owner *ret_owner,
                      struct kw_note *note)
{
    if (name == NULL && (geteuid() != 0 || !system_wide)) {
        *ret_owner = (struct kw_owner){geteuid(), getegid()};
        return KW_OK;
    }
    const char *wanted = name != NULL ? name : "keyward";
    const struct passwd *pw = getpwnam(wanted);
    if (pw == NULL) {
        kw_note_set(note,
                    "there is no user %s; make one (useradd --system %s) or name the "
                    "daemon's user with --user",
                    wanted, wanted);
        return kw_err_at(KW_CODE_BAD_INPUT, "--user");
    }
    if (geteuid() != 0 && pw->pw_uid != geteuid()) {
        kw_note_set(note, "only root can give files to user %s; run it as root", wanted);
        return kw_err_at(KW_CODE_BAD_INPUT, "--user");
    }
    *ret_owner = (struct kw_owner){pw->pw_uid, pw->pw_gid};
    return KW_OK;
}

/* ---- taking back ------------------------------------------------------------------- */

static void place_remember(struct kw_placed *made, const char *path, bool is_folder,
                           const struct stat *was)
{
    KW_INVARIANT(made->count < KW_MADE_MAX);
    struct kw_made_thing *t = &made->things[made->count++];
    *t = (struct kw_made_thing){.is_folder = is_folder, .was_there = was != NULL};
    kw_copy_str(t->path, sizeof t->path, kw_span_str(path));
    if (was != NULL) {
        t->mode = was->st_mode & 07777;
        t->uid = was->st_uid;
        t->gid = was->st_gid;
    }
}

/* A sealed token's folders may not be written, not even by their owner. */
static int open_up(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static int take_away(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static bool undo(const struct kw_made_thing *t)
{
    if (t->was_there)
        return (geteuid() != 0 || lchown(t->path, t->uid, t->gid) == 0) &&
               chmod(t->path, t->mode) == 0;
    if (!t->is_folder)
        return unlink(t->path) == 0 || errno == ENOENT;
    return (nftw(t->path, open_up, 8, FTW_PHYS) == 0 &&
            nftw(t->path, take_away, 8, FTW_PHYS | FTW_DEPTH) == 0) ||
           errno == ENOENT;
}

void kw_place_undo(struct kw_placed *made)
{
    while (made->count > 0) {
        const struct kw_made_thing *t = &made->things[--made->count];
        if (!undo(t))
            fprintf(stderr, "keyward: %s cannot be taken back: %s; do it by hand\n",
                    t->path, strerror(errno));
    }
}

/* ---- looking ----------------------------------------------------------------------- */

/* The name of a folder that is not there yet: its parent's true name and its own. */
static kw_err name_new(const char *dir, char ret_real[KW_PATH_MAX], struct kw_note *note)
{
    char copy[PATH_MAX], parent[PATH_MAX], own[PATH_MAX];
    if (!kw_copy_str(copy, sizeof copy, kw_span_str(dir)) ||
        !kw_copy_str(own, sizeof own, kw_span_str(dir))) {
        errno = ENAMETOOLONG;
        return place_failed(dir, "cannot make the folder", note);
    }
    if (realpath(dirname(copy), parent) == NULL)
        return place_failed(dir, "the folder above it", note);
    int n = snprintf(ret_real, KW_PATH_MAX, "%s/%s",
                     strcmp(parent, "/") == 0 ? "" : parent, basename(own));
    if (n > 0 && (size_t)n < KW_PATH_MAX)
        return KW_OK;
    errno = ENAMETOOLONG;
    return place_failed(dir, "cannot make the folder", note);
}

kw_err kw_place_base(const char *dir, char ret_real[KW_PATH_MAX], struct kw_note *note)
{
    char real[PATH_MAX];
    struct stat st;
    if (lstat(dir, &st) != 0 && errno == ENOENT)
        return name_new(dir, ret_real, note);
    if (realpath(dir, real) == NULL || stat(real, &st) != 0)
        return place_failed(dir, "cannot look at the folder", note);
    if (!S_ISDIR(st.st_mode) || !kw_copy_str(ret_real, KW_PATH_MAX, kw_span_str(real))) {
        kw_note_set(note, "%s: no folder, or its name is too long", dir);
        return kw_err_at(KW_CODE_BAD_INPUT, "--dir");
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        kw_note_set(note,
                    "%s: belongs to uid %u, who could exchange what lies in it; use a "
                    "folder of your own",
                    real, (unsigned)st.st_uid);
        return kw_err_at(KW_CODE_DENIED, "--dir");
    }
    if ((st.st_mode & 022) != 0) {
        kw_note_set(note,
                    "%s: mode %04o lets others exchange what lies in it; use a folder "
                    "of its own, or chmod go-w it",
                    real, (unsigned)(st.st_mode & 07777));
        return kw_err_at(KW_CODE_DENIED, "--dir");
    }
    return KW_OK;
}

static bool is_empty(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL || errno == ENOENT;
    for (struct dirent *e; d != NULL && empty && (e = readdir(d)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d != NULL)
        closedir(d);
    return empty;
}

kw_err kw_place_vacant(const struct kw_layout *l, bool softhsm, struct kw_note *note)
{
    const char *const files[] = {l->config, l->keyring,      l->pin,
                                 l->so_pin, l->softhsm_conf, l->encryption};
    const char *const folders[] = {l->state, l->audit, softhsm ? l->tokens : l->state};
    struct stat st;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (lstat(files[i], &st) == 0) {
            kw_note_set(note,
                        "%s is there already, and init overwrites nothing; choose "
                        "another --dir, or move it away",
                        files[i]);
            return kw_err_at(KW_CODE_DENIED, "init");
        }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (!is_empty(folders[i])) {
            kw_note_set(note,
                        "%s is there already and not empty; move it away, or choose "
                        "another --dir",
                        folders[i]);
            return kw_err_at(KW_CODE_DENIED, "init");
        }
    return KW_OK;
}

/* ---- making ------------------------------------------------------------------------ */

static kw_err give_folder(const char *path, mode_t mode, const struct kw_owner *owner,
                          struct kw_note *note)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return place_failed(path, "cannot open the folder", note);
    kw_err e = KW_OK;
    if ((geteuid() == 0 && owner != NULL && fchown(fd, owner->uid, owner->gid) != 0) ||
        fchmod(fd, mode) != 0)
        e = place_failed(path, "cannot set owner and mode", note);
    close(fd);
    return e;
}

kw_err kw_place_folder(struct kw_placed *made, const char *path, mode_t mode,
                       const struct kw_owner *owner, struct kw_note *note)
{
    struct stat was;
    bool is_new = mkdir(path, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return place_failed(path, "cannot make the folder", note);
    if (!is_new && owner == NULL)
        return KW_OK;
    if (!is_new && lstat(path, &was) != 0)
        return place_failed(path, "cannot look at the folder", note);
    place_remember(made, path, true, is_new ? NULL : &was);
    return give_folder(path, mode, owner, note);
}

kw_err kw_place_secret(struct kw_placed *made, const char *path,
                       const struct kw_owner *owner, int *ret_fd, struct kw_note *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return place_failed(path, "cannot make the file", note);
    place_remember(made, path, false, NULL);
    if (fchmod(fd, 0600) != 0 ||
        (owner != NULL && geteuid() == 0 && fchown(fd, owner->uid, owner->gid) != 0)) {
        kw_err e = place_failed(path, "cannot set owner and mode", note);
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return KW_OK;
}

kw_err kw_place_bytes(struct kw_placed *made, const char *path, kw_span bytes,
                      struct kw_note *note)
{
    struct stat st;
    if (lstat(path, &st) == 0) {
        errno = EEXIST;
        return place_failed(path, "cannot make the file", note);
    }
    place_remember(made, path, false, NULL);
    return kw_file_replace(path, bytes, 0644, note);
}

kw_err kw_place_text(struct kw_placed *made, const char *path, kw_place_write *write,
                     const void *what, struct kw_note *note)
{
    static char text[TEXT_MAX];
    FILE *out = fmemopen(text, sizeof text, "w");
    if (out == NULL)
        return place_failed(path, "no memory", note);
    write(what, out);
    bool ok = fflush(out) == 0 && !ferror(out);
    long len = ftell(out);
    fclose(out);
    if (!ok || len <= 0) {
        kw_note_set(note, "%s: its text is too long", path);
        return kw_err_at(KW_CODE_BUG, "init");
    }
    return kw_place_bytes(made, path, kw_span_of(text, (size_t)len), note);
}
