/* SPDX-License-Identifier: Apache-2.0 */
/* keyward support - what a ticket needs to have of this node, as one file to look through
 *
 * Order: the file is claimed · the configuration, which says where all else is, redacted ·
 * what each part says, a part that says nothing is a line of the index · what was withheld
 * from the configuration is taken out of everything else · the index, and the file.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/file.h>

#include "audit_period.h"
#include "new_file.h"
#include "status_read.h"
#include "support_archive.h"
#include "support_command.h"
#include "support_look.h"
#include "unit.h"

#define SUPPORT_FOLDER "keyward-support/"

enum support_part {
    SUPPORT_INDEX,
    SUPPORT_CONFIGURATION,
    SUPPORT_ANSWER,
    SUPPORT_CHECK,
    SUPPORT_KEYS,
    SUPPORT_LOG,
    SUPPORT_VERSIONS,
    SUPPORT_FILES,
    SUPPORT_PROCESSES,
    SUPPORT_CHECKPOINT,
    SUPPORT_PARTS
};

enum {
    PART_MAX = 2 * 1024 * 1024,
    MISSED_MAX = 64 * 1024,
    PROGRAM_S = 30, /* it asks the status socket, too */
};

static const struct {
    const char *name, *what;
} support_parts[SUPPORT_PARTS] = {
    [SUPPORT_INDEX] = {"README.txt", "this index"},
    [SUPPORT_CONFIGURATION] = {"keyward.yaml",
                               "the configuration without its comments; what is not "
                               "understood, or not known to be no secret, is withheld"},
    [SUPPORT_ANSWER] = {"status.json", "what the running daemon says of itself"},
    [SUPPORT_CHECK] = {"check.json", "keyward check --offline: no login was made"},
    [SUPPORT_KEYS] = {"keys.json",
                      "keyward key list: states, key_id and its SHA-256, who did what"},
    [SUPPORT_LOG] = {"log.txt", "the last lines of keywardd's log"},
    [SUPPORT_VERSIONS] =
        {"versions.txt", "keyward, its libraries, PKCS#11 modules, kernel, distribution"},
    [SUPPORT_FILES] = {"files.txt",
                       "names, modes, owners and sizes; nothing that is in them"},
    [SUPPORT_PROCESSES] = {"processes.txt",
                           "keywardd and its workers: memory, threads, limits"},
    [SUPPORT_CHECKPOINT] = {"checkpoint.json", "the audit log's last checkpoint"},
};

/* Of a tar file: eleven octal digits of seconds. */
#define AT_MAX_US (((INT64_C(1) << 33) - 1) * 1000000)

struct support {
    const struct kw_cli *cli;
    const char *out, *unit;
    int64_t at_us;
    struct kw_support_text text[SUPPORT_PARTS], missed; /* a line each */
    struct kw_support_redacted redacted;
    struct kw_blob yaml; /* the words of `redacted` lie in it */
    unsigned scrubbed;
};

/* ---- what each part says ---- */

static void support_configuration(struct support *s)
{
    struct kw_note note = {{0}};
    kw_support_redact(kw_span_str(""), &s->text[SUPPORT_CONFIGURATION], &s->redacted);
    if (kw_failed(kw_file_read(s->cli->config, KW_CONFIG_MAX, &s->yaml, &note)))
        kw_support_say(&s->missed, "the configuration: %s\n", note.text);
    else
        kw_support_redact(kw_blob_peek(&s->yaml), &s->text[SUPPORT_CONFIGURATION],
                          &s->redacted);
}

static void support_answer(struct support *s)
{
    char *text = kw_new(KW_STATUS_MAX, 1);
    size_t len = 0;
    struct kw_note note = {{0}};
    const kw_err e = text != NULL ? kw_status_read(s->redacted.status, text,
                                                   KW_STATUS_MAX, &len, NULL, &note)
                                  : kw_err_at(KW_CODE_NO_MEMORY, "status");
    if (kw_failed(e))
        kw_support_say(&s->missed, "status: %s\n", note.text);
    else
        kw_support_put(&s->text[SUPPORT_ANSWER], kw_span_of(text, len));
    kw_free(text);
}

/* A verb of this program, in a process of its own: it may hang, or end as it likes. */
static void support_verb(struct support *s, enum support_part part,
                         const char *const argv[])
{
    struct kw_support_text said;
    int status = 0;
    kw_support_text_init(&said, MISSED_MAX);
    const kw_err e = kw_support_command(argv, PROGRAM_S, &s->text[part], &said, &status);
    if (kw_failed(e))
        kw_support_say(&s->missed, "%s: keyward %s: %s\n", support_parts[part].name,
                       argv[1],
                       e.code == KW_CODE_DEADLINE ? "was ended, as it took too long"
                                                  : kw_code_name(e.code));
    else if (s->text[part].len == 0)
        kw_support_say(&s->missed, "%s: keyward %s ended with %d: %.*s\n",
                       support_parts[part].name, argv[1], status,
                       (int)strcspn(said.len > 0 ? said.bytes : "\n", "\n"),
                       said.len > 0 ? said.bytes : "");
    kw_support_text_wipe(&said);
}

