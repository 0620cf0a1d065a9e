/* SPDX-License-Identifier: Apache-2.0 */
/* Where the log of the operator's tool stands, by what its last line says of itself: whoever
 * follows that log finds out whether it says so rightly. */
#include "writer_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line of a log's file tells which log it is. */
static bool operator_head_log(int fd, char dst[2 * KW_SHA256 + 1])
{
    uint8_t bytes[KW_AUDIT_LINE_MAX], hash[KW_SHA256];
    struct kw_audit_record r;
    const ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    const uint8_t *feed = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;
    if (feed == NULL || kw_failed(kw_audit_read(kw_span_of(bytes, (size_t)(feed - bytes)),
                                                &r, hash, NULL)))
        return false;
    if (r.kind == KW_AUDIT_GENESIS)
        kw_copy_str(dst, 2 * KW_SHA256 + 1, r.value[KW_AUDIT_GENESIS_LOG].text);
    else if (r.kind == KW_AUDIT_FILE)
        kw_copy_str(dst, 2 * KW_SHA256 + 1, r.value[KW_AUDIT_FILE_LOG].text);
    return r.kind == KW_AUDIT_GENESIS || r.kind == KW_AUDIT_FILE;
}

/* The last whole line; behind it may be one that is being written. */
static kw_span operator_head_line(int fd, off_t size,
                                  uint8_t bytes[2 * KW_AUDIT_LINE_MAX])
{
    const off_t from = size > 2 * KW_AUDIT_LINE_MAX ? size - 2 * KW_AUDIT_LINE_MAX : 0;
    const ssize_t n = pread(fd, bytes, 2 * KW_AUDIT_LINE_MAX, from);
    const uint8_t *end = n > 0 ? memrchr(bytes, '\n', (size_t)n) : NULL;
    if (end == NULL)
        return (kw_span){0};
    const uint8_t *before = memrchr(bytes, '\n', (size_t)(end - bytes));
    const uint8_t *begin = before != NULL ? before + 1 : bytes;
    return kw_span_of(begin, (size_t)(end - begin));
}

static void operator_head_read(int fd, struct kw_audit_operator *found)
{
    uint8_t bytes[2 * KW_AUDIT_LINE_MAX], hash[KW_SHA256];
    struct kw_audit_record r;
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !operator_head_log(fd, found->log))
        return;
    const kw_span line = operator_head_line(fd, st.st_size, bytes);
    found->is_log = !kw_failed(kw_audit_read(line, &r, hash, NULL));
    if (!found->is_log)
        return;
    found->last = r.seq;
    kw_hex(found->head, sizeof found->head, kw_span_of(hash, sizeof hash));
}

static bool operator_head_is_told(const struct kw_audit_operator *told,
                                  const struct kw_audit_operator *found)
{
    if (told->is_there != found->is_there || told->is_log != found->is_log)
        return false;
    return !found->is_log ||
           (found->last == told->last && strcmp(found->head, told->head) == 0 &&
            strcmp(found->log, told->log) == 0);
}

bool kw_audit_operator_news(struct kw_audit_writer *w, struct kw_audit_record *ret_record)
{
    char path[4096];
    struct kw_audit_operator *f = &w->found;
    if (w->o.operator_dir == NULL)
        return false;
    snprintf(path, sizeof path, "%s/operator.jsonl", w->o.operator_dir);
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    /* One that was told of, and is gone, is there no less. */
    *f = (struct kw_audit_operator){.is_there =
                                        fd >= 0 || errno != ENOENT || w->told.is_there};
    if (fd >= 0) {
        operator_head_read(fd, f);
        close(fd);
    }
    if (operator_head_is_told(&w->told, f))
        return false;
    struct kw_audit_record r = {.kind = KW_AUDIT_OPERATOR_LOG};
    struct kw_audit_value *v = r.value;
    v[KW_AUDIT_OPERATOR_LOG_LOG] = f->is_log ? kw_audit_text(f->log) : KW_AUDIT_NULL;
    v[KW_AUDIT_OPERATOR_LOG_LAST] = f->is_log ? kw_audit_number(f->last) : KW_AUDIT_NULL;
    v[KW_AUDIT_OPERATOR_LOG_HEAD] = f->is_log ? kw_audit_text(f->head) : KW_AUDIT_NULL;
    *ret_record = r;
    return true;
}
