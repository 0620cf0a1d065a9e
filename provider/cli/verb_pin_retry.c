/* SPDX-License-Identifier: Apache-2.0 */
/* keyward pin retry - a human says that a stopped PIN may be tried once more
 *
 * Another PIN lifts its latch by itself; for the same one, and for one that was refused
 * before, only this does.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include <keyward/pin_latch.h>

#include "child.h"
#include "context.h"
#include "operator_log.h"
#include "trusted.h"

/* What the state directory's owner did. */
struct retry {
    const struct kw_config *config;
    const char *name; /* NULL: every token that is remembered */
    size_t count;
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
};

static kw_err pin_retry_lift(void *shared, struct kw_note *note)
{
    struct retry *r = shared;
    char runtime[KW_PATH_MAX];
    struct kw_pin_book book = {.runtime = runtime, .clock = &kw_clock_system};
    if (!kw_pin_runtime(r->config->status, runtime))
        runtime[0] = '\0';
    kw_err e = kw_state_open(r->config->state, &book.state, note);
    if (!kw_failed(e))
        e = kw_pin_retry(&book, r->name, r->lifts, &r->count, note);
    kw_state_close(book.state);
    return e;
}

static kw_err pin_retry_run(struct retry *r, const struct kw_owner *owner,
                            struct kw_note *note)
{
    const struct kw_child child = {.uid = owner->uid, .gid = owner->gid, .stays = true};
    return kw_child_run(&child, pin_retry_lift, r, note);
}

static bool any_lifted(const struct retry *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->lifts[i].lifted)
            return true;
    return false;
}

static int report_json(const struct retry *r)
{
    json_t *tokens = json_array();
    for (size_t i = 0; i < r->count; i++) {
        const struct kw_pin_lift *l = &r->lifts[i];
        json_t *one = json_pack("{s:s, s:s, s:b, s:s, s:s, s:i}", "token", l->label,
                                "serial", l->serial, "lifted", l->lifted, "since", l->at,
                                "reason", l->reason, "forgotten", (int)l->forgotten);
        if (json_array_append_new(tokens, one) != 0)
            break;
    }
    bool whole = json_array_size(tokens) == r->count;
    json_t *document = whole ? json_pack("{s:b, s:b, s:O}", "ok", 1, "lifted",
                                         any_lifted(r), "tokens", tokens)
                             : NULL;
    json_decref(tokens);
    return kw_json_out(document, KW_EXIT_GOOD);
}

/* A name that is nobody's lifts nothing, and whoever said it should not think so. */
static bool is_nobodys(const struct retry *r)
{
    if (r->name == NULL || r->count > 0)
        return false;
    for (size_t i = 0; i < r->config->token_count; i++)
        if (strcmp(r->config->tokens[i].name, r->name) == 0)
            return false;
    return true;
}

static int print_outcome(const struct kw_cli *cli, const struct retry *r)
{
    if (cli->json)
        return report_json(r);
    for (size_t i = 0; i < r->count; i++) {
        const struct kw_pin_lift *l = &r->lifts[i];
        if (l->lifted)
            printf(
                "%s, serial %s: stopped since %s (%s); its PIN may be tried once more\n",
                l->label, l->serial, l->at, l->reason);
        else if (l->forgotten > 0)
            printf("%s, serial %s: no login is stopped here; %zu PIN%s refused %s "
                   "forgotten\n",
                   l->label, l->serial, l->forgotten,
                   l->forgotten > 1 ? "s that were" : " that was",
                   l->forgotten > 1 ? "are" : "is");
        else
            printf("%s, serial %s: no login is stopped here\n", l->label, l->serial);
    }
    if (r->count == 0)
        printf("%s: no login is stopped here\n", r->name != NULL ? r->name : "no token");
    if (any_lifted(r))
        puts("next: the daemon tries by itself; a new credential reaches it with a "
             "restart (systemctl restart keywardd)");
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int pin_retry_report(const struct kw_cli *cli, const struct retry *r)
{
    if (is_nobodys(r))
        return kw_refuse(cli,
                         "--token %s: no token of the configuration has this label, and "
                         "no stop is known for it as a label or a serial",
                         r->name);
    return print_outcome(cli, r);
}

static int pin_retry_do(struct kw_operator_act *noted, struct retry *r,
                        const struct kw_owner *owner)
{
    struct kw_note note = {{0}};
    int code = kw_operator_begin(noted);
    if (code >= 0)
        return code;
    kw_err e = pin_retry_run(r, owner, &note);
    const bool is_done = !kw_failed(e) && !is_nobodys(r);
    kw_operator_end(
        noted, kw_failed(e) || is_done ? e : kw_err_at(KW_CODE_UNKNOWN_KEY, "--token"));
    code = kw_failed(e) ? kw_fail(noted->cli, e, &note) : pin_retry_report(noted->cli, r);
    return kw_operator_code(noted, code);
}

static int pin_retry_perform(const struct kw_cli *cli, const struct kw_config *config,
                             const char *name, const char *ticket)
{
    struct kw_operator_act noted = {cli, config, "pin-retry", .ticket = ticket};
    struct kw_owner owner = {0};
    struct kw_note note = {{0}};
    kw_err e = kw_owner_of(config, &owner, &note);
    int code = kw_failed(e) ? kw_fail(cli, e, &note) : kw_trusted_config(cli, owner.uid);
    if (code >= 0)
        return code;
    struct retry *r = kw_shared_new(sizeof *r);
    if (r == NULL)
        return kw_fail(cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), &note);
    r->config = config;
    r->name = name;
    code = pin_retry_do(&noted, r, &owner);
    kw_shared_free(r, sizeof *r);
    return code;
}

int kw_verb_pin_retry(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    const char *name = NULL, *ticket = NULL;
    const struct kw_option options[] = {
        {"token", "NAME", "the token of this label or serial (default: all)", NULL,
         &name},
        KW_OPERATOR_TICKET(&ticket),
    };
    const struct kw_usage usage = {
        .verb = "pin retry",
        .operands = "",
        .summary =
            "Lifts the stop after a refused PIN, or after a login whose end is unclear: "
            "one "
            "more\nlogin is tried at once.  First make sure that the PIN is right and "
            "the "
            "token not locked.\nAnother PIN does the same by itself; the same one in "
            "another file does not,\nnor one that was refused before: this verb alone "
            "forgets those.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, ticket);
    if (code >= 0)
        return code;
    kw_err e = kw_config_load(cli.config, SIZE_MAX, &config, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note)
                        : pin_retry_perform(&cli, config, name, ticket);
    kw_config_free(config);
    return code;
}