static void support_look(struct support *s)
{
    const struct kw_support_redacted *r = &s->redacted;
    const char *const check[] = {"/proc/self/exe", "check",        "--offline", "--json",
                                 "--config",       s->cli->config, NULL};
    const char *const keys[] = {"/proc/self/exe", "key",          "list", "--json",
                                "--config",       s->cli->config, NULL};
    support_configuration(s);
    support_answer(s);
    support_verb(s, SUPPORT_CHECK, check);
    support_verb(s, SUPPORT_KEYS, keys);
    kw_support_log(s->unit, &s->text[SUPPORT_LOG], &s->missed);
    kw_support_versions(r, &s->text[SUPPORT_VERSIONS], &s->missed);
    kw_support_files(r, s->cli->config, &s->text[SUPPORT_FILES], &s->missed);
    kw_support_processes(&s->text[SUPPORT_PROCESSES], &s->missed);
    kw_support_checkpoint(r->audit, &s->text[SUPPORT_CHECKPOINT], &s->missed);
}

/* ---- what must not be in it ---- */

/* What was quoted of a file or a peer may be anything, and is looked at on a terminal. */
static void support_scrub_one(struct support *s, struct kw_support_text *t)
{
    struct kw_support_text clean, printable;
    kw_support_text_init(&clean, PART_MAX);
    kw_support_text_init(&printable, PART_MAX);
    if (!s->redacted.words.are_too_many)
        s->scrubbed +=
            kw_support_scrub(&s->redacted.words, kw_support_text_peek(t), &clean);
    kw_support_put_printable(&printable, kw_support_text_peek(&clean));
    printable.is_cut = printable.is_cut || clean.is_cut || t->is_cut;
    kw_support_text_wipe(&clean);
    kw_support_text_wipe(t);
    *t = printable;
}

static void support_scrub(struct support *s)
{
    for (enum support_part i = SUPPORT_ANSWER; i < SUPPORT_PARTS; i++)
        support_scrub_one(s, &s->text[i]);
    support_scrub_one(s, &s->missed);
    if (s->redacted.words.are_too_many)
        kw_support_say(
            &s->missed,
            "all but the configuration: more was withheld from that than can be "
            "looked for elsewhere; is it a configuration of keywardd?\n");
    for (enum support_part i = SUPPORT_CONFIGURATION; i < SUPPORT_PARTS; i++)
        if (s->text[i].is_cut)
            kw_support_say(&s->missed,
                           "%s: it is longer than there is room for, and cut\n",
                           support_parts[i].name);
}

/* ---- the index ---- */

static void support_index(struct support *s)
{
    static const char left_out[] =
        "\nLeft out, always:\n"
        "  PINs and the files that hold them; what a token has; the daemon's environment "
        "and\n"
        "  that of its workers; seeds and ciphertexts; the records of the audit log, "
        "which name\n"
        "  uids and requests (keyward audit show has them); what a vendor's library "
        "wrote to\n"
        "  the log; sizes of files that keyward does not make.\n"
        "\nLook through it before it is sent: paths, uids, names of operators and of "
        "the\n"
        "node, the token's label and serial and the domain are in it.  A log of level "
        "debug\n"
        "has a line for each call.\n";
    struct kw_support_text *t = &s->text[SUPPORT_INDEX];
    const struct kw_support_redacted *r = &s->redacted;
    char when[KW_TIME_TEXT];
    kw_time_text(when, s->at_us * 1000);
    kw_support_say(t, "keyward support, %s, keyward %s\n\nIn it:\n", when, KW_VERSION);
    for (enum support_part i = SUPPORT_INDEX; i < SUPPORT_PARTS; i++)
        if (i == SUPPORT_INDEX || s->text[i].len > 0)
            kw_support_say(t, "  %-16s %s\n", support_parts[i].name,
                           support_parts[i].what);
    kw_support_say(t,
                   "\nRedacted:\n"
                   "  keyward.yaml: %u values are shown, %u withheld, %u lines and %u "
                   "comments left out\n"
                   "  elsewhere: %u times, what was withheld from keyward.yaml\n",
                   r->shown, r->withheld, r->dropped, r->comments, s->scrubbed);
    kw_support_put(t, kw_span_str(left_out));
    kw_support_say(t, "\nCould not be looked at, or is not all there:\n");
    for (size_t at = 0; at < s->missed.len;) {
        const char *line = s->missed.bytes + at;
        const char *end = memchr(line, '\n', s->missed.len - at);
        const size_t len = end != NULL ? (size_t)(end - line) : s->missed.len - at;
        kw_support_say(t, "  %.*s\n", (int)len, line);
        at += len + 1;
    }
    if (s->missed.len == 0)
        kw_support_say(t, "  nothing\n");
}

/* ---- the file ---- */

