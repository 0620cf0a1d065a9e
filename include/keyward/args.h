/* SPDX-License-Identifier: Apache-2.0 */
/* args - what a verb of a program takes on its command line: one table, read and explained
 *
 * Options begin with two dashes; a value stands in the same word behind "=" or in the next
 * one, and is never empty.  What stands behind a lone "--", and every word without a dash,
 * is an operand.  Nothing is printed but the help: what is wrong is said in a note, for the
 * program to put into its own frame.
 *
 * Threads:   plain values.  Words are borrowed from argv.
 */
#ifndef KEYWARD_ARGS_H
#define KEYWARD_ARGS_H

#include <stddef.h>

#include <keyward/err.h>

/* Words that may be given any number of times. */
#define KW_WORDS_MAX 32u
struct kw_words {
    const char *at[KW_WORDS_MAX];
    size_t count;
};

/* Numbers with commas between. */
#define KW_ARGS_LIST_MAX 16u
struct kw_args_list {
    uint64_t at[KW_ARGS_LIST_MAX];
    size_t count;
};

/* One option: a switch (`on`), or one with a value.  The value goes to every place that is
 * not NULL; what cannot be read as the place wants it is wrong usage. */
struct kw_option {
    const char *name;  /* without the dashes                     */
    const char *value; /* what the help calls its value, or NULL */
    const char *help;  /* NULL: not told of              */
    bool *on;
    const char **text;          /* as it was said; NULL before: given once at most */
    struct kw_words *words;     /* it may be given again and again                 */
    uint64_t *number;           /* whole, least..most                              */
    int64_t *time_ns;           /* such as 500ms, least..most ns                   */
    struct kw_args_list *list;  /* numbers, each least..most                   */
    const char *const *choices; /* one of these, NULL behind the last …        */
    unsigned *choice;           /* … whose place in the row this is            */
    uint64_t least, most;
};

struct kw_args {
    const char *program, *verb; /* "keyward", "key create"; a program of one verb: "" */
    const char *operands;       /* as the help shows them: "N", ""                */
    const char *summary;
    const char *more;  /* further lines of the help, or NULL             */
    const char *exits; /* of the help: what the exit status means        */
    const struct kw_option *options, *common; /* the verb's own; every verb's         */
    size_t option_count, common_count;
    int column;           /* how wide the help's options are                */
    const char **operand; /* where the operands go, as many as are wanted   */
    size_t operand_count;
    struct kw_words *rest; /* where further ones go; NULL: there are none    */
};

/* Reads argv[1..]; argv[0] is the verb's own word.  The common option called "help" ends the
 * reading at once, with its switch set; -h is the same.
 * BAD_INPUT  wrong usage; the note says which word and what is wanted.  Places may have been
 *            written by then. */
KW_MUST_USE kw_err kw_args_read(const struct kw_args *args, int argc, char **argv,
                                struct kw_note *note);
/* Prints the help on standard output, in lines of at most 100 columns but for words that are
 * wider; false when that cannot be written. */
KW_MUST_USE bool kw_args_help(const struct kw_args *args);

/* How many letters two words are apart: put in, left out, changed, or two neighbours that
 * changed places.  Of words of more than KW_NEAR_MAX bytes: KW_NEAR_MAX. */
#define KW_NEAR_MAX 64u
size_t kw_words_apart(const char *a, const char *b);
/* May `word` have been meant to be `name`, and is it nearer than *least?  Then *least is how far
 * it is; it begins with SIZE_MAX. */
bool kw_word_is_nearer(const char *word, const char *name, size_t *least);

#endif
