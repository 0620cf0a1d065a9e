/* SPDX-License-Identifier: Apache-2.0 */
/* trust - can anybody but root and one uid have changed or exchanged a file?
 *
 * A path is walked from the root, one name at a time, each opened below the folder that
 * was judged before (openat(2), O_NOFOLLOW): whoever may not write to a folder cannot
 * put another file behind a name in it while we walk.  Links are read and walked too. */
#include <keyward/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/limits.h>

#include "blob.h"

enum { LINKS_MAX = 40 }; /* as the kernel: path_resolution(7) */

struct walk {
    const char *path; /* as it was asked for */
    uid_t uid;
    struct kw_note *note;
    int folder;              /* where we stand: O_PATH                          */
    char at[KW_PATH_MAX];    /* its name, "" for the root                       */
    char rest[KW_PATH_MAX];  /* what is still to be walked                      */
    char name[NAME_MAX + 1]; /* the part that is looked at                      */
    char shown[KW_PATH_MAX]; /* that part with the folders before it            */
    unsigned links;
};

/* ---- the rules ---- */

static kw_err judge_owner(const struct walk *w, const struct stat *st)
{
    if (st->st_uid == 0 || st->st_uid == w->uid)
        return KW_OK;
    if (w->uid == 0)
        kw_note_set(w->note,
                    "%s: belongs to uid %u, who could change %s; chown it to root",
                    w->shown, (unsigned)st->st_uid, w->path);
    else
        kw_note_set(w->note,
                    "%s: belongs to uid %u, who could change %s; chown it to root or to "
                    "uid %u",
                    w->shown, (unsigned)st->st_uid, w->path, (unsigned)w->uid);
    return kw_err_at(KW_CODE_DENIED, "file owner");
}

static kw_err judge_mode(const struct walk *w, const struct stat *st)
{
    bool folder = S_ISDIR(st->st_mode);
    bool shared = folder && (st->st_mode & S_ISVTX) != 0 && st->st_uid == 0;
    if ((st->st_mode & 022) == 0 || shared)
        return KW_OK;
    if (folder)
        kw_note_set(w->note,
                    "%s: mode %04o lets others exchange %s; chmod go-w the folder",
                    w->shown, (unsigned)(st->st_mode & 07777), w->path);
    else
        kw_note_set(w->note, "%s: mode %04o lets others change it; chmod go-w it",
                    w->shown, (unsigned)(st->st_mode & 07777));
    return kw_err_at(KW_CODE_DENIED, "file mode");
}

static kw_err trust_judge(const struct walk *w, const struct stat *st)
{
    kw_err e = judge_owner(w, st);
    return kw_failed(e) ? e : judge_mode(w, st);
}

/* ---- the walk ---- */

static kw_err trust_failed(const struct walk *w, int error)
{
    errno = error;
    return kw_file_failed("cannot open", w->shown, w->note);
}

/* Gives fd up. */
static kw_err stand_in(struct walk *w, int fd, const struct stat *st)
{
    kw_err e = trust_judge(w, st);
    if (kw_failed(e)) {
        close(fd);
        return e;
    }
    if (w->folder >= 0)
        close(w->folder);
    w->folder = fd;
    kw_copy(w->at, sizeof w->at, kw_span_of(w->shown, sizeof w->shown));
    return KW_OK;
}

static kw_err stand_in_root(struct walk *w)
{
    struct stat st;
    kw_copy_str(w->shown, sizeof w->shown, kw_span_str("/"));
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return trust_failed(w, errno);
    kw_err e = stand_in(w, fd, &st);
    w->at[0] = '\0';
    return e;
}

/* Takes the next part of the rest. */
static kw_err next_name(struct walk *w)
{
    size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");
    if (n == 0) /* the path names a folder */
        return kw_file_not_regular(w->path, w->note);
    if (!kw_copy_str(w->name, sizeof w->name, kw_span_of(w->rest + skip, n)))
        return trust_failed(w, ENAMETOOLONG);
    kw_span left = kw_span_str(w->rest + skip + n);
    kw_copy(w->rest, sizeof w->rest, kw_span_of(left.ptr, left.len + 1));
    int len = snprintf(w->shown, sizeof w->shown, "%s/%s", w->at, w->name);
    return len < 0 || (size_t)len >= sizeof w->shown ? trust_failed(w, ENAMETOOLONG)
                                                     : KW_OK;
}

