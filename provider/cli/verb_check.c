/* SPDX-License-Identifier: Apache-2.0 */
/* keyward check - everything the daemon needs, looked at before it needs it */
#include "cli.h"

#include "inspect.h"

struct choices {
    bool offline;
};

static void check_look(struct kw_report *r, const struct kw_context *context,
                       const struct kw_cli *cli, const struct choices *c, kw_err keyring,
                       const struct kw_note *why)
{
    kw_report_add(r, KW_FOUND_OK, "configuration", NULL, "%s", cli->config);
    kw_report_add(r, context->config->production ? KW_FOUND_OK : KW_FOUND_WARN,
                  "environment", "say `environment: production` when this is",
                  "domain %s, %s", context->config->domain,
                  context->config->production ? "production" : "test");
    const char *fault[KW_TOKENS_MAX] = {NULL};
    bool sees = kw_inspect_user(r, context);
    if (sees)
        kw_inspect_files(r, context->config, cli->config, fault);
    kw_inspect_sockets(r, context->config);
    kw_inspect_limits(r, context->config);
    kw_inspect_reads(r, context->config);
    if (!kw_failed(keyring))
        kw_inspect_keyring(r, context);
    else
        kw_report_err(r, "keyring", keyring, why);
    if (!kw_failed(keyring) && context->ring != NULL)
        kw_inspect_times(r, context->ring);
    for (size_t i = 0; sees && i < context->config->token_count; i++) {
        kw_inspect_seal(r, context, &context->config->tokens[i]);
        if (!c->offline)
            kw_inspect_token(r, context, &context->config->tokens[i], fault[i]);
    }
}

int kw_verb_check(int argc, char **argv)
{
    struct choices c = {0};
    struct kw_cli cli;
    struct kw_report report;
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    const struct kw_option options[] = {
        {"offline", NULL, "everything but the keys in the tokens: no login", &c.offline,
         NULL},
    };
    const struct kw_usage usage = {
        .verb = "check",
        .operands = "",
        .summary =
            "Looks at configuration, files and folders as the daemon's user sees them, "
            "the state\ndirectory (a file is written there and removed), locked memory "
            "and "
            "descriptors\nof the running daemon, what it was asked to read and may not, "
            "keyring and tokens\n(one login each), and says what to do about what is "
            "wrong.  "
            "A SoftHSM token found\nopen with no ceremony running is sealed.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    kw_report_begin(&report, &cli);
    kw_err e = kw_context_open(&cli, &context, &note);
    if (context.config == NULL)
        kw_report_err(&report, "configuration", e, &note);
    else
        check_look(&report, &context, &cli, &c, e, &note);
    kw_context_close(&context);
    return kw_report_end(&report, NULL);
}
