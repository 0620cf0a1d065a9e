/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key activate - this node's act, and with --baseline the cluster's */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "next.h"
#include "operator_log.h"
#include "second_copy.h"
#include "waited.h"

/* How long a version must have been accepted on this node: a reload of every node and one
 * poll of every API server (60 s) fit in well. */
#define SEEN_LONG_ENOUGH_NS (INT64_C(300) * KW_S_NS)

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

struct choices {
    const char *stated, *operator_, *ticket;
    struct kw_token_words other;
    bool only_copy, baseline, now;
};

struct activation {
    const struct kw_cli *cli;
    const struct kw_context *context;
    const struct choices *c;
    const struct kw_version *v;
    struct kw_activation act;
    struct kw_act_facts facts;
    struct kw_second_copy_proof proof; /* seen in another token by this very run */
    bool baseline;
    bool first; /* nothing is active anywhere yet, so nothing can be sealed */
    bool known; /* the keyring itself has the word on a second copy         */
    bool kept;  /* what was known says more than what was given             */
};

static int seen_long_enough(const struct activation *a)
{
    static const struct kw_wait wait = {
        .state = "accepted",
        .ns = SEEN_LONG_ENOUGH_NS,
        .how_long = "five minutes",
        .why = ", so that every node can decrypt with it first",
    };
    if (a->c->now || a->first || kw_context_active(a->context) == a->v->n)
        return -1;
    return kw_waited(a->cli, a->context, a->v->n, &wait);
}

/* What was seen or said of a second copy, into the version; a row for the token that was
 * seen, when there is room for one more. */
static kw_err note_copy(struct kw_keyring *ring, const struct activation *a)
{
    struct kw_version *v = kw_keyring_edit(ring, a->v->n);
    if (a->known)
        return KW_OK;
    if (strcmp(a->act.proof, KW_ONLY_COPY) == 0)
        snprintf(v->second_copy, sizeof v->second_copy, KW_ONLY_COPY ": %s, %s",
                 a->act.by, a->act.at);
    else
        PUT(v->second_copy, a->act.proof);
    if (a->proof.row.serial[0] == '\0')
        return KW_OK;
    kw_err e = kw_act_prove(ring, a->v->n, &a->proof.row, &a->facts);
    return e.code == KW_CODE_BUSY ? KW_OK : e;
}

static kw_err write_baseline(const struct activation *a, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_dup(a->context->ring, &ring);
    if (kw_failed(e))
        return e;
    e = kw_act_apply(ring, KW_ACT_ACTIVATE, a->v->n, &a->facts, note);
    if (!kw_failed(e))
        e = note_copy(ring, a);
    if (!kw_failed(e))
        e = kw_context_save(a->context, ring, note);
    kw_keyring_give(ring);
    return e;
}

/* Where the word on a second copy lies from now on. */
static void print_proof(const struct activation *a)
{
    if (a->known)
        printf("second copy   as the keyring says: %s\n", a->act.proof);
    else if (a->baseline)
        printf("second copy   %s; recorded in the keyring: no node asks for it again\n",
               a->act.proof);
    else
        printf("second copy   %s; recorded on this node alone (%s/activation.json), and "
               "by --baseline in the keyring\n",
               a->act.proof, a->context->config->state);
    if (a->kept)
        printf("kept          %s is a weaker word and replaces nothing\n",
               a->c->only_copy ? "--only-copy" : "--second-copy TEXT");
    if (a->proof.row.serial[0] != '\0' && a->proof.maybe_group)
        puts(
            "remark        it is of the ceremony's make: whether it is another member of "
            "its HA group, and no copy apart, cannot be known");
}

