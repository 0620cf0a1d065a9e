/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are whole, in a folder that is whole. */
#include "evidence_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/sha256.h>

#include "interrupt.h"

enum { COPY_PIECE = 64 * 1024 };

static kw_err evidence_failed(const char *folder, const char *name, struct kw_note *note)
{
    const int saved = errno;
    kw_note_set(note, "%s%s%s: not written: %s", folder, name[0] != '\0' ? "/" : "", name,
                strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "evidence");
}

/* ---- the folder ---- */

static kw_err evidence_taken(const char *path, struct kw_note *note)
{
    kw_note_set(note,
                "%s is there already: evidence goes into a new folder, name another one",
                path);
    return kw_err_native(KW_CODE_DENIED, EEXIST, "--out");
}

/* Mode 0700, whatever the umask takes away: else its owner could not write into it. */
static int evidence_mkdir(int at, const char *path)
{
    const mode_t before = umask(0077);
    const int made = mkdirat(at, path, 0700);
    const int saved = errno;
    (void)umask(before);
    errno = saved;
    return made;
}

kw_err kw_evidence_folder_make(const char *path, struct kw_evidence_folder *ret_folder,
                               struct kw_note *note)
{
    struct kw_evidence_folder f = {.fd = -1};
    if (!kw_copy_str(f.path, sizeof f.path, kw_span_str(path))) {
        errno = ENAMETOOLONG;
        return evidence_failed(path, "", note);
    }
    if (evidence_mkdir(AT_FDCWD, path) != 0)
        return errno == EEXIST ? evidence_taken(path, note)
                               : evidence_failed(path, "", note);
    f.fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    f.files = json_array();
    f.folders = json_array();
    const bool has_lists = f.files != NULL && f.folders != NULL;
    if (f.fd >= 0 && has_lists && fchmod(f.fd, 0700) == 0) {
        *ret_folder = f;
        return KW_OK;
    }
    kw_err e = !has_lists ? kw_err_at(KW_CODE_NO_MEMORY, "evidence")
                          : evidence_failed(path, "", note);
    kw_evidence_folder_remove(&f);
    return e;
}

/* ---- folders in it ---- */

static const char *evidence_folder_at(const struct kw_evidence_folder *folder, size_t i)
{
    return json_string_value(json_array_get(folder->folders, i));
}

static bool evidence_has_folder(const struct kw_evidence_folder *folder, kw_span name)
{
    bool has = false;
    for (size_t i = json_array_size(folder->folders); i > 0 && !has; i--)
        has = kw_span_equal_str(name, evidence_folder_at(folder, i - 1));
    return has;
}

static kw_err evidence_make_folder(struct kw_evidence_folder *folder, kw_span name,
                                   struct kw_note *note)
{
    char path[KW_PATH_MAX];
    if (evidence_has_folder(folder, name))
        return KW_OK;
    if (!kw_copy_str(path, sizeof path, name)) {
        errno = ENAMETOOLONG;
        return evidence_failed(folder->path, path, note);
    }
    if (evidence_mkdir(folder->fd, path) != 0)
        return evidence_failed(folder->path, path, note);
    if (json_array_append_new(folder->folders, json_string(path)) == 0)
        return KW_OK;
    (void)unlinkat(folder->fd, path, AT_REMOVEDIR);
    return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
}

static kw_err evidence_make_folders_of(struct kw_evidence_folder *folder,
                                       const char *name, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (const char *at = strchr(name, '/'); at != NULL && !kw_failed(e);
         at = strchr(at + 1, '/'))
        e = evidence_make_folder(folder, kw_span_of(name, (size_t)(at - name)), note);
    return e;
}

kw_err kw_evidence_folder_inside(struct kw_evidence_folder *folder, const char *name,
                                 struct kw_note *note)
{
    const kw_err e = evidence_make_folder(folder, kw_span_str(name), note);
    if (!kw_failed(e))
        folder->inside = name;
    return e;
}

/* ---- its end ---- */

