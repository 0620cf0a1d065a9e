/* SPDX-License-Identifier: Apache-2.0 */
/* keyward pin retry - a human says that a stopped PIN may be tried once more
 *
 * A changed PIN file lifts its latch by itself; a credential looks changed at every start
 * of the service, so only this does it there.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "child.h"
#include "desk.h"

/* What the state directory's owner did for one token. */
struct retry {
    const char *state, *token;
    struct kw_pin_latch was;
};

static kw_err lift(void *shared, struct kw_note *note)
{
    struct retry *r = shared;
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(r->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_pin_latch(dir, r->token, &r->was, note);
    if (!kw_failed(e) && r->was.latched) {
        struct kw_pin_latch now = r->was;
        now.latched = now.proven = false;
        now.retry = true;
        e = kw_state_set_pin_latch(dir, &now, note);
    }
    kw_state_close(dir);
    return e;
}

static kw_err tell(const struct kw_cli *cli, const struct retry *r, json_t *tokens)
{
    if (cli->json)
        return json_array_append_new(tokens,
                                     json_pack("{s:s, s:b, s:s, s:s}", "token", r->token,
                                               "lifted", r->was.latched, "since",
                                               r->was.at, "reason", r->was.reason)) == 0
                   ? KW_OK
                   : kw_err_at(KW_CODE_NO_MEMORY, "json");
    if (r->was.latched)
        printf("%s: stopped since %s (%s); its PIN may be tried once more\n", r->token,
               r->was.at, r->was.reason);
    else
        printf("%s: no login is stopped here\n", r->token);
    return KW_OK;
}

static kw_err retry(const struct kw_cli *cli, const struct kw_config *config,
                    struct retry *r, json_t *tokens, struct kw_note *note)
{
    struct kw_owner owner = {0};
    kw_err e = kw_owner_of(config, &owner, note);
    const struct kw_child child = {owner.uid, owner.gid, NULL, 0, 0};
    r->state = config->state;
    if (!kw_failed(e))
        e = kw_child_run(&child, lift, r, note);
    return kw_failed(e) ? e : tell(cli, r, tokens);
}

static int end(const struct kw_cli *cli, bool lifted, json_t *tokens)
{
    if (cli->json)
        return kw_json_out(
            json_pack("{s:b, s:b, s:O}", "ok", 1, "lifted", lifted, "tokens", tokens),
            KW_EXIT_GOOD);
    if (lifted)
        puts("next: the daemon tries by itself; a new credential reaches it with a "
             "restart (systemctl restart keywardd)");
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int run(const struct kw_cli *cli, const struct kw_config *config, const char *name,
               struct retry *r)
{
    struct kw_note note = {{0}};
    json_t *tokens = json_array();
    bool lifted = false;
    size_t count = name != NULL ? 1 : config->token_count;
    kw_err e = KW_OK;
    for (size_t i = 0; i < count && !kw_failed(e); i++) {
        r->token = name != NULL ? name : config->tokens[i].name;
        e = retry(cli, config, r, tokens, &note);
        lifted = lifted || r->was.latched;
    }
    int code = kw_failed(e) ? kw_fail(cli, e, &note) : end(cli, lifted, tokens);
    json_decref(tokens);
    return code;
}

int kw_verb_pin_retry(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    const char *name = NULL;
    const struct kw_option options[] = {
        {"token", "NAME", "this token alone (default: all of the configuration)", NULL,
         &name},
    };
    const struct kw_usage usage = {
        .verb = "pin retry",
        .operands = "",
        .summary =
            "Lifts the stop after a refused PIN: one more login is tried, and when it is "
            "refused\nno further one.  First make sure that the PIN is right and the "
            "token "
            "not locked.  A\nchanged PIN file does the same by itself; a systemd "
            "credential does not.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    kw_err e = kw_config_load(cli.config, SIZE_MAX, &config, &note);
    if (kw_failed(e))
        return kw_fail(&cli, e, &note);
    struct retry *r = kw_shared_new(sizeof *r);
    code = r != NULL ? run(&cli, config, name, r)
                     : kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    kw_shared_free(r, sizeof *r);
    kw_config_free(config);
    return code;
}
