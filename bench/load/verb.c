/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench load */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "load_run.h"

static const char verb[] = "load";

static struct kw_load_options o = {.mix = "decrypt",
                                   .ciphertexts = "distinct:1000",
                                   .choice = {.seed = 1},
                                   .in_flight = 64,
                                   .connections = 1,
                                   .seconds_ns = 5 * KW_S_NS,
                                   .warmup_ns = KW_S_NS,
                                   .timeout_ns = 3 * KW_S_NS};
static const char *mix, *ciphertexts, *calls, *seconds, *rate, *max_rate, *cpu_text;
static uint64_t cpu;
static bool dry_run, quiet, json;

static const struct kw_option options[] = {
    {"mix", "WHAT", "decrypt, encrypt, status or decrypt:90,encrypt:5,status:5 (decrypt)",
     .text = &mix},
    {"ciphertexts", "WHICH", "same, distinct:K, zipf:K:S or repeat:P:K (distinct:1000)",
     .text = &ciphertexts},
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
    "of them: no key and nobody's data can be touched, whatever the token.  Because\n"
    "a real HSM has other users, it looks which PKCS#11 module the workers of a\n"
    "keywardd have loaded and wants --yes for any but SoftHSM, and when it may not\n"
    "look (only root may).  --max-rate, --ramp and --stop-p99 are for such a token.\n"
    "\n"
    "Ciphertexts are made first, through Encrypt.  distinct:K are used in turn: more\n"
    "than the server's cache holds makes every Decrypt an uncached one.  zipf:K:S\n"
    "asks for number i of K with the share i^-S.  repeat:P:K asks P times in a\n"
    "hundred for one of 16 and else for K others in turn.  What a mix encrypts are\n"
    "1000 seeds of its own.\n"
    "\n"
    "A right reply behind --timeout is overdue: it counts as good and in "
    "calls_per_s, not in\n"
    "goodput_per_s; with DEADLINE_EXCEEDED it is a missed deadline, which is told\n"
    "apart from other errors.  With 16 calls under way and more, replies are\n"
    "gathered for 50 us, so that the client does not cost what it measures; --eager\n"
    "does not.  With --reconnect a plugin that is not there is tried every 10 ms until\n"
    "--seconds are over, and each time without a good reply is a gap.  A percentile is\n"
    "told only when 100 samples lie beyond it.  Ctrl-C keeps what was measured.  CPU "
    "and\n"
    "memory are read from /proc for the process that listens and all its children.";

static int load_read_choice(void)
{
    struct kw_note note = {{0}};
    o.mix = mix != NULL ? mix : o.mix;
    o.ciphertexts = ciphertexts != NULL ? ciphertexts : o.ciphertexts;
    kw_err e = kw_mix_parse(o.mix, &o.choice, &note);
    if (!kw_failed(e))
        e = kw_ciphertexts_parse(o.ciphertexts, &o.choice, &note);
    if (kw_failed(e))
        return kw_bench_usage(verb, "%s", note.text);
    if (o.choice.weight[KW_DECRYPT] == 0 && o.choice.pattern != KW_PATTERN_DISTINCT)
        return kw_bench_usage(verb,
                              "--ciphertexts %s is about Decrypt, which --mix %s has not",
                              o.ciphertexts, o.mix);
    return -1;
}

/* What one option alone cannot say. */
static int load_check(void)
{
    if (o.connections > o.in_flight)
        return kw_bench_usage(verb, "more connections than calls in flight");
    if (calls != NULL && seconds != NULL)
        return kw_bench_usage(verb,
                              "--calls and --seconds are two ways to say when to end");
    if (calls != NULL && o.reconnect)
        return kw_bench_usage(verb, "--reconnect goes on until --seconds are over: leave "
                                    "out --calls");
    if (o.ramp && o.rate == 0 && o.max_rate == 0)
        return kw_bench_usage(verb, "--ramp wants --rate or --max-rate");
    if (o.max_rate > 0 && o.rate > o.max_rate)
        return kw_bench_usage(verb, "--rate %s is more than --max-rate %s", rate,
                              max_rate);
    return load_read_choice();
}

static enum kw_bench_exit load_exit(const struct kw_load_result *r)
{
    const struct kw_outcome *all = &r->tally.all;
    if (all->wrong > 0 || r->not_proven > 0 || r->stopped)
        return KW_BENCH_WRONG;
    if (r->partial)
        return KW_BENCH_UNABLE;
    if (all->failed + all->exceeded + all->overdue > 0)
        return KW_BENCH_WRONG;
    return all->good.count > 0 ? KW_BENCH_GOOD : KW_BENCH_UNABLE;
}

static int load_say(const struct kw_load_result *r)
{
    int code = kw_bench_document(verb, kw_load_document(&o, r), json, load_exit(r));
    if (!json && r->partial)
        (void)kw_bench_unable(verb, "%s; what was measured until then stands above",
                              r->fault);
    else if (!json && r->tally.all.good.count == 0)
        (void)kw_bench_unable(verb, "not one good reply");
    return code;
}

static int load_measure(void)
{
    struct kw_note note = {{0}};
    struct kw_load_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_bench_unable(verb, "out of memory");
    kw_err e = kw_load_run(&o, r, &note);
    int code = kw_failed(e) ? kw_bench_failed(verb, e, &note) : load_say(r);
    kw_free(r);
    return code;
}

int kw_bench_load(int argc, char **argv)
{
    struct kw_progress progress = {0};
    struct kw_args args = {.verb = verb,
                           .operands = "SOCKET",
                           .summary =
                               "Drives any KMS v2 socket, looks at every reply, and "
                               "says what a call costs.",
                           .more = more,
                           .options = options,
                           .option_count = sizeof options / sizeof options[0],
                           .operand = &o.socket,
                           .operand_count = 1};
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = load_check();
    if (code < 0 && dry_run)
        return kw_bench_document(verb, kw_load_plan_document(&o), json, KW_BENCH_GOOD);
    if (code < 0)
        code = kw_bench_pin(verb, cpu_text, cpu);
    if (code >= 0)
        return code;
    if (!quiet && !json)
        kw_progress_begin(&progress, &kw_clock_system, stderr, isatty(STDERR_FILENO) == 1,
                          verb);
    o.progress = &progress;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    return load_measure();
}