static kw_err evidence_sync_at(const struct kw_evidence_folder *folder, const char *name,
                               struct kw_note *note)
{
    const int fd = openat(folder->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kw_err e =
        fd < 0 || fsync(fd) != 0 ? evidence_failed(folder->path, name, note) : KW_OK;
    if (fd >= 0)
        close(fd);
    return e;
}

kw_err kw_evidence_folder_sync(struct kw_evidence_folder *folder, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = json_array_size(folder->folders); i > 0 && !kw_failed(e); i--)
        e = evidence_sync_at(folder, evidence_folder_at(folder, i - 1), note);
    if (!kw_failed(e))
        e = evidence_sync_at(folder, ".", note);
    return kw_failed(e) ? e : evidence_sync_at(folder, "..", note);
}

void kw_evidence_folder_close(struct kw_evidence_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    json_decref(folder->files);
    json_decref(folder->folders);
    *folder = KW_EVIDENCE_FOLDER_NONE;
}

void kw_evidence_folder_remove(struct kw_evidence_folder *folder)
{
    bool is_gone = true;
    for (size_t i = 0; i < json_array_size(folder->files); i++) {
        const json_t *file = json_array_get(folder->files, i);
        const char *name = json_string_value(json_object_get(file, "name"));
        is_gone &= unlinkat(folder->fd, name, 0) == 0;
    }
    for (size_t i = json_array_size(folder->folders); i > 0; i--)
        is_gone &=
            unlinkat(folder->fd, evidence_folder_at(folder, i - 1), AT_REMOVEDIR) == 0;
    is_gone &= rmdir(folder->path) == 0;
    if (!is_gone)
        fprintf(stderr, "keyward: %s cannot be taken away: %s; do it by hand\n",
                folder->path, strerror(errno));
    kw_evidence_folder_close(folder);
}

/* ---- a file ---- */

static kw_err evidence_open(struct kw_evidence_folder *folder, const char *name,
                            int *ret_fd, struct kw_note *note)
{
    if (json_array_size(folder->files) >= KW_EVIDENCE_FILES_MAX) {
        kw_note_set(note, "there are more than %u files", KW_EVIDENCE_FILES_MAX);
        return kw_err_at(KW_CODE_BUSY, "evidence");
    }
    if (kw_interrupt_seen() != 0) {
        kw_note_set(note, "interrupted");
        return kw_err_at(KW_CODE_CANCELLED, "evidence");
    }
    const kw_err e = evidence_make_folders_of(folder, name, note);
    if (kw_failed(e))
        return e;
    const int fd = openat(folder->fd, name,
                          O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return evidence_failed(folder->path, name, note);
    *ret_fd = fd;
    return KW_OK;
}

static kw_err evidence_list(struct kw_evidence_folder *folder, const char *name, int fd,
                            struct kw_note *note)
{
    struct stat st;
    uint8_t sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1];
    if (fchmod(fd, 0600) != 0 || fsync(fd) != 0 || fstat(fd, &st) != 0)
        return evidence_failed(folder->path, name, note);
    kw_err e = kw_sha256_file(fd, (uint64_t)st.st_size, sha256);
    if (kw_failed(e)) {
        kw_note_set(note, "%s/%s: cannot be read back", folder->path, name);
        return e;
    }
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    json_t *row = json_pack("{s:s, s:I, s:s}", "name", name, "size",
                            (json_int_t)st.st_size, "sha256", hex);
    return json_array_append_new(folder->files, row) == 0
               ? KW_OK
               : kw_err_at(KW_CODE_NO_MEMORY, "evidence");
}

/* What was written so far is listed, or taken away. */
static kw_err evidence_close(struct kw_evidence_folder *folder, const char *name, int fd,
                             kw_err e, struct kw_note *note)
{
    if (!kw_failed(e))
        e = evidence_list(folder, name, fd, note);
    close(fd);
    if (kw_failed(e))
        (void)unlinkat(folder->fd, name, 0);
    return e;
}

static kw_err evidence_write(const struct kw_evidence_folder *folder, const char *name,
                             int fd, kw_span bytes, struct kw_note *note)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return evidence_failed(folder->path, name, note);
        bytes = kw_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return KW_OK;
}

