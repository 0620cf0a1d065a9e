/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench rounds */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

#include "environment.h"
#include "rounds.h"
#include "watch.h"

struct words {
    const char *rounds, *until, *for_time, *out, *layout, *cpu, *note[KW_RESULTS_NOTES];
    bool json, dry;
};

static int read_cells(const struct kw_verb *v, char **operands, size_t count,
                      struct kw_rounds *r)
{
    struct kw_note note = {{0}};
    kw_err e = KW_OK;
    for (size_t i = 0; i < count && !kw_failed(e); i++)
        e = kw_rounds_add(r, operands[i], &note);
    if (!kw_failed(e))
        e = kw_rounds_add_control(r);
    if (!kw_failed(e))
        return -1;
    return e.code == KW_CODE_BAD_INPUT ? kw_usage(v, "%s", note.text)
                                       : kw_unable_err(v, e, &note);
}

static bool has_primary(const struct kw_results *r)
{
    for (size_t i = 1; i < r->cell_count; i++)
        if (r->cell[i].primary)
            return true;
    return false;
}

/* "5%" or "0.5%". */
static int read_until(const struct kw_verb *v, const struct words *w, struct kw_rounds *r)
{
    char *end = NULL;
    if (w->until == NULL)
        return w->for_time == NULL
                   ? -1
                   : kw_usage(v, "--for limits --until, which is not there");
    const double percent = strtod(w->until, &end);
    if (w->until[0] < '0' || w->until[0] > '9' || strcmp(end, "%") != 0 ||
        !(percent >= 0.1 && percent <= 50))
        return kw_usage(v, "--until %s: it wants 0.1%% to 50%%", w->until);
    if (!has_primary(r->results))
        return kw_usage(v, "--until looks at primary cells: mark some behind the first "
                           "with NAME*=…");
    r->until = percent / 100;
    r->wanted = KW_ROUNDS_MAX;
    r->for_ns = 600 * KW_S_NS;
    return kw_args_time(v, "for", w->for_time, KW_S_NS, 86400 * KW_S_NS, &r->for_ns);
}

/* The processes that measure inherit the CPU; the pulse is taken there, too. */
static int read_place(const struct kw_verb *v, const struct words *w, struct kw_rounds *r)
{
    struct kw_note note = {{0}};
    uint64_t cpu = 0;
    struct kw_results_layout *l = &r->results->layout;
    if (kw_failed(kw_layout_read(w->layout, l, &note)))
        return kw_usage(v, "%s", note.text);
    int code = kw_args_number(v, "cpu-client", w->cpu, 0, 1023, &cpu);
    if (code >= 0 || w->cpu == NULL)
        return code;
    if (w->layout != NULL && strcmp(l->client, w->cpu) != 0)
        return kw_usage(v, "--cpu-client %s, and the layout says client:%s", w->cpu,
                        l->client);
    return w->dry || kw_pin((unsigned)cpu)
               ? -1
               : kw_unable(v, "there is no CPU %s for this process", w->cpu);
}

static int read_notes(const struct kw_verb *v, const struct words *w,
                      struct kw_environment *e)
{
    struct kw_note note = {{0}};
    for (size_t i = 0; i < KW_RESULTS_NOTES && w->note[i] != NULL; i++)
        if (kw_failed(kw_environment_note(e, w->note[i], &note)))
            return kw_usage(v, "%s", note.text);
    return -1;
}

/* What was typed, for people: words with blanks and the like in quotes. */
static char *joined(int argc, char **argv)
{
    char *all = kw_strdup(kw_span_str("keyward-bench"));
    for (int i = 0; all != NULL && i < argc; i++) {
        const bool bare =
            argv[i][0] != '\0' && strpbrk(argv[i], " \t\"'\\$*?;&|<>()") == NULL;
        char *word = kw_results_text_dup(argv[i]);
        char *longer =
            word != NULL ? kw_format(bare ? "%s %s" : "%s '%s'", all, word) : NULL;
        kw_free(word);
        kw_free(all);
        all = longer;
    }
    return all;
}

/* Makes the folder, with those above it, and sees that no other run lies there. */
static int read_folder(const struct kw_verb *v, const char *out)
{
    char path[512], file[600];
    if (!kw_copy_str(path, sizeof path, kw_span_str(out)) || out[0] == '\0')
        return kw_usage(v, "--out: a path of 1 to 511 bytes");
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0755); /* the last one tells */
        *at = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return kw_unable(v, "--out %s: %s", out, strerror(errno));
    snprintf(file, sizeof file, "%s/results.json", path);
    if (access(file, F_OK) == 0)
        return kw_unable(v, "%s is there already: name another folder with --out", file);
    return -1;
}

