/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit verify - does each record of an audit log follow the one before?
 *
 * Files only, in constant memory: no configuration, no node, no token.
 */
#include "cli.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include <keyward/audit.h>

#include "audit_anchors.h"
#include "audit_coverage.h"
#include "audit_files.h"
#include "audit_signatures.h"
#include "coverage_report.h"

enum { KW_EXIT_INCOMPLETE = 4 }; /* sound, and something is missing or was not as left */

struct verification {
    const struct kw_cli *cli;
    char file[PATH_MAX]; /* that is being read */
    struct kw_audit_chain chain;
    uint64_t first, records, of_kind[KW_AUDIT_KINDS];
    uint64_t line, offset; /* in the file: where the last record that was taken ends */
    bool is_unended;       /* the last line of all has no line feed */
    bool wants_anchors, wants_signatures;
    struct kw_anchors anchors;
    struct kw_signatures signatures;
    bool wants_period;
    struct kw_coverage coverage;
    struct kw_covered covered; /* of a log that is not broken */
    kw_err err;                /* it cannot go on, whatever the log is */
    struct kw_note why;        /* what is broken; "" */
};

/* ---- reading ---- */

static bool verify_is_broken(const struct verification *v)
{
    return v->why.text[0] != '\0';
}

/* A record, and what of it is signed and anchored, as it was found. */
static void verify_cover(struct verification *v, const struct kw_audit_record *r,
                         bool has_signed, bool is_anchored)
{
    if (!v->wants_period || verify_is_broken(v))
        return;
    v->err = kw_coverage_meet(&v->coverage, r);
    if (has_signed)
        kw_coverage_signed(&v->coverage, r->value[KW_AUDIT_SIGNATURE_COVERS].number);
    if (is_anchored)
        kw_coverage_anchored(&v->coverage);
}

/* What else is known of it. */
static void verify_judge(struct verification *v, const struct kw_audit_record *r)
{
    const uint64_t agreed = v->anchors.agreed, good = v->signatures.good;
    kw_anchors_meet(&v->anchors, r, &v->chain, &v->why);
    kw_signatures_meet(&v->signatures, r, &v->why);
    verify_cover(v, r, v->signatures.good > good, v->anchors.agreed > agreed);
}

/* Counts the line when it is the next record; else says why it is not. */
static bool verify_take(void *self, kw_span line)
{
    struct verification *v = self;
    struct kw_audit_record r;
    if (v->is_unended)
        kw_note_set(&v->why, "the file before ends within a line");
    else if (line.len > KW_AUDIT_LINE_MAX)
        kw_note_set(&v->why, "the line is longer than %d bytes", KW_AUDIT_LINE_MAX - 1);
    else if (line.ptr[line.len - 1] != '\n')
        v->is_unended = true;
    else if (!kw_failed(kw_audit_chain_take(&v->chain, kw_span_of(line.ptr, line.len - 1),
                                            &r, &v->why))) {
        v->first = v->records == 0 ? r.seq : v->first;
        v->records++;
        v->of_kind[r.kind]++;
        verify_judge(v, &r);
        if (!verify_is_broken(v)) {
            v->offset += line.len;
            v->line++;
        }
    }
    return !verify_is_broken(v) && !kw_failed(v->err);
}

/* ---- the verdict ---- */

/* Each says that something is not as a log that was never touched has it. */
static const struct {
    enum kw_audit_kind kind;
    const char *words;
} marks[] = {
    {KW_AUDIT_TAMPERED, "a file was not as it had been left"},
    {KW_AUDIT_TORN, "bytes behind a last record were cut off"},
    {KW_AUDIT_UNSYNCED,
     "a disk failed: what the file before has at its end is not certain"},
    {KW_AUDIT_UNRECORDED, "calls were answered, or changes made, that are not on record"},
    {KW_AUDIT_LOG_LOST, "the node remembered a later record of a log than was there"},
};

/* Anchors were given, and none agreed, or there were those of another log. */
static bool verify_lacks_anchors(const struct verification *v)
{
    return v->wants_anchors && (v->anchors.agreed == 0 || v->anchors.others > 0);
}

/* A key was given, and not all is signed by it, each stretch in its time. */
static bool verify_lacks_signatures(const struct verification *v)
{
    return v->signatures.has_key &&
           (v->signatures.stretches > 0 || !kw_signatures_cover_the_end(&v->signatures));
}

