/* SPDX-License-Identifier: Apache-2.0 */
#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/etcd_wal.h>
#include <keyward/file.h>

enum {
    MARKS_MAX = 64, /* bytes of a mark; KW_ETCD_WAL_OVERLAP + 1 */
    MARKS_PIECE = 1 << 20,
    MARKS_OVERLAP = MARKS_MAX - 1, /* so that no mark is cut between two pieces */
};

_Static_assert(MARKS_OVERLAP <= KW_ETCD_WAL_OVERLAP, "a mark is cut in the log");

static bool marks_has(kw_span bytes, kw_span mark)
{
    return mark.len > 0 && bytes.len >= mark.len &&
           memmem(bytes.ptr, bytes.len, mark.ptr, mark.len) != NULL;
}

bool kw_etcd_has_marks(kw_span bytes, kw_span prefix)
{
    uint8_t below[MARKS_MAX];
    kw_dst dst = kw_dst_of(below, sizeof below);
    const bool is_cut = prefix.len >= MARKS_MAX;
    KW_MUST(kw_dst_put(&dst, kw_span_of(prefix.ptr, is_cut ? MARKS_MAX : prefix.len)) &&
            (is_cut || kw_dst_put_u8(&dst, '/')));
    return marks_has(bytes, kw_span_str("k8s:enc:")) ||
           marks_has(bytes, kw_span_of("k8s", 4)) ||
           marks_has(bytes, kw_span_str("\"apiVersion\":")) ||
           (prefix.len > 0 && marks_has(bytes, kw_dst_span(&dst)));
}

static kw_err marks_open(const char *path, int *ret_fd, struct kw_note *note)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        kw_note_set(note, "%s: %s", path, strerror(errno));
        return kw_err_native(errno == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                             (uint32_t)errno, "open");
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *ret_fd = fd;
        return KW_OK;
    }
    close(fd);
    kw_note_set(note, "%s: no regular file", path);
    return kw_err_at(KW_CODE_BAD_INPUT, "etcd file");
}

static kw_err marks_search(int fd, uint8_t *piece, kw_span prefix, bool *ret_has,
                           uint64_t *ret_bytes)
{
    uint64_t at = 0;
    for (;;) {
        const uint64_t data = kw_file_next_data(fd, at);
        if (data - at >= MARKS_PIECE) /* nothing but a hole, which has no marks */
            at = data - MARKS_OVERLAP;
        const ssize_t got = kw_file_pread(fd, piece, MARKS_PIECE, at);
        if (got < 0)
            return kw_err_native(KW_CODE_IO, (uint32_t)errno, "read");
        *ret_has = *ret_has || kw_etcd_has_marks(kw_span_of(piece, (size_t)got), prefix);
        *ret_bytes = at + (uint64_t)got;
        if (got <= MARKS_OVERLAP)
            return KW_OK;
        at = *ret_bytes - MARKS_OVERLAP;
    }
}

kw_err kw_etcd_file_has_marks(const char *path, kw_span prefix, bool *ret_has,
                              uint64_t *ret_bytes, struct kw_note *note)
{
    int fd = -1;
    *ret_has = false;
    *ret_bytes = 0;
    kw_err e = marks_open(path, &fd, note);
    if (kw_failed(e))
        return e;
    uint8_t *piece = kw_new(MARKS_PIECE, 1);
    e = piece == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "etcd file")
                      : marks_search(fd, piece, prefix, ret_has, ret_bytes);
    if (e.code == KW_CODE_IO)
        kw_note_set(note, "%s: it cannot be read: %s", path, strerror((int)e.native));
    kw_free(piece);
    close(fd);
    return e;
}
