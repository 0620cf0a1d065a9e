/* SPDX-License-Identifier: Apache-2.0 */
/* One line after the other; a line's value by support_value.c. */
#include "support_redact.h"

#include <string.h>

#include "support_value.h"

enum { LINE_MAX_BYTES = 2048, NOTHING = -1 };

struct redact {
    struct kw_support_text *out;
    struct kw_support_redacted *r;
    unsigned line;
    int skip;     /* lines deeper than this column belong to what was withheld */
    bool is_over; /* nothing is shown any more */
};

/* ---- parts of a line ---- */

static size_t redact_blanks(kw_span s, size_t at)
{
    while (at < s.len && s.ptr[at] == ' ')
        at++;
    return at;
}

static bool redact_is_key_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

/* The key that begins at `at`; empty when there is none with a colon behind it. */
static kw_span redact_key(kw_span line, size_t at)
{
    size_t end = at;
    while (end < line.len && redact_is_key_char(line.ptr[end]))
        end++;
    const bool is_key = end > at && end - at <= 64 && end < line.len &&
                        line.ptr[end] == ':' &&
                        (end + 1 == line.len || strchr(" \t", line.ptr[end + 1]) != NULL);
    return kw_span_of(line.ptr + at, is_key ? end - at : 0);
}

/* Behind the dashes of a list. */
static size_t redact_column(kw_span line, size_t indent)
{
    size_t column = indent;
    while (column + 1 < line.len && line.ptr[column] == '-' &&
           line.ptr[column + 1] == ' ')
        column = redact_blanks(line, column + 2);
    return column;
}

/* Where a line of YAML ends and none of ours does: CR, NEL, LS and PS. */
static bool redact_has_break(kw_span line)
{
    static const char *const breaks[] = {"\r", "\xc2\x85", "\xe2\x80\xa8",
                                         "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++)
        if (memmem(line.ptr, line.len, breaks[i], strlen(breaks[i])) != NULL)
            return true;
    return false;
}

/* ---- what was not shown ---- */

static void redact_end(struct redact *d)
{
    if (!d->is_over)
        kw_support_say(d->out, "# [line %u: nothing is shown from here on]\n", d->line);
    d->is_over = true;
}

static void redact_drop(struct redact *d, kw_span line)
{
    kw_support_words_add(&d->r->words, line, kw_span_str(""));
    d->r->dropped++;
}

/* Signs with which YAML begins what may go on for lines. */
static bool redact_has_sign(kw_span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '\0' || strchr("\"'{}[]|>&*!%@`?\t\r", line.ptr[i]) != NULL ||
            line.ptr[i] >= 0x80)
            return true;
    return false;
}

static void redact_not_understood(struct redact *d, kw_span line, size_t indent)
{
    redact_drop(d, line);
    d->skip = (int)indent;
    if (redact_has_sign(line))
        redact_end(d);
    else
        kw_support_say(d->out, "# [line %u is not shown]\n", d->line);
}

/* One that belongs to what is withheld.  What begins on it and does not end there may go on
 * where no line is as deep. */
static void redact_deeper(struct redact *d, kw_span line, size_t indent)
{
    bool is_closed = false;
    const size_t column = redact_column(line, indent);
    const kw_span key = redact_key(line, column);
    const size_t from = column + (key.len > 0 ? key.len + 1 : 0);
    redact_drop(d, line);
    (void)kw_support_value_of(kw_span_of(line.ptr + from, line.len - from), &is_closed);
    if (!is_closed || redact_has_break(line))
        redact_end(d);
}

/* ---- what was ---- */

