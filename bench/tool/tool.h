/* SPDX-License-Identifier: Apache-2.0 */
/* tool - what the verbs of keyward-bench share: options, words, exit codes, Ctrl-C
 *
 * A verb reads its options with kw_args, measures, and says the outcome once: a table
 * for people, or with --json one document on standard output.
 */
#ifndef KEYWARD_BENCH_TOOL_H
#define KEYWARD_BENCH_TOOL_H

#include <jansson.h>

#include <keyward/err.h>

enum kw_exit {
    KW_EXIT_GOOD = 0,
    KW_EXIT_WRONG = 1, /* measured, and there were wrong replies or errors */
    KW_EXIT_USAGE = 2,
    KW_EXIT_UNABLE = 3, /* could not run, or not to its end */
};

/* One option: a switch (`on`) or one with a value (`text`). */
struct kw_flag {
    const char *name, *value, *help;
    bool *on;
    const char **text;
    /* How often a flag with a value may be given; `text` has so many places, NULL at
     * first.  0: once, and one place. */
    size_t most;
};

struct kw_verb {
    const char *name, *operands, *summary;
    size_t operand_min, operand_max;
    const struct kw_flag *flags;
    size_t flag_count;
    const char *more; /* further lines of the help, or NULL */
};

/* Reads argv[1..]; --help is every verb's.  Operands are left in argv[1..*ret_operands].
 * -1 to go on, else the exit code: 0 after --help, 2 for wrong usage. */
int kw_args(const struct kw_verb *verb, int argc, char **argv, int *ret_operands);

/* A whole number from least to most.  -1 to go on, else 2, said.  NULL text leaves
 * *ret_n as it is. */
int kw_args_number(const struct kw_verb *verb, const char *flag, const char *text,
                   uint64_t least, uint64_t most, uint64_t *ret_n);
/* The same for a time such as 500ms, from least to most. */
int kw_args_time(const struct kw_verb *verb, const char *flag, const char *text,
                 int64_t least_ns, int64_t most_ns, int64_t *ret_ns);

/* "keyward-bench VERB: …; try --help" on standard error; gives KW_EXIT_USAGE. */
int kw_usage(const struct kw_verb *verb, const char *fmt, ...) KW_PRINTF(2, 3);
/* "keyward-bench VERB: …" on standard error; gives KW_EXIT_UNABLE. */
int kw_unable(const struct kw_verb *verb, const char *fmt, ...) KW_PRINTF(2, 3);
/* What failed, by its note or its code. */
int kw_unable_err(const struct kw_verb *verb, kw_err e, const struct kw_note *note);

/* Prints and gives back the document (NULL: out of memory); `code`, or UNABLE when it
 * could not be written. */
int kw_document_out(json_t *document, enum kw_exit code);

/* From now on Ctrl-C and SIGTERM only set a flag; a blocking call ends with EINTR. */
void kw_stop_catch(void);
bool kw_stop_asked(void);

/* analysis.c: what judges and draws is a folder of scripts, bench/analysis, that lies
 * beside the program. */
enum { KW_BESIDE_MAX = 4096, KW_ANALYSIS_WORDS_MAX = 512 };
/* The path of a file that lies in the folder of this program. */
KW_MUST_USE bool kw_beside(const char *name, char dst[KW_BESIDE_MAX]);
/* Becomes the script's verb argv[0] with its words.  Comes back only when it could not,
 * with the exit code. */
int kw_analysis_exec(int argc, char **argv);
/* Gives the document back and prints it as a table; when that cannot be, the document
 * itself, and why on standard error.  `code`, or UNABLE when nothing could be written. */
int kw_document_table(const struct kw_verb *verb, json_t *document, enum kw_exit code);

/* The verbs that measure, one a module. */
typedef int kw_bench_verb(int argc, char **argv);
kw_bench_verb kw_bench_load, kw_bench_token, kw_bench_echo, kw_bench_storm,
    kw_bench_micro, kw_bench_serve;

#endif
