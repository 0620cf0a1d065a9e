/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key accept, retire, disable, enable, destroy - one change of one state */
#include "cli.h"

#include <stdio.h>

#include "desk.h"
#include "gone.h"

struct change {
    enum kw_act act;
    const char *verb;
    const char *summary;
    bool blind; /* destroy: do not ask the token */
};

static kw_err write_change(const struct kw_desk *d, uint32_t n, enum kw_act act,
                           enum kw_key_state *ret_to, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    struct kw_act_facts facts;
    kw_err e = kw_desk_facts(NULL, &facts, note);
    if (!kw_failed(e))
        e = kw_keyring_dup(d->ring, &ring);
    if (kw_failed(e))
        return e;
    e = kw_act_apply(ring, act, n, &facts, note);
    if (!kw_failed(e))
        e = kw_desk_save(d, ring, note);
    if (!kw_failed(e))
        *ret_to = kw_keyring_by_n(ring, n)->state;
    kw_keyring_give(ring);
    return e;
}

static int report(const struct kw_cli *cli, const struct kw_version *was,
                  enum kw_key_state to, const char *keyring)
{
    if (cli->json)
        return kw_json_out(json_pack("{s:b, s:i, s:s, s:s, s:s}", "ok", 1, "n",
                                     (int)was->n, "key_id", was->key_id, "from",
                                     kw_key_state_name(was->state), "state",
                                     kw_key_state_name(to)),
                           KW_EXIT_GOOD);
    printf("version %u (%s): %s -> %s\n", (unsigned)was->n, was->key_id,
           kw_key_state_name(was->state), kw_key_state_name(to));
    if (was->state == KW_KEY_ACCEPTED && to != KW_KEY_ACCEPTED)
        printf(
            "a node that has activated it by itself will refuse this keyring: activate "
            "another one there first\n");
    printf("next: give %s to every node\n%s\n", keyring, KW_RELOAD_HINT);
    if (to == KW_KEY_ACCEPTED)
        printf("then, when every node has had it for a while: keyward key activate %u\n",
               (unsigned)was->n);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int perform(const struct kw_cli *cli, const struct kw_desk *d,
                   const struct change *change, uint32_t n)
{
    struct kw_note note = {{0}};
    enum kw_key_state to = KW_KEY_CREATED;
    int code = kw_desk_may(cli, d, change->act, n);
    if (code >= 0)
        return code;
    const struct kw_version *v = kw_keyring_by_n(d->ring, n);
    kw_err e = KW_OK;
    if (change->act == KW_ACT_DESTROY && !change->blind)
        e = kw_gone_from_tokens(d->config, kw_version_kek(v)->label, &note);
    if (!kw_failed(e))
        e = write_change(d, n, change->act, &to, &note);
    return kw_failed(e) ? kw_fail(cli, e, &note) : report(cli, v, to, d->config->keyring);
}

static int run(const struct change *given, int argc, char **argv)
{
    struct change change = *given;
    struct kw_cli cli;
    struct kw_desk desk = {0};
    struct kw_note note = {{0}};
    char verb[32];
    uint32_t n = 0;
    const struct kw_option options[] = {
        {"without-looking", NULL, "do not ask the tokens whether the object is gone",
         &change.blind, NULL},
    };
    snprintf(verb, sizeof verb, "key %s", kw_act_name(change.act));
    const struct kw_usage usage = {
        .verb = verb,
        .operands = "N",
        .operand_count = 1,
        .summary = change.summary,
        .options = options,
        .option_count = change.act == KW_ACT_DESTROY ? 1 : 0,
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_args_number(verb, cli.operand[0], &n);
    if (code >= 0)
        return code;
    kw_err e = kw_desk_open(&cli, &desk, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note) : perform(&cli, &desk, &change, n);
    kw_desk_close(&desk);
    return code;
}

int kw_verb_accept(int argc, char **argv)
{
    return run(
        &(struct change){KW_ACT_ACCEPT, "accepted",
                         "Lets every node that has the keyring decrypt with version "
                         "N.  It is the step\nbefore any node may wrap with it.",
                         false},
        argc, argv);
}

int kw_verb_retire(int argc, char **argv)
{
    return run(&(struct change){KW_ACT_RETIRE, "retired",
                                "Version N decrypts only, for good.  Activating a new "
                                "baseline retires the former\none by itself.",
                                false},
               argc, argv);
}

int kw_verb_disable(int argc, char **argv)
{
    return run(&(struct change){KW_ACT_DISABLE, "disabled",
                                "Nobody may use version N until it is enabled: the "
                                "quarantine before the end.",
                                false},
               argc, argv);
}

int kw_verb_enable(int argc, char **argv)
{
    return run(&(struct change){KW_ACT_ENABLE, "enabled",
                                "Takes version N back to the state it was disabled from.",
                                false},
               argc, argv);
}

int kw_verb_destroy(int argc, char **argv)
{
    return run(
        &(struct change){KW_ACT_DESTROY, "destroyed",
                         "Records that the object of version N was removed from every "
                         "token: whatever is\nsealed under it is lost.  Removes "
                         "nothing itself, and looks whether it is gone.",
                         false},
        argc, argv);
}