/* What the link says is walked before the rest. */
static kw_err trust_follow(struct walk *w, int fd)
{
    char target[KW_PATH_MAX], rest[KW_PATH_MAX];
    ssize_t n = readlinkat(fd, "", target, sizeof target - 1);
    if (n >= (ssize_t)sizeof target - 1)
        return trust_failed(w, ENAMETOOLONG);
    if (n <= 0 || ++w->links > LINKS_MAX) {
        kw_note_set(w->note, "%s: a symbolic link that leads nowhere", w->shown);
        return kw_err_native(KW_CODE_BAD_INPUT, ELOOP, "file type");
    }
    target[n] = '\0';
    int len = snprintf(rest, sizeof rest, "%s%s", target, w->rest);
    if (len < 0 || (size_t)len >= sizeof rest)
        return trust_failed(w, ENAMETOOLONG);
    kw_copy(w->rest, sizeof w->rest, kw_span_of(rest, sizeof rest));
    return target[0] == '/' ? stand_in_root(w) : KW_OK;
}

/* One name further.  *ret_done: it is the file's, and the file was judged. */
static kw_err step(struct walk *w, bool *ret_done)
{
    struct stat st;
    kw_err e = next_name(w);
    if (kw_failed(e))
        return e;
    int fd = openat(w->folder, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return trust_failed(w, errno);
    if (fstat(fd, &st) != 0)
        e = trust_failed(w, errno);
    else if (S_ISDIR(st.st_mode))
        return stand_in(w, fd, &st);
    else if (S_ISLNK(st.st_mode))
        e = judge_owner(w, &st);
    else if (!S_ISREG(st.st_mode) || w->rest[0] != '\0')
        e = kw_file_not_regular(w->path, w->note);
    else
        e = trust_judge(w, &st);
    if (!kw_failed(e) && S_ISLNK(st.st_mode))
        e = trust_follow(w, fd);
    else
        *ret_done = true;
    close(fd);
    return e;
}

static kw_err trust_begin(struct walk *w)
{
    char here[KW_PATH_MAX] = "";
    if (w->path[0] != '/' && getcwd(here, sizeof here) == NULL)
        return kw_file_failed("cannot tell the working directory", w->path, w->note);
    int len = snprintf(w->rest, sizeof w->rest, "%s%s%s", here,
                       here[0] != '\0' ? "/" : "", w->path);
    if (len >= 0 && (size_t)len < sizeof w->rest)
        return stand_in_root(w);
    errno = ENAMETOOLONG;
    return kw_file_failed("cannot open", w->path, w->note);
}

static kw_err walk_to(struct walk *w)
{
    bool done = false;
    kw_err e = trust_begin(w);
    while (!kw_failed(e) && !done)
        e = step(w, &done);
    return e;
}

static void trust_leave(struct walk *w)
{
    if (w->folder >= 0)
        close(w->folder);
}

kw_err kw_file_judge(const char *path, uid_t uid, struct kw_note *note)
{
    struct walk w = {.path = path, .uid = uid, .note = note, .folder = -1};
    kw_err e = walk_to(&w);
    trust_leave(&w);
    return e;
}

/* What is judged is what is read: the name may be another file's by now. */
static kw_err read_judged(const struct walk *w, int fd, size_t max,
                          struct kw_blob *ret_blob)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return trust_failed(w, errno);
    if (!S_ISREG(st.st_mode))
        return kw_file_not_regular(w->path, w->note);
    kw_err e = trust_judge(w, &st);
    return kw_failed(e) ? e : kw_blob_read(fd, w->path, max, ret_blob, w->note);
}

kw_err kw_file_read_trusted(const char *path, uid_t uid, size_t max,
                            struct kw_blob *ret_blob, struct kw_note *note)
{
    struct walk w = {.path = path, .uid = uid, .note = note, .folder = -1};
    kw_err e = walk_to(&w);
    if (!kw_failed(e)) {
        int fd = openat(w.folder, w.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        e = fd < 0 ? trust_failed(&w, errno) : read_judged(&w, fd, max, ret_blob);
        if (fd >= 0)
            close(fd);
    }
    trust_leave(&w);
    return e;
}