static bool verify_is_marked(const struct verification *v)
{
    if (verify_lacks_anchors(v) || verify_lacks_signatures(v) ||
        (v->wants_period && !v->covered.is_whole))
        return true;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (v->of_kind[marks[i].kind] > 0)
            return true;
    return v->is_unended;
}

static void verify_print_marks(const struct verification *v)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (v->of_kind[marks[i].kind] > 0)
            printf("%-10s %" PRIu64 " of its records: %s\n",
                   kw_audit_shape(marks[i].kind)->name, v->of_kind[marks[i].kind],
                   marks[i].words);
    if (v->is_unended)
        printf("%-10s the last line has no end: it is being written, or torn\n",
               "unended");
}

static void verify_print_anchors(const struct verification *v)
{
    if (!v->wants_anchors)
        return;
    printf("%-10s %" PRIu64 " agree, %" PRIu64 " are of records before the first\n",
           "anchors", v->anchors.agreed, v->anchors.earlier);
    if (v->anchors.others > 0)
        printf("%-10s %" PRIu64 " anchors are of another log: where is it?\n", "others",
               v->anchors.others);
}

static void verify_print_signatures(const struct verification *v)
{
    const struct kw_signatures *s = &v->signatures;
    if (!s->has_key && v->of_kind[KW_AUDIT_SIGNATURE] > 0)
        printf("%-10s %" PRIu64 ", unchecked: --key says whose they are\n", "signatures",
               v->of_kind[KW_AUDIT_SIGNATURE]);
    if (!s->has_key)
        return;
    if (s->good > 0)
        printf("%-10s up to %" PRIu64 "%s\n", "signed", s->signed_to,
               kw_signatures_cover_the_end(s) ? "" : "; what comes behind is not");
    else
        printf("%-10s nothing by this key\n", "signed");
    if (s->strangers > 0)
        printf("%-10s %" PRIu64 " signatures are by another key\n", "strangers",
               s->strangers);
    if (s->stretches > 0)
        printf("%-10s %" PRIu64 " stretches, the last of them %" PRIu64 " to %" PRIu64
               ": signed only with what came later\n",
               "unsigned", s->stretches, s->from, s->to);
}

static void verify_print_coverage(const struct verification *v)
{
    if (v->wants_period && verify_is_broken(v))
        printf("%-10s nothing is said of it, as the log is broken\n", "period");
    else if (v->wants_period)
        kw_covered_print(&v->covered, &v->coverage.asked.period);
}

/* ", anchored up to 4711" */
static void verify_words(const struct verification *v, char dst[64])
{
    if (v->anchors.agreed > 0)
        snprintf(dst, 64, ", anchored up to %" PRIu64, v->anchors.anchored_to);
    else
        snprintf(dst, 64, ", not anchored");
}

static json_t *verify_kinds(const struct verification *v)
{
    json_t *kinds = json_object();
    for (unsigned k = 0; k < KW_AUDIT_KINDS; k++)
        json_object_set_new(kinds, kw_audit_shape((enum kw_audit_kind)k)->name,
                            json_integer((json_int_t)v->of_kind[k]));
    return kinds;
}

static json_t *verify_signatures(const struct verification *v)
{
    const struct kw_signatures *s = &v->signatures;
    return json_pack("{s:b, s:o*, s:b, s:I, s:I}", "checked", s->has_key, "signed_to",
                     s->good > 0 ? json_integer((json_int_t)s->signed_to) : NULL,
                     "end_signed", kw_signatures_cover_the_end(s), "unsigned_stretches",
                     (json_int_t)s->stretches, "by_strangers", (json_int_t)s->strangers);
}

/* Of a broken log there is neither list nor sum.  Takes the document; NULL: no memory. */
static json_t *verify_json_coverage(const struct verification *v, json_t *document)
{
    int failed = 0;
    if (v->wants_period)
        failed =
            json_object_set_new(document, "covered", json_boolean(v->covered.is_whole));
    if (v->wants_period && !verify_is_broken(v))
        failed |=
            json_object_set_new(document, "coverage", kw_covered_list_json(&v->covered)) |
            json_object_set_new(
                document, "period",
                kw_covered_period_json(&v->covered, &v->coverage.asked.period));
    if (failed == 0)
        return document;
    json_decref(document);
    return NULL;
}

