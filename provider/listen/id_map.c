/* SPDX-License-Identifier: Apache-2.0 */
#include "id_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* 340 lines of three numbers is all that a kernel takes. */
enum { ID_MAP_MAX = 16 * 1024 };

/* Takes blanks and a number off the front. */
static bool take_number(kw_span *line, uint64_t *ret)
{
    size_t i = 0, digits = 0;
    uint64_t v = 0;
    while (i < line->len && line->ptr[i] == ' ')
        i++;
    for (; i < line->len && line->ptr[i] >= '0' && line->ptr[i] <= '9' && digits < 11;
         i++, digits++)
        v = v * 10 + (uint64_t)(line->ptr[i] - '0');
    *line = kw_span_of(line->ptr + i, line->len - i);
    *ret = v;
    return digits > 0;
}

/* "first-inside first-outside how-many" */
static bool line_has(kw_span line, uint32_t id)
{
    uint64_t first, outside, count;
    return take_number(&line, &first) && take_number(&line, &outside) &&
           take_number(&line, &count) && line.len == 0 && id >= first &&
           id - first < count;
}

bool kw_id_map_has(kw_span map, uint32_t id)
{
    while (map.len > 0) {
        const uint8_t *end = memchr(map.ptr, '\n', map.len);
        size_t len = end != NULL ? (size_t)(end - map.ptr) : map.len;
        if (line_has(kw_span_of(map.ptr, len), id))
            return true;
        len += end != NULL;
        map = kw_span_of(map.ptr + len, map.len - len);
    }
    return false;
}

/* A page at a time is what such a file gives. */
static ssize_t read_whole(int fd, char *dst, size_t cap)
{
    size_t len = 0;
    ssize_t n;
    while (len < cap && (n = read(fd, dst + len, cap - len)) != 0) {
        if (n < 0)
            return -1;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static kw_err map_unread(const char *path, struct kw_note *note)
{
    const int error = errno;
    kw_note_set(note, "%s: %s: who connects could not be told apart", path,
                strerror(error));
    return kw_err_native(KW_CODE_IO, (uint32_t)error, "user namespace");
}

kw_err kw_id_map_check(const char *path, const char *what, const uint32_t *ids,
                       size_t count, struct kw_note *note)
{
    char text[ID_MAP_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? KW_OK : map_unread(path, note);
    ssize_t n = read_whole(fd, text, sizeof text);
    kw_err e = n < 0 ? map_unread(path, note) : KW_OK;
    close(fd);
    for (size_t i = 0; i < count && !kw_failed(e); i++) {
        if (kw_id_map_has(kw_span_of(text, (size_t)n), ids[i]))
            continue;
        kw_note_set(
            note,
            "%s %u may connect and has no name in this user namespace (%s), where "
            "all such read as 65534: PrivateUsers=no in the systemd unit, or a "
            "container that maps it",
            what, ids[i], path);
        e = kw_err_at(KW_CODE_DENIED, "user namespace");
    }
    return e;
}
