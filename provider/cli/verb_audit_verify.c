/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit verify - does each record of an audit log follow the one before?
 *
 * Files only, in constant memory: no configuration, no node, no token.
 */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit_verification.h"
#include "coverage_report.h"

enum { KW_EXIT_INCOMPLETE = 4 }; /* sound, and something is missing or was not as left */

/* ---- words ---- */

static void verify_print_marks(const struct kw_verification *v)
{
    for (size_t i = 0; i < KW_VERIFICATION_MARKS; i++) {
        const struct kw_verification_mark *mark = &kw_verification_marks[i];
        if (v->of_kind[mark->kind] > 0)
            printf("%-10s %" PRIu64 " of its records: %s\n",
                   kw_audit_shape(mark->kind)->name, v->of_kind[mark->kind], mark->words);
    }
    if (v->is_unended)
        printf("%-10s the last line has no end: it is being written, or torn\n",
               "unended");
}

static void verify_print_anchors(const struct kw_verification *v)
{
    if (!v->wants_anchors)
        return;
    printf("%-10s %" PRIu64 " agree, %" PRIu64 " are of records before the first\n",
           "anchors", v->anchors.agreed, v->anchors.earlier);
    if (v->anchors.others > 0)
        printf("%-10s %" PRIu64 " anchors are of another log: where is it?\n", "others",
               v->anchors.others);
}

static void verify_print_signatures(const struct kw_verification *v)
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

static void verify_print_coverage(const struct kw_verification *v)
{
    if (v->wants_period && kw_verification_is_broken(v))
        printf("%-10s nothing is said of it, as the log is broken\n", "period");
    else if (v->wants_period)
        kw_covered_print(&v->covered, &v->coverage.asked.period);
}

/* ", anchored up to 4711" */
static void verify_words(const struct kw_verification *v, char dst[64])
{
    if (v->anchors.agreed > 0)
        snprintf(dst, 64, ", anchored up to %" PRIu64, v->anchors.anchored_to);
    else
        snprintf(dst, 64, ", not anchored");
}

static json_t *verify_kinds(const struct kw_verification *v)
{
    json_t *kinds = json_object();
    for (unsigned k = 0; k < KW_AUDIT_KINDS; k++)
        json_object_set_new(kinds, kw_audit_shape((enum kw_audit_kind)k)->name,
                            json_integer((json_int_t)v->of_kind[k]));
    return kinds;
}

static json_t *verify_signatures(const struct kw_verification *v)
{
    const struct kw_signatures *s = &v->signatures;
    return json_pack("{s:b, s:o*, s:b, s:I, s:I}", "checked", s->has_key, "signed_to",
                     s->good > 0 ? json_integer((json_int_t)s->signed_to) : NULL,
                     "end_signed", kw_signatures_cover_the_end(s), "unsigned_stretches",
                     (json_int_t)s->stretches, "by_strangers", (json_int_t)s->strangers);
}