static kw_err support_write(struct support *s, struct kw_new_file *file,
                            struct kw_note *note)
{
    bool fits = true;
    for (enum support_part i = SUPPORT_INDEX; i < SUPPORT_PARTS; i++) {
        char name[KW_SUPPORT_TAR_NAME];
        snprintf(name, sizeof name, SUPPORT_FOLDER "%s", support_parts[i].name);
        if (s->text[i].len > 0)
            fits = kw_support_tar_put(file->out, name, kw_support_text_peek(&s->text[i]),
                                      s->at_us / 1000000) &&
                   fits;
    }
    kw_support_tar_end(file->out);
    KW_INVARIANT(fits);
    return kw_new_file_end(file, note);
}

static json_t *support_missed_json(const struct support *s)
{
    json_t *lines = json_array();
    for (size_t at = 0; at < s->missed.len;) {
        const char *line = s->missed.bytes + at;
        const char *end = memchr(line, '\n', s->missed.len - at);
        const size_t len = end != NULL ? (size_t)(end - line) : s->missed.len - at;
        json_array_append_new(lines, json_stringn(line, len));
        at += len + 1;
    }
    return lines;
}

static int support_report(const struct support *s)
{
    json_t *missed = support_missed_json(s);
    if (s->cli->json)
        return kw_json_out(json_pack("{s:b, s:s, s:o}", "ok", 1, "file", s->out,
                                     "not_looked_at", missed),
                           KW_EXIT_GOOD);
    for (size_t i = 0; i < json_array_size(missed); i++)
        fprintf(stderr, "keyward: not looked at: %s\n",
                json_string_value(json_array_get(missed, i)));
    json_decref(missed);
    printf("wrote %s; its README.txt says what is in it and what is not: look through it "
           "before it is sent\n  tar xOf %s " SUPPORT_FOLDER "README.txt\n",
           s->out, s->out);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int support_run(struct support *s)
{
    struct kw_new_file file;
    struct kw_note note = {{0}};
    kw_err e = kw_new_file_begin(s->out, KW_NEW_FILE_NAMELESS, &file, &note);
    if (kw_failed(e))
        return kw_fail(s->cli, e, &note);
    for (enum support_part i = SUPPORT_INDEX; i < SUPPORT_PARTS; i++)
        kw_support_text_init(&s->text[i], PART_MAX);
    kw_support_text_init(&s->missed, MISSED_MAX);
    support_look(s);
    support_scrub(s);
    support_index(s);
    e = support_write(s, &file, &note);
    const int code = kw_failed(e) ? kw_fail(s->cli, e, &note) : support_report(s);
    for (enum support_part i = SUPPORT_INDEX; i < SUPPORT_PARTS; i++)
        kw_support_text_wipe(&s->text[i]);
    kw_support_text_wipe(&s->missed);
    kw_blob_wipe(&s->yaml);
    return code;
}

/* ---- the verb ---- */

static int support_judge_words(struct support *s, const char *verb, const char *at)
{
    if (s->out == NULL || s->out[0] == '\0')
        return kw_usage_error(verb, "--out FILE: where to; a new file");
    if (s->unit != NULL && !kw_is_unit(s->unit))
        return kw_usage_error(verb, "--unit: '%s' is no name of a systemd unit", s->unit);
    if (at == NULL)
        s->at_us = kw_wall_ns(&kw_clock_system) / 1000;
    else if (!kw_moment_read(at, &s->at_us) || s->at_us < 0 || s->at_us > AT_MAX_US)
        return kw_usage_error(
            verb,
            "--at %s: it wants a day or a time of UTC such as 2026-01-31 "
            "or 2026-01-31T12:00:00Z, from 1970 to 2242",
            at);
    return -1;
}

int kw_verb_support(int argc, char **argv)
{
    struct kw_cli cli;
    static struct support s;
    const char *at = NULL;
    const struct kw_option options[] = {
        {"out", "FILE", "the archive (tar), which is made; it must not be there yet",
         .text = &s.out},
        {"unit", "UNIT", "keywardd's unit, of which the journal is asked (default: any)",
         .text = &s.unit},
        {"at", "TIME", "the time of the files in it (default: now)", .text = &at},
    };
    const struct kw_usage usage = {
        .verb = "support",
        .operands = "",
        .summary =
            "Puts what a ticket needs into one file: the daemon's status, the "
            "configuration\n"
            "redacted, the log's last lines, versions, keyward check --offline, the "
            "keyring's\n"
            "listing, names and modes of files, limits, the audit log's last checkpoint. "
            " No\n"
            "login is made.  No PIN, no token's content, no environment and no record of "
            "the\n"
            "audit log is in it; README.txt in it says what is, and what was left out.",
        .exits =
            "0 the file is there, whatever could not be looked at (standard error and "
            "the file say what), 1 refused, 2 wrong usage, 3 the file could not be "
            "written",
        .more = "Run it as root or the daemon's user; the daemon may be dead or hang, "
                "and the\n"
                "configuration broken.  Look through the file before it is sent.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    s = (struct support){.cli = &cli};
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = support_judge_words(&s, usage.verb, at);
    return code < 0 ? support_run(&s) : code;
}
