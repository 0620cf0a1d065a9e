/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm */
#include <inttypes.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "keep.h"
#include "play.h"
#include "tool.h"

static const char verb[] = "storm";

static struct kw_play_options o = {.limit_ns = 300 * KW_S_NS};
static struct kw_storm_report report = {.o = &o, .compress = 1440};
static struct kw_corpus corpus;
static struct kw_progress progress;
static struct kw_words sockets = {.count = 1}; /* the first one is wanted */
static struct kw_words further;
static const char *seeds, *limit, *prepare, *corpus_path, *compress, *restarts, *cpu_text;
static uint64_t cpu;
static bool day, dry_run, quiet, json;

static const struct kw_option options[] = {
    {"servers", "S", "API servers that start together, 1..16 (3)",
     .number = &o.storm.servers, .least = 1, .most = KW_STORM_SERVERS_MAX},
    {"seeds", "D", "distinct seeds in etcd, 1..100000 (1000; --corpus: all)",
     .text = &seeds, .number = &o.storm.seeds, .least = 1, .most = KW_STORM_SEEDS_MAX},
    {"readers", "R", "lists of each server that need the same seeds (1)",
     .number = &o.storm.readers, .least = 1, .most = KW_STORM_LISTS_MAX},
    {"parallel", "P", "lists of each server with seeds of their own (1)",
     .number = &o.storm.parallel, .least = 1, .most = KW_STORM_LISTS_MAX},
    {"timeout", "TIME", "the API server's own, of each call (3s)",
     .time_ns = &o.storm.timeout_ns, .least = KW_MS_NS, .most = 600 * KW_S_NS},
    {"limit", "TIME", "give up when not all are ready by then (5m)", .text = &limit,
     .time_ns = &o.limit_ns, .least = KW_MS_NS, .most = 86400 * KW_S_NS},
    {"prepare", "FILE", "only make the ciphertexts, into this file", .text = &prepare},
    {"corpus", "FILE", "use those that --prepare made", .text = &corpus_path},
    {"status", "SOCKET", "keywardd's status socket: counts HSM operations",
     .text = &o.status},
    {"day", NULL, "a whole day of polls and restarts instead", .on = &day},
    {"compress", "F", "a day's polls and restarts F times as fast (1440)",
     .text = &compress, .number = &report.compress, .least = 1, .most = 86400},
    {"restarts", "N", "of each server in the day, evenly (1)", .text = &restarts,
     .number = &o.storm.restarts, .most = KW_STORM_RESTARTS_MAX},
    {"yes", NULL, "also a keywardd whose token is, or may be, no SoftHSM",
     .on = &o.any_token},
    {"cpu", "N", "run this client on CPU N only", .text = &cpu_text, .number = &cpu,
     .most = 1023},
    {"dry-run", NULL, "say what would be done, and do nothing", .on = &dry_run},
    {"quiet", NULL, "no progress on standard error; --json has none either",
     .on = &quiet},
    {"json", NULL, "one JSON document instead of a table", .on = &json},
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

/* ---- options ------------------------------------------------------------------------ */

static int storm_check_sizes(void)
{
    const struct kw_storm_options *s = &o.storm;
    if (further.count >= KW_STORM_SERVERS_MAX)
        return kw_bench_usage(verb, "it wants SOCKET…");
    if (s->parallel * s->readers > KW_STORM_LISTS_MAX)
        return kw_bench_usage(verb,
                              "--parallel times --readers is %" PRIu64
                              " lists of a server, at most %d are possible",
                              s->parallel * s->readers, KW_STORM_LISTS_MAX);
    if (s->sockets > s->servers)
        return kw_bench_usage(verb,
                              "%" PRIu64 " sockets for %" PRIu64
                              " servers: --servers says how many there are",
                              s->sockets, s->servers);
    if (prepare != NULL && corpus_path != NULL)
        return kw_bench_usage(verb,
                              "--prepare makes the file that --corpus reads: one at "
                              "a time");
    return -1;
}

static int storm_check_day(void)
{
    struct kw_storm_options *s = &o.storm;
    const int64_t times = (int64_t)report.compress;
    if (!day)
        return compress != NULL || restarts != NULL
                   ? kw_bench_usage(verb, "--compress and --restarts are for --day")
                   : -1;
    if (limit != NULL)
        return kw_bench_usage(verb,
                              "a day is over when it is over: no --limit with --day");
    s->restarts = restarts != NULL ? s->restarts : 1;
    s->day_ns = 24 * 3600 * KW_S_NS / times;
    s->check_ns /= times;
    s->check_retry_ns /= times;
    o.limit_ns = INT64_MAX;
    return -1;
}

static int storm_check(void)
{
    for (size_t i = 0; i < further.count && i + 1 < KW_WORDS_MAX; i++)
        sockets.at[sockets.count++] = further.at[i];
    o.socket = sockets.at;
    o.storm.sockets = sockets.count;
    int code = storm_check_sizes();
    return code < 0 ? storm_check_day() : code;
}

/* ---- the work ----------------------------------------------------------------------- */

/* The ciphertexts, from the file or from the plugin. */
static kw_err storm_get_corpus(struct kw_note *note)
{
    if (corpus_path != NULL) {
        kw_err e =
            kw_keep_read(corpus_path, seeds != NULL ? o.storm.seeds : 0, &corpus, note);
        if (!kw_failed(e))
            o.storm.seeds = corpus.count;
        return e;
    }
    kw_err e = kw_corpus_init(&corpus, o.storm.seeds);
    return kw_failed(e) ? e : kw_play_make(&o, &corpus, &progress, note);
}

static int storm_prepare_only(struct kw_note *note)
{
    kw_err e = kw_keep_write(prepare, &corpus, note);
    if (kw_failed(e))
        return kw_bench_failed(verb, e, note);
    printf("%s: %zu ciphertexts; restart the plugin, then: keyward-bench storm %s "
           "--corpus %s\n",
           prepare, corpus.count, o.socket[0], prepare);
    return fflush(stdout) == 0 ? KW_BENCH_GOOD : KW_BENCH_UNABLE;
}

static enum kw_storm_cache storm_cache(const struct kw_play_result *r)
{
    if (o.status != NULL)
        return r->before.entries == 0 ? KW_CACHE_COLD : KW_CACHE_WARM;
    return corpus_path != NULL ? KW_CACHE_UNKNOWN : KW_CACHE_WARM;
}

static enum kw_bench_exit storm_exit(const struct kw_play_result *r)
{
    if (r->tally.wrong > 0)
        return KW_BENCH_WRONG;
    if (r->partial)
        return KW_BENCH_UNABLE;
    for (unsigned i = 0; i < KW_STORM_CODES; i++)
        if (r->tally.by_code[i] > 0)
            return KW_BENCH_WRONG;
    return KW_BENCH_GOOD;
}

static int storm_say(const struct kw_play_result *r)
{
    report.r = r;
    report.cache = storm_cache(r);
    int code = kw_bench_document(verb, kw_storm_document(&report), json, storm_exit(r));
    if (!json && r->partial)
        (void)kw_bench_unable(verb, "%s; what was measured until then stands above",
                              r->fault);
    return code;
}

static int storm_measure(void)
{
    struct kw_note note = {{0}};
    kw_err e = storm_get_corpus(&note);
    kw_progress_end(&progress);
    if (!kw_failed(e) && prepare != NULL)
        return storm_prepare_only(&note);
    if (kw_failed(e))
        return kw_bench_failed(verb, e, &note);
    struct kw_play_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_bench_unable(verb, "out of memory");
    e = kw_play_run(&o, &corpus, &progress, r, &note);
    kw_progress_end(&progress);
    int code = kw_failed(e) ? kw_bench_failed(verb, e, &note) : storm_say(r);
    kw_free(r);
    return code;
}

int kw_bench_storm(int argc, char **argv)
{
    struct kw_args args = {
        .verb = verb,
        .operands = "SOCKET…",
        .summary = "Replays what kube-apiservers ask of a KMS v2 plugin when they start "
                   "together,\nand says when they would be ready.",
        .more = more,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .operand = sockets.at,
        .operand_count = 1,
        .rest = &further};
    o.storm = kw_storm_defaults();
    o.storm.servers = 3;
    o.storm.seeds = 1000;
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = storm_check();
    if (code < 0 && dry_run)
        return kw_bench_document(verb, kw_storm_plan_document(&report), json,
                                 KW_BENCH_GOOD);
    if (code < 0)
        code = kw_bench_pin(verb, cpu_text, cpu);
    if (code >= 0)
        return code;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    if (!quiet && !json)
        kw_progress_begin(&progress, &kw_clock_system, stderr, isatty(STDERR_FILENO) == 1,
                          verb);
    code = storm_measure();
    kw_corpus_wipe(&corpus);
    return code;
}
