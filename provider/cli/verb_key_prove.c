/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key prove - a version's check blob opened in one more token, and recorded */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "next.h"
#include "second_copy.h"

struct choices {
    const char *token, *operator_;
    struct kw_token_words where;
};

static kw_err write_proof(const struct kw_context *context, const struct kw_version *v,
                          const struct kw_second_copy_proof *proof, const char *operator_,
                          struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    struct kw_act_facts facts;
    kw_err e = kw_context_facts(operator_, &facts, note);
    if (!kw_failed(e))
        e = kw_keyring_dup(context->ring, &ring);
    if (kw_failed(e))
        return e;
    kw_copy_str(facts.proof, sizeof facts.proof, kw_span_str(proof->text));
    e = kw_act_prove(ring, v->n, &proof->row, &facts);
    if (e.code == KW_CODE_BUSY)
        kw_note_set(note,
                    "version %u: the keyring names %u tokens for it, and has room "
                    "for no other",
                    v->n, KW_OBJECT_TOKENS_MAX);
    struct kw_version *edited = kw_keyring_edit(ring, v->n);
    if (proof->second && kw_second_copy_rank(edited->second_copy) < KW_COPY_OPENED)
        kw_copy_str(edited->second_copy, sizeof edited->second_copy,
                    kw_span_str(proof->text));
    if (!kw_failed(e))
        e = kw_context_save(context, ring, note);
    kw_keyring_give(ring);
    return e;
}

static int key_prove_report(const struct kw_cli *cli, const struct kw_context *context,
                            const struct kw_version *v,
                            const struct kw_second_copy_proof *proof)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    kw_cli_config(cli, config, sizeof config);
    const struct kw_next_facts facts = {
        .config = config, .keyring = context->config->keyring, .n = v->n};
    kw_next_after(KW_ACT_PROVE, &facts, &next);
    if (!cli->json) {
        printf("version %u (%s): %s\n", (unsigned)v->n, v->key_id, proof->text);
        if (!proof->second)
            puts(
                "it is the token of the ceremony itself: no second copy is proven by it");
        else if (proof->maybe_group)
            puts("it is of the ceremony's make: whether it is another member of its HA "
                 "group, and no copy apart, cannot be known");
    }
    return kw_done(cli,
                   json_pack("{s:b, s:i, s:s, s:s, s:b, s:b}", "ok", 1, "n", (int)v->n,
                             "key_id", v->key_id, "proof", proof->text, "second_copy",
                             proof->second, "maybe_same_group", proof->maybe_group),
                   next.text, KW_EXIT_GOOD);
}

static int key_prove_perform(const struct kw_cli *cli, const struct kw_context *context,
                             const struct choices *c, uint32_t n)
{
    struct kw_note note = {{0}};
    struct kw_second_copy_proof proof;
    int code = kw_context_may(cli, context, KW_ACT_PROVE, n);
    if (code >= 0)
        return code;
    const struct kw_version *v = kw_keyring_by_n(context->ring, n);
    kw_err e =
        kw_second_copy_prove(context->config, context->ring, v, &c->where, &proof, &note);
    if (!kw_failed(e))
        e = write_proof(context, v, &proof, c->operator_, &note);
    return kw_failed(e) ? kw_fail(cli, e, &note)
                        : key_prove_report(cli, context, v, &proof);
}

/* A name of the configuration, or a URI with its options.  -1 to go on. */
static int key_prove_choose(struct choices *c)
{
    struct kw_token_words *w = &c->where;
    if (c->token == NULL)
        return kw_usage_error("key prove", "--token says which token it is to open in");
    if (strncmp(c->token, "pkcs11:", sizeof "pkcs11:" - 1) == 0) {
        w->uri = c->token;
        return -1;
    }
    w->name = c->token;
    if (w->module != NULL || w->pin != NULL || w->env != NULL)
        return kw_usage_error("key prove", "--module, --pin and --env go with a URI: a "
                                           "token of the configuration has its own");
    return -1;
}

static int key_prove_run(const struct kw_cli *cli, const struct choices *c, uint32_t n)
{
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    kw_err e = kw_context_open(cli, &context, &note);
    int code =
        kw_failed(e) ? kw_fail(cli, e, &note) : key_prove_perform(cli, &context, c, n);
    kw_context_close(&context);
    return code;
}

int kw_verb_prove(int argc, char **argv)
{
    struct choices c = {.where.option = ""};
    struct kw_cli cli;
    uint32_t n = 0;
    const struct kw_option options[] = {
        {"token", "NAME|URI",
         "a token of the configuration, or the PKCS#11 URI of another one", NULL,
         &c.token},
        {"module", "FILE", "the module of a URI (default: the first token's)", NULL,
         &c.where.module},
        {"pin", "SOURCE", "its PIN, file:/path (default: the first token's)", NULL,
         &c.where.pin},
        {"env", "NAME=VALUE", "a variable of its module", NULL, &c.where.env},
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
    };
    const struct kw_usage usage = {
        .verb = "key prove",
        .operands = "N",
        .operand_count = 1,
        .summary =
            "Logs in to a token, opens version N's check blob there, and records in "
            "the keyring\nthat the key lies in it too.  After it no node asks for a "
            "second copy of N.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_cli_version_n(usage.verb, cli.operand[0], &n);
    if (code < 0)
        code = key_prove_choose(&c);
    return code >= 0 ? code : key_prove_run(&cli, &c, n);
}