static int key_activate_report(const struct activation *a)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    kw_cli_config(a->cli, config, sizeof config);
    const struct kw_next_facts facts = {.config = config,
                                        .keyring = a->context->config->keyring,
                                        .n = a->v->n,
                                        .former = a->context->ring->active,
                                        .node_only = !a->baseline};
    kw_next_after(KW_ACT_ACTIVATE, &facts, &next);
    if (!a->cli->json) {
        printf("version %u (%s): active on this node%s\n", (unsigned)a->v->n,
               a->v->key_id, a->baseline ? ", and the cluster's baseline" : "");
        print_proof(a);
    }
    return kw_done(a->cli,
                   json_pack("{s:b, s:i, s:s, s:b, s:s, s:s, s:b}", "ok", 1, "n",
                             (int)a->v->n, "key_id", a->v->key_id, "baseline",
                             a->baseline, "proof", a->act.proof, "proof_lies_in",
                             a->known || a->baseline ? "keyring" : "activation",
                             "weaker_word_left_out", a->kept),
                   next.text, KW_EXIT_GOOD);
}

static kw_err open_there(struct activation *a, struct kw_note *note)
{
    kw_err e = kw_second_copy_prove(a->context->config, a->context->ring, a->v,
                                    &a->c->other, &a->proof, note);
    if (!kw_failed(e) && !a->proof.second) {
        kw_note_set(note,
                    "token %s, serial %s, is the one of the ceremony itself: a second "
                    "copy is in another token, or in a backup restored to one",
                    a->proof.row.label, a->proof.row.serial);
        e = kw_err_at(KW_CODE_DENIED, "--second-copy-token");
    }
    if (!kw_failed(e))
        PUT(a->act.proof, a->proof.text);
    return e;
}

/* What is known already, by the keyring, then by this node's act, and says at least
 * `least`.  false: nothing. */
static bool take_known(struct activation *a, enum kw_copy_rank least)
{
    const struct kw_activation *act = &a->context->act;
    char known[128];
    kw_second_copy_known(a->v, known);
    a->known = kw_second_copy_rank(known) >= least;
    if (a->known) {
        PUT(a->act.proof, known);
        return true;
    }
    if (strcmp(act->key_id, a->v->key_id) != 0 || kw_second_copy_rank(act->proof) < least)
        return false;
    PUT(a->act.proof, act->proof);
    PUT(a->act.by, act->by);
    PUT(a->act.at, act->at);
    return true;
}

/* A word given now goes before what is known, unless that says more. */
static int settle_proof(struct activation *a)
{
    const struct choices *c = a->c;
    if (c->other.uri != NULL)
        return -1;
    if (c->only_copy || c->stated != NULL) {
        a->kept = take_known(a, c->only_copy ? KW_COPY_STATED : KW_COPY_OPENED);
        if (!a->kept && c->only_copy)
            PUT(a->act.proof, KW_ONLY_COPY);
        else if (!a->kept)
            snprintf(a->act.proof, sizeof a->act.proof, KW_STATED "%s", c->stated);
        return -1;
    }
    if (take_known(a, KW_COPY_NONE_THERE))
        return -1;
    return kw_usage_error(
        "key activate",
        "what is sealed under a key that is lost is lost, and the keyring knows of no "
        "second copy; let a second token open its check blob (--second-copy-token URI, "
        "or keyward key prove once for all nodes), say how that was seen (--second-copy "
        "TEXT), or --only-copy");
}

static kw_err key_activate_do(struct activation *a, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (a->c->other.uri != NULL)
        e = open_there(a, note);
    PUT(a->facts.proof, a->act.proof);
    if (!kw_failed(e) && a->baseline)
        e = write_baseline(a, note);
    if (kw_failed(e))
        return e;
    e = kw_context_activate(a->context, &a->act, note);
    if (kw_failed(e) && a->baseline)
        fprintf(stderr,
                "keyward: the baseline is moved in %s, but this node's act is not "
                "recorded; the daemon follows the baseline all the same\n",
                a->context->config->keyring);
    return e;
}

