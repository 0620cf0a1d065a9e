/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench load */
#include <keyward/alloc.h>

#include "load_run.h"

static const char verb[] = "load";

static struct kw_load_options o = {.choice = {.seed = 1},
                                   .in_flight = 64,
                                   .connections = 1,
                                   .seconds_ns = 5 * KW_S_NS,
                                   .warmup_ns = KW_S_NS,
                                   .timeout_ns = 3 * KW_S_NS};
static const char *calls, *seconds, *rate, *max_rate, *cpu_text;
static uint64_t cpu;
static bool dry_run, quiet, json;

static const struct kw_option options[] = {
    {"mix", "WHAT", "decrypt, encrypt, status or decrypt:90,encrypt:5,status:5 (decrypt)",
     .text = &o.mix},
    {"ciphertexts", "WHICH", "same, distinct:K, zipf:K:S or repeat:P:K (distinct:1000)",
     .text = &o.ciphertexts},
    {"seed", "N", "of the order of calls: the same again with the same seed (1)",
     .number = &o.choice.seed, .most = UINT64_C(999999999999999999)},
    {"in-flight", "N", "calls under way at once, 1..512 (64)", .number = &o.in_flight,
     .least = 1, .most = KW_H2_CALLS_MAX},
    {"connections", "C", "on so many connections, 1..16 (1)", .number = &o.connections,
     .least = 1, .most = KW_CONNECTIONS_MAX},
    {"seconds", "TIME", "how long to measure (5s)", .text = &seconds,
     .time_ns = &o.seconds_ns, .least = KW_MS_NS, .most = 3600 * KW_S_NS},
    {"calls", "N", "or how many replies", .text = &calls, .number = &o.calls, .least = 1,
     .most = 500000000},
    {"warmup", "TIME", "before it, not counted (1s)", .time_ns = &o.warmup_ns,
     .most = 600 * KW_S_NS},
    {"timeout", "TIME", "the caller's: told to the server, 0s for none (3s)",
     .time_ns = &o.timeout_ns, .most = 600 * KW_S_NS},
    {"rate", "R", "open loop: calls a second, latency from the meant start",
     .text = &rate, .number = &o.rate, .least = 1, .most = 1000000},
    {"max-rate", "R", "never more calls a second, preparation and proof too",
     .text = &max_rate, .number = &o.max_rate, .least = 1, .most = 1000000},
    {"ramp", NULL, "these rates grow from 0 over the time of the warm-up", .on = &o.ramp},
    {"stop-p99", "TIME", "stop when 1000 calls in a row have a p99 above",
     .time_ns = &o.stop_p99_ns, .least = KW_MS_NS, .most = 600 * KW_S_NS},
    {"yes", NULL, "also a keywardd whose token is, or may be, no SoftHSM",
     .on = &o.any_token},
    {"server-pid", "PID", "whose CPU counts (who listens on the socket)",
     .number = &o.server_pid, .least = 2, .most = INT32_MAX},
    {"status", "SOCKET", "keywardd's status socket: is its HSM up at the end?",
     .text = &o.status},
    {"reconnect", NULL, "go on when the connection is lost: gaps are told in --json",
     .on = &o.reconnect},
    {"eager", NULL, "read each reply at once, also when many are under way",
     .on = &o.eager},
    {"cpu", "N", "run this client on CPU N only", .text = &cpu_text, .number = &cpu,
     .most = 1023},
    {"dry-run", NULL, "say what would be done, send nothing", .on = &dry_run},
    {"quiet", NULL, "no progress on standard error; --json has none either",
     .on = &quiet},
    {"json", NULL, "one JSON document instead of a table", .on = &json},
};

