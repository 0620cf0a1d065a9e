/* SPDX-License-Identifier: Apache-2.0 */
/* keyward etcd audit - the words of its command line, and where its report goes */
#include "cli.h"

#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/env.h>

#include "context.h"
#include "etcd_inputs.h"
#include "etcd_run.h"
#include "new_file.h"
#include "other_token.h"

enum { ETCD_ARENA = 4096 };

/* As they stand on the command line; NULL or false: not there. */
struct etcd_words {
    struct kw_words files;
    const char *file, *member, *wal;
    const char *config_path, *prefix, *out_path, *redact_key;
    bool csv, redact, restorable;
    uint64_t sample;
    const char *token;
    struct kw_token_words where;
};

struct etcd_audit {
    const struct kw_cli *cli;
    struct etcd_words say;
    struct kw_encryption_config config;
    struct kw_redaction redaction;
    struct kw_etcd_inputs *inputs;
    struct kw_context context;
    struct kw_other_token other;
    struct kw_restore restore;
    struct kw_new_file file; /* of --out */
    unsigned percent;        /* shown last */
};

/* ---- before it runs ---- */

static kw_err etcd_find_inputs(struct etcd_audit *a, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (a->say.file != NULL)
        e = kw_etcd_inputs_add(a->inputs, KW_ETCD_INPUT_DB, a->say.file, note);
    if (!kw_failed(e) && a->say.member != NULL)
        e = kw_etcd_inputs_member(a->inputs, a->say.member, note);
    if (!kw_failed(e) && a->say.wal != NULL)
        e = kw_etcd_inputs_add(a->inputs, KW_ETCD_INPUT_LOG, a->say.wal, note);
    return e;
}

/* Configuration and keyring of this node, and the token that is to be asked. */
static kw_err etcd_begin_restore(struct etcd_audit *a, struct kw_note *note)
{
    if (!a->say.restorable)
        return KW_OK;
    kw_err e = kw_context_open(a->cli, &a->context, note);
    if (!kw_failed(e) && a->context.ring == NULL) {
        *note = a->context.damage;
        return kw_err_at(KW_CODE_MISSING, "keyring");
    }
    if (!kw_failed(e) && a->say.token != NULL)
        e = kw_other_token_find(a->context.config, &a->say.where, &a->other, note);
    if (kw_failed(e))
        return e;
    a->restore.by =
        (struct kw_restore_by){&a->config, a->context.config, a->context.ring};
    a->restore.token =
        a->say.token != NULL ? &a->other.token : &a->context.config->tokens[0];
    a->restore.sample_wanted = a->say.sample;
    return KW_OK;
}

