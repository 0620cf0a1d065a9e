/* SPDX-License-Identifier: Apache-2.0 */
/* keywardd's log, and the audit log's last checkpoint: the ends of files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "support_command.h"
#include "support_look.h"
#include "support_process.h"

enum { TAIL_MAX = 1024 * 1024, SAID_MAX = 4096, JOURNAL_S = 10 };

/* ---- the end of a file ---- */

/* What is read from the middle on begins with the end of a line: that is left out. */
static kw_span log_behind_first(kw_span piece, bool *is_in_line)
{
    if (!*is_in_line || piece.len == 0)
        return piece;
    const uint8_t *end = memchr(piece.ptr, '\n', piece.len);
    if (end == NULL)
        return kw_span_of(piece.ptr, 0);
    *is_in_line = false;
    return kw_span_of(end + 1, piece.len - (size_t)(end - piece.ptr) - 1);
}

static bool log_tail(const char *path, struct kw_support_text *dst,
                     struct kw_support_text *missed)
{
    struct stat st;
    uint8_t piece[4096];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        kw_support_say(missed, "%s: %s\n", path, fd < 0 ? strerror(errno) : "no file");
        if (fd >= 0)
            close(fd);
        return false;
    }
    const uint64_t size = (uint64_t)st.st_size;
    uint64_t at = size > TAIL_MAX ? size - TAIL_MAX : 0;
    bool is_in_line = at > 0;
    while (at < size) {
        const uint64_t left = size - at;
        const ssize_t n = kw_file_pread(
            fd, piece, left < sizeof piece ? (size_t)left : sizeof piece, at);
        if (n <= 0)
            break;
        kw_support_put(dst, log_behind_first(kw_span_of(piece, (size_t)n), &is_in_line));
        at += (uint64_t)n;
    }
    close(fd);
    return true;
}

/* ---- lines ---- */

static kw_span log_line(kw_span all, size_t at)
{
    const uint8_t *end = memchr(all.ptr + at, '\n', all.len - at);
    return kw_span_of(all.ptr + at,
                      end != NULL ? (size_t)(end - all.ptr) - at : all.len - at);
}

static bool log_has(kw_span line, const char *text)
{
    return line.len > 0 && memmem(line.ptr, line.len, text, strlen(text)) != NULL;
}

static void log_put(kw_span line, struct kw_support_text *dst)
{
    char shown[4096];
    (void)kw_copy_printable(shown, sizeof shown, line);
    kw_support_put(dst, kw_span_str(shown));
    kw_support_put(dst, kw_span_str("\n"));
}

unsigned kw_support_log_lines(kw_span all, struct kw_support_text *dst)
{
    unsigned lines = 0, vendor = 0;
    for (size_t at = 0; at < all.len; at += log_line(all, at).len + 1)
        lines++;
    for (size_t at = 0; at < all.len; lines--) {
        const kw_span line = log_line(all, at);
        at += line.len + 1;
        if (lines > KW_SUPPORT_LOG_LINES)
            continue;
        if (log_has(line, "vendor-output"))
            vendor++;
        else
            log_put(line, dst);
    }
    return vendor;
}

/* ---- where it is ---- */

bool kw_support_log_of(pid_t pid, struct kw_support_text *dst,
                       struct kw_support_text *missed)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, STDERR_FILENO);
    return kw_support_process_writes(pid, STDERR_FILENO) && stat(path, &st) == 0 &&
           S_ISREG(st.st_mode) && log_tail(path, dst, missed);
}

/* Of the first one that has a file. */
static bool log_file(struct kw_support_text *dst, struct kw_support_text *missed)
{
    pid_t pids[KW_SUPPORT_PROCESSES_MAX];
    const size_t n = kw_support_process_find("keywardd", pids, KW_SUPPORT_PROCESSES_MAX);
    for (size_t i = 0; i < n; i++)
        if (kw_support_log_of(pids[i], dst, missed))
            return true;
    return false;
}

static bool log_journal(const char *unit, struct kw_support_text *dst,
                        struct kw_support_text *missed)
{
    static const char *const places[] = {"/usr/bin/journalctl", "/bin/journalctl"};
    const char *program = places[access(places[0], X_OK) == 0 ? 0 : 1];
    struct kw_support_text said;
    char lines[32];
    int status = 0;
    snprintf(lines, sizeof lines, "--lines=%d", KW_SUPPORT_LOG_LINES);
    const char *const argv[] = {program,
                                "--no-pager",
                                "--quiet",
                                "--output=cat",
                                lines,
                                unit != NULL ? "-u" : "-t",
                                unit != NULL ? unit : "keywardd",
                                NULL};
    kw_support_text_init(&said, SAID_MAX);
    const kw_err e = kw_support_command(argv, JOURNAL_S, dst, &said, &status);
    if (kw_failed(e))
        kw_support_say(missed, "the log: journalctl: %s\n",
                       e.code == KW_CODE_MISSING ? "there is none"
                                                 : kw_code_name(e.code));
    else if (status != 0)
        kw_support_say(missed, "the log: journalctl ended with %d: %.*s\n", status,
                       (int)said.len, said.bytes);
    kw_support_text_wipe(&said);
    return !kw_failed(e) && dst->len > 0;
}

void kw_support_log(const char *unit, struct kw_support_text *dst,
                    struct kw_support_text *missed)
{
    struct kw_support_text raw;
    kw_support_text_init(&raw, TAIL_MAX);
    const bool found = log_file(&raw, missed) || log_journal(unit, &raw, missed);
    const unsigned vendor = kw_support_log_lines(kw_support_text_peek(&raw), dst);
    if (!found)
        kw_support_say(
            missed, "the log: keywardd writes it to its standard error: look where that "
                    "goes, and add its last lines by hand (a unit's: --unit)\n");
    if (vendor > 0)
        kw_support_say(missed,
                       "the log: %u lines vendor-output, as a vendor's library may write "
                       "anything\n",
                       vendor);
    kw_support_text_wipe(&raw);
}

/* ---- the checkpoint ---- */

void kw_support_checkpoint(const char *audit_dir, struct kw_support_text *dst,
                           struct kw_support_text *missed)
{
    char path[KW_PATH_MAX + 16];
    struct kw_support_text raw;
    kw_span last = {0};
    if (audit_dir[0] == '\0') {
        kw_support_say(missed,
                       "the last checkpoint: the configuration names no audit log\n");
        return;
    }
    snprintf(path, sizeof path, "%s/audit.jsonl", audit_dir);
    kw_support_text_init(&raw, TAIL_MAX);
    const bool is_read = log_tail(path, &raw, missed);
    const kw_span all = kw_support_text_peek(&raw);
    for (size_t at = 0; at < all.len; at += log_line(all, at).len + 1)
        if (log_has(log_line(all, at), ",\"kind\":\"checkpoint\","))
            last = log_line(all, at);
    if (last.len > 0)
        log_put(last, dst);
    else if (is_read)
        kw_support_say(missed, "the last checkpoint: none in the last %u bytes of %s\n",
                       (unsigned)TAIL_MAX, path);
    kw_support_text_wipe(&raw);
}
