/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb of the tool takes beside its own options. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/env.h>
#include <keyward/limits.h>

#include "pin_place.h"

static bool use_colour(void)
{
    const char *term = kw_env_get(KW_ENV_TERM);
    return isatty(STDOUT_FILENO) == 1 && kw_env_get(KW_ENV_NO_COLOR) == NULL &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static const char exits_of_all[] =
    "0 good, 1 found a problem, 2 wrong usage, 3 could not look";

int kw_cli_read(const struct kw_usage *usage, int argc, char **argv,
                struct kw_cli *ret_cli)
{
    struct kw_cli cli = {.colour = use_colour()};
    struct kw_invocation call = {.verb = usage->verb, .argc = argc, .argv = argv};
    struct kw_note note = {{0}};
    bool want_help = false;
    const struct kw_option common[] = {
        {"unit", "UNIT", "whose credential the PIN is (keywardd.service)",
         .text = &call.unit}, /* the first: not every verb has it */
        {"config", "FILE",
         usage->config != NULL ? usage->config
                               : "the configuration (" KW_CONFIG_DEFAULT ")",
         .text = &cli.config},
        {"json", NULL, "one JSON document instead of words", .on = &cli.json},
        {"help", NULL, "this text", .on = &want_help},
    };
    const size_t without = usage->logs_in ? 0 : 1;
    const struct kw_args args = {
        .program = "keyward",
        .verb = usage->verb,
        .operands = usage->operands,
        .summary = usage->summary,
        .more = usage->more,
        .exits = usage->exits != NULL ? usage->exits : exits_of_all,
        .options = usage->options,
        .option_count = usage->option_count,
        .common = common + without,
        .common_count = sizeof common / sizeof common[0] - without,
        .column = 24,
        .operand = cli.operand,
        .operand_count = usage->operand_count,
        .rest = usage->rest};
    if (kw_failed(kw_args_read(&args, argc, argv, &note)))
        return kw_usage_error(usage->verb, "%s", note.text);
    if (want_help)
        return kw_args_help(&args) ? KW_EXIT_GOOD : KW_EXIT_BLIND;
    if (!kw_pin_place_called(&call))
        return kw_usage_error(usage->verb, "--unit: '%s' is no name of a systemd unit",
                              call.unit);
    if (cli.config == NULL)
        cli.config = KW_CONFIG_DEFAULT;
    *ret_cli = cli;
    return -1;
}

void kw_cli_config(const struct kw_cli *cli, char *dst, size_t cap)
{
    char file[4 * KW_PATH_MAX + 3];
    bool is_default = strcmp(cli->config, KW_CONFIG_DEFAULT) == 0;
    (void)kw_shell_word(file, sizeof file, cli->config);
    snprintf(dst, cap, "%s%s", is_default ? "" : " --config ", is_default ? "" : file);
}

static bool read_number(const char *text, uint32_t *ret_n)
{
    uint32_t n = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 6 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(text[i] - '0');
    }
    *ret_n = n;
    return true;
}

int kw_cli_version_n(const char *verb, const char *text, uint32_t *ret_n)
{
    if (read_number(text, ret_n))
        return -1;
    return kw_usage_error(verb,
                          "'%s' is no version: a number from 1 to %u, as keyward key "
                          "list shows it",
                          text, KW_VERSION_N_MAX);
}
