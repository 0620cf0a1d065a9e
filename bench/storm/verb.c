/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm */
#include <stdio.h>

#include <keyward/alloc.h>

#include "play.h"
#include "tool.h"

static const char verb[] = "storm";

static struct kw_progress progress;
static struct kw_play_options o = {
    .limit_ns = 300 * KW_S_NS, .compress = 1440, .progress = &progress};
static struct kw_corpus corpus;
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
     .text = &compress, .number = &o.compress, .least = 1, .most = 86400},
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
    "SOCKETs are those of one provider, on one node or several. Server s uses socket\n"
    "s mod their number, over a connection of its own. It says Status and makes one\n"
    "Encrypt, as at its start; then its lists read every seed, each list one after\n"
    "the other. A list that fails begins anew a second later, a failed check is made\n"
    "again after 10 s. A server is ready when it has all seeds.\n"
    "\n"
    "Ciphertexts are made first, through Encrypt. For a plugin that remembers\n"
    "nothing: storm SOCKET --prepare FILE, restart the plugin, storm SOCKET --corpus\n"
    "FILE. The file holds seeds made for this alone; they protect nothing.\n"
    "\n"
    "--status counts what others do at the same time, too. A day's polls and restarts\n"
    "come --compress times as fast; timeouts and the retries of lists do not, so\n"
    "calls that take long weigh more than in a real day.";

static int storm_check(void)
{
    struct kw_storm_options *s = &o.storm;
    const int64_t times = (int64_t)o.compress;
    const struct kw_bench_rule rules[] = {
        {further.count >= KW_STORM_SERVERS_MAX, "it wants SOCKET…"},
        {s->parallel * s->readers > KW_STORM_LISTS_MAX,
         "--parallel times --readers are the lists of a server, at most 256"},
        {s->sockets > s->servers,
         "more sockets than servers: --servers says how many there are"},
        {prepare != NULL && corpus_path != NULL,
         "--prepare makes the file that --corpus reads: one at a time"},
        {!day && (compress != NULL || restarts != NULL),
         "--compress and --restarts are for --day"},
        {day && limit != NULL, "a day is over when it is over: no --limit with --day"}};
    if (day) {
        s->restarts = restarts != NULL ? s->restarts : 1;
        s->day_ns = 24 * 3600 * KW_S_NS / times;
        s->check_ns /= times;
        s->check_retry_ns /= times;
        o.limit_ns = INT64_MAX;
    }
    return kw_bench_rules(verb, rules, KW_COUNT(rules));
}

/* The ciphertexts, from the file or from the plugin. */
static kw_err storm_get_corpus(struct kw_note *note)
{
    if (corpus_path != NULL) {
        kw_err e =
            kw_corpus_read(corpus_path, seeds != NULL ? o.storm.seeds : 0, &corpus, note);
        if (!kw_failed(e))
            o.storm.seeds = corpus.count;
        return e;
    }
    kw_err e = kw_corpus_init(&corpus, o.storm.seeds);
    return kw_failed(e) ? e : kw_play_make(&o, &corpus, note);
}

static int storm_prepare_only(struct kw_note *note)
{
    kw_err e = kw_corpus_write(&corpus, prepare, note);
    if (kw_failed(e))
        return kw_bench_failed(verb, e, note);
    printf("%s: %zu ciphertexts; restart the plugin, then: keyward-bench storm %s "
           "--corpus %s\n",
           prepare, corpus.count, o.socket[0], prepare);
    return fflush(stdout) == 0 ? KW_BENCH_GOOD : KW_BENCH_UNABLE;
}

static enum kw_bench_exit storm_exit(const struct kw_play_result *r)
{
    const struct kw_storm_tally *t = &r->storm->tally;
    bool failed = false;
    for (unsigned i = 0; i < KW_GRPC_CODES; i++)
        failed = failed || t->by_code[i] > 0;
    return t->wrong > 0 ? KW_BENCH_WRONG
           : r->partial ? KW_BENCH_UNABLE
           : failed     ? KW_BENCH_WRONG
                        : KW_BENCH_GOOD;
}

static int storm_play(struct kw_play_result *r)
{
    struct kw_note note = {{0}};
    r->cache = corpus_path != NULL ? "unknown" : "warm";
    kw_err e = kw_play_run(&o, &corpus, r, &note);
    kw_progress_end(&progress);
    if (kw_failed(e))
        return kw_bench_failed(verb, e, &note);
    int code = kw_bench_document(verb, kw_storm_document(&o, r), json, storm_exit(r));
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
    if (kw_failed(e))
        return kw_bench_failed(verb, e, &note);
    if (prepare != NULL)
        return storm_prepare_only(&note);
    struct kw_play_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_bench_unable(verb, "out of memory");
    int code = storm_play(r);
    kw_storm_free(r->storm);
    kw_free(r);
    return code;
}

int kw_bench_storm(int argc, char **argv)
{
    struct kw_args args = KW_BENCH_ARGS(
        verb, options, "SOCKET…", sockets.at,
        "Replays what kube-apiservers ask of a KMS v2 plugin when they start together,\n"
        "and says when they would be ready.",
        more);
    args.rest = &further;
    o.storm = kw_storm_defaults();
    o.storm.servers = 3;
    o.storm.seeds = 1000;
    int code = kw_bench_read(&args, argc, argv);
    for (size_t i = 0; i < further.count && i + 1 < KW_WORDS_MAX; i++)
        sockets.at[sockets.count++] = further.at[i];
    o.socket = sockets.at;
    o.storm.sockets = sockets.count;
    if (code < 0)
        code = storm_check();
    if (code < 0 && dry_run)
        return kw_bench_document(verb, kw_storm_document(&o, NULL), json, KW_BENCH_GOOD);
    if (code < 0)
        code = kw_bench_start(verb, cpu_text, cpu, quiet || json, &progress);
    if (code >= 0)
        return code;
    code = storm_measure();
    kw_corpus_wipe(&corpus);
    return code;
}