kw_err kw_evidence_put(struct kw_evidence_folder *folder, const char *name, kw_span bytes,
                       struct kw_note *note)
{
    int fd = -1;
    kw_err e = evidence_open(folder, name, &fd, note);
    if (kw_failed(e))
        return e;
    e = evidence_write(folder, name, fd, bytes, note);
    return evidence_close(folder, name, fd, e, note);
}

/* ---- a document ---- */

struct evidence_text {
    const struct kw_evidence_folder *folder;
    const char *name;
    struct kw_note *note;
    int fd;
    kw_err err;
    kw_dst piece;
};

static void evidence_flush(struct evidence_text *text)
{
    if (!kw_failed(text->err))
        text->err = evidence_write(text->folder, text->name, text->fd,
                                   kw_dst_span(&text->piece), text->note);
    text->piece.len = 0;
}

static int evidence_take(const char *bytes, size_t len, void *ctx)
{
    struct evidence_text *text = ctx;
    while (len > 0 && !kw_failed(text->err)) {
        if (text->piece.len == text->piece.cap)
            evidence_flush(text);
        const size_t room = text->piece.cap - text->piece.len;
        const size_t n = len < room ? len : room;
        KW_MUST(kw_dst_put(&text->piece, kw_span_of(bytes, n)));
        bytes += n;
        len -= n;
    }
    return kw_failed(text->err) ? -1 : 0;
}

kw_err kw_evidence_put_json(struct kw_evidence_folder *folder, const char *name,
                            json_t *document, struct kw_note *note)
{
    uint8_t piece[4096];
    struct evidence_text text = {.folder = folder,
                                 .name = name,
                                 .note = note,
                                 .piece = kw_dst_of(piece, sizeof piece)};
    if (document == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    kw_err e = evidence_open(folder, name, &text.fd, note);
    if (!kw_failed(e)) {
        const int dumped = json_dump_callback(document, evidence_take, &text,
                                              JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)evidence_take("\n", 1, &text);
        evidence_flush(&text);
        e = text.err;
        if (!kw_failed(e) && dumped != 0)
            e = kw_err_at(KW_CODE_NO_MEMORY, "evidence");
        e = evidence_close(folder, name, text.fd, e, note);
    }
    json_decref(document);
    return e;
}

/* ---- a copy ---- */

static kw_err evidence_unread(const char *name, ssize_t n, struct kw_note *note)
{
    const int saved = n < 0 ? errno : 0;
    kw_note_set(note, "%s: %s", name,
                n < 0 ? strerror(saved) : "it ended before its end: somebody cut it");
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "evidence");
}

static kw_err evidence_copy_pieces(const struct kw_evidence_folder *folder,
                                   const char *name, int source, int fd, uint64_t len,
                                   bool *ret_unread, struct kw_note *note)
{
    uint8_t piece[COPY_PIECE];
    uint64_t at = 0;
    kw_err e = KW_OK;
    while (at < len && !kw_failed(e)) {
        const size_t want = len - at < sizeof piece ? (size_t)(len - at) : sizeof piece;
        const ssize_t n = pread(source, piece, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            *ret_unread = true;
            return evidence_unread(name, n, note);
        }
        e = evidence_write(folder, name, fd, kw_span_of(piece, (size_t)n), note);
        at += (uint64_t)n;
        if (!kw_failed(e) && kw_interrupt_seen() != 0) {
            kw_note_set(note, "interrupted");
            e = kw_err_at(KW_CODE_CANCELLED, "evidence");
        }
    }
    return e;
}

kw_err kw_evidence_copy(struct kw_evidence_folder *folder, const char *name, int source,
                        uint64_t len, bool *ret_unread, struct kw_note *note)
{
    int fd = -1;
    *ret_unread = false;
    kw_err e = evidence_open(folder, name, &fd, note);
    if (kw_failed(e))
        return e;
    e = evidence_copy_pieces(folder, name, source, fd, len, ret_unread, note);
    return evidence_close(folder, name, fd, e, note);
}
