/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm */
#include <inttypes.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "keep.h"
#include "report.h"
#include "tool.h"

struct words {
    const char *servers, *seeds, *readers, *parallel, *timeout, *limit, *prepare, *corpus,
        *status, *compress, *restarts, *cpu;
    bool day, yes, dry_run, quiet, json;
};

struct job {
    const struct kw_verb *v;
    const struct words *w;
    struct kw_play_options o;
    uint64_t compress;
    struct kw_corpus corpus;
    struct kw_progress progress;
};

static const char more[] =
    "SOCKETs are those of one provider, on one node or several: what one of them made,\n"
    "all can read.  Server s uses socket s mod their number, over a connection of its "
    "own.\n"
    "\n"
    "Each server says Status and makes one Encrypt, as at its start; then its lists "
    "read\n"
    "every seed, each list one after the other.  A list that fails begins anew a second\n"
    "later, a failed check is made again after 10 s.  A server is ready when it has all "
    "seeds.\n"
    "\n"
    "Ciphertexts are made first, through Encrypt.  For a plugin that remembers nothing:\n"
    "storm SOCKET --prepare FILE, restart the plugin, storm SOCKET --corpus FILE.\n"
    "The file holds seeds made for this alone; they protect nothing.\n"
    "\n"
    "--status counts what others do at the same time, too.\n"
    "A day's polls and restarts come --compress times as fast (a day in a minute); "
    "timeouts\n"
    "and the retries of lists do not, so calls that take long weigh more than in a real "
    "day.";

/* ---- options
 * ------------------------------------------------------------------------------ */

static int read_sizes(const struct kw_verb *v, const struct words *w,
                      struct kw_storm_options *o)
{
    int code =
        kw_args_number(v, "servers", w->servers, 1, KW_STORM_SERVERS_MAX, &o->servers);
    if (code < 0)
        code = kw_args_number(v, "seeds", w->seeds, 1, KW_STORM_SEEDS_MAX, &o->seeds);
    if (code < 0)
        code =
            kw_args_number(v, "readers", w->readers, 1, KW_STORM_LISTS_MAX, &o->readers);
    if (code < 0)
        code = kw_args_number(v, "parallel", w->parallel, 1, KW_STORM_LISTS_MAX,
                              &o->parallel);
    if (code < 0 && o->parallel * o->readers > KW_STORM_LISTS_MAX)
        return kw_usage(v,
                        "--parallel times --readers is %" PRIu64
                        " lists of a server, at most %d are possible",
                        o->parallel * o->readers, KW_STORM_LISTS_MAX);
    if (code < 0 && o->sockets > o->servers)
        return kw_usage(v,
                        "%" PRIu64 " sockets for %" PRIu64
                        " servers: --servers says how many there are",
                        o->sockets, o->servers);
    return code;
}

static int read_day(const struct kw_verb *v, const struct words *w, struct job *j)
{
    struct kw_storm_options *o = &j->o.storm;
    if (!w->day)
        return w->compress != NULL || w->restarts != NULL
                   ? kw_usage(v, "--compress and --restarts are for --day")
                   : -1;
    if (w->limit != NULL)
        return kw_usage(v, "a day is over when it is over: no --limit with --day");
    o->restarts = 1;
    j->compress = 1440;
    int code = kw_args_number(v, "compress", w->compress, 1, 86400, &j->compress);
    if (code < 0)
        code = kw_args_number(v, "restarts", w->restarts, 0, KW_STORM_RESTARTS_MAX,
                              &o->restarts);
    o->day_ns = 24 * 3600 * KW_S_NS / (int64_t)j->compress;
    o->check_ns /= (int64_t)j->compress;
    o->check_retry_ns /= (int64_t)j->compress;
    j->o.limit_ns = INT64_MAX;
    return code;
}

