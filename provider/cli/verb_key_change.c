/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key accept, retire, disable, enable, prune - one change of one version, for
 * which no token is asked */
#include "cli.h"

#include <stdio.h>

#include "context.h"
#include "end_gate.h"
#include "gone.h"
#include "next.h"
#include "operator_log.h"
#include "second_copy.h"

struct change {
    enum kw_act act;
    const char *summary;
    const char *operator_, *ticket;
    struct kw_gate_words gate; /* of DISABLE */
    char proof[128];           /* for the history; "" */
};

/* What the version was, and what it is; destroyed and away after a prune.  `copy`: the
 * last word on a second copy of a key that is to be forgotten. */
struct outcome {
    struct kw_version was;
    enum kw_key_state to;
    const char *copy;
};

static kw_err write_change(const struct kw_context *d, const struct change *change,
                           struct outcome *o, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    struct kw_act_facts facts;
    kw_err e = kw_context_facts(change->operator_, &facts, note);
    if (!kw_failed(e))
        e = kw_keyring_dup(d->ring, &ring);
    if (kw_failed(e))
        return e;
    kw_copy_str(facts.proof, sizeof facts.proof, kw_span_str(change->proof));
    e = kw_act_apply(ring, change->act, o->was.n, &facts, note);
    if (!kw_failed(e))
        e = kw_context_save(d, ring, note);
    const struct kw_version *v = kw_keyring_by_n(ring, o->was.n);
    o->to = v != NULL ? v->state : KW_KEY_DESTROYED;
    kw_keyring_give(ring);
    return e;
}

static void key_change_print(const struct kw_context *d, const struct change *change,
                             const struct outcome *o)
{
    const struct kw_version *was = &o->was;
    char words[KW_GONE_WORDS_MAX];
    if (change->act == KW_ACT_PRUNE) {
        kw_gone_words(d->ring, was, words);
        printf("version %u (%s): out of the keyring; a line of its history stays\n%s\n",
               (unsigned)was->n, was->key_id, words);
    } else
        printf("version %u (%s): %s -> %s\n", (unsigned)was->n, was->key_id,
               kw_key_state_name(was->state), kw_key_state_name(o->to));
    if (was->state == KW_KEY_ACCEPTED && o->to != KW_KEY_ACCEPTED)
        printf(
            "a node that has activated it by itself will refuse this keyring: activate "
            "another one there first\n");
}

static int key_change_report(const struct kw_cli *cli, const struct kw_context *d,
                             const struct change *change, const struct outcome *o)
{
    char config[KW_CLI_CONFIG_MAX], copy[128];
    struct kw_commands next = {.len = 0};
    kw_cli_config(cli, config, sizeof config);
    kw_second_copy_known(&o->was, copy);
    const struct kw_next_facts facts = {.config = config,
                                        .keyring = d->config->keyring,
                                        .n = o->was.n,
                                        .state = o->to,
                                        .former = d->ring->active,
                                        .has_copy = copy[0] != '\0'};
    kw_next_after(change->act, &facts, &next);
    if (!cli->json)
        key_change_print(d, change, o);
    return kw_done(
        cli,
        json_pack("{s:b, s:i, s:s, s:s, s:s, s:b, s:s?}", "ok", 1, "n", (int)o->was.n,
                  "key_id", o->was.key_id, "from", kw_key_state_name(o->was.state),
                  "state", kw_key_state_name(o->to), "pruned",
                  change->act == KW_ACT_PRUNE, "second_copy_not_seen", o->copy),
        next.text, KW_EXIT_GOOD);
}

/* What is not known to be gone would be forgotten with its version, unless another
 * version of the same key names that token too. */
static int may_forget(const struct kw_cli *cli, const struct kw_context *d,
                      const struct kw_version *v)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    struct kw_note why;
    const struct kw_object_token *row = kw_gone_forgotten(d->ring, v);
    const struct kw_version *sharer = kw_keyring_sharer(d->ring, v, NULL);
    if (row == NULL)
        return -1;
    kw_cli_config(cli, config, sizeof config);
    kw_note_set(
        &why,
        "version %u: in token %s, serial %s, its key is not known to be gone, and "
        "only this version says that it lies there",
        v->n, row->label, row->serial);
    if (sharer != NULL) {
        kw_commands_add(&next,
                        "# it is also the key of version %u, which must stay; let that "
                        "one name the token:",
                        sharer->n);
        kw_commands_add(&next, "keyward key prove %u --token NAME|URI%s", sharer->n,
                        config);
    } else {
        kw_commands_add(&next,
                        "# look again; that says how an object that is still there is "
                        "removed, and what helps when a token cannot be asked:");
        kw_commands_add(&next, "keyward key destroy %u%s", v->n, config);
    }
    return kw_refuse_next(cli, why.text, next.text);
}

