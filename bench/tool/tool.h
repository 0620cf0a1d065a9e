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

#include <stdio.h>

#include <keyward/args.h>
#include <keyward/clock.h>

#include "histogram.h"
#include "watch.h"

enum kw_bench_exit {
    KW_BENCH_GOOD = 0,
    KW_BENCH_WRONG = 1, /* measured, and there were wrong replies or errors */
    KW_BENCH_USAGE = 2,
    KW_BENCH_UNABLE = 3, /* could not run, or not to its end */
};

/* kw_args_read for `args`, whose program, help and exit codes are filled in here.  -1 to go
 * on, else the exit code: 0 after --help, 2 for wrong usage, said. */
int kw_bench_read(struct kw_args *args, int argc, char **argv);
#define KW_COUNT(array) (sizeof(array) / sizeof(array)[0])
/* The args of a verb with these options; `to` takes its one operand, NULL: it has none. */
#define KW_BENCH_ARGS(name, options_, operands_, to, summary_, more_)                    \
    {                                                                                    \
        .verb = name, .operands = operands_, .summary = summary_, .more = more_,         \
        .options = options_, .option_count = KW_COUNT(options_), .operand = to,          \
        .operand_count = (to) != NULL                                                    \
    }

/* What one option alone cannot say.  -1, or KW_BENCH_USAGE for the first rule that is broken:
 * "keyward-bench VERB: …; try --help" on standard error. */
struct kw_bench_rule {
    bool broken;
    const char *words;
};
int kw_bench_rules(const char *verb, const struct kw_bench_rule *rules, size_t count);
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

/* ---- what the documents of the verbs have in common; NULL: there was no memory -------- */

/* {"tool": "keyward-bench VERB", "schema": 1, "version", "options"}; takes the options. */
json_t *kw_document_head(const char *verb, json_t *options);
/* Adds `value`, which it takes, unless something failed before. */
bool kw_document_set(bool good, json_t *to, const char *name, json_t *value);
/* Gives the document back, and NULL, unless all was `good`. */
json_t *kw_document_or_null(json_t *document, bool good);
/* p50_UNIT, p90, p99 and p99.9: whole "ns", or "us" of a thousandth; those that nobody can
 * know are left out. */
bool kw_document_percentiles(bool good, json_t *to, const struct kw_histogram *h,
                             const char *unit);
/* cpu_us, server_us, workers_us and switches of each call, and pss_mib of all processes
 * together; what nobody knows is not there. */
bool kw_document_cpu(bool good, json_t *to, const struct kw_watch *used, uint64_t calls);
/* [[upper_ns, count], …]: every bucket that holds something. */
json_t *kw_document_histogram(const struct kw_histogram *h);

/* A connection to this socket, whose reads give up after so long; -1 and errno. */
int kw_dial(const char *path, int64_t patience_ns);
/* The document of keywardd's status socket, which is the caller's; NULL: what came is none.
 * IO  nobody answers there within 5 s */
KW_MUST_USE kw_err kw_status_read(const char *path, json_t **ret_status,
                                  struct kw_note *note);

/* How far a long measurement has come: on a terminal one line that is drawn again and again,
 * elsewhere a line every few seconds.  The time left is the present stretch's, by how fast
 * it went so far.  {0} is silent; the first four are set by who begins it. */
enum {
    KW_PROGRESS_DRAW_MS = 200,  /* between two words on a terminal  */
    KW_PROGRESS_LINE_MS = 5000, /* between two lines elsewhere      */
};
struct kw_progress {
    const struct kw_clock *clock; /* borrowed, as `out` and `verb` */
    FILE *out;                    /* NULL: says nothing */
    bool terminal;
    const char *verb;
    bool drawn;
    const char *what;          /* borrowed; may change from stretch to stretch */
    int64_t began_ns, told_ns; /* of the stretch; of the last word */
};
/* `done` of `total` parts of the stretch `what` are over.  Another `what` begins another
 * stretch.  Says something only when it is time to. */
void kw_progress_tell(struct kw_progress *p, const char *what, uint64_t done,
                      uint64_t total);
/* Takes a terminal's line away, so that what is said next stands on a clean one. */
void kw_progress_end(struct kw_progress *p);

/* From now on Ctrl-C and SIGTERM only set a flag; a blocking call ends with EINTR. */
void kw_stop_catch(void);
bool kw_stop_asked(void);
/* Before a measurement: pins, catches, and begins the progress on standard error.  -1 to go
 * on, else KW_BENCH_UNABLE, said. */
int kw_bench_start(const char *verb, const char *cpu_text, uint64_t cpu, bool silent,
                   struct kw_progress *ret_progress);

/* analysis.c: the path of a file that lies in the folder of this program. */
enum { KW_BESIDE_MAX = 4096, KW_ANALYSIS_WORDS_MAX = 512 };
KW_MUST_USE bool kw_beside(const char *name, char dst[KW_BESIDE_MAX]);
/* Becomes the script's verb argv[0] with its words; or the program that lies beside this one
 * and is a verb: micro has a C++ library, and rpc calls one kms, of which echo has another.
 * Comes back only when it could not, with the exit code. */
int kw_analysis_exec(int argc, char **argv);
int kw_beside_exec(const char *program, char **argv);
/* The script's table of the document, on standard output; false, with the reason, when
 * there is none. */
KW_MUST_USE bool kw_analysis_table(const char *verb, const json_t *document,
                                   struct kw_note *note);

/* The verbs that measure, one a module. */
typedef int kw_bench_verb(int argc, char **argv);
kw_bench_verb kw_bench_load, kw_bench_token, kw_bench_wall, kw_bench_storm,
    kw_bench_serve;

#endif
