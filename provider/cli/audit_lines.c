/* SPDX-License-Identifier: Apache-2.0 */
/* One reader of a log's files for every verb. */
#include "audit_lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <keyward/audit.h>

enum { HEAD_MAX = 512 }; /* what a system log has before a copy: date, host, sender */

static kw_err lines_failed(const char *path, const char *where, struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "%s: %s", path, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, where);
}

/* What is left of a line that was too long. */
static int lines_skip(FILE *file)
{
    int c = 0;
    while (c != EOF && c != '\n')
        c = getc_unlocked(file);
    return c;
}

static void lines_give(FILE *file, kw_audit_line_take *take, void *self)
{
    uint8_t line[HEAD_MAX + KW_AUDIT_LINE_MAX + 1];
    size_t len = 0;
    bool goes_on = true;
    for (int c = 0; c != EOF && goes_on;) {
        c = getc_unlocked(file);
        if (c == EOF && ferror(file))
            return;
        if (c != EOF)
            line[len++] = (uint8_t)c;
        if (len == 0 || (c != '\n' && c != EOF && len < sizeof line))
            continue;
        goes_on = take(self, kw_span_of(line, len));
        if (len == sizeof line && c != '\n' && goes_on)
            c = lines_skip(file);
        len = 0;
    }
}

kw_err kw_audit_lines(const char *path, kw_audit_line_take *take, void *self,
                      struct kw_note *note)
{
    const bool is_in = strcmp(path, "-") == 0;
    FILE *file = is_in ? stdin : fopen(path, "re");
    if (file == NULL)
        return lines_failed(path, "open", note);
    lines_give(file, take, self);
    kw_err e = ferror(file) ? lines_failed(path, "read", note) : KW_OK;
    if (!is_in)
        fclose(file);
    return e;
}
