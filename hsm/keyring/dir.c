/* SPDX-License-Identifier: Apache-2.0 */
/* dir - the state directory: who may open it, and how its files are read and replaced */
#include "dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#define KEYRING "keyring.json"

static kw_err dir_failed(int error, const char *path, struct kw_note *note)
{
    kw_note_set(note, "%s: %s", path, strerror(error));
    return kw_err_native(error == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)error,
                         "state directory");
}

static kw_err dir_judge(const char *path, const struct stat *st, struct kw_note *note)
{
    if (!S_ISDIR(st->st_mode))
        return dir_failed(ENOTDIR, path, note);
    if ((st->st_mode & 022) != 0) {
        kw_note_set(note, "%s: mode %04o lets others write to it; chmod 0700 it", path,
                    (unsigned)(st->st_mode & 07777));
        return kw_err_at(KW_CODE_DENIED, "state directory mode");
    }
    if (geteuid() != 0 && st->st_uid != geteuid()) {
        kw_note_set(note, "%s: owned by uid %u, not by uid %u; chown it", path,
                    (unsigned)st->st_uid, (unsigned)geteuid());
        return kw_err_at(KW_CODE_DENIED, "state directory owner");
    }
    return KW_OK;
}

kw_err kw_state_open(const char *path, struct kw_state_dir **ret_dir,
                     struct kw_note *note)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return dir_failed(errno, path, note);
    kw_err e = dir_judge(path, &st, note);
    if (kw_failed(e))
        return e;
    struct kw_state_dir *dir = kw_new(1, sizeof *dir);
    if (dir == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "state directory");
    if (!kw_copy_str(dir->path, sizeof dir->path, kw_span_str(path))) {
        kw_free(dir);
        return dir_failed(ENAMETOOLONG, path, note);
    }
    dir->uid = st.st_uid;
    dir->gid = st.st_gid;
    dir->lock = -1;
    *ret_dir = dir;
    return KW_OK;
}

void kw_state_close(struct kw_state_dir *dir)
{
    if (dir != NULL)
        kw_state_unlock(dir);
    kw_free(dir);
}

bool kw_state_path(const struct kw_state_dir *dir, const char *name,
                   char ret_path[KW_PATH_MAX])
{
    int n = snprintf(ret_path, KW_PATH_MAX, "%s/%s", dir->path, name);
    return n > 0 && n < (int)KW_PATH_MAX;
}

/* A file that root made new becomes the directory owner's, so that the daemon can read
 * and replace it.  Only a file that is root's own, under one name and no link. */
bool kw_state_give(const struct kw_state_dir *dir, int fd)
{
    struct stat st;
    if (geteuid() != 0 || dir->uid == 0)
        return true;
    if (fstat(fd, &st) != 0)
        return false;
    return st.st_uid == dir->uid ||
           (S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == 0 &&
            fchown(fd, dir->uid, dir->gid) == 0);
}

static bool give_to_owner(const struct kw_state_dir *dir, const char *path)
{
    if (geteuid() != 0 || dir->uid == 0)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool ok = kw_state_give(dir, fd);
    close(fd);
    return ok;
}

static kw_err dir_replace(const struct kw_state_dir *dir, const char *name, kw_span bytes,
                          struct kw_note *note)
{
    char path[KW_PATH_MAX];
    if (!kw_state_path(dir, name, path))
        return dir_failed(ENAMETOOLONG, dir->path, note);
    kw_err e = kw_file_replace(path, bytes, 0600, note);
    bool there = !kw_failed(e) || kw_file_is_written(e);
    if (there && !give_to_owner(dir, path)) {
        kw_note_set(note, "%s: cannot give it to uid %u; chown it", path,
                    (unsigned)dir->uid);
        return kw_err_native(KW_CODE_IO, EPERM, "state file owner");
    }
    return e;
}

void kw_state_say_damaged(const struct kw_state_dir *dir, const char *name,
                          const char *why, struct kw_note *note)
{
    kw_note_set(note,
                "%s/%s: %s; put back a good copy, or remove it to have this node "
                "forget what it says",
                dir->path, name, why);
}

kw_err kw_state_read(const struct kw_state_dir *dir, const char *name,
                     const struct kw_member *table, void *base, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    struct kw_blob bytes = {0};
    struct kw_note why = {{0}};

    if (!kw_state_path(dir, name, path))
        return dir_failed(ENAMETOOLONG, dir->path, note);
    kw_err e = kw_file_read(path, KW_STATE_FILE_MAX, &bytes, note);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    if (kw_failed(e))
        return e;
    e = kw_json_read(table, kw_blob_peek(&bytes), KW_STATE_FILE_MAX, base, &why);
    kw_blob_wipe(&bytes);
    if (kw_failed(e))
        kw_state_say_damaged(dir, name, why.text, note);
    return e;
}

kw_err kw_state_write(const struct kw_state_dir *dir, const char *name,
                      const struct kw_member *table, const void *base,
                      struct kw_note *note)
{
    struct kw_blob text = {0};
    kw_err e = kw_json_write(table, base, &text);
    if (kw_failed(e)) {
        kw_note_set(note, "%s/%s: cannot be written: %s", dir->path, name,
                    kw_code_name(e.code));
        return e;
    }
    e = dir_replace(dir, name, kw_blob_peek(&text), note);
    kw_blob_wipe(&text);
    return e;
}

kw_err kw_state_save_keyring(struct kw_state_dir *dir, kw_span bytes,
                             struct kw_note *note)
{
    return dir_replace(dir, KEYRING, bytes, note);
}

kw_err kw_state_last_keyring(struct kw_state_dir *dir, struct kw_keyring **ret_ring,
                             struct kw_blob *ret_bytes, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    if (!kw_state_path(dir, KEYRING, path))
        return dir_failed(ENAMETOOLONG, dir->path, note);
    return kw_keyring_load(path, ret_ring, ret_bytes, note);
}
