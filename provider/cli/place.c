/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and files with safe modes. */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/file.h>

enum { TEXT_MAX = 16 * 1024 };

static kw_err failed(const char *path, const char *what, struct kw_note *note)
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

kw_err kw_place_base(const char *dir, char ret_real[KW_PATH_MAX], struct kw_note *note)
{
    char real[PATH_MAX];
    struct stat st;
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return failed(dir, "cannot make the folder", note);
    if (realpath(dir, real) == NULL || stat(real, &st) != 0)
        return failed(dir, "cannot look at the folder", note);
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

kw_err kw_place_vacant(const struct kw_layout *l, struct kw_note *note)
{
    const char *const files[] = {l->config, l->keyring,      l->pin,
                                 l->so_pin, l->softhsm_conf, l->encryption};
    struct stat st;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (lstat(files[i], &st) == 0) {
            kw_note_set(note,
                        "%s is there already, and init overwrites nothing; choose "
                        "another --dir, or move it away",
                        files[i]);
            return kw_err_at(KW_CODE_DENIED, "init");
        }
    return KW_OK;
}

static bool is_empty(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (struct dirent *e; empty && (e = readdir(d)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d != NULL)
        closedir(d);
    return empty;
}

kw_err kw_place_folder(const char *path, mode_t mode, bool fresh,
                       const struct kw_owner *owner, struct kw_note *note)
{
    if (mkdir(path, 0700) != 0) {
        if (errno != EEXIST)
            return failed(path, "cannot make the folder", note);
        if (fresh && !is_empty(path)) {
            kw_note_set(note,
                        "%s is there already and not empty; move it away, or choose "
                        "another --dir",
                        path);
            return kw_err_at(KW_CODE_DENIED, "init");
        }
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(path, "cannot open the folder", note);
    kw_err e = KW_OK;
    if ((geteuid() == 0 && fchown(fd, owner->uid, owner->gid) != 0) ||
        fchmod(fd, mode) != 0)
        e = failed(path, "cannot set owner and mode", note);
    close(fd);
    return e;
}

kw_err kw_place_secret(const char *path, const struct kw_owner *owner, int *ret_fd,
                       struct kw_note *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(path, "cannot make the file", note);
    if (fchmod(fd, 0600) != 0 ||
        (owner != NULL && geteuid() == 0 && fchown(fd, owner->uid, owner->gid) != 0)) {
        kw_err e = failed(path, "cannot set owner and mode", note);
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return KW_OK;
}

kw_err kw_place_text(const char *path, kw_place_write *write, const void *what,
                     struct kw_note *note)
{
    static char text[TEXT_MAX];
    FILE *out = fmemopen(text, sizeof text, "w");
    if (out == NULL)
        return failed(path, "no memory", note);
    write(what, out);
    bool ok = fflush(out) == 0 && !ferror(out);
    long len = ftell(out);
    fclose(out);
    if (!ok || len <= 0) {
        kw_note_set(note, "%s: its text is too long", path);
        return kw_err_at(KW_CODE_BUG, "init");
    }
    return kw_file_replace(path, kw_span_of(text, (size_t)len), 0644, note);
}
