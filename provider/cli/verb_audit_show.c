/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit show - the records of an audit log, for people, for programs, for a table
 *
 * Files only, in constant memory: no configuration, no node, no token.  Nothing is shown that
 * kw_audit_read did not take, so all of it is printable ASCII.
 */
#include "cli.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <keyward/audit.h>
#include <keyward/clock.h>

#include "audit_files.h"

/* A member that must have this value, whatever the kind. */
struct wanted {
    const char *name, *alias; /* of the member; alias may be NULL */
    const char *text;         /* NULL: not asked for */
    uint64_t number;
};
enum { BY_CLASS, BY_METHOD, BY_CODE, BY_REASON, BY_KEY_ID, BY_PID, WANTED };

struct show {
    const struct kw_cli *cli;
    bool csv;
    const char *since, *until;
    char from[KW_AUDIT_TIME + 1], to[KW_AUDIT_TIME + 1]; /* "": no bound */
    const char *kind;
    char key_id[KW_AUDIT_NAME]; /* as a record has it */
    struct wanted wanted[WANTED];
    char file[PATH_MAX]; /* that is being read */
    uint64_t line;       /* in it, from 1 */
    bool has_strange;    /* a line was no record */
};

/* ---- which ---- */

static bool show_has(const struct kw_audit_record *r, const struct wanted *w)
{
    const struct kw_audit_shape *shape = kw_audit_shape(r->kind);
    for (size_t i = 0; i < shape->count; i++) {
        const struct kw_audit_member *m = &shape->member[i];
        const struct kw_audit_value *v = &r->value[i];
        if (strcmp(m->name, w->name) == 0 ||
            (w->alias != NULL && strcmp(m->name, w->alias) == 0))
            return !v->is_null &&
                   (m->spelling == KW_AUDIT_NUMBER ? v->number == w->number
                                                   : kw_span_equal_str(v->text, w->text));
    }
    return false;
}

/* Times of one length and one zone: the order of the letters is theirs. */
static bool show_is_wanted(const struct show *s, const struct kw_audit_record *r)
{
    const char *time = (const char *)r->time.ptr;
    if ((s->from[0] != '\0' && strncmp(time, s->from, KW_AUDIT_TIME) < 0) ||
        (s->to[0] != '\0' && strncmp(time, s->to, KW_AUDIT_TIME) >= 0))
        return false;
    if (s->kind != NULL && strcmp(s->kind, kw_audit_shape(r->kind)->name) != 0)
        return false;
    for (size_t i = 0; i < WANTED; i++)
        if (s->wanted[i].text != NULL && !show_has(r, &s->wanted[i]))
            return false;
    return true;
}

/* ---- how ---- */

/* As it stands in the line, but for the quotes. */
static kw_span show_value(const struct kw_audit_member *member,
                          const struct kw_audit_value *value, char room[24])
{
    if (value->is_null || member->spelling != KW_AUDIT_NUMBER)
        return value->is_null ? kw_span_str("null") : value->text;
    snprintf(room, 24, "%" PRIu64, value->number);
    return kw_span_str(room);
}

/* name=value, with a blank before each; what may have blanks is in quotes.  It is shorter
 * than the line was. */
static void show_pairs(const struct kw_audit_record *r, kw_dst *dst)
{
    const struct kw_audit_shape *shape = kw_audit_shape(r->kind);
    for (size_t i = 0; i < shape->count; i++) {
        char room[24];
        const struct kw_audit_member *m = &shape->member[i];
        const char *quote =
            m->spelling == KW_AUDIT_TEXT && !r->value[i].is_null ? "\"" : "";
        KW_MUST(kw_dst_put_u8(dst, ' ') && kw_dst_put(dst, kw_span_str(m->name)) &&
                kw_dst_put_u8(dst, '=') && kw_dst_put(dst, kw_span_str(quote)) &&
                kw_dst_put(dst, show_value(m, &r->value[i], room)) &&
                kw_dst_put(dst, kw_span_str(quote)));
    }
}

static void show_write(kw_span s)
{
    fwrite(s.ptr, 1, s.len, stdout);
}

static void show_print(const struct kw_audit_record *r)
{
    uint8_t room[KW_AUDIT_LINE_MAX];
    kw_dst pairs = kw_dst_of(room, sizeof room);
    show_pairs(r, &pairs);
    printf("%.*s %s", KW_AUDIT_TIME, (const char *)r->time.ptr,
           kw_audit_shape(r->kind)->name);
    show_write(kw_dst_span(&pairs));
    putchar('\n');
}

