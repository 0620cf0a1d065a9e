/* SPDX-License-Identifier: Apache-2.0 */
/* keyward etcd audit - what lies in clear in etcd's files, wherever it lies */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/env.h>
#include <keyward/etcd_policy.h>

#include "context.h"
#include "etcd_inputs.h"
#include "other_token.h"

enum { ETCD_ARENA = 4096 };

struct etcd_audit {
    const struct kw_cli *cli;
    const char *file, *member, *wal; /* of the command line, or NULL */
    const char *config_path, *prefix, *out_path, *redact_key;
    bool csv, redact;
    struct kw_encryption_config config;
    struct kw_etcd_policy policy;
    kw_span *names; /* of keys and providers whose names may hold a colon */
    size_t name_count;
    struct kw_redaction redaction;
    struct kw_etcd_inputs *inputs;
    struct kw_etcd_report report;
    const struct kw_etcd_format *format;
    bool shows_progress;
    unsigned percent;
    bool restorable;
    uint64_t sample;
    const char *token; /* of --token, or NULL */
    struct kw_token_words where;
    struct kw_other_token other;
    struct kw_context context;
    struct kw_restore restore;
};

/* ---- while it runs ---- */

static const char *etcd_judge(void *self, const struct kw_etcd_key *key,
                              const struct kw_stored *stored)
{
    const struct etcd_audit *a = self;
    return kw_etcd_policy_judge(&a->policy, key, stored);
}

static kw_err etcd_found(void *self, const struct kw_etcd_found *found)
{
    struct etcd_audit *a = self;
    a->format->object(&a->report, found);
    a->report.objects++;
    return ferror(a->report.out) == 0
               ? KW_OK
               : kw_err_native(KW_CODE_IO, (uint32_t)errno, "report");
}

static kw_err etcd_sealed(void *self, kw_span key, const struct kw_stored *stored,
                          const struct kw_etcd_row *row)
{
    struct etcd_audit *a = self;
    return kw_restore_take(&a->restore, key, stored, row);
}

static void etcd_progress(void *self, unsigned thousandths)
{
    struct etcd_audit *a = self;
    if (!a->shows_progress || thousandths / 10 == a->percent)
        return;
    a->percent = thousandths / 10;
    fprintf(stderr, "\r%3u %%", a->percent);
}

static kw_err etcd_read_input(struct kw_etcd_audit *audit, struct kw_etcd_input *input)
{
    switch (input->kind) {
    case KW_ETCD_INPUT_DB: return kw_etcd_audit_db(audit, input->path, &input->note);
    case KW_ETCD_INPUT_COPY: return kw_etcd_audit_copy(audit, input->path, &input->note);
    case KW_ETCD_INPUT_LOG: return kw_etcd_audit_log(audit, input->path, &input->note);
    case KW_ETCD_INPUT_OTHER:
        return kw_etcd_audit_other(audit, input->path, &input->note);
    }
    return KW_OK;
}

/* An input that cannot be read is part of the report; what ends the report itself is
 * given back. */
static kw_err etcd_read_all(struct etcd_audit *a, struct kw_etcd_audit *audit)
{
    for (size_t i = 0; i < a->inputs->count; i++) {
        struct kw_etcd_input *input = &a->inputs->at[i];
        kw_err e = etcd_read_input(audit, input);
        if (e.code == KW_CODE_NO_MEMORY || ferror(a->report.out) != 0)
            return e;
        input->failed = kw_failed(e);
        if (input->failed && input->note.text[0] == '\0')
            kw_note_set(&input->note, "%s: %s at %s", input->path, kw_code_name(e.code),
                        e.where);
    }
    if (a->shows_progress)
        fputs("\r     \r", stderr);
    return KW_OK;
}

/* ---- before it runs ---- */