static const char more[] =
    "It sends Status, Encrypt of seeds that it makes itself, and Decrypt of what came\n"
    "of them: no key and nobody's data can be touched. Because a real HSM has other\n"
    "users, it looks which PKCS#11 module the workers of a keywardd have loaded and\n"
    "wants --yes for any but SoftHSM, and when it may not look (only root may).\n"
    "\n"
    "distinct:K ciphertexts are used in turn: more than the server's cache holds\n"
    "makes every Decrypt an uncached one. zipf:K:S asks for number i of K with the\n"
    "share i^-S. repeat:P:K asks P times in a hundred for one of 16 and else for K\n"
    "others in turn. What a mix encrypts are 1000 seeds of its own.\n"
    "\n"
    "A right reply behind --timeout is overdue: it counts in calls_per_s, not in\n"
    "goodput_per_s; with DEADLINE_EXCEEDED it is a missed deadline. With 16 calls\n"
    "under way and more, replies are gathered for 50 us, so that the client does not\n"
    "cost what it measures. With --reconnect a plugin that is not there is tried\n"
    "every 10 ms until --seconds are over. A percentile is told only when 100 samples\n"
    "lie beyond it. Ctrl-C keeps what was measured.";

static int load_check(void)
{
    struct kw_note note = {{0}};
    o.mix = o.mix != NULL ? o.mix : "decrypt";
    o.ciphertexts = o.ciphertexts != NULL ? o.ciphertexts : "distinct:1000";
    const bool good = !kw_failed(kw_mix_parse(o.mix, &o.choice, &note)) &&
                      !kw_failed(kw_ciphertexts_parse(o.ciphertexts, &o.choice, &note));
    const struct kw_bench_rule rules[] = {
        {o.connections > o.in_flight, "more connections than calls in flight"},
        {calls != NULL && seconds != NULL,
         "--calls and --seconds are two ways to say when to end"},
        {calls != NULL && o.reconnect,
         "--reconnect goes on until --seconds are over: leave out --calls"},
        {o.ramp && o.rate == 0 && o.max_rate == 0, "--ramp wants --rate or --max-rate"},
        {o.max_rate > 0 && o.rate > o.max_rate, "--rate is more than --max-rate"},
        {!good, note.text},
        {o.choice.weight[KW_DECRYPT] == 0 && o.choice.pattern != KW_PATTERN_DISTINCT,
         "--ciphertexts is about Decrypt, which --mix has not"}};
    return kw_bench_rules(verb, rules, KW_COUNT(rules));
}

static enum kw_bench_exit load_exit(const struct kw_load_result *r)
{
    const struct kw_outcome *all = &r->calls.tally.all;
    if (all->wrong > 0 || r->not_proven > 0 || r->stopped || !r->is_well)
        return KW_BENCH_WRONG;
    if (r->partial || all->good.count + all->failed + all->exceeded == 0)
        return KW_BENCH_UNABLE;
    return all->failed + all->exceeded + all->overdue > 0 ? KW_BENCH_WRONG
                                                          : KW_BENCH_GOOD;
}

static int load_say(const struct kw_load_result *r)
{
    int code = kw_bench_document(verb, kw_load_document(&o, r), json, load_exit(r));
    if (!json && r->partial)
        (void)kw_bench_unable(verb, "%s; what was measured until then stands above",
                              r->fault);
    else if (!r->is_well)
        (void)kw_bench_unable(verb, "the HSM is not up at the end: %s", r->health);
    else if (!json && r->calls.tally.all.good.count == 0)
        (void)kw_bench_unable(verb, "not one good reply");
    return code;
}

int kw_bench_load(int argc, char **argv)
{
    struct kw_progress progress = {0};
    struct kw_note note = {{0}};
    struct kw_args args = KW_BENCH_ARGS(
        verb, options, "SOCKET", &o.socket,
        "Drives any KMS v2 socket, looks at every reply, and says what a call costs.",
        more);
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = load_check();
    if (code < 0 && dry_run)
        return kw_bench_document(verb, kw_load_document(&o, NULL), json, KW_BENCH_GOOD);
    if (code < 0)
        code = kw_bench_start(verb, cpu_text, cpu, quiet || json, &progress);
    if (code >= 0)
        return code;
    o.progress = &progress;
    struct kw_load_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_bench_unable(verb, "out of memory");
    kw_err e = kw_load_run(&o, r, &note);
    code = kw_failed(e) ? kw_bench_failed(verb, e, &note) : load_say(r);
    kw_free(r);
    return code;
}
