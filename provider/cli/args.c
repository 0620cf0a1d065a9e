/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of a verb's options, and the help that comes from the same table. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>
#include <keyward/env.h>
#include <keyward/limits.h>

#include "pin_place.h"

static void help_option(const char *name, const char *value, const char *help)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, value != NULL ? " " : "",
             value != NULL ? value : "");
    printf("  %-24s %s\n", left, help);
}

static int help(const struct kw_usage *u)
{
    printf("usage: keyward %s [options]%s%s\n\n%s\n\n", u->verb,
           u->operands[0] != '\0' ? " " : "", u->operands, u->summary);
    for (size_t i = 0; i < u->option_count; i++)
        help_option(u->options[i].name, u->options[i].value, u->options[i].help);
    if (u->logs_in)
        help_option("unit", "UNIT", "whose credential the PIN is (keywardd.service)");
    help_option("config", "FILE",
                u->config != NULL ? u->config
                                  : "the configuration (" KW_CONFIG_DEFAULT ")");
    help_option("json", NULL, "one JSON document instead of words");
    help_option("help", NULL, "this text");
    if (u->more != NULL)
        printf("\n%s\n", u->more);
    printf("\nexit status: 0 good, 1 found a problem, 2 wrong usage, 3 could not look\n");
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static bool use_colour(void)
{
    const char *term = kw_env_get(KW_ENV_TERM);
    return isatty(STDOUT_FILENO) == 1 && kw_env_get(KW_ENV_NO_COLOR) == NULL &&
           term != NULL && strcmp(term, "dumb") != 0;
}

/* The option that `word` (without dashes, up to `len`) names; NULL for none. */
static const struct kw_option *args_find(const struct kw_option *options, size_t count,
                                         const char *word, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (kw_span_equal_str(kw_span_of(word, len), options[i].name))
            return &options[i];
    return NULL;
}

struct reader {
    const struct kw_usage *usage;
    int argc, at;
    char **argv;
};

/* One more word for what may be given many times.  -1 to go on. */
static int add_word(const struct kw_usage *u, struct kw_words *words, const char *word)
{
    if (words->count == KW_WORDS_MAX)
        return kw_usage_error(u->verb, "'%s': there are at most %u of them", word,
                              KW_WORDS_MAX);
    words->at[words->count++] = word;
    return -1;
}

/* The value of the option at argv[at], in the same word or the next one; NULL: none. */
static const char *args_value_of(struct reader *r, const char *equals)
{
    const char *value = equals != NULL        ? equals + 1
                        : r->at + 1 < r->argc ? r->argv[++r->at]
                                              : "";
    return value[0] != '\0' ? value : NULL;
}

/* Reads the option at argv[at].  -1 to go on. */
static int read_option(struct reader *r, const struct kw_option *own, size_t own_count)
{
    const struct kw_usage *u = r->usage;
    const char *word = r->argv[r->at] + 2;
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct kw_option *o = args_find(u->options, u->option_count, word, len);
    if (o == NULL)
        o = args_find(own, own_count, word, len);
    if (o == NULL)
        return kw_usage_error(u->verb, "--%.*s is no option of this verb", (int)len,
                              word);
    if (o->on != NULL) {
        if (equals != NULL)
            return kw_usage_error(u->verb, "--%s takes no value", o->name);
        *o->on = true;
        return -1;
    }
    if (o->words == NULL && *o->text != NULL)
        return kw_usage_error(u->verb, "--%s is given twice", o->name);
    const char *value = args_value_of(r, equals);
    if (value == NULL)
        return kw_usage_error(u->verb, "--%s wants %s", o->name, o->value);
    if (o->words != NULL)
        return add_word(u, o->words, value);
    *o->text = value;
    return -1;
}

int kw_args_read(const struct kw_usage *usage, int argc, char **argv,
                 struct kw_cli *ret_cli)
{
    struct kw_cli cli = {.colour = use_colour()};
    bool want_help = false, only_operands = false;
    struct kw_invocation call = {.verb = usage->verb, .argc = argc, .argv = argv};
    const struct kw_option own[] = {
        {.name = "help", .on = &want_help},
        {.name = "json", .on = &cli.json},
        {.name = "config", .value = "FILE", .text = &cli.config},
        {.name = "unit", .value = "UNIT", .text = &call.unit}, /* the last */
    };
    const size_t own_count = sizeof own / sizeof own[0] - (usage->logs_in ? 0 : 1);
    struct reader r = {usage, argc, 1, argv};
    size_t operands = 0;
    for (; r.at < argc; r.at++) {
        const char *word = argv[r.at];
        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (!only_operands && word[0] == '-' && word[1] == '-') {
            int code = read_option(&r, own, own_count);
            if (code >= 0)
                return code;
        } else if (!only_operands && word[0] == '-' && word[1] != '\0') {
            return kw_usage_error(usage->verb, "options begin with two dashes: %s", word);
        } else if (operands < usage->operand_count) {
            cli.operand[operands++] = word;
        } else if (usage->rest == NULL) {
            return kw_usage_error(usage->verb, "'%s' is one word too many", word);
        } else {
            int code = add_word(usage, usage->rest, word);
            if (code >= 0)
                return code;
        }
        if (want_help)
            return help(usage);
    }
    if (operands < usage->operand_count)
        return kw_usage_error(usage->verb, "it wants %s", usage->operands);
    if (!kw_pin_place_called(&call))
        return kw_usage_error(usage->verb, "--unit: '%s' is no name of a systemd unit",
                              call.unit);
    if (cli.config == NULL)
        cli.config = KW_CONFIG_DEFAULT;
    *ret_cli = cli;
    return -1;
}

void kw_args_config(const struct kw_cli *cli, char *dst, size_t cap)
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

int kw_args_number(const char *verb, const char *text, uint32_t *ret_n)
{
    if (read_number(text, ret_n))
        return -1;
    return kw_usage_error(verb,
                          "'%s' is no version: a number from 1 to %u, as keyward key "
                          "list shows it",
                          text, KW_VERSION_N_MAX);
}