static int read_options(const struct kw_verb *v, const struct words *w, struct job *j)
{
    int code = read_sizes(v, w, &j->o.storm);
    if (code < 0)
        code = kw_args_time(v, "timeout", w->timeout, KW_MS_NS, 600 * KW_S_NS,
                            &j->o.storm.timeout_ns);
    if (code < 0)
        code =
            kw_args_time(v, "limit", w->limit, KW_MS_NS, 86400 * KW_S_NS, &j->o.limit_ns);
    if (code < 0)
        code = read_day(v, w, j);
    if (code < 0 && w->prepare != NULL && w->corpus != NULL)
        return kw_usage(v, "--prepare makes the file that --corpus reads: one at a time");
    return code;
}

/* ---- the work
 * ------------------------------------------------------------------------------- */

static int dry_run(const struct job *j)
{
    const struct kw_storm_options *o = &j->o.storm;
    const struct kw_storm_report report = {.o = &j->o, .compress = j->compress};
    if (j->w->json)
        return kw_document_out(kw_storm_plan_document(&report), KW_EXIT_GOOD);
    printf("would make %" PRIu64 " ciphertexts %s%s, then let %" PRIu64
           " servers on %" PRIu64 " socket%s unwrap all of them:\n",
           o->seeds, j->w->corpus != NULL ? "no more but read " : "through Encrypt",
           j->w->corpus != NULL ? j->w->corpus : "", o->servers, o->sockets,
           o->sockets > 1 ? "s" : "");
    printf("at least %" PRIu64 " Status, %" PRIu64 " Encrypt, %" PRIu64 " to %" PRIu64
           " Decrypt without retries\n",
           o->servers, o->servers, o->servers * o->seeds,
           o->servers * o->seeds * o->readers);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
}

/* The ciphertexts, from the file or from the plugin. */
static kw_err get_corpus(struct job *j, struct kw_note *note)
{
    if (j->w->corpus != NULL) {
        size_t wanted = j->w->seeds != NULL ? j->o.storm.seeds : 0;
        kw_err e = kw_keep_read(j->w->corpus, wanted, &j->corpus, note);
        if (!kw_failed(e))
            j->o.storm.seeds = j->corpus.count;
        return e;
    }
    kw_err e = kw_corpus_init(&j->corpus, j->o.storm.seeds);
    return kw_failed(e) ? e : kw_play_make(&j->o, &j->corpus, &j->progress, note);
}

static int prepare_only(struct job *j, struct kw_note *note)
{
    kw_err e = kw_keep_write(j->w->prepare, &j->corpus, note);
    if (kw_failed(e))
        return kw_unable_err(j->v, e, note);
    printf("%s: %zu ciphertexts; restart the plugin, then: keyward-bench storm %s "
           "--corpus %s\n",
           j->w->prepare, j->corpus.count, j->o.socket[0], j->w->prepare);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
}

static enum kw_storm_cache cache_of(const struct job *j, const struct kw_play_result *r)
{
    if (j->w->status != NULL)
        return r->before.entries == 0 ? KW_CACHE_COLD : KW_CACHE_WARM;
    return j->w->corpus != NULL ? KW_CACHE_UNKNOWN : KW_CACHE_WARM;
}

static int outcome(const struct job *j, const struct kw_play_result *r)
{
    struct kw_storm_report report = {
        .o = &j->o, .r = r, .cache = cache_of(j, r), .compress = j->compress};
    enum kw_exit code = KW_EXIT_GOOD;
    if (r->tally.wrong > 0)
        code = KW_EXIT_WRONG;
    else if (r->partial)
        code = KW_EXIT_UNABLE;
    for (unsigned i = 0; i < KW_STORM_CODES && code == KW_EXIT_GOOD; i++)
        if (r->tally.by_code[i] > 0)
            code = KW_EXIT_WRONG;
    if (j->w->json)
        return kw_document_out(kw_storm_document(&report), code);
    kw_storm_table(&report);
    if (r->partial)
        (void)kw_unable(j->v, "%s; what was measured until then stands above", r->fault);
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_UNABLE;
}