/* KMS v2 names hold no colon. */
static kw_err etcd_known_names(struct etcd_audit *a)
{
    size_t count = 0;
    for (int fill = 0; fill < 2; fill++) {
        if (fill == 1 && (a->names = kw_new(count, sizeof a->names[0])) == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "etcd audit");
        for (size_t r = 0; r < a->config.rule_count; r++)
            for (size_t p = 0; p < a->config.rules[r].provider_count; p++) {
                const struct kw_encryption_provider *provider =
                    &a->config.rules[r].providers[p];
                for (size_t n = 0; n < provider->name_count; n++, count++)
                    if (fill == 1)
                        a->names[a->name_count++] = kw_span_str(provider->names[n]);
            }
    }
    return KW_OK;
}

static kw_err etcd_find_inputs(struct etcd_audit *a, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (a->file != NULL)
        e = kw_etcd_inputs_add(a->inputs, KW_ETCD_INPUT_DB, a->file, note);
    if (!kw_failed(e) && a->member != NULL)
        e = kw_etcd_inputs_member(a->inputs, a->member, note);
    if (!kw_failed(e) && a->wal != NULL)
        e = kw_etcd_inputs_add(a->inputs, KW_ETCD_INPUT_LOG, a->wal, note);
    a->report.inputs = a->inputs->at;
    a->report.input_count = a->inputs->count;
    return e;
}

/* Configuration and keyring of this node, and the token that is to be asked. */
static kw_err etcd_begin_restore(struct etcd_audit *a, struct kw_note *note)
{
    if (!a->restorable)
        return KW_OK;
    kw_err e = kw_context_open(a->cli, &a->context, note);
    if (!kw_failed(e) && a->context.ring == NULL) {
        *note = a->context.damage;
        return kw_err_at(KW_CODE_MISSING, "keyring");
    }
    if (!kw_failed(e) && a->token != NULL)
        e = kw_other_token_find(a->context.config, &a->where, &a->other, note);
    if (kw_failed(e))
        return e;
    a->restore.by =
        (struct kw_restore_by){&a->config, a->context.config, a->context.ring};
    a->restore.token = a->token != NULL ? &a->other.token : &a->context.config->tokens[0];
    a->restore.sample_wanted = a->sample;
    a->report.restore = &a->restore;
    return KW_OK;
}