/* RFC 4180; an apostrophe before what a spreadsheet takes for a formula. */
static void show_cell(kw_span s)
{
    bool is_quoted = false;
    for (size_t i = 0; i < s.len; i++)
        is_quoted = is_quoted || s.ptr[i] == ',' || s.ptr[i] == '"';
    if (is_quoted)
        putchar('"');
    if (s.len > 0 && strchr("=+-@", s.ptr[0]) != NULL)
        putchar('\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            putchar('"');
        putchar(s.ptr[i]);
    }
    if (is_quoted)
        putchar('"');
}

static void show_csv_header(void)
{
    const struct kw_audit_shape *call = kw_audit_shape(KW_AUDIT_CALL);
    fputs("seq,time,kind", stdout);
    for (size_t i = 0; i < call->count; i++)
        printf(",%s", call->member[i].name);
    fputs(",rest\r\n", stdout);
}

static void show_csv(const struct kw_audit_record *r)
{
    uint8_t room[KW_AUDIT_LINE_MAX];
    const struct kw_audit_shape *call = kw_audit_shape(KW_AUDIT_CALL);
    const bool is_call = r->kind == KW_AUDIT_CALL;
    kw_dst pairs = kw_dst_of(room, sizeof room);
    printf("%" PRIu64 ",%.*s,%s", r->seq, KW_AUDIT_TIME, (const char *)r->time.ptr,
           kw_audit_shape(r->kind)->name);
    for (size_t i = 0; i < call->count; i++) {
        char digits[24];
        putchar(',');
        if (is_call && !r->value[i].is_null)
            show_cell(show_value(&call->member[i], &r->value[i], digits));
    }
    if (!is_call)
        show_pairs(r, &pairs);
    kw_span rest = kw_dst_span(&pairs);
    putchar(',');
    show_cell(rest.len > 0 ? kw_span_of(rest.ptr + 1, rest.len - 1) : rest);
    fputs("\r\n", stdout);
}

/* ---- lines ---- */

static bool show_read(kw_span line, struct kw_audit_record *ret_record,
                      struct kw_note *why)
{
    uint8_t hash[KW_SHA256];
    const bool has_end = line.ptr[line.len - 1] == '\n';
    const kw_span text = kw_span_of(line.ptr, line.len - has_end);
    if (has_end || line.len > KW_AUDIT_LINE_MAX)
        return !kw_failed(kw_audit_read(text, ret_record, hash, why));
    kw_note_set(why, "it has no end: it is being written, or torn");
    return false;
}

static bool show_take(void *self, kw_span line)
{
    struct show *s = self;
    struct kw_audit_record r;
    struct kw_note where, why = {{0}};
    s->line++;
    if (!show_read(line, &r, &why)) {
        kw_note_set(&where, "%s, line %" PRIu64, s->file, s->line);
        fprintf(stderr, "keyward: %s is no record: %s\n", where.text, why.text);
        s->has_strange = true;
    } else if (show_is_wanted(s, &r)) {
        if (s->cli->json)
            show_write(line);
        else if (s->csv)
            show_csv(&r);
        else
            show_print(&r);
    }
    return !ferror(stdout);
}

static void show_begins(void *self, const char *path)
{
    struct show *s = self;
    snprintf(s->file, sizeof s->file, "%s", path);
    s->line = 0;
}

static int show_files(struct show *s, const struct kw_words *files)
{
    const struct kw_audit_reader reader = {show_begins, show_take, s};
    /* What is written is lines, not a document: an error is words on standard error. */
    const struct kw_cli words = {.config = s->cli->config};
    struct kw_note note = {{0}};
    if (s->csv)
        show_csv_header();
    kw_err e = kw_audit_files(files, &reader, &note);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("keyward: standard output could not be written\n", stderr);
        return KW_EXIT_BLIND;
    }
    if (kw_failed(e))
        return kw_fail(&words, e, &note);
    return s->has_strange ? KW_EXIT_PROBLEM : KW_EXIT_GOOD;
}

/* ---- the verb ---- */

/* `text` with six digits behind its second, so that times compare as texts. */
static bool show_time(const char *text, char dst[KW_AUDIT_TIME + 1])
{
    static const char zeros[] = ".000000";
    const size_t len = strlen(text), whole = strlen("2026-01-31T12:00:00");
    if (len > KW_AUDIT_TIME || !kw_is_time(kw_span_str(text)))
        return false;
    snprintf(dst, KW_AUDIT_TIME + 1, "%.*s%sZ", (int)len - 1, text,
             zeros + (len - 1 - whole));
    return true;
}