static int key_change_perform(const struct kw_cli *cli, const struct kw_context *d,
                              struct change *change, uint32_t n)
{
    struct kw_note note = {{0}};
    int code = kw_context_may(cli, d, change->act, n);
    if (code < 0 && change->act == KW_ACT_PRUNE)
        code = may_forget(cli, d, kw_keyring_by_n(d->ring, n));
    if (code < 0 && change->act == KW_ACT_DISABLE)
        code = kw_gate_pass(cli, d, kw_keyring_by_n(d->ring, n), "disable", &change->gate,
                            change->proof);
    if (code >= 0)
        return code;
    struct outcome o = {.was = *kw_keyring_by_n(d->ring, n)};
    if (change->act == KW_ACT_PRUNE)
        o.copy = kw_gone_copy(d->ring, &o.was);
    char act[32];
    snprintf(act, sizeof act, "key-%s", kw_act_name(change->act));
    struct kw_operator_act noted = {cli, d->config, act, o.was.key_id, change->ticket};
    code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    kw_err e = write_change(d, change, &o, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? kw_fail(cli, e, &note) : key_change_report(cli, d, change, &o);
    return kw_operator_code(&noted, code);
}

static int key_change_run(enum kw_act act, const char *summary, int argc, char **argv)
{
    struct change change = {.act = act, .summary = summary};
    struct kw_cli cli;
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    char verb[32];
    uint32_t n = 0;
    const struct kw_option options[] = {
        {"operator", "NAME", "who does this (default: your login)", NULL,
         &change.operator_},
        KW_OPERATOR_TICKET(&change.ticket),
        KW_GATE_OPTIONS(&change.gate),
    };
    const size_t all = sizeof options / sizeof options[0];
    snprintf(verb, sizeof verb, "key %s", kw_act_name(act));
    const struct kw_usage usage = {
        .verb = verb,
        .operands = "N",
        .operand_count = 1,
        .summary = summary,
        .options = options,
        .option_count = act == KW_ACT_DISABLE ? all : all - KW_GATE_OPTION_COUNT,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_cli_version_n(verb, cli.operand[0], &n);
    if (code < 0)
        code = kw_operator_ticket(verb, change.ticket);
    if (code < 0)
        code = kw_gate_usage(verb, &change.gate);
    if (code >= 0)
        return code;
    kw_err e = kw_context_open(&cli, &context, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note)
                        : key_change_perform(&cli, &context, &change, n);
    kw_context_close(&context);
    return code;
}

int kw_verb_accept(int argc, char **argv)
{
    return key_change_run(
        KW_ACT_ACCEPT,
        "Lets every node that has the keyring decrypt with version N.  It is the "
        "step\nbefore any node may wrap with it.  In the one place where the "
        "keyring is changed;\nthe other nodes get a copy.",
        argc, argv);
}

int kw_verb_retire(int argc, char **argv)
{
    return key_change_run(
        KW_ACT_RETIRE,
        "Version N decrypts only, for good.  Activating a new baseline retires the "
        "former\none by itself.",
        argc, argv);
}

int kw_verb_disable(int argc, char **argv)
{
    return key_change_run(
        KW_ACT_DISABLE,
        "Nobody may use version N until it is enabled: the quarantine before the "
        "end.\nOf a version that was ever accepted it wants reports which show that "
        "nothing needs it,\nand records them: a seat belt, no lock.  That those are all "
        "members and all backups is\nyour word.",
        argc, argv);
}

int kw_verb_enable(int argc, char **argv)
{
    return key_change_run(KW_ACT_ENABLE,
                          "Takes version N back to the state it was disabled from.", argc,
                          argv);
}

int kw_verb_prune(int argc, char **argv)
{
    return key_change_run(
        KW_ACT_PRUNE,
        "Takes a destroyed version out of the keyring; a line of the history "
        "stays.  Its\nkey must be gone from every token that the keyring names, or "
        "be another version's.",
        argc, argv);
}