static void redact_remember(struct redact *d, kw_span key, const char *value)
{
    struct kw_support_redacted *r = d->r;
    const struct {
        const char *key;
        char *dst;
    } places[] = {{"keyring", r->keyring},
                  {"state", r->state},
                  {"status", r->status},
                  {"dir", r->audit}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (kw_span_equal_str(key, places[i].key))
            kw_copy_str(places[i].dst, KW_PATH_MAX, kw_span_str(value));
    if (kw_span_equal_str(key, "module") && r->module_count < KW_SUPPORT_MODULES_MAX)
        kw_copy_str(r->modules[r->module_count++], KW_PATH_MAX, kw_span_str(value));
}

static void redact_value(struct redact *d, kw_span key, kw_span raw)
{
    char text[LINE_MAX_BYTES];
    const enum kw_support_kind kind = kw_support_kind_of(key);
    bool is_closed = false;
    const kw_span value = kw_support_value_of(raw, &is_closed);
    if (kind == KW_SUPPORT_UNKNOWN)
        kw_support_say(d->out, "[unknown key]:");
    else
        kw_support_say(d->out, "%.*s:", (int)key.len, (const char *)key.ptr);
    if (kind == KW_SUPPORT_BLOCK && value.len == 0) {
        kw_support_say(d->out, "\n");
        d->skip = NOTHING;
        return;
    }
    if (is_closed && value.len > 0 &&
        kw_support_show(kind, value, kw_dst_of(text, sizeof text - 1))) {
        kw_support_say(d->out, " %s\n", text);
        redact_remember(d, key, text);
        if (strstr(text, "[redacted]") != NULL)
            kw_support_words_add(&d->r->words, value, kw_span_str(text));
        d->r->shown++;
        return;
    }
    kw_support_say(d->out, " [redacted]\n");
    if (kind == KW_SUPPORT_UNKNOWN)
        kw_support_words_add(&d->r->words, key, kw_span_str(""));
    kw_support_words_add(&d->r->words, raw, kw_span_str(""));
    d->r->withheld++;
    if (!is_closed)
        redact_end(d);
}

/* ---- a line ---- */

static void redact_pair(struct redact *d, kw_span line, size_t indent)
{
    const size_t column = redact_column(line, indent);
    const kw_span key = redact_key(line, column);
    if (key.len == 0) {
        redact_not_understood(d, line, indent);
        return;
    }
    kw_support_put(d->out, kw_span_of(line.ptr, column));
    d->skip = (int)column;
    const size_t behind = column + key.len + 1;
    redact_value(d, key, kw_span_of(line.ptr + behind, line.len - behind));
}

static bool redact_is_ascii(kw_span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] >= 0x80 ||
            (line.ptr[i] != '\t' && !kw_is_printable_char(line.ptr[i])))
            return false;
    return true;
}

static void redact_comment(struct redact *d, kw_span line)
{
    if (redact_has_break(line)) {
        redact_drop(d, line);
        redact_end(d);
    } else
        d->r->comments++;
}

static bool redact_is_deeper(const struct redact *d, kw_span line, size_t indent)
{
    return d->skip != NOTHING &&
           ((int)indent > d->skip || ((int)indent == d->skip && line.ptr[indent] == '-'));
}

static void redact_line(struct redact *d, kw_span line)
{
    const size_t indent = redact_blanks(line, 0);
    d->line++;
    if (indent == line.len)
        kw_support_say(d->out, "\n");
    else if (line.ptr[indent] == '#')
        redact_comment(d, line);
    else if (d->is_over)
        redact_drop(d, line);
    else if (redact_is_deeper(d, line, indent))
        redact_deeper(d, line, indent);
    else if (line.len > LINE_MAX_BYTES / 2 || !redact_is_ascii(line)) {
        redact_drop(d, line);
        redact_end(d);
    } else
        redact_pair(d, line, indent);
}

void kw_support_redact(kw_span yaml, struct kw_support_text *dst,
                       struct kw_support_redacted *ret)
{
    struct redact d = {.out = dst, .r = ret, .skip = NOTHING};
    *ret = (struct kw_support_redacted){.keyring = "/etc/keyward/keyring.json",
                                        .state = "/var/lib/keyward",
                                        .status = "/run/keyward/status.sock"};
    for (size_t at = 0; at < yaml.len;) {
        const uint8_t *end = memchr(yaml.ptr + at, '\n', yaml.len - at);
        const size_t len = end != NULL ? (size_t)(end - yaml.ptr) - at : yaml.len - at;
        const size_t cr = len > 0 && yaml.ptr[at + len - 1] == '\r' ? 1 : 0;
        redact_line(&d, kw_span_of(yaml.ptr + at, len - cr));
        at += len + 1;
    }
}