/* Of the words that --kind takes; a row that ends with NULL. */
static void show_kinds(const char *dst[KW_AUDIT_KINDS + 1])
{
    for (unsigned k = 0; k < KW_AUDIT_KINDS; k++)
        dst[k] = kw_audit_shape((enum kw_audit_kind)k)->name;
    dst[KW_AUDIT_KINDS] = NULL;
}

/* -1 to go on. */
static int show_judge_words(struct show *s, const struct kw_words *files)
{
    static const char verb[] = "audit show";
    const char *key_id = s->wanted[BY_KEY_ID].text;
    if (files->count == 0)
        return kw_usage_error(verb, "it wants the folder or the files of a log, or -");
    if (s->csv && s->cli->json)
        return kw_usage_error(verb, "--csv and --json exclude each other");
    if (s->since != NULL && !show_time(s->since, s->from))
        return kw_usage_error(verb,
                              "--since %s: it wants a time such as "
                              "2026-01-31T12:00:00Z",
                              s->since);
    if (s->until != NULL && !show_time(s->until, s->to))
        return kw_usage_error(verb,
                              "--until %s: it wants a time such as "
                              "2026-01-31T12:00:00Z",
                              s->until);
    if (key_id == NULL || strncmp(key_id, "other:", strlen("other:")) == 0)
        return -1;
    kw_err e = kw_audit_name(KW_AUDIT_KEY_ID, kw_span_str(key_id), s->key_id);
    s->wanted[BY_KEY_ID].text = s->key_id;
    return kw_failed(e) ? kw_fail(s->cli, e, NULL) : -1;
}

int kw_verb_audit_show(int argc, char **argv)
{
    static const char summary[] =
        "Shows the records of an audit log, one a line; with --json the lines as they "
        "are, with\n--csv a table (RFC 4180) with the members of a call.  FILE is as for "
        "audit "
        "verify.  Options choose: a record is shown "
        "that has all that is asked for.\nWhether the records follow each other, and "
        "none was changed, is not looked at: see\nkeyward audit verify.";
    static const char exits[] =
        "0 shown, 1 a line was no record (the others are shown), 2 wrong usage, 3 a file "
        "could not be read";
    const char *kinds[KW_AUDIT_KINDS + 1];
    struct kw_words files = {.count = 0};
    struct kw_cli cli;
    struct show s = {.cli = &cli,
                     .wanted = {[BY_CLASS] = {"class"},
                                [BY_METHOD] = {"method"},
                                [BY_CODE] = {"code"},
                                [BY_REASON] = {"reason"},
                                [BY_KEY_ID] = {"key_id"},
                                [BY_PID] = {"peer_pid", "pid"}}};
    struct wanted *w = s.wanted;
    unsigned kind = 0;
    const struct kw_option options[] = {
        {"since", "TIME", "from this time on, such as 2026-01-31T12:00:00Z",
         .text = &s.since},
        {"until", "TIME", "before this time", .text = &s.until},
        {"kind", "KIND", "of this kind, such as call", .text = &s.kind, .choices = kinds,
         .choice = &kind},
        {"class", "NAME", "of this class", .text = &w[BY_CLASS].text},
        {"method", "NAME", "encrypt or decrypt", .text = &w[BY_METHOD].text},
        {"code", "N", "answered with this code of gRPC", .text = &w[BY_CODE].text,
         .number = &w[BY_CODE].number, .most = 16},
        {"reason", "WORD", "with this reason, such as hsm-down",
         .text = &w[BY_REASON].text},
        {"key-id", "KEY_ID", "of this key, foreign ones as the peer called it, too",
         .text = &w[BY_KEY_ID].text},
        {"pid", "PID", "of this process", .text = &w[BY_PID].text,
         .number = &w[BY_PID].number, .most = INT64_MAX},
        {"csv", NULL, "a table; what a spreadsheet takes for a formula gets a '",
         .on = &s.csv},
    };
    const struct kw_usage usage = {.verb = "audit show",
                                   .operands = "FILE…",
                                   .rest = &files,
                                   .summary = summary,
                                   .config = "every verb's; it reads none",
                                   .exits = exits,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0]};
    show_kinds(kinds);
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = show_judge_words(&s, &files);
    return code >= 0 ? code : show_files(&s, &files);
}
