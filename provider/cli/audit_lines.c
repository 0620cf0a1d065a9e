/* SPDX-License-Identifier: Apache-2.0 */
/* One reader of a log's files for every verb. */
#include "audit_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <keyward/audit.h>

static kw_err lines_failed(const char *path, const char *where, struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "%s: %s", path, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, where);
}

enum {
    HEAD_MAX = 512, /* what a system log has before a copy: date, host, sender */
    LINE_MOST = HEAD_MAX + KW_AUDIT_LINE_MAX + 1, /* so much of a line is given */
};

/* A part of a file; what was not taken yet is kept. */
struct lines_window {
    int fd, native; /* errno, when it cannot be read */
    bool is_all;    /* nothing comes behind it       */
    size_t at, end;
    uint8_t bytes[1 << 16];
};

/* What is there: somebody may be writing at the other end of a pipe. */
static void lines_fill(struct lines_window *w)
{
    const size_t kept = w->end - w->at;
    for (size_t i = 0; i < kept; i++)
        w->bytes[i] = w->bytes[w->at + i];
    ssize_t n = read(w->fd, w->bytes + kept, sizeof w->bytes - kept);
    w->native = n < 0 && errno != EINTR ? errno : 0;
    w->is_all = n == 0 || w->native != 0;
    w->at = 0;
    w->end = kept + (n > 0 ? (size_t)n : 0);
}

/* The next line, or as much of it as is given; empty at the end. */
static kw_span lines_next(struct lines_window *w)
{
    for (;;) {
        const uint8_t *begin = w->bytes + w->at;
        const size_t left = w->end - w->at, room = left < LINE_MOST ? left : LINE_MOST;
        const uint8_t *feed = room > 0 ? memchr(begin, '\n', room) : NULL;
        if (feed != NULL || room == LINE_MOST || w->is_all) {
            const size_t len = feed != NULL ? (size_t)(feed - begin) + 1 : room;
            w->at += len;
            return kw_span_of(begin, len);
        }
        lines_fill(w);
    }
}

static bool lines_is_cut(kw_span line)
{
    return line.len == LINE_MOST && line.ptr[line.len - 1] != '\n';
}

kw_err kw_audit_lines_of(int fd, const char *path, kw_audit_line_take *take, void *self,
                         struct kw_note *note)
{
    struct lines_window w = {.fd = fd};
    bool goes_on = true;
    while (goes_on) {
        kw_span line = lines_next(&w);
        if (line.len == 0 || w.native != 0)
            break;
        goes_on = take(self, line);
        while (goes_on && lines_is_cut(line)) /* what is left of it */
            line = lines_next(&w);
    }
    errno = w.native;
    return w.native != 0 ? lines_failed(path, "read", note) : KW_OK;
}

kw_err kw_audit_lines(const char *path, kw_audit_line_take *take, void *self,
                      struct kw_note *note)
{
    const bool is_in = strcmp(path, "-") == 0;
    const int fd = is_in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lines_failed(path, "open", note);
    kw_err e = kw_audit_lines_of(fd, path, take, self, note);
    if (!is_in)
        close(fd);
    return e;
}
