/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of a verb's options, and the help that comes from the same table. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

static int help(const struct kw_verb *v)
{
    printf("usage: keyward-bench %s [options] %s\n\n%s\n\n", v->name, v->operands,
           v->summary);
    for (size_t i = 0; i < v->flag_count; i++) {
        const struct kw_flag *f = &v->flags[i];
        char left[48];
        snprintf(left, sizeof left, "--%s%s%s", f->name, f->value != NULL ? " " : "",
                 f->value != NULL ? f->value : "");
        printf("  %-28s %s\n", left, f->help);
    }
    if (v->more != NULL)
        printf("\n%s\n", v->more);
    printf("\nexit status: 0 good, 1 wrong replies or errors, 2 wrong usage, "
           "3 could not run or not to its end\n");
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
}

static const struct kw_flag *find(const struct kw_verb *v, kw_span word)
{
    for (size_t i = 0; i < v->flag_count; i++)
        if (kw_span_equal_str(word, v->flags[i].name))
            return &v->flags[i];
    return NULL;
}

/* The next free place for the flag's value; NULL: it was given often enough. */
static const char **place_of(const struct kw_flag *f)
{
    for (size_t i = 0; i < (f->most > 0 ? f->most : 1); i++)
        if (f->text[i] == NULL)
            return &f->text[i];
    return NULL;
}

/* Reads the flag at argv[*at].  -1 to go on. */
static int read_flag(const struct kw_verb *v, int argc, char **argv, int *at)
{
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct kw_flag *f = find(v, kw_span_of(word, len));
    if (f == NULL)
        return kw_usage(v, "--%.*s is no option of this verb", (int)len, word);
    if (f->on != NULL) {
        *f->on = true;
        return equals == NULL ? -1 : kw_usage(v, "--%s takes no value", f->name);
    }
    const char **place = place_of(f);
    if (place == NULL && f->most > 1)
        return kw_usage(v, "--%s is given more than %zu times", f->name, f->most);
    if (place == NULL)
        return kw_usage(v, "--%s is given twice", f->name);
    if (equals == NULL && *at + 1 >= argc)
        return kw_usage(v, "--%s wants %s", f->name, f->value);
    *place = equals != NULL ? equals + 1 : argv[++*at];
    return -1;
}

int kw_args(const struct kw_verb *verb, int argc, char **argv, int *ret_operands)
{
    int operands = 0;
    bool rest = false;
    for (int at = 1; at < argc; at++) {
        if (!rest && strcmp(argv[at], "--help") == 0)
            return help(verb);
        if (!rest && strcmp(argv[at], "--") == 0) {
            rest = true;
        } else if (!rest && argv[at][0] == '-') {
            int code =
                argv[at][1] == '-'
                    ? read_flag(verb, argc, argv, &at)
                    : kw_usage(verb, "options begin with two dashes: %s", argv[at]);
            if (code >= 0)
                return code;
        } else {
            argv[++operands] = argv[at];
        }
    }
    if ((size_t)operands < verb->operand_min || (size_t)operands > verb->operand_max)
        return kw_usage(verb, "it wants %s", verb->operands);
    *ret_operands = operands;
    return -1;
}

int kw_args_number(const struct kw_verb *verb, const char *flag, const char *text,
                   uint64_t least, uint64_t most, uint64_t *ret_n)
{
    char *end = NULL;
    if (text == NULL)
        return -1;
    uint64_t n = strlen(text) <= 18 ? strtoull(text, &end, 10) : 0;
    if (end == NULL || text[0] < '0' || text[0] > '9' || *end != '\0' || n < least ||
        n > most)
        return kw_usage(verb, "--%s %s: it wants a whole number from %llu to %llu", flag,
                        text, (unsigned long long)least, (unsigned long long)most);
    *ret_n = n;
    return -1;
}

int kw_args_time(const struct kw_verb *verb, const char *flag, const char *text,
                 int64_t least_ns, int64_t most_ns, int64_t *ret_ns)
{
    char least[32], most[32];
    int64_t ns = 0;
    if (text == NULL)
        return -1;
    if (kw_duration_parse(text, &ns) && ns >= least_ns && ns <= most_ns) {
        *ret_ns = ns;
        return -1;
    }
    kw_duration_text(least, sizeof least, least_ns);
    kw_duration_text(most, sizeof most, most_ns);
    return kw_usage(verb, "--%s %s: it wants a time such as 500ms or 2s, from %s to %s",
                    flag, text, least, most);
}
