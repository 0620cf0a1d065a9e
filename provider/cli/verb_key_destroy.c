/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key destroy - the irreversible word, and what became of the object in each of
 * the tokens that the ceremony recorded.  On a destroyed version it looks again. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include <keyward/clock.h>

#include "context.h"
#include "end_gate.h"
#include "gone.h"
#include "next.h"
#include "operator_log.h"
#include "removal.h"
#include "waited.h"

/* How long a version must have been disabled on this node: an API server keeps a seed
 * that was unwrapped for a day, and does not miss its KEK before. */
#define MISSED_BY_NOW_NS (INT64_C(24) * 3600 * KW_S_NS)

#define SEEN "seen "
#define GONE_MAX sizeof((struct kw_object_token *)0)->gone

struct destroy {
    const struct kw_cli *cli;
    const struct kw_context *context;
    const char *said, *operator_, *ticket;
    bool now;
    struct kw_gate_words gate;
    char proof[128]; /* for the history; "" */
    const struct kw_version *was;
    enum kw_act act;                 /* DESTROY, or GONE: it is destroyed already     */
    const struct kw_version *sharer; /* it still needs the object; NULL: nobody does  */
    struct kw_act_facts facts;
    struct kw_gone gone;
    char words[KW_OBJECT_TOKENS_MAX][GONE_MAX]; /* of each row, from now on */
    struct kw_keyring *ring;                    /* after it                 */
    bool changed;                               /* and it was written       */
};

/* What this node last saw of the version, when it has wrapped with it; else NULL. */
static const struct kw_mark *wrapped_mark(const struct destroy *d)
{
    const struct kw_mark *mark = kw_marks_of(&d->context->marks, d->was->n);
    bool same = mark != NULL && strcmp(mark->id.key_id, d->was->key_id) == 0;
    return same && mark->wrapped ? mark : NULL;
}

/* Its own node would refuse the keyring that comes of it. */
static int unseen_here(const struct destroy *d)
{
    const struct kw_mark *mark = wrapped_mark(d);
    if (d->act != KW_ACT_DESTROY || mark == NULL ||
        strcmp(mark->state, kw_key_state_name(KW_KEY_DISABLED)) == 0)
        return -1;
    return kw_refuse(
        d->cli,
        "this node has wrapped with version %u, and its daemon has not yet seen it as "
        "disabled: it would refuse the keyring in which it is destroyed; reload it first "
        "(systemctl reload keywardd)",
        (unsigned)d->was->n);
}

/* Of one that was never accepted nobody can miss anything. */
static int missed_by_now(const struct destroy *d)
{
    static const struct kw_wait wait = {
        .state = "disabled",
        .ns = MISSED_BY_NOW_NS,
        .how_long = "a day",
        .why =
            ", as an API server may keep for that long what it had unwrapped and misses "
            "the version only then (disabled is reversible, destroyed is not)",
    };
    if (d->now || d->act != KW_ACT_DESTROY || !kw_gate_was_accepted(d->context, d->was))
        return -1;
    return kw_waited(d->cli, d->context, d->was->n, &wait);
}

/* What stands in a row from now on: what was seen now goes before what was said. */
static kw_err key_destroy_decide(struct destroy *d, size_t row, struct kw_note *note)
{
    const char *before = kw_version_kek(d->was)->tokens[row].gone;
    char *dst = d->words[row];
    int n = 0;
    kw_copy_str(dst, GONE_MAX, kw_span_str(before));
    switch (d->gone.rows[row].answer) {
    case KW_GONE_SEEN:
        if (strncmp(before, SEEN, sizeof SEEN - 1) != 0)
            n = snprintf(dst, GONE_MAX, SEEN "%s", d->facts.at);
        break;
    case KW_GONE_STILL_THERE: dst[0] = '\0'; break;
    case KW_GONE_NOT_ASKED:
        if (before[0] == '\0' && d->said != NULL)
            n = snprintf(dst, GONE_MAX, "said %s %s: %s", d->facts.by, d->facts.at,
                         d->said);
        break;
    }
    if (n >= 0 && (size_t)n < GONE_MAX)
        return KW_OK;
    kw_note_set(note, "--said: too long by %zu bytes", (size_t)n - GONE_MAX + 1);
    return kw_err_at(KW_CODE_BAD_INPUT, "--said");
}