/* Of a broken log there is neither list nor sum.  Takes the document; NULL: no memory. */
static json_t *verify_json_coverage(const struct kw_verification *v, json_t *document)
{
    int failed = 0;
    if (v->wants_period)
        failed =
            json_object_set_new(document, "covered", json_boolean(v->covered.is_whole));
    if (v->wants_period && !kw_verification_is_broken(v))
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

static int verify_json(const struct kw_verification *v, const char *verdict, int code)
{
    char log[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    const bool is_broken = kw_verification_is_broken(v);
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

static int verify_exit(enum kw_audit_verdict verdict)
{
    switch (verdict) {
    case KW_AUDIT_VERDICT_SOUND: return KW_EXIT_GOOD;
    case KW_AUDIT_VERDICT_INCOMPLETE: return KW_EXIT_INCOMPLETE;
    case KW_AUDIT_VERDICT_BROKEN: break;
    }
    return KW_EXIT_PROBLEM;
}

static int verify_report(const struct kw_cli *cli, const struct kw_verification *v)
{
    const enum kw_audit_verdict found = kw_verification_verdict(v);
    const char *verdict = kw_audit_verdict_word(found);
    const int code = verify_exit(found);
    char head[2 * KW_SHA256 + 1], words[64];
    if (cli->json)
        return verify_json(v, verdict, code);
    kw_hex(head, sizeof head, kw_span_of(v->chain.head, KW_SHA256));
    verify_words(v, words);
    printf("%s%s\n", verdict, found == KW_AUDIT_VERDICT_BROKEN ? "" : words);
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

static bool verify_from(const char *text, struct kw_audit_chain *ret_chain)
{
    uint8_t hash[KW_SHA256];
    uint64_t seq = 0;
    int end = 0;
    if (text[0] < '0' || text[0] > '9' ||
        sscanf(text, "%18" SCNu64 ":%n", &seq, &end) != 1 || end == 0 ||
        !kw_unhex(hash, sizeof hash, kw_span_str(text + end)))
        return false;
    kw_audit_chain_from(ret_chain, seq, hash);
    return true;
}

/* Exit code. */
static int verify_run(const struct kw_cli *cli, const struct kw_verification_asked *asked,
                      const struct kw_words *files)
{
    struct kw_verification v;
    struct kw_note note = {{0}};
    kw_err e = kw_verification_begin(&v, asked, &note);
    if (!kw_failed(e))
        e = kw_verification_files(&v, files, &note);
    const int code = kw_failed(e) ? kw_fail(cli, e, &note) : verify_report(cli, &v);
    kw_verification_free(&v);
    return code;
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
    static const char exits[] =
        "0 sound, 1 broken (or FILE of --anchors or --key is none), 2 wrong usage, 3 a "
        "file could not be read, 4 incomplete: each record follows, but the log says "
        "that "
        "something is missing or was not as it had been left, no anchor agrees, some are "
        "of another log, not all of it is signed by the key of --key, or the period of "
        "--period has a gap: a time at which keywardd neither ran nor was stopped, as "
        "far "
        "as the log says, with --key what is not signed, and with --anchors what is not "
        "anchored.  docs/FORMATS.md, 7, has what finds what.";
    struct kw_words files = {.count = 0};
    struct kw_cli cli;
    struct kw_verification_asked asked = {.anchors = NULL};
    struct kw_period asked_period;
    const char *from = NULL, *period = NULL;
    const struct kw_option options[] = {
        {"from", "SEQ:HASH", "the first record has this number, the one before this hash",
         .text = &from},
        {"anchors", "FILE",
         "checkpoints that were kept elsewhere, one a line: records, lines of the "
         "daemon's "
         "log, or SEQ:HASH",
         .text = &asked.anchors},
        {"key", "FILE", "the public key that signs checkpoints (audit.pem)",
         .text = &asked.key},
        {"period", "FROM..TO",
         "says how far the log covers this period, such as 2026-01-01..2026-02-01 (UTC)",
         .text = &period},
    };
    const struct kw_usage usage = {.verb = "audit verify",
                                   .operands = "FILE…",
                                   .rest = &files,
                                   .summary = summary,
                                   .config = "every verb's; it reads none",
                                   .exits = exits,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0]};
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0 && files.count == 0)
        code =
            kw_usage_error(usage.verb, "it wants the folder or the files of a log, or -");
    if (code < 0 && from != NULL && !verify_from(from, &asked.from))
        code = kw_usage_error(
            usage.verb, "--from %s: it wants a number, a colon and 64 digits of hex",
            from);
    if (code < 0 && period != NULL && !kw_period_read(period, &asked_period))
        code = kw_usage_error(usage.verb,
                              "--period %s: it wants FROM..TO, two days or times of UTC "
                              "such as 2026-01-31 or 2026-01-31T12:00:00Z, the earlier "
                              "one first",
                              period);
    asked.period = period != NULL ? &asked_period : NULL;
    return code >= 0 ? code : verify_run(&cli, &asked, &files);
}
