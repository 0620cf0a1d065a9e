/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of a command line, and the help that comes from the same table. */
#include <keyward/args.h>

#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

#include "args_value.h"

enum { HELP_COLUMNS = 100 };

static size_t help_columns(kw_span text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.len; i++)
        columns += (text.ptr[i] & 0xc0) != 0x80; /* each but what goes on in UTF-8 */
    return columns;
}

/* A text with a line feed behind it.  The first line has `used` columns before it; where a
 * word would go beyond the last column, a line ends, and the next is indented. */
static void help_text(const char *text, size_t used, size_t indent)
{
    size_t at = used;
    while (*text != '\0') {
        const size_t blanks = strspn(text, " "), len = strcspn(text + blanks, " \n");
        const size_t wide = help_columns(kw_span_of(text + blanks, len));
        if (at > indent && at + blanks + wide > HELP_COLUMNS) {
            printf("\n%*s%.*s", (int)indent, "", (int)len, text + blanks);
            at = indent + wide;
        } else {
            printf("%.*s", (int)(blanks + len), text);
            at += blanks + wide;
        }
        text += blanks + len;
        if (*text == '\n') {
            printf("\n%*s", (int)indent, "");
            at = indent;
            text++;
        }
    }
    putchar('\n');
}

static void help_options(const struct kw_args *a, const struct kw_option *options,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        const char *value = options[i].value;
        if (options[i].help == NULL)
            continue;
        snprintf(left, sizeof left, "--%s%s%s", options[i].name, value != NULL ? " " : "",
                 value != NULL ? value : "");
        const int used = printf("  %-*s ", a->column, left);
        help_text(options[i].help, used > 0 ? (size_t)used : 0, (size_t)a->column + 3);
    }
}

bool kw_args_help(const struct kw_args *args)
{
    printf("usage: %s%s%s [options]%s%s\n\n", args->program,
           args->verb[0] != '\0' ? " " : "", args->verb,
           args->operands[0] != '\0' ? " " : "", args->operands);
    help_text(args->summary, 0, 0);
    putchar('\n');
    help_options(args, args->options, args->option_count);
    help_options(args, args->common, args->common_count);
    if (args->more != NULL) {
        putchar('\n');
        help_text(args->more, 0, 0);
    }
    const int used = printf("\nexit status: ");
    help_text(args->exits, used > 0 ? (size_t)used - 1 : 0, 0);
    return fflush(stdout) == 0;
}

struct args_reader {
    const struct kw_args *args;
    int argc, at;
    char **argv;
    uint64_t given; /* bit i: option i was, the common ones behind the others */
    size_t operands;
    struct kw_note *note;
};

#define args_wrong(r, ...)                                                               \
    (kw_note_set((r)->note, __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "args"))

/* The option that `word` (without dashes) names; NULL for none.  *ret_again: it was given
 * before. */
static const struct kw_option *option_find(struct args_reader *r, kw_span word,
                                           bool *ret_again)
{
    const struct kw_args *a = r->args;
    for (size_t i = 0; i < a->option_count + a->common_count; i++) {
        const struct kw_option *o =
            i < a->option_count ? &a->options[i] : &a->common[i - a->option_count];
        if (!kw_span_equal_str(word, o->name))
            continue;
        *ret_again = r->given >> i & 1;
        r->given |= UINT64_C(1) << i;
        return o;
    }
    return NULL;
}

static kw_err words_add(struct args_reader *r, struct kw_words *words, const char *word)
{
    if (words->count == KW_WORDS_MAX)
        return args_wrong(r, "'%s': there are at most %u of them", word, KW_WORDS_MAX);
    words->at[words->count++] = word;
    return KW_OK;
}

/* The value of the option at argv[at], in the same word or the next one; NULL: none. */
static const char *option_value(struct args_reader *r, const char *equals)
{
    const char *value = equals != NULL        ? equals + 1
                        : r->at + 1 < r->argc ? r->argv[++r->at]
                                              : "";
    return value[0] != '\0' ? value : NULL;
}

/* What may have been meant; NULL: nothing is near. */
static const char *option_near(const struct kw_args *a, const char *word)
{
    const char *near = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < a->option_count + a->common_count; i++) {
        const struct kw_option *o =
            i < a->option_count ? &a->options[i] : &a->common[i - a->option_count];
        if (o->help != NULL && kw_word_is_nearer(word, o->name, &least))
            near = o->name;
    }
    return near;
}

static kw_err option_unknown(struct args_reader *r, const char *word, size_t len)
{
    char name[KW_NEAR_MAX + 1];
    const char *near = kw_copy_str(name, sizeof name, kw_span_of(word, len))
                           ? option_near(r->args, name)
                           : NULL;
    return args_wrong(r, "--%.*s is no option of this verb%s%s%s", (int)len, word,
                      near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
                      near != NULL ? "?" : "");
}

static kw_err option_read(struct args_reader *r)
{
    const char *word = r->argv[r->at] + 2, *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    bool again = false;
    const struct kw_option *o = option_find(r, kw_span_of(word, len), &again);
    if (o == NULL)
        return option_unknown(r, word, len);
    if (o->on != NULL) {
        *o->on = true;
        return equals == NULL ? KW_OK : args_wrong(r, "--%s takes no value", o->name);
    }
    if (again && o->words == NULL)
        return args_wrong(r, "--%s is given twice", o->name);
    const char *value = option_value(r, equals);
    if (value == NULL)
        return args_wrong(r, "--%s wants %s", o->name, o->value);
    return o->words != NULL ? words_add(r, o->words, value)
                            : kw_args_value(o, value, r->note);
}

static kw_err operand_read(struct args_reader *r, const char *word)
{
    const struct kw_args *a = r->args;
    if (r->operands < a->operand_count) {
        a->operand[r->operands++] = word;
        return KW_OK;
    }
    if (a->rest == NULL)
        return args_wrong(r, "'%s' is one word too many", word);
    return words_add(r, a->rest, word);
}

static void help_set(const struct kw_args *a)
{
    for (size_t i = 0; i < a->common_count; i++)
        if (strcmp(a->common[i].name, "help") == 0)
            *a->common[i].on = true;
}

static bool help_wanted(const struct kw_args *a)
{
    for (size_t i = 0; i < a->common_count; i++)
        if (strcmp(a->common[i].name, "help") == 0 && *a->common[i].on)
            return true;
    return false;
}

kw_err kw_args_read(const struct kw_args *args, int argc, char **argv,
                    struct kw_note *note)
{
    struct args_reader r = {
        .args = args, .argc = argc, .at = 1, .argv = argv, .note = note};
    bool only_operands = false;
    KW_INVARIANT(args->option_count + args->common_count <= 64);
    for (; r.at < argc; r.at++) {
        const char *word = argv[r.at];
        kw_err e = KW_OK;
        if (!only_operands && strcmp(word, "--") == 0)
            only_operands = true;
        else if (!only_operands && word[0] == '-' && word[1] == '-')
            e = option_read(&r);
        else if (!only_operands && strcmp(word, "-h") == 0)
            help_set(args);
        else if (!only_operands && word[0] == '-' && word[1] != '\0')
            e = args_wrong(&r, "options begin with two dashes: %s", word);
        else
            e = operand_read(&r, word);
        if (kw_failed(e) || help_wanted(args))
            return e;
    }
    if (r.operands < args->operand_count)
        return args_wrong(&r, "it wants %s", args->operands);
    return KW_OK;
}