static bool is_changed(const struct destroy *d, size_t row)
{
    return strcmp(d->words[row], kw_version_kek(d->was)->tokens[row].gone) != 0;
}

/* All in one file: the state, and a line for each row that changed. */
static kw_err write(struct destroy *d, struct kw_note *note)
{
    const size_t rows = kw_version_kek(d->was)->token_count;
    d->changed = d->act == KW_ACT_DESTROY;
    kw_err e = kw_keyring_dup(d->context->ring, &d->ring);
    if (!kw_failed(e) && d->act == KW_ACT_DESTROY)
        e = kw_act_apply(d->ring, KW_ACT_DESTROY, d->was->n, &d->facts, note);
    for (size_t i = 0; i < rows && !kw_failed(e); i++)
        if (is_changed(d, i)) {
            e = kw_act_gone(d->ring, d->was->n, i, d->words[i], &d->facts);
            d->changed = true;
        }
    if (kw_failed(e) || !d->changed)
        return e;
    return kw_context_save(d->context, d->ring, note);
}

static const char *key_destroy_answer_of(const struct destroy *d, size_t row)
{
    if (d->sharer != NULL)
        return "shared";
    switch (d->gone.rows[row].answer) {
    case KW_GONE_NOT_ASKED: break;
    case KW_GONE_SEEN: return "gone";
    case KW_GONE_STILL_THERE: return "still there";
    }
    return "not asked";
}

static void print_row(const struct destroy *d, const struct kw_version *v, size_t i)
{
    const struct kw_object_token *t = &kw_version_kek(v)->tokens[i];
    printf("  token %s, serial %s: ", t->label, t->serial);
    if (t->gone[0] != '\0')
        printf("gone, %s\n", t->gone);
    else if (d->gone.rows[i].answer == KW_GONE_STILL_THERE)
        puts(d->said != NULL ? "still there: what was said of it is not recorded"
                             : "still there");
    else
        puts("not asked: no configured token that answered is this one");
}

/* Whoever needs the object: it must not be touched. */
static void print_sharers(const struct destroy *d)
{
    for (const struct kw_version *o = d->sharer; o != NULL;
         o = kw_keyring_sharer(d->context->ring, d->was, o))
        printf("its object must stay in the token: it is also the key of version %u (%s, "
               "%s)\n",
               (unsigned)o->n, o->key_id, kw_key_state_name(o->state));
}

/* A version of the same key may name a token that this one does not. */
static void key_destroy_print_gone(const struct destroy *d, const struct kw_version *v)
{
    const struct kw_version *of = v;
    const struct kw_object_token *row = kw_gone_open(d->ring, v, &of);
    char words[KW_GONE_WORDS_MAX];
    if (row != NULL && of != v && d->sharer == NULL)
        printf("  token %s, serial %s: named by version %u alone, which is the same key; "
               "keyward key destroy %u looks there\n",
               row->label, row->serial, (unsigned)of->n, (unsigned)of->n);
    kw_gone_words(d->ring, v, words);
    puts(words);
}

static void key_destroy_print(const struct destroy *d)
{
    const struct kw_version *v = kw_keyring_by_n(d->ring, d->was->n);
    if (d->act == KW_ACT_DESTROY)
        printf("version %u (%s): %s -> destroyed, for good\n", (unsigned)v->n, v->key_id,
               kw_key_state_name(d->was->state));
    else
        printf("version %u (%s): destroyed %s\n", (unsigned)v->n, v->key_id,
               v->destroyed);
    print_sharers(d);
    for (size_t i = 0; d->sharer == NULL && i < kw_version_kek(v)->token_count; i++)
        print_row(d, v, i);
    for (size_t i = 0; i < d->gone.silent_count; i++)
        printf("  the configured token %s gave no answer: %s\n",
               d->gone.silent[i].token->name, d->gone.silent[i].why.text);
    key_destroy_print_gone(d, v);
}

