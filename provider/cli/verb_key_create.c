/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key create - a new KEK version, from the plan to the keyring */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "create.h"

/* The end of a dry run: its key_id is not that of a later ceremony. */
static int report_plan(const struct kw_create *c)
{
    const struct kw_version *v = &c->job->v;
    if (!c->cli->json)
        return KW_EXIT_GOOD;
    return kw_json_out(json_pack("{s:b, s:b, s:i, s:s, s:s, s:b, s:b}", "ok", 1,
                                 "dry_run", 1, "n", (int)v->n, "token", c->token->name,
                                 "operator", v->operator_, "destroyable",
                                 v->want_destroyable, "copyable", v->want_copyable),
                       KW_EXIT_GOOD);
}

/* Better now than after the key was made. */
static kw_err keyring_writable(const char *path, struct kw_note *note)
{
    char folder[KW_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    kw_copy_str(folder, sizeof folder, kw_span_of(slash != NULL ? path : ".", len));
    if (access(folder, W_OK) == 0)
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "%s: the keyring's folder cannot be written: %s; no key was made",
                folder, strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "keyring");
}

static kw_err write_ring(struct kw_create *c, struct kw_note *note)
{
    enum kw_act act = c->job->adopt ? KW_ACT_ADOPT : KW_ACT_CREATE;
    kw_copy_str(c->facts.proof, sizeof c->facts.proof, kw_span_str(c->job->v.origin));
    kw_err e = kw_act_add(c->ring, act, &c->job->v, &c->facts);
    return kw_failed(e) ? e : kw_desk_save(&c->desk, c->ring, note);
}

static int report(const struct kw_cli *cli, const struct kw_ceremony *job)
{
    const struct kw_version *v = &job->v;
    if (cli->json)
        return kw_json_out(json_pack("{s:b, s:i, s:s, s:s, s:s, s:s, s:s}", "ok", 1, "n",
                                     (int)v->n, "key_id", v->key_id, "state",
                                     kw_key_state_name(v->state), "token_serial",
                                     v->token.serial, "dropped", job->dropped, "remarks",
                                     job->remarks.text),
                           KW_EXIT_GOOD);
    printf("%s in token %s, serial %s; attributes read back and judged good\n",
           v->same_key_as != 0 ? "found    " : "made     ", v->token.label,
           v->token.serial);
    if (job->dropped[0] != '\0')
        printf("left out  the token does not know: %s\n", job->dropped);
    if (job->remarks.text[0] != '\0')
        printf("remarks   %s\n", job->remarks.text);
    printf("proven    the check text was sealed and opened\n"
           "key_id %s\n"
           "next: keyward key accept %u, here, where the keyring is changed\n",
           v->key_id, (unsigned)v->n);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int perform(struct kw_create *c)
{
    struct kw_note note = {{0}};
    kw_err e = keyring_writable(c->desk.config->keyring, &note);
    if (!kw_failed(e))
        e = kw_ceremony_run(c->desk.config, c->token, c->job, &note);
    if (!kw_failed(e))
        e = write_ring(c, &note);
    return kw_failed(e) ? kw_create_failed(c, e, &note) : report(c->cli, c->job);
}

static int run(struct kw_create *c)
{
    struct kw_note note = {{0}};
    kw_err e = kw_desk_open(c->cli, &c->desk, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    enum kw_act act = c->adopt != NULL ? KW_ACT_ADOPT : KW_ACT_CREATE;
    int code = kw_desk_may(c->cli, &c->desk, act, 0);
    if (code < 0)
        code = kw_create_plan(c);
    if (code < 0 && !c->cli->json)
        kw_create_print_plan(c);
    if (code < 0)
        code = c->dry_run ? report_plan(c) : perform(c);
    kw_keyring_give(c->ring);
    kw_desk_close(&c->desk);
    return code;
}

/* -1 to go on. */
static int same_key_choice(struct kw_create *c)
{
    if (c->adopt != NULL || c->destroyable || c->copyable)
        return kw_usage_error("key create", "--same-key-as takes a key as it is: it goes "
                                            "with no --adopt, --destroyable, --copyable");
    return kw_args_number("key create", c->same_key_as, &c->same_n);
}

int kw_verb_create(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_create c = {.cli = &cli};
    const struct kw_option options[] = {
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
        {"token", "NAME", "which token of the configuration (default the first)", NULL,
         &c.token_name},
        {"destroyable", NULL, "the object may be destroyed by PKCS#11", &c.destroyable,
         NULL},
        {"copyable", NULL, "the object may be copied inside the token", &c.copyable,
         NULL},
        {"adopt", "KEY_ID", "finish a ceremony that made this object and then stopped",
         NULL, &c.adopt},
        {"same-key-as", "N", "no new key: version N's, under a new key_id", NULL,
         &c.same_key_as},
        {"dry-run", NULL, "print the plan and stop", &c.dry_run, NULL},
    };
    const struct kw_usage usage = {
        .verb = "key create",
        .operands = "",
        .summary =
            "Makes a KEK version inside the token, reads its attributes back, proves "
            "it\nwith a check text, and adds it to the keyring in state created.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code < 0 && c.same_key_as != NULL)
        code = same_key_choice(&c);
    if (code >= 0)
        return code;
    c.job = kw_shared_new(sizeof *c.job);
    if (c.job == NULL)
        return kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    code = run(&c);
    kw_shared_free(c.job, sizeof *c.job);
    return code;
}
