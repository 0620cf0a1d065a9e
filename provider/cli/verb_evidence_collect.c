/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence collect - what a bundle of evidence is made from, out of one node
 *
 * Order: the folder is claimed before anything is asked · configuration and keyring as they
 * were read · one login to each token · the logs · node.json, which lists all of it, last.
 * What could not be looked at stands in the folder; what could not be written leaves none.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/checkpoint.h>

#include "context.h"
#include "evidence_folder.h"
#include "evidence_log.h"
#include "evidence_node.h"
#include "evidence_token.h"
#include "interrupt.h"

#define AUDIT_FOLDER "audit"

struct evidence_collect {
    const struct kw_cli *cli;
    const char *out, *name;
    bool no_audit;
    struct kw_context context;
    struct kw_evidence_folder folder;
    struct kw_evidence_node node;
    struct kw_evidence_token *token; /* shared with each token's child, one at a time */
    bool has_audit_key;              /* audit.pem is there */
};

/* ---- tokens ---- */

static kw_err collect_audit_key(struct evidence_collect *c, struct kw_note *note)
{
    char pem[KW_SPKI_PEM + 1];
    if (!c->token->is_asked || !c->token->is_pinned || c->has_audit_key)
        return KW_OK;
    kw_spki_pem(c->token->audit_spki, pem);
    c->has_audit_key = true;
    return kw_evidence_put(&c->folder, "audit.pem", kw_span_str(pem), note);
}

static kw_err collect_token(struct evidence_collect *c, size_t i, struct kw_note *note)
{
    char file[KW_EVIDENCE_TOKEN_NAME];
    struct kw_note why = {{0}};
    const struct kw_config_token *token = &c->context.config->tokens[i];
    c->token = kw_shared_new(sizeof *c->token);
    if (c->token == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    kw_evidence_token_ask(&c->context, token, c->token);
    kw_evidence_token_name(c->context.config, i, file);
    kw_err e = kw_evidence_put_json(
        &c->folder, file, kw_evidence_token_json(&c->context, token, c->token), note);
    if (!kw_failed(e) && !kw_evidence_token_is_whole(&c->context, c->token, &why))
        e = kw_evidence_blind(&c->node, "token %s: %s", token->name, why.text);
    if (!kw_failed(e))
        e = collect_audit_key(c, note);
    kw_shared_free(c->token, sizeof *c->token);
    return e;
}

static kw_err collect_tokens(struct evidence_collect *c, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < c->context.config->token_count && !kw_failed(e); i++)
        e = collect_token(c, i, note);
    return e;
}

/* ---- files ---- */

static kw_err collect_files(struct evidence_collect *c, struct kw_note *note)
{
    kw_err e = kw_evidence_configuration(&c->folder, &c->context, c->cli->config,
                                         &c->node, note);
    return kw_failed(e) ? e
                        : kw_evidence_keyring(&c->folder, &c->context, &c->node, note);
}

static kw_err collect_log(struct evidence_collect *c, const char *from, const char *name,
                          size_t *ret_files, struct kw_note *note)
{
    struct kw_evidence_log log;
    kw_err e = kw_evidence_log(&c->folder, from, name, &log, note);
    *ret_files = log.files;
    if (!kw_failed(e) && log.why.text[0] != '\0')
        e = kw_evidence_blind(&c->node, "log %s: %s", name, log.why.text);
    return e;
}

/* The daemon's log says how far it saw the operators' one: that one is copied after it. */
static kw_err collect_logs(struct evidence_collect *c, struct kw_note *note)
{
    const struct kw_config *config = c->context.config;
    const bool has_log = config->audit_dir != NULL;
    size_t audit = 0, operators = 0;
    kw_err e = KW_OK;
    if (!c->no_audit)
        e = kw_evidence_folder_inside(&c->folder, AUDIT_FOLDER, note);
    if (!kw_failed(e) && !c->no_audit && has_log)
        e = collect_log(c, config->audit_dir, "audit", &audit, note);
    if (!kw_failed(e) && !c->no_audit)
        e = collect_log(c, has_log ? config->audit_dir : config->state, "operator",
                        &operators, note);
    if (kw_failed(e))
        return e;
    c->node.audit = json_pack("{s:b, s:I, s:I}", "copied", !c->no_audit, "audit_files",
                              (json_int_t)audit, "operator_files", (json_int_t)operators);
    return c->node.audit != NULL ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "evidence");
}

static kw_err collect_node(struct evidence_collect *c, struct kw_note *note)
{
    json_t *files = json_deep_copy(c->folder.files);
    const kw_err e =
        kw_evidence_put_json(&c->folder, "node.json",
                             kw_evidence_node_json(&c->context, &c->node, files), note);
    json_decref(files);
    return kw_failed(e) ? e : kw_evidence_folder_sync(&c->folder, note);
}

/* ---- the whole ---- */

static kw_err collect_all(struct evidence_collect *c, struct kw_note *note)
{
    static kw_err (*const steps[])(struct evidence_collect *, struct kw_note *) = {
        collect_files, collect_tokens, collect_logs, collect_node};
    kw_err e = KW_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !kw_failed(e); i++)
        e = steps[i](c, note);
    return e;
}