static json_t *rows_json(const struct destroy *d, const struct kw_version *v)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < kw_version_kek(v)->token_count; i++) {
        const struct kw_object_token *t = &kw_version_kek(v)->tokens[i];
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s?}", "token_label",
                                              t->label, "serial", t->serial, "answer",
                                              key_destroy_answer_of(d, i), "gone",
                                              t->gone[0] != '\0' ? t->gone : NULL));
    }
    return rows;
}

static json_t *silent_json(const struct destroy *d)
{
    json_t *tokens = json_array();
    for (size_t i = 0; i < d->gone.silent_count; i++)
        json_array_append_new(tokens, json_pack("{s:s, s:s}", "token",
                                                d->gone.silent[i].token->name, "why",
                                                d->gone.silent[i].why.text));
    return tokens;
}

static json_t *sharers_json(const struct destroy *d)
{
    json_t *versions = json_array();
    for (const struct kw_version *o = d->sharer; o != NULL;
         o = kw_keyring_sharer(d->context->ring, d->was, o))
        json_array_append_new(versions,
                              json_pack("{s:i, s:s, s:s}", "n", (int)o->n, "key_id",
                                        o->key_id, "state", kw_key_state_name(o->state)));
    return versions;
}

static bool is_any(const struct destroy *d, enum kw_gone_answer answer)
{
    for (size_t i = 0; i < kw_version_kek(d->was)->token_count; i++)
        if (d->words[i][0] == '\0' && d->gone.rows[i].answer == answer)
            return true;
    return false;
}

/* How it is removed is no word for the run that made it irreversible. */
static void add_removal(const struct destroy *d, const struct kw_version *v,
                        const char *config, struct kw_commands *next)
{
    for (size_t i = 0; i < kw_version_kek(v)->token_count; i++) {
        const struct kw_removal removal = {d->context->config, d->ring, v,
                                           &kw_version_kek(v)->tokens[i],
                                           &d->gone.rows[i]};
        if (d->gone.rows[i].answer == KW_GONE_STILL_THERE)
            kw_removal_commands(&removal, next);
    }
    kw_commands_add(
        next,
        "# when it is removed, look again; until then version %u stays in the "
        "keyring, and does no harm there:",
        v->n);
    kw_commands_add(next, "keyward key destroy %u%s", v->n, config);
}

static void key_destroy_add_next(const struct destroy *d, struct kw_commands *next)
{
    char config[KW_CLI_CONFIG_MAX];
    const struct kw_version *v = kw_keyring_by_n(d->ring, d->was->n);
    kw_cli_config(d->cli, config, sizeof config);
    const struct kw_next_facts facts = {
        .config = config, .keyring = d->context->config->keyring, .n = v->n};
    if (d->changed)
        kw_next_after(KW_ACT_DESTROY, &facts, next);
    if (d->sharer != NULL || kw_gone_open(d->ring, v, NULL) == NULL)
        return;
    if (d->act == KW_ACT_DESTROY) {
        kw_commands_add(next, "# when every node has it, look again; while the object is "
                              "in a token, that says how it is removed:");
        kw_commands_add(next, "keyward key destroy %u%s", v->n, config);
        return;
    }
    if (is_any(d, KW_GONE_STILL_THERE))
        add_removal(d, v, config, next);
    if (!is_any(d, KW_GONE_NOT_ASKED))
        return;
    kw_commands_add(next, "# of a token that cannot be asked any more, say what became "
                          "of it:");
    kw_commands_add(next, "keyward key destroy %u --said WHY%s", v->n, config);
}

/* The word was to be recorded, and is; a second look was for the answer. */
static enum kw_exit outcome(const struct destroy *d, const struct kw_version *v)
{
    if (d->act == KW_ACT_DESTROY || d->sharer != NULL || kw_gone_everywhere(d->ring, v))
        return KW_EXIT_GOOD;
    for (size_t i = 0; i < kw_version_kek(v)->token_count; i++)
        if (d->gone.rows[i].answer == KW_GONE_STILL_THERE)
            return KW_EXIT_PROBLEM;
    return KW_EXIT_BLIND;
}