static kw_err etcd_begin_redaction(struct etcd_audit *a, struct kw_note *note)
{
    if (!a->redact && a->redact_key == NULL)
        return KW_OK;
    const char *arena = kw_env_get(KW_ENV_ARENA);
    const bool mlock = arena != NULL && strcmp(arena, "mlock") == 0;
    kw_err e = kw_arena_open(ETCD_ARENA, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_redaction_begin(&a->redaction, a->redact_key, note);
}

/* A report names what a thief looks for: nobody else may read it. */
static kw_err etcd_open_out(struct etcd_audit *a, struct kw_note *note)
{
    a->report.out = stdout;
    if (a->out_path == NULL)
        return KW_OK;
    const int fd = open(a->out_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    a->report.out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (a->report.out != NULL)
        return KW_OK;
    const int saved = errno;
    if (fd >= 0) {
        close(fd);
        unlink(a->out_path);
    }
    kw_note_set(note, "%s: %s%s", a->out_path, strerror(saved),
                saved == EEXIST ? "; a report is never written over" : "");
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "open");
}

static kw_err etcd_begin(struct etcd_audit *a, struct kw_note *note)
{
    kw_err e = KW_OK;
    a->inputs = kw_new(1, sizeof *a->inputs);
    if (a->inputs == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd audit");
    if (a->config_path != NULL) {
        e = kw_encryption_config_read(a->config_path, &a->config, note);
        a->policy.config = &a->config;
    }
    if (!kw_failed(e))
        e = etcd_known_names(a);
    if (!kw_failed(e))
        e = etcd_find_inputs(a, note);
    if (!kw_failed(e))
        e = etcd_begin_restore(a, note);
    if (!kw_failed(e))
        e = etcd_begin_redaction(a, note);
    return kw_failed(e) ? e : etcd_open_out(a, note);
}

/* ---- its end ---- */

static bool etcd_close_out(struct etcd_audit *a, bool is_good)
{
    FILE *out = a->report.out;
    /* What was lost on the way leaves nothing for the last flush to fail with. */
    const bool is_written = fflush(out) == 0 && ferror(out) == 0;
    if (out == stdout)
        return is_written;
    is_good = is_good && is_written && fsync(fileno(out)) == 0;
    is_good = fclose(out) == 0 && is_good;
    if (!is_good)
        unlink(a->out_path);
    return is_good;
}

static void etcd_free(struct etcd_audit *a)
{
    kw_restore_free(&a->restore);
    kw_context_close(&a->context);
    kw_redaction_end(&a->redaction);
    kw_encryption_config_free(&a->config);
    kw_free(a->names);
    kw_free(a->inputs);
}

static kw_err etcd_report(struct etcd_audit *a, int *ret_code)
{
    const struct kw_etcd_audit_options options = {.prefix = kw_span_str(a->prefix),
                                                  .names = a->names,
                                                  .name_count = a->name_count,
                                                  .self = a,
                                                  .judge = etcd_judge,
                                                  .found = etcd_found,
                                                  .sealed =
                                                      a->sample > 0 ? etcd_sealed : NULL,
                                                  .progress = etcd_progress};
    struct kw_etcd_findings findings;
    struct kw_etcd_audit *audit = kw_etcd_audit_new(&options);
    if (audit == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd audit");
    a->format->begin(&a->report);
    kw_err e = etcd_read_all(a, audit);
    if (!kw_failed(e)) {
        kw_etcd_audit_findings(audit, &findings);
        if (a->restorable)
            e = kw_restore_run(&a->restore, &findings);
    }
    if (!kw_failed(e)) {
        const struct kw_etcd_verdict verdict = kw_etcd_judge(&a->report, &findings);
        a->format->end(&a->report, &findings, &verdict);
        *ret_code = verdict.code;
    }
    kw_etcd_audit_free(audit);
    return e;
}

static int etcd_run(struct etcd_audit *a)
{
    const struct rlimit none = {0, 0};
    struct kw_note note = {{0}};
    int code = KW_EXIT_BLIND;
    (void)setrlimit(RLIMIT_CORE, &none); /* values that are not encrypted pass through */
    a->report.redaction = &a->redaction;
    a->report.prefix = a->prefix;
    a->report.config = a->config_path;
    a->format = a->cli->json ? &kw_etcd_json : a->csv ? &kw_etcd_csv : &kw_etcd_words;
    a->shows_progress = isatty(STDERR_FILENO) == 1;
    kw_err e = etcd_begin(a, &note);
    const bool is_open = a->report.out != NULL;
    if (!kw_failed(e))
        e = etcd_report(a, &code);
    if (is_open && !etcd_close_out(a, !kw_failed(e)) && !kw_failed(e)) {
        kw_note_set(&note, "%s: the report could not be written",
                    a->out_path != NULL ? a->out_path : "standard output");
        e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "report");
    }
    if (kw_failed(e)) { /* whatever it was: not looked at is not violated */
        (void)kw_fail(a->cli, e, &note);
        code = KW_EXIT_BLIND;
    }
    etcd_free(a);
    return code;
}

/* -1 to go on, else the exit code. */
static int etcd_choose_token(struct etcd_audit *a)
{
    static const char verb[] = "etcd audit";
    struct kw_token_words *w = &a->where;
    w->option = "";
    if (!a->restorable && (a->sample > 0 || a->token != NULL))
        return kw_usage_error(verb, "--sample and --token go with --restorable");
    if (a->restorable && a->config_path == NULL)
        return kw_usage_error(verb, "--restorable wants --encryption-config, which says "
                                    "whose a seed is");
    if (a->token != NULL && strncmp(a->token, "pkcs11:", 7) == 0)
        w->uri = a->token;
    else
        w->name = a->token;
    if (w->uri == NULL && (w->module != NULL || w->pin != NULL || w->env != NULL))
        return kw_usage_error(verb, "--module, --pin and --env go with a URI");
    return -1;
}

int kw_verb_etcd_audit(int argc, char **argv)
{
    static const char summary[] =
        "Says what lies in etcd's files, and how: in clear or encrypted, by which "
        "provider "
        "and key;\nin what a read gives, in old revisions, in pages that nothing leads "
        "to, "
        "in the log.  FILE is\na snapshot (etcdctl snapshot save) or a copied db.  "
        "Nothing is decrypted, no etcd is asked.";
    static const char more[] =
        "Exit status: 0 clean, 1 what is current is not as it must be, 2 wrong usage, 3 "
        "something could\nnot be read (a live member, a torn copy, pages that do not "
        "parse), "
        "4 leftovers: what is\ncurrent is as it must be, and another place is not.  1 "
        "goes "
        "before 3, 3 before 4.";
    struct kw_words files = {.count = 0};
    struct kw_cli cli;
    struct etcd_audit a = {.cli = &cli};
    const struct kw_option options[] = {
        {"member", "DIR", "a stopped member's data, or a copy: database, copies and log",
         .text = &a.member},
        {"wal", "DIR", "a log alone, or beside FILE", .text = &a.wal},
        {"encryption-config", "FILE",
         "kube-apiserver's: what must be encrypted, by whom (default: secrets)",
         .text = &a.config_path},
        {"restorable", NULL,
         "does each seed open here? Wants --encryption-config; one login",
         .on = &a.restorable},
        {"sample", "K", "with it: K objects of each resource and key opened to the end",
         .number = &a.sample, .least = 1, .most = 1000000},
        {"token", "NAME|URI",
         "a token of the configuration, or a PKCS#11 URI (default: the first)",
         .text = &a.token},
        {"module", "FILE", "the module of a URI (default: the first token's)",
         .text = &a.where.module},
        {"pin", "SOURCE", "its PIN, file:/path (default: the first token's)",
         .text = &a.where.pin},
        {"env", "NAME=VALUE", "a variable of its module", .text = &a.where.env},
        {"etcd-prefix", "PREFIX", "kube-apiserver's --etcd-prefix (default: /registry)",
         .text = &a.prefix},
        {"csv", NULL, "a table; what a spreadsheet takes for a formula gets a '",
         .on = &a.csv},
        {"out", "FILE", "the report goes there, mode 0600; it must not be there yet",
         .text = &a.out_path},
        {"redact", NULL, "names and paths become 16 digits, by a key that nobody keeps",
         .on = &a.redact},
        {"redact-key", "FILE",
         "the same, by the key in FILE (32 to 256 bytes): reports can be joined",
         .text = &a.redact_key},
    };
    const struct kw_usage usage = {.verb = "etcd audit",
                                   .operands = "[FILE]",
                                   .rest = &files,
                                   .summary = summary,
                                   .config = "keyward's; only --restorable reads it",
                                   .more = more,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0],
                                   .logs_in = true};
    int code = kw_cli_read(&usage, argc, argv, &cli);
    a.file = files.count > 0 ? files.at[0] : NULL;
    a.prefix = a.prefix != NULL ? a.prefix : KW_ETCD_PREFIX;
    if (code < 0 && a.file == NULL && a.member == NULL && a.wal == NULL)
        code = kw_usage_error(usage.verb, "it wants FILE, --member or --wal");
    if (code < 0 && (files.count > 1 || (a.file != NULL && a.member != NULL)))
        code = kw_usage_error(usage.verb, "one database at a time: FILE or --member");
    if (code < 0 && a.member != NULL && a.wal != NULL)
        code = kw_usage_error(usage.verb, "--member reads its log already");
    if (code < 0 && a.csv && cli.json)
        code = kw_usage_error(usage.verb, "--csv and --json exclude each other");
    if (code < 0)
        code = etcd_choose_token(&a);
    return code >= 0 ? code : etcd_run(&a);
}
