/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key activate - this node's act, and with --baseline the cluster's */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "desk.h"
#include "second_copy.h"

/* How long a version must have been accepted on this node: a reload of every node and one
 * poll of every API server (60 s) fit in well. */
#define SEEN_LONG_ENOUGH_NS (INT64_C(300) * KW_S_NS)

/* What was said and not seen is told apart from a proof. */
#define STATED "stated: "

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

struct choices {
    const char *stated, *operator_;
    struct kw_second_copy other;
    bool only_copy, baseline, now;
};

struct activation {
    const struct kw_cli *cli;
    const struct kw_desk *desk;
    const struct choices *c;
    const struct kw_version *v;
    struct kw_activation act;
    struct kw_act_facts facts;
    bool baseline;
    bool first; /* nothing is active anywhere yet, so nothing can be sealed */
};

static int seen_long_enough(const struct activation *a)
{
    const struct kw_mark *mark = kw_marks_of(&a->desk->marks, a->v->n);
    int64_t now = kw_wall_ns(&kw_clock_system);
    char since[KW_TIME_TEXT];
    if (a->c->now || a->first || kw_desk_active(a->desk) == a->v->n)
        return -1;
    if (mark == NULL || !mark->accepted)
        return kw_refuse(
            a->cli,
            "this node's daemon has not yet seen version %u as accepted; "
            "reload it (systemctl reload keywardd) and wait five minutes, or "
            "say --now",
            (unsigned)a->v->n);
    if (now - mark->accepted_wall_ns >= SEEN_LONG_ENOUGH_NS)
        return -1;
    kw_time_text(since, mark->accepted_wall_ns);
    return kw_refuse(a->cli,
                     "version %u is seen as accepted on this node only since %s; "
                     "wait five minutes, so that every node can decrypt with it "
                     "first, or say --now",
                     (unsigned)a->v->n, since);
}

/* What was seen or said of a second copy, into the version. */
static void note_copy(struct kw_version *v, const struct activation *a)
{
    if (a->c->only_copy)
        snprintf(v->second_copy, sizeof v->second_copy, "only-copy: %s, %s", a->facts.by,
                 a->facts.at);
    else
        PUT(v->second_copy, a->act.proof);
}

static kw_err write_baseline(const struct activation *a, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_dup(a->desk->ring, &ring);
    if (kw_failed(e))
        return e;
    e = kw_act_apply(ring, KW_ACT_ACTIVATE, a->v->n, &a->facts, note);
    if (!kw_failed(e))
        note_copy(kw_keyring_edit(ring, a->v->n), a);
    if (!kw_failed(e))
        e = kw_desk_save(a->desk, ring, note);
    kw_keyring_give(ring);
    return e;
}