static int collect_report(const struct evidence_collect *c, json_t *blind)
{
    const size_t files = json_array_size(c->folder.files),
                 missed = json_array_size(blind);
    const enum kw_exit code = missed == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
    if (c->cli->json)
        return kw_json_out(json_pack("{s:b, s:s, s:s, s:I, s:O}", "ok", missed == 0,
                                     "folder", c->folder.path, "node", c->node.name,
                                     "files", (json_int_t)files, "not_looked_at", blind),
                           code);
    for (size_t i = 0; i < missed; i++)
        fprintf(stderr, "keyward: not looked at: %s\n",
                json_string_value(json_array_get(blind, i)));
    printf("collected %zu files of node %s in %s%s\n", files, c->node.name,
           c->folder.path, missed == 0 ? "" : ", which says what is missing");
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_BLIND;
}

static int collect_into_folder(struct evidence_collect *c)
{
    struct kw_note note = {{0}};
    kw_time_text(c->node.time, kw_wall_ns(&kw_clock_system));
    c->node.redacted = json_array();
    c->node.blind = json_array();
    json_t *blind = json_incref(c->node.blind); /* node.json takes the other one */
    kw_interrupt_hold();
    kw_err e = kw_evidence_folder_make(c->out, &c->folder, &note);
    if (!kw_failed(e)) {
        e = collect_all(c, &note);
        if (kw_failed(e))
            kw_evidence_folder_remove(&c->folder);
    }
    kw_interrupt_release();
    const int code = kw_failed(e) ? kw_fail(c->cli, e, &note) : collect_report(c, blind);
    kw_evidence_folder_close(&c->folder);
    json_decref(blind);
    json_decref(c->node.blind);
    json_decref(c->node.redacted);
    json_decref(c->node.audit);
    return code;
}

/* A module is loaded on the configuration's word, so that must be keywardd's too; a keyring
 * that others could have changed is evidence, and node.json says so. */
static int collect_run(struct evidence_collect *c)
{
    struct kw_note note = {{0}};
    int code = -1;
    const kw_err e = kw_context_open(c->cli, &c->context, &note);
    if (kw_failed(e))
        code = kw_fail(c->cli, e, &note);
    else if (c->context.doubts_config)
        code = kw_context_trusts(c->cli, &c->context);
    else if (c->context.stranger)
        code = kw_context_remembers(c->cli, &c->context);
    if (code < 0)
        code = collect_into_folder(c);
    kw_context_close(&c->context);
    return code;
}

/* ---- the verb ---- */

static int collect_judge_words(struct evidence_collect *c, const char *verb)
{
    char host[sizeof c->node.name];
    if (c->out == NULL || c->out[0] == '\0')
        return kw_usage_error(verb, "--out DIR: where to; a new folder");
    if (c->name == NULL && gethostname(host, sizeof host) != 0)
        host[0] = '\0';
    host[sizeof host - 1] = '\0';
    const char *name = c->name != NULL ? c->name : host;
    if (!kw_evidence_is_node_name(name))
        return kw_usage_error(verb, "%s'%s' is no node's name: 1 to 63 of a-z 0-9 . -%s",
                              c->name != NULL ? "--name: " : "the host's name ", name,
                              c->name != NULL ? "" : "; say one with --name");
    kw_copy_str(c->node.name, sizeof c->node.name, kw_span_str(name));
    return -1;
}

int kw_verb_evidence_collect(int argc, char **argv)
{
    struct kw_cli cli;
    struct evidence_collect c = {.cli = &cli, .folder = KW_EVIDENCE_FOLDER_NONE};
    const struct kw_option options[] = {
        {"out", "DIR", "the folder, which is made; it must not be there yet", NULL,
         &c.out},
        {"name", "NAME", "what the node is called there (default the host's name)", NULL,
         &c.name},
        {"no-audit", NULL, "leave the logs where they are", &c.no_audit, NULL},
    };
    const struct kw_usage usage = {
        .verb = "evidence collect",
        .operands = "",
        .summary =
            "Collects what an auditor asks of this node in a new folder: keyring, "
            "configuration, what\neach token says of its keys (one login each), and the "
            "logs as they are at one moment.\nNo PIN is in it, and of a token's "
            "variables "
            "only paths of what is on this machine.\nWhat could not be looked at stands "
            "in "
            "the folder, and gives 3; a key that fails a rule\nis evidence, and gives 0.",
        .exits =
            "0 all was looked at, 1 refused, and there is no folder, 2 wrong usage, 3 "
            "something could not be looked at (the folder says what), or the folder not "
            "written",
        .more =
            "Run it as root or the daemon's user.  keyward evidence makes a bundle of "
            "the "
            "folders of all\nnodes: collect after the end of the period that it is to be "
            "about.  docs/EVIDENCE.md has all of it.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = collect_judge_words(&c, usage.verb);
    return code < 0 ? collect_run(&c) : code;
}