static int key_activate_perform(struct activation *a)
{
    struct kw_note note = {{0}};
    struct kw_operator_act noted = {a->cli, a->context->config, "key-activate",
                                    a->v->key_id, a->c->ticket};
    int code = seen_long_enough(a);
    if (code < 0)
        code = settle_proof(a);
    if (code < 0)
        code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    kw_err e = key_activate_do(a, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? kw_fail(a->cli, e, &note) : key_activate_report(a);
    return kw_operator_code(&noted, code);
}

static kw_err key_activate_fill_in(struct activation *a, uint32_t n, struct kw_note *note)
{
    const struct kw_keyring *ring = a->context->ring;
    kw_err e = kw_context_facts(a->c->operator_, &a->facts, note);
    if (kw_failed(e))
        return e;
    a->v = kw_keyring_by_n(ring, n);
    a->act.n = n;
    PUT(a->act.by, a->facts.by);
    PUT(a->act.at, a->facts.at);
    PUT(a->act.key_id, a->v->key_id);
    a->first = ring->active == 0 && kw_context_active(a->context) == 0;
    a->baseline = a->c->baseline || ring->active == 0;
    return KW_OK;
}

static int proof_contradicts(const struct choices *c)
{
    const struct kw_token_words *o = &c->other;
    int ways = (int)c->only_copy + (c->stated != NULL) + (o->uri != NULL);
    const size_t text_max = sizeof((struct kw_activation *)0)->proof - sizeof KW_STATED;
    if (ways > 1)
        return kw_usage_error("key activate", "--only-copy, --second-copy-token and "
                                              "--second-copy exclude each other");
    if (o->uri == NULL && (o->module != NULL || o->pin != NULL || o->env != NULL))
        return kw_usage_error("key activate", "--second-copy-module, -pin and -env go "
                                              "with --second-copy-token");
    if (c->stated != NULL &&
        (strlen(c->stated) > text_max || !kw_is_printable_text(kw_span_str(c->stated))))
        return kw_usage_error("key activate",
                              "--second-copy: at most %zu bytes of printable text",
                              text_max);
    return -1;
}

static int key_activate_run(const struct kw_cli *cli, const struct choices *c, uint32_t n)
{
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    struct activation a = {.cli = cli, .context = &context, .c = c};
    kw_err e = kw_context_open(cli, &context, &note);
    int code = kw_failed(e) ? -1 : kw_context_may(cli, &context, KW_ACT_ACTIVATE, n);
    if (!kw_failed(e) && code < 0)
        e = key_activate_fill_in(&a, n, &note);
    if (code < 0)
        code = kw_failed(e) ? kw_fail(cli, e, &note) : key_activate_perform(&a);
    kw_context_close(&context);
    return code;
}

int kw_verb_activate(int argc, char **argv)
{
    struct choices c = {.other.option = "second-copy-"};
    struct kw_cli cli;
    uint32_t n = 0;
    const struct kw_option options[] = {
        {"second-copy-token", "URI",
         "another token with the key, or a restored backup: log in there and open the "
         "check blob",
         NULL, &c.other.uri},
        {"second-copy-module", "FILE", "its module (default: the first token's)", NULL,
         &c.other.module},
        {"second-copy-pin", "SOURCE", "its PIN, file:/path (default: the first token's)",
         NULL, &c.other.pin},
        {"second-copy-env", "NAME=VALUE", "a variable of its module", NULL, &c.other.env},
        {"second-copy", "TEXT",
         "say how a second copy was seen to open it; recorded as stated, not as seen",
         NULL, &c.stated},
        {"only-copy", NULL, "accept that there is no second copy", &c.only_copy, NULL},
        {"baseline", NULL, "move the cluster's baseline too; the former one is retired",
         &c.baseline, NULL},
        {"now", NULL, "do not wait until it was accepted here for five minutes", &c.now,
         NULL},
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
        KW_OPERATOR_TICKET(&c.ticket),
    };
    const struct kw_usage usage = {
        .verb = "key activate",
        .operands = "N",
        .operand_count = 1,
        .summary =
            "Lets this node wrap with version N.  On each node in turn; at the end once "
            "with\n--baseline, in the place where the keyring is changed, and the "
            "keyring "
            "is handed out\nonce more.  The first activation of all sets the baseline by "
            "itself.\nA word on a second copy is wanted unless the keyring has one "
            "(keyward "
            "key prove), or\nthis node's own act of version N.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_cli_version_n(usage.verb, cli.operand[0], &n);
    if (code < 0)
        code = proof_contradicts(&c);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, c.ticket);
    return code >= 0 ? code : key_activate_run(&cli, &c, n);
}