static int verify_json(const struct verification *v, const char *verdict, int code)
{
    char log[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    const bool is_broken = verify_is_broken(v);
    const bool is_anchored = !is_broken && v->anchors.agreed > 0;
    kw_hex(log, sizeof log, kw_span_of(v->chain.log, KW_SHA256));
    kw_hex(head, sizeof head, kw_span_of(v->chain.head, KW_SHA256));
    json_t *document = json_pack(
        "{s:b, s:s, s:b, s:o*, s:I, s:o, s:b, s:s, s:I, s:I, s:s, s:o, s:b, s:s*, s:o*, "
        "s:o*, s:s*}",
        "ok", code == KW_EXIT_GOOD, "verdict", verdict, "anchored", is_anchored,
        "anchored_to",
        is_anchored ? json_integer((json_int_t)v->anchors.anchored_to) : NULL,
        "anchors_of_others", (json_int_t)v->anchors.others, "signatures",
        verify_signatures(v), "beginning_known", v->chain.knows_its_beginning, "log", log,
        "first", (json_int_t)v->first, "records", (json_int_t)v->records, "head", head,
        "kinds", verify_kinds(v), "unended", v->is_unended, "file",
        is_broken ? v->file : NULL, "line",
        is_broken ? json_integer((json_int_t)v->line + 1) : NULL, "offset",
        is_broken ? json_integer((json_int_t)v->offset) : NULL, "reason",
        is_broken ? v->why.text : NULL);
    int said = kw_json_out(verify_json_coverage(v, document), KW_EXIT_GOOD);
    return said != KW_EXIT_GOOD ? said : code;
}

static int verify_report(const struct verification *v)
{
    const bool is_broken = verify_is_broken(v) || v->records == 0;
    const int code = is_broken             ? KW_EXIT_PROBLEM
                     : verify_is_marked(v) ? KW_EXIT_INCOMPLETE
                                           : KW_EXIT_GOOD;
    const char *verdict = is_broken              ? "broken"
                          : code == KW_EXIT_GOOD ? "sound"
                                                 : "incomplete";
    char head[2 * KW_SHA256 + 1], words[64];
    if (v->cli->json)
        return verify_json(v, verdict, code);
    kw_hex(head, sizeof head, kw_span_of(v->chain.head, KW_SHA256));
    verify_words(v, words);
    printf("%s%s\n", verdict, is_broken ? "" : words);
    if (v->records > 0)
        printf("records    %" PRIu64 " to %" PRIu64 "%s\nhead       %s\n", v->first,
               v->first + v->records - 1,
               v->chain.knows_its_beginning ? "" : "; what came before them is believed",
               head);
    verify_print_marks(v);
    verify_print_anchors(v);
    verify_print_signatures(v);
    verify_print_coverage(v);
    if (v->why.text[0] != '\0') {
        struct kw_note file; /* what it holds is printable */
        kw_note_set(&file, "%s", v->file);
        printf("broken at  %s, line %" PRIu64 ", byte %" PRIu64 ": %s\n", file.text,
               v->line + 1, v->offset, v->why.text);
    } else if (v->records == 0) {
        puts("there is no record");
    }
    return code;
}

/* ---- the verb ---- */

static bool verify_from(const char *text, struct verification *v)
{
    uint8_t hash[KW_SHA256];
    uint64_t seq = 0;
    int end = 0;
    if (text[0] < '0' || text[0] > '9' ||
        sscanf(text, "%18" SCNu64 ":%n", &seq, &end) != 1 || end == 0 ||
        !kw_unhex(hash, sizeof hash, kw_span_str(text + end)))
        return false;
    kw_audit_chain_from(&v->chain, seq, hash);
    return true;
}

static void verify_begins(void *self, const char *path)
{
    struct verification *v = self;
    snprintf(v->file, sizeof v->file, "%s", path);
    v->line = v->offset = 0;
}

static kw_err verify_files(struct verification *v, const struct kw_words *files,
                           struct kw_note *note)
{
    const struct kw_audit_reader reader = {verify_begins, verify_take, v};
    kw_err e = kw_audit_files(files, &reader, note);
    kw_signatures_end(&v->signatures);
    e = kw_failed(e) ? e : v->err;
    if (!kw_failed(e) && !verify_is_broken(v) && v->records > 0)
        kw_anchors_end(&v->anchors, &v->chain, &v->why);
    if (!kw_failed(e) && !verify_is_broken(v) && v->wants_period)
        e = kw_coverage_end(&v->coverage, &v->covered);
    return e;
}

/* -1 to go on. */
static int verify_period(const char *text, struct verification *v)
{
    struct kw_coverage_asked asked = {.signatures = v->wants_signatures,
                                      .anchors = v->wants_anchors};
    if (!kw_period_read(text, &asked.period))
        return kw_usage_error("audit verify",
                              "--period %s: it wants FROM..TO, two days or times of UTC "
                              "such as 2026-01-31 or 2026-01-31T12:00:00Z, the earlier "
                              "one first",
                              text);
    v->wants_period = true;
    kw_coverage_begin(&v->coverage, &asked);
    return -1;
}

/* With what was asked for, whose files are read first. */
static kw_err verify_run(struct verification *v, const struct kw_words *files,
                         const char *anchors, const char *key, struct kw_note *note)
{
    kw_err e = anchors != NULL ? kw_anchors_read(anchors, &v->anchors, note) : KW_OK;
    if (!kw_failed(e) && key != NULL)
        e = kw_signatures_key(key, &v->signatures, note);
    return kw_failed(e) ? e : verify_files(v, files, note);
}

int kw_verb_audit_verify(int argc, char **argv)
{
    static const char summary[] =
        "Says whether each record of an audit log follows the one before, so that "
        "nothing "
        "was\nchanged, dropped or put in between.  FILE is a log's folder (audit-*.jsonl "
        "in "
        "their order,\nthen audit.jsonl), or they are single files of one log, oldest "
        "first; "
        "- is standard input.\noperator.jsonl is a log of its own: verify it by its "
        "name.  Works on files alone, anywhere.\nThat nobody wrote the whole log anew is "
        "not said by this: only somebody who holds an earlier\nhash knows, and says so "
        "with --anchors.";
    static const char more[] =
        "Exit status: 0 sound, 1 broken (or FILE of --anchors or --key is none), 2 wrong "
        "usage, 3 a\nfile could not be read, 4 incomplete: each record follows, but the "
        "log says that something is\nmissing or was not as it had been left, no anchor "
        "agrees, some are of another log, not all of\nit is signed by the key of "
        "--key, or the period of --period has a gap: a time at which keywardd neither "
        "ran\nnor was stopped, as far as the log says, with --key what is not signed, "
        "and with --anchors\nwhat is not anchored.  docs/FORMATS.md, 7, has what finds "
        "what.";
    struct kw_words files = {.count = 0};
    struct kw_cli cli;
    struct kw_note note = {{0}};
    struct verification v = {.cli = &cli};
    const char *from = NULL, *anchors = NULL, *key = NULL, *period = NULL;
    const struct kw_option options[] = {
        {"from", "SEQ:HASH", "the first record has this number, the one before this hash",
         .text = &from},
        {"anchors", "FILE",
         "checkpoints that were kept elsewhere, one a line: records, lines of the "
         "daemon's "
         "log, or SEQ:HASH",
         .text = &anchors},
        {"key", "FILE", "the public key that signs checkpoints (audit.pem)",
         .text = &key},
        {"period", "FROM..TO",
         "says how far the log covers this period, such as 2026-01-01..2026-02-01 (UTC)",
         .text = &period},
    };
    const struct kw_usage usage = {.verb = "audit verify",
                                   .operands = "FILE…",
                                   .rest = &files,
                                   .summary = summary,
                                   .config = "every verb's; it reads none",
                                   .more = more,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0]};
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0 && files.count == 0)
        code =
            kw_usage_error(usage.verb, "it wants the folder or the files of a log, or -");
    if (code < 0 && from != NULL && !verify_from(from, &v))
        code = kw_usage_error(
            usage.verb, "--from %s: it wants a number, a colon and 64 digits of hex",
            from);
    v.wants_anchors = anchors != NULL;
    v.wants_signatures = key != NULL;
    if (code < 0 && period != NULL)
        code = verify_period(period, &v);
    if (code >= 0)
        return code;
    kw_err e = verify_run(&v, &files, anchors, key, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note) : verify_report(&v);
    kw_coverage_free(&v.coverage);
    kw_covered_free(&v.covered);
    kw_anchors_free(&v.anchors);
    return code;
}