static int measure(struct job *j)
{
    struct kw_note note = {{0}};
    kw_err e = get_corpus(j, &note);
    kw_progress_end(&j->progress);
    if (!kw_failed(e) && j->w->prepare != NULL)
        return prepare_only(j, &note);
    if (kw_failed(e))
        return kw_unable_err(j->v, e, &note);
    struct kw_play_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(j->v, "out of memory");
    e = kw_play_run(&j->o, &j->corpus, &j->progress, r, &note);
    kw_progress_end(&j->progress);
    int code = kw_failed(e) ? kw_unable_err(j->v, e, &note) : outcome(j, r);
    kw_free(r);
    return code;
}

static int run(const struct kw_verb *v, const struct words *w, int sockets, char **socket)
{
    struct job j = {.v = v, .w = w, .o.limit_ns = 300 * KW_S_NS};
    uint64_t cpu = 0;
    j.o.storm = kw_storm_defaults();
    j.o.storm.servers = 3;
    j.o.storm.seeds = 1000;
    j.o.storm.sockets = (uint64_t)sockets;
    j.o.status = w->status;
    j.o.any_token = w->yes;
    j.o.socket = (const char *const *)socket;
    int code = read_options(v, w, &j);
    if (code < 0)
        code = kw_args_number(v, "cpu", w->cpu, 0, 1023, &cpu);
    if (code >= 0)
        return code;
    if (w->dry_run)
        return dry_run(&j);
    if (w->cpu != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(v, "there is no CPU %s for this process", w->cpu);
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    if (!w->quiet && !w->json)
        kw_progress_begin(&j.progress, &kw_clock_system, stderr,
                          isatty(STDERR_FILENO) == 1, "storm");
    code = measure(&j);
    kw_corpus_wipe(&j.corpus);
    return code;
}

int kw_bench_storm(int argc, char **argv)
{
    struct words w = {0};
    const struct kw_flag flags[] = {
        {"servers", "S", "API servers that start together, 1..16 (3)", NULL, &w.servers},
        {"seeds", "D", "distinct seeds in etcd, 1..100000 (1000; --corpus: all)", NULL,
         &w.seeds},
        {"readers", "R", "lists of each server that need the same seeds (1)", NULL,
         &w.readers},
        {"parallel", "P", "lists of each server with seeds of their own (1)", NULL,
         &w.parallel},
        {"timeout", "TIME", "the API server's own, of each call (3s)", NULL, &w.timeout},
        {"limit", "TIME", "give up when not all are ready by then (5m)", NULL, &w.limit},
        {"prepare", "FILE", "only make the ciphertexts, into this file", NULL,
         &w.prepare},
        {"corpus", "FILE", "use those that --prepare made", NULL, &w.corpus},
        {"status", "SOCKET", "keywardd's status socket: counts HSM operations", NULL,
         &w.status},
        {"day", NULL, "a whole day of polls and restarts instead", &w.day, NULL},
        {"compress", "F", "a day's polls and restarts F times as fast (1440)", NULL,
         &w.compress},
        {"restarts", "N", "of each server in the day, evenly (1)", NULL, &w.restarts},
        {"yes", NULL, "also a keywardd whose token is, or may be, no SoftHSM", &w.yes,
         NULL},
        {"cpu", "N", "run this client on CPU N only", NULL, &w.cpu},
        {"dry-run", NULL, "say what would be done, and do nothing", &w.dry_run, NULL},
        {"quiet", NULL, "no progress on standard error; --json has none either", &w.quiet,
         NULL},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "storm",
        .operands = "SOCKET…",
        .summary = "Replays what kube-apiservers ask of a KMS v2 plugin when they start "
                   "together,\nand says when they would be ready.",
        .operand_min = 1,
        .operand_max = KW_STORM_SERVERS_MAX,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more = more};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    return code >= 0 ? code : run(&v, &w, operands, argv + 1);
}