static int key_destroy_report(const struct destroy *d)
{
    struct kw_commands next = {.len = 0};
    const struct kw_version *v = kw_keyring_by_n(d->ring, d->was->n);
    key_destroy_add_next(d, &next);
    if (!d->cli->json)
        key_destroy_print(d);
    return kw_done(d->cli,
                   json_pack("{s:b, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s?}", "ok",
                             outcome(d, v) == KW_EXIT_GOOD, "n", (int)v->n, "key_id",
                             v->key_id, "from", kw_key_state_name(d->was->state), "state",
                             kw_key_state_name(v->state), "shared_with", sharers_json(d),
                             "tokens", rows_json(d, v), "silent", silent_json(d),
                             "key_material_gone", kw_gone_json(d->ring, v),
                             "second_copy_not_seen", kw_gone_copy(d->ring, v)),
                   next.text, outcome(d, v));
}

/* Looks, where somebody may be asked, and writes what was seen. */
static kw_err key_destroy_do(struct destroy *d, struct kw_note *note)
{
    kw_err e = kw_context_facts(d->operator_, &d->facts, note);
    kw_copy_str(d->facts.proof, sizeof d->facts.proof, kw_span_str(d->proof));
    if (!kw_failed(e) && d->sharer == NULL)
        e = kw_gone_look(d->context->config, d->was, &d->gone);
    for (size_t i = 0; i < kw_version_kek(d->was)->token_count && !kw_failed(e); i++)
        if (d->sharer == NULL)
            e = key_destroy_decide(d, i, note);
        else
            kw_copy_str(d->words[i], GONE_MAX,
                        kw_span_str(kw_version_kek(d->was)->tokens[i].gone));
    return kw_failed(e) ? e : write(d, note);
}

static int key_destroy_perform(struct destroy *d, uint32_t n)
{
    struct kw_note note = {{0}};
    d->was = d->context->ring != NULL ? kw_keyring_by_n(d->context->ring, n) : NULL;
    d->act = d->was != NULL && d->was->state == KW_KEY_DESTROYED ? KW_ACT_GONE
                                                                 : KW_ACT_DESTROY;
    int code = kw_context_may(d->cli, d->context, d->act, n);
    if (code >= 0)
        return code;
    KW_INVARIANT(d->was != NULL); /* else it was refused */
    code = unseen_here(d);
    if (code < 0)
        code = missed_by_now(d);
    if (code < 0 && d->act == KW_ACT_DESTROY)
        code = kw_gate_pass(d->cli, d->context, d->was, "destroy", &d->gate, d->proof);
    struct kw_operator_act noted = {d->cli, d->context->config, "key-destroy",
                                    d->was->key_id, d->ticket};
    if (code < 0)
        code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    d->sharer = kw_keyring_sharer(d->context->ring, d->was, NULL);
    kw_err e = key_destroy_do(d, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? kw_fail(d->cli, e, &note) : key_destroy_report(d);
    return kw_operator_code(&noted, code);
}

int kw_verb_destroy(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    struct destroy d = {.cli = &cli, .context = &context};
    uint32_t n = 0;
    const struct kw_option options[] = {
        {"said", "WHY",
         "what became of the tokens that cannot be asked; recorded as said", NULL,
         &d.said},
        {"now", NULL, "do not wait until it was disabled here for a day", &d.now, NULL},
        {"operator", "NAME", "who does this (default: your login)", NULL, &d.operator_},
        KW_OPERATOR_TICKET(&d.ticket),
        KW_GATE_OPTIONS(&d.gate),
    };
    const struct kw_usage usage = {
        .verb = "key destroy",
        .operands = "N",
        .operand_count = 1,
        .summary =
            "Records for good that nobody will use version N again: what is sealed under "
            "it is\nlost.  It must have been disabled on this node for a day, and wants "
            "reports as key\ndisable does.  Deletes nothing itself: it looks into the "
            "tokens that the ceremony\nrecorded whether the object is gone, and on a "
            "destroyed version looks again and says\nhow it is removed (exit status 1: "
            "one still has it, 3: one was not asked).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_cli_version_n(usage.verb, cli.operand[0], &n);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, d.ticket);
    if (code < 0)
        code = kw_gate_usage(usage.verb, &d.gate);
    if (code >= 0)
        return code;
    kw_err e = kw_context_open(&cli, &context, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note) : key_destroy_perform(&d, n);
    kw_keyring_give(d.ring);
    kw_context_close(&context);
    return code;
}