static int report(const struct activation *a)
{
    if (a->cli->json)
        return kw_json_out(json_pack("{s:b, s:i, s:s, s:b, s:s}", "ok", 1, "n",
                                     (int)a->v->n, "key_id", a->v->key_id, "baseline",
                                     a->baseline, "proof", a->act.proof),
                           KW_EXIT_GOOD);
    printf("version %u (%s): active on this node%s\n", (unsigned)a->v->n, a->v->key_id,
           a->baseline ? ", and the cluster's baseline" : "");
    if (a->baseline)
        printf("next: give %s to every node\n", a->desk->config->keyring);
    else
        printf("when every node has activated it: keyward key activate %u --baseline\n",
               (unsigned)a->v->n);
    puts(KW_RELOAD_HINT);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int perform(struct activation *a)
{
    struct kw_note note = {{0}};
    int code = kw_desk_may(a->cli, a->desk, KW_ACT_ACTIVATE, a->v->n);
    if (code < 0)
        code = seen_long_enough(a);
    if (code >= 0)
        return code;
    kw_err e = KW_OK;
    if (a->c->other.uri != NULL)
        e = kw_second_copy_prove(a->desk->config, a->desk->ring, a->v, &a->c->other,
                                 a->act.proof, &note);
    PUT(a->facts.proof, a->act.proof);
    if (!kw_failed(e) && a->baseline)
        e = write_baseline(a, &note);
    if (kw_failed(e))
        return kw_fail(a->cli, e, &note);
    e = kw_desk_activate(a->desk, &a->act, &note);
    if (kw_failed(e) && a->baseline)
        fprintf(stderr,
                "keyward: the baseline is moved in %s, but this node's act is not "
                "recorded; the daemon follows the baseline all the same\n",
                a->desk->config->keyring);
    return kw_failed(e) ? kw_fail(a->cli, e, &note) : report(a);
}

static kw_err fill_in(struct activation *a, uint32_t n, struct kw_note *note)
{
    const struct kw_keyring *ring = a->desk->ring;
    kw_err e = kw_desk_version(a->desk, n, &a->v, note);
    if (!kw_failed(e))
        e = kw_desk_facts(a->c->operator_, &a->facts, note);
    if (kw_failed(e))
        return e;
    a->act.n = n;
    PUT(a->act.by, a->facts.by);
    PUT(a->act.at, a->facts.at);
    PUT(a->act.key_id, a->v->key_id);
    if (a->c->only_copy)
        PUT(a->act.proof, "only-copy");
    else if (a->c->stated != NULL)
        snprintf(a->act.proof, sizeof a->act.proof, STATED "%s", a->c->stated);
    a->first = ring->active == 0 && kw_desk_active(a->desk) == 0;
    a->baseline = a->c->baseline || ring->active == 0;
    return KW_OK;
}

static int proof_missing(const struct choices *c)
{
    const struct kw_second_copy *o = &c->other;
    int ways = (int)c->only_copy + (c->stated != NULL) + (o->uri != NULL);
    const size_t text_max = sizeof((struct kw_activation *)0)->proof - sizeof STATED;
    if (ways > 1)
        return kw_usage_error("key activate", "--only-copy, --second-copy-token and "
                                              "--second-copy exclude each other");
    if (o->uri == NULL && (o->module != NULL || o->pin != NULL || o->env != NULL))
        return kw_usage_error("key activate", "--second-copy-module, -pin and -env go "
                                              "with --second-copy-token");
    if (ways == 0)
        return kw_usage_error(
            "key activate",
            "what is sealed under a key that is lost is lost; let a second token open "
            "its check blob (--second-copy-token URI), say how that was seen "
            "(--second-copy TEXT), or --only-copy");
    if (c->stated != NULL &&
        (strlen(c->stated) > text_max || !kw_is_printable_text(kw_span_str(c->stated))))
        return kw_usage_error("key activate",
                              "--second-copy: at most %zu bytes of printable text",
                              text_max);
    return -1;
}

static int run(const struct kw_cli *cli, const struct choices *c, uint32_t n)
{
    struct kw_desk desk = {0};
    struct kw_note note = {{0}};
    struct activation a = {.cli = cli, .desk = &desk, .c = c};
    kw_err e = kw_desk_open(cli, &desk, &note);
    if (!kw_failed(e))
        e = fill_in(&a, n, &note);
    int code = kw_failed(e) ? kw_fail(cli, e, &note) : perform(&a);
    kw_desk_close(&desk);
    return code;
}

int kw_verb_activate(int argc, char **argv)
{
    struct choices c = {0};
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
         "say how a second copy was seen to open it; recorded as "
         "stated, not as seen",
         NULL, &c.stated},
        {"only-copy", NULL, "accept that there is no second copy", &c.only_copy, NULL},
        {"baseline", NULL, "move the cluster's baseline too; the former one is retired",
         &c.baseline, NULL},
        {"now", NULL, "do not wait until it was accepted here for five minutes", &c.now,
         NULL},
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
    };
    const struct kw_usage usage = {
        .verb = "key activate",
        .operands = "N",
        .operand_count = 1,
        .summary =
            "Lets this node wrap with version N.  On each node in turn; at the end once "
            "with\n--baseline.  The first activation of all sets the baseline by itself.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_args_number(usage.verb, cli.operand[0], &n);
    if (code < 0)
        code = proof_missing(&c);
    return code >= 0 ? code : run(&cli, &c, n);
}
