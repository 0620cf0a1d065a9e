/* SPDX-License-Identifier: Apache-2.0 */
/* tool - what the verbs of keyward-bench share: words, exit codes, Ctrl-C, documents
 *
 * A verb reads its options, measures, and says the outcome once: one JSON document on
 * standard output (--json), or the same document put into words by bench/analysis, the
 * scripts that lie beside the program.
 */
#ifndef KEYWARD_BENCH_TOOL_H
#define KEYWARD_BENCH_TOOL_H

#include <jansson.h>

#include <keyward/args.h>

enum kw_bench_exit {
    KW_BENCH_GOOD = 0,
    KW_BENCH_WRONG = 1, /* measured, and there were wrong replies or errors */
    KW_BENCH_USAGE = 2,
    KW_BENCH_UNABLE = 3, /* could not run, or not to its end */
};

/* kw_args_read for `args`, whose program, help and exit codes are filled in here.  -1 to go
 * on, else the exit code: 0 after --help, 2 for wrong usage, said. */
int kw_bench_read(struct kw_args *args, int argc, char **argv);

/* "keyward-bench VERB: …; try --help" on standard error; gives KW_BENCH_USAGE. */
int kw_bench_usage(const char *verb, const char *fmt, ...) KW_PRINTF(2, 3);
/* "keyward-bench VERB: …" on standard error; gives KW_BENCH_UNABLE. */
int kw_bench_unable(const char *verb, const char *fmt, ...) KW_PRINTF(2, 3);
/* What failed, by its note or its code. */
int kw_bench_failed(const char *verb, kw_err e, const struct kw_note *note);
/* Runs on this CPU only; `text` is the option as it was said, NULL: it was not.  -1 to go
 * on, else KW_BENCH_UNABLE, said. */
int kw_bench_pin(const char *verb, const char *text, uint64_t cpu);

/* Gives the document (NULL: out of memory) back and prints it: as it is with `json`, else
 * as a table, which the script beside the program makes; without that, as it is, and why
 * on standard error.  `code`, or UNABLE when nothing could be written. */
int kw_bench_document(const char *verb, json_t *document, bool json,
                      enum kw_bench_exit code);

/* A connection to this socket, whose reads give up after so long; -1 and errno. */
int kw_dial(const char *path, int64_t patience_ns);

/* From now on Ctrl-C and SIGTERM only set a flag; a blocking call ends with EINTR. */
void kw_stop_catch(void);
bool kw_stop_asked(void);

/* analysis.c: the path of a file that lies in the folder of this program. */
enum { KW_BESIDE_MAX = 4096, KW_ANALYSIS_WORDS_MAX = 512 };
KW_MUST_USE bool kw_beside(const char *name, char dst[KW_BESIDE_MAX]);
/* Becomes the script's verb argv[0] with its words.  Comes back only when it could not,
 * with the exit code. */
int kw_analysis_exec(int argc, char **argv);
/* The script's table of the document, on standard output; false, with the reason, when
 * there is none. */
KW_MUST_USE bool kw_analysis_table(const char *verb, const json_t *document,
                                   struct kw_note *note);

/* The verbs that measure, one a module. */
typedef int kw_bench_verb(int argc, char **argv);
kw_bench_verb kw_bench_load, kw_bench_token, kw_bench_echo, kw_bench_storm,
    kw_bench_micro, kw_bench_serve;

#endif