static kw_err etcd_begin_redaction(struct etcd_audit *a, struct kw_note *note)
{
    if (!a->say.redact && a->say.redact_key == NULL)
        return KW_OK;
    const char *arena = kw_env_get(KW_ENV_ARENA);
    const bool mlock = arena != NULL && strcmp(arena, "mlock") == 0;
    kw_err e = kw_arena_open(ETCD_ARENA, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_redaction_begin(&a->redaction, a->say.redact_key, note);
}

/* A report names what a thief looks for: nobody else may read it. */
static kw_err etcd_open_out(struct etcd_audit *a, struct kw_note *note)
{
    return a->say.out_path != NULL
               ? kw_new_file_begin(a->say.out_path, KW_NEW_FILE_NAMELESS, &a->file, note)
               : KW_OK;
}

static kw_err etcd_begin(struct etcd_audit *a, struct kw_note *note)
{
    kw_err e = KW_OK;
    a->inputs = kw_new(1, sizeof *a->inputs);
    if (a->inputs == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd audit");
    if (a->say.config_path != NULL)
        e = kw_encryption_config_read(a->say.config_path, &a->config, note);
    if (!kw_failed(e))
        e = etcd_find_inputs(a, note);
    if (!kw_failed(e))
        e = etcd_begin_restore(a, note);
    if (!kw_failed(e))
        e = etcd_begin_redaction(a, note);
    return kw_failed(e) ? e : etcd_open_out(a, note);
}

static void etcd_free(struct etcd_audit *a)
{
    if (a->file.out != NULL)
        kw_new_file_drop(&a->file);
    kw_restore_free(&a->restore);
    kw_context_close(&a->context);
    kw_redaction_end(&a->redaction);
    kw_encryption_config_free(&a->config);
    kw_free(a->inputs);
}

/* ---- it runs ---- */

static void etcd_progress(void *self, unsigned thousandths)
{
    struct etcd_audit *a = self;
    if (thousandths == KW_ETCD_RUN_ALL_READ) {
        fputs("\r     \r", stderr);
    } else if (thousandths / 10 != a->percent) {
        a->percent = thousandths / 10;
        fprintf(stderr, "\r%3u %%", a->percent);
    }
}

static kw_err etcd_report(struct etcd_audit *a, int *ret_code, struct kw_note *note)
{
    const bool shows_progress = isatty(STDERR_FILENO) == 1;
    const struct kw_etcd_run run = {.inputs = a->inputs->at,
                                    .input_count = a->inputs->count,
                                    .prefix = a->say.prefix,
                                    .config =
                                        a->say.config_path != NULL ? &a->config : NULL,
                                    .config_path = a->say.config_path,
                                    .redaction = &a->redaction,
                                    .restore = a->say.restorable ? &a->restore : NULL,
                                    .format = a->cli->json ? &kw_etcd_json
                                              : a->say.csv ? &kw_etcd_csv
                                                           : &kw_etcd_words,
                                    .self = a,
                                    .progress = shows_progress ? etcd_progress : NULL};
    const char *to = a->say.out_path != NULL ? a->say.out_path : "standard output";
    kw_err e =
        kw_etcd_run(&run, a->file.out != NULL ? a->file.out : stdout, ret_code, note);
    if (e.code == KW_CODE_IO)
        kw_note_set(note, "%s: the report could not be written", to);
    return e;
}

static int etcd_audit_run(struct etcd_audit *a)
{
    struct kw_note note = {{0}};
    int code = KW_EXIT_BLIND;
    kw_err e = etcd_begin(a, &note);
    if (!kw_failed(e))
        e = etcd_report(a, &code, &note);
    if (!kw_failed(e) && a->file.out != NULL)
        e = kw_new_file_end(&a->file, &note);
    if (kw_failed(e)) { /* whatever it was: not looked at is not violated */
        (void)kw_fail(a->cli, e, &note);
        code = KW_EXIT_BLIND;
    }
    etcd_free(a);
    return code;
}

/* ---- its words ---- */

/* -1 to go on, else the exit code. */
static int etcd_choose_token(struct etcd_words *say)
{
    static const char verb[] = "etcd audit";
    struct kw_token_words *w = &say->where;
    w->option = "";
    if (!say->restorable && (say->sample > 0 || say->token != NULL))
        return kw_usage_error(verb, "--sample and --token go with --restorable");
    if (say->restorable && say->config_path == NULL)
        return kw_usage_error(verb, "--restorable wants --encryption-config, which says "
                                    "whose a seed is");
    if (say->token != NULL && strncmp(say->token, "pkcs11:", 7) == 0)
        w->uri = say->token;
    else
        w->name = say->token;
    if (w->uri == NULL && (w->module != NULL || w->pin != NULL || w->env != NULL))
        return kw_usage_error(verb, "--module, --pin and --env go with a URI");
    return -1;
}

/* -1 to go on, else the exit code. */
static int etcd_words_judge(struct etcd_words *say, bool json)
{
    static const char verb[] = "etcd audit";
    if (say->file == NULL && say->member == NULL && say->wal == NULL)
        return kw_usage_error(verb, "it wants FILE, --member or --wal");
    if (say->files.count > 1 || (say->file != NULL && say->member != NULL))
        return kw_usage_error(verb, "one database at a time: FILE or --member");
    if (say->member != NULL && say->wal != NULL)
        return kw_usage_error(verb, "--member reads its log already");
    if (say->csv && json)
        return kw_usage_error(verb, "--csv and --json exclude each other");
    return etcd_choose_token(say);
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
    static const char exits[] =
        "0 clean, 1 what is current is not as it must be, 2 wrong usage, 3 something "
        "could not be read (a live member, a torn copy, pages that do not parse), 4 "
        "leftovers: what is current is as it must be, and another place is not.  1 goes "
        "before 3, 3 before 4.";
    struct kw_cli cli;
    struct etcd_audit a = {.cli = &cli};
    struct etcd_words *say = &a.say;
    const struct kw_option options[] = {
        {"member", "DIR", "a stopped member's data, or a copy: database, copies and log",
         .text = &say->member},
        {"wal", "DIR", "a log alone, or beside FILE", .text = &say->wal},
        {"encryption-config", "FILE",
         "kube-apiserver's: what must be encrypted, by whom (default: secrets)",
         .text = &say->config_path},
        {"restorable", NULL,
         "does each seed open here? Wants --encryption-config; one login",
         .on = &say->restorable},
        {"sample", "K", "with it: K objects of each resource and key opened to the end",
         .number = &say->sample, .least = 1, .most = 1000000},
        {"token", "NAME|URI",
         "a token of the configuration, or a PKCS#11 URI (default: the first)",
         .text = &say->token},
        {"module", "FILE", "the module of a URI (default: the first token's)",
         .text = &say->where.module},
        {"pin", "SOURCE", "its PIN, file:/path (default: the first token's)",
         .text = &say->where.pin},
        {"env", "NAME=VALUE", "a variable of its module", .text = &say->where.env},
        {"etcd-prefix", "PREFIX", "kube-apiserver's --etcd-prefix (default: /registry)",
         .text = &say->prefix},
        {"csv", NULL, "a table; what a spreadsheet takes for a formula gets a '",
         .on = &say->csv},
        {"out", "FILE", "the report goes there, mode 0600; it must not be there yet",
         .text = &say->out_path},
        {"redact", NULL, "names and paths become 16 digits, by a key that nobody keeps",
         .on = &say->redact},
        {"redact-key", "FILE",
         "the same, by the key in FILE (32 to 256 bytes): reports can be joined",
         .text = &say->redact_key},
    };
    const struct kw_usage usage = {.verb = "etcd audit",
                                   .operands = "[FILE]",
                                   .rest = &say->files,
                                   .summary = summary,
                                   .config = "keyward's; only --restorable reads it",
                                   .exits = exits,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0],
                                   .logs_in = true};
    const int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    say->file = say->files.count > 0 ? say->files.at[0] : NULL;
    say->prefix = say->prefix != NULL ? say->prefix : KW_ETCD_PREFIX;
    const int wrong = etcd_words_judge(say, cli.json);
    return wrong >= 0 ? wrong : etcd_audit_run(&a);
}