static int measure(const struct kw_verb *v, struct kw_rounds *r, bool json)
{
    struct kw_note note = {{0}};
    enum kw_exit code = KW_EXIT_GOOD;
    kw_progress_begin(&r->progress, r->world->clock, stderr, isatty(STDERR_FILENO) == 1,
                      v->name);
    kw_err e = kw_rounds_run(r, &note);
    for (size_t i = 0; i < r->results->cell_count; i++)
        if (r->results->cell[i].failures > 0)
            code = KW_EXIT_WRONG;
    if (r->results->partial || !r->kept)
        code = KW_EXIT_UNABLE;
    if (kw_failed(e))
        (void)kw_unable_err(v, e, &note);
    if (e.code == KW_CODE_BAD_INPUT)
        code = KW_EXIT_USAGE;
    if (json)
        return kw_document_out(kw_results_document(r->results), code);
    kw_rounds_table(r);
    if (r->keep != NULL && r->kept)
        printf("%s/results.json and results.csv have all of it\n", r->keep);
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_UNABLE;
}

/* Everything that can be wrong is found before the first measurement. */
static int prepare(const struct kw_verb *v, const struct words *w, struct kw_rounds *r,
                   char **operands, size_t count)
{
    struct kw_results *all = r->results;
    uint64_t rounds = 8, session = 0;
    kw_environment_read("", &all->environment);
    kw_environment_libraries(&all->environment);
    kw_environment_fingerprint(&all->environment, all->fingerprint);
    (void)kw_copy_str(all->version, sizeof all->version, kw_span_str(KW_VERSION));
    kw_random(&session, sizeof session);
    snprintf(all->session, sizeof all->session, "%016llx", (unsigned long long)session);
    int code = read_cells(v, operands, count, r);
    if (code < 0)
        code = kw_args_number(v, "rounds", w->rounds, 1, KW_ROUNDS_MAX, &rounds);
    r->wanted = rounds;
    if (code < 0 && w->until != NULL && w->rounds != NULL)
        return kw_usage(v, "--rounds and --until are two ways to say when to end");
    if (code < 0)
        code = read_until(v, w, r);
    if (code < 0)
        code = read_place(v, w, r);
    if (code < 0)
        code = read_notes(v, w, &all->environment);
    return code;
}

static int run(const struct kw_verb *v, const struct words *w, struct kw_rounds *r,
               char **operands, size_t count)
{
    r->world = &kw_rounds_world_system;
    r->keep = w->out;
    r->kept = true;
    int code = prepare(v, w, r, operands, count);
    if (code < 0 && w->dry) {
        kw_rounds_dry(r);
        return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
    }
    if (code < 0 && w->out != NULL)
        code = read_folder(v, w->out);
    return code < 0 ? measure(v, r, w->json) : code;
}

/* The arguments are read in place: `command` is what they were. */
static int begin(const struct kw_verb *v, const struct words *w, char **operands,
                 size_t count, char *command)
{
    struct kw_rounds *r = kw_new(1, sizeof *r);
    struct kw_results *all = kw_results_new();
    int code = KW_EXIT_UNABLE;
    if (r != NULL && all != NULL && command != NULL) {
        r->results = all;
        all->command = command;
        command = NULL;
        code = run(v, w, r, operands, count);
        kw_rounds_wipe(r);
    } else {
        code = kw_unable(v, "out of memory");
    }
    kw_free(command);
    kw_results_free(all);
    kw_free(r);
    return code;
}

int kw_bench_rounds(int argc, char **argv)
{
    struct words w = {NULL};
    const struct kw_flag flags[] = {
        {"rounds", "N", "how many, 1..64 (8)", NULL, &w.rounds},
        {"until", "P%",
         "or: as many as it takes to know cpu_us of the primary cells so well", NULL,
         &w.until},
        {"for", "TIME", "with --until: no longer than this (10m)", NULL, &w.for_time},
        {"out", "FOLDER", "keep results.json and results.csv there, from round to round",
         NULL, &w.out},
        {"layout", "WHERE", "NAME=client:CPUS,server:CPUS: kept with the results", NULL,
         &w.layout},
        {"note", "KEY=VALUE", "kept with the results; up to 16 of them, and commit=ID",
         NULL, w.note, KW_RESULTS_NOTES},
        {"cpu-client", "N", "run what measures on CPU N only", NULL, &w.cpu},
        {"dry-run", NULL, "say what would run and for how long", &w.dry, NULL},
        {"json", NULL, "one JSON document instead of tables", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "rounds",
        .operands = "'NAME=VERB …' …",
        .summary =
            "Runs several measurements by turns and tells their ratios to the first.",
        .operand_min = 1,
        .operand_max = KW_CELLS_MAX,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "Each operand is a cell: a name and a command line of load, token or "
            "another\n"
            "verb with figures, without quotes.  NAME*=… makes it a primary one, by "
            "which\n"
            "two runs are compared.  The first one also runs as the control: the same\n"
            "thing twice.  @subject=X and @token_delay_us=N among its words say where "
            "it\n"
            "stands in the matrix.  Ctrl-C keeps whole rounds."};
    char *command = joined(argc, argv);
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code >= 0) {
        kw_free(command);
        return code;
    }
    kw_stop_catch();
    (void)signal(SIGXFSZ, SIG_IGN); /* a full disk is an error of ours, no end */
    return begin(&v, &w, argv + 1, (size_t)operands, command);
}
