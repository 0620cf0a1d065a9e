/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench load */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "load.h"

static struct {
    const char *in_flight, *connections, *mix, *ciphertexts, *seed, *calls, *seconds,
        *warmup, *timeout, *rate, *max_rate, *stop_p99, *cpu, *server_pid;
    bool ramp, eager, reconnect, yes, dry_run, quiet, json;
} w;

static const struct kw_flag flags[] = {
    {"mix", "WHAT", "decrypt, encrypt, status or decrypt:90,encrypt:5,status:5 (decrypt)",
     NULL, &w.mix},
    {"ciphertexts", "WHICH", "same, distinct:K, zipf:K:S or repeat:P:K (distinct:1000)",
     NULL, &w.ciphertexts},
    {"seed", "N", "of the order of calls: the same again with the same seed (1)", NULL,
     &w.seed},
    {"in-flight", "N", "calls under way at once, 1..512 (64)", NULL, &w.in_flight},
    {"connections", "C", "on so many connections, 1..16 (1)", NULL, &w.connections},
    {"seconds", "TIME", "how long to measure (5s)", NULL, &w.seconds},
    {"calls", "N", "or how many replies", NULL, &w.calls},
    {"warmup", "TIME", "before it, not counted (1s)", NULL, &w.warmup},
    {"timeout", "TIME", "the caller's: told to the server, 0s for none (3s)", NULL,
     &w.timeout},
    {"rate", "R", "open loop: calls a second, latency from the meant start", NULL,
     &w.rate},
    {"max-rate", "R", "never more calls a second, preparation and proof too", NULL,
     &w.max_rate},
    {"ramp", NULL, "these rates grow from 0 over the time of the warm-up", &w.ramp, NULL},
    {"stop-p99", "TIME", "stop when 1000 calls in a row have a p99 above", NULL,
     &w.stop_p99},
    {"yes", NULL, "also a keywardd whose token is, or may be, no SoftHSM", &w.yes, NULL},
    {"server-pid", "PID", "whose CPU counts (who listens on the socket)", NULL,
     &w.server_pid},
    {"reconnect", NULL, "go on when the connection is lost: gaps are told in --json",
     &w.reconnect, NULL},
    {"eager", NULL, "read each reply at once, also when many are under way", &w.eager,
     NULL},
    {"cpu", "N", "run this client on CPU N only", NULL, &w.cpu},
    {"dry-run", NULL, "say what would be done, send nothing", &w.dry_run, NULL},
    {"quiet", NULL, "no progress on standard error; --json has none either", &w.quiet,
     NULL},
    {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
};

static const struct kw_verb verb = {
    .name = "load",
    .operands = "SOCKET",
    .summary = "Drives any KMS v2 socket, looks at every reply, and says what a call "
               "costs.",
    .operand_min = 1,
    .operand_max = 1,
    .flags = flags,
    .flag_count = sizeof flags / sizeof flags[0],
    .more =
        "It sends Status, Encrypt of seeds that it makes itself, and Decrypt of what "
        "came\n"
        "of them: no key and nobody's data can be touched, whatever the token.  Because\n"
        "a real HSM has other users, it looks which PKCS#11 module the workers of a\n"
        "keywardd have loaded and wants --yes for any but SoftHSM, and when it may not\n"
        "look (only root may).  --max-rate, --ramp and --stop-p99 are for such a token.\n"
        "\n"
        "Ciphertexts are made first, through Encrypt.  distinct:K are used in turn: "
        "more\n"
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
        "does not.  With --reconnect a plugin that is not there is tried every 10 ms "
        "until\n"
        "--seconds are over, and each time without a good reply is a gap.  A percentile "
        "is told only when 100 samples lie beyond it.  Ctrl-C\n"
        "keeps what was measured.  CPU and memory are read from /proc for the process\n"
        "that listens and all its children."};

static int read_choice(struct kw_load_options *o)
{
    struct kw_note note = {{0}};
    if (w.mix != NULL)
        o->mix = w.mix;
    if (w.ciphertexts != NULL)
        o->ciphertexts = w.ciphertexts;
    kw_err e = kw_mix_parse(o->mix, &o->choice, &note);
    if (!kw_failed(e))
        e = kw_ciphertexts_parse(o->ciphertexts, &o->choice, &note);
    if (kw_failed(e))
        return kw_usage(&verb, "%s", note.text);
    if (o->choice.weight[KW_DECRYPT] == 0 && o->choice.pattern != KW_PATTERN_DISTINCT)
        return kw_usage(&verb,
                        "--ciphertexts %s is about Decrypt, which --mix %s has not",
                        o->ciphertexts, o->mix);
    return kw_args_number(&verb, "seed", w.seed, 0, UINT64_C(999999999999999999),
                          &o->choice.seed);
}

static int read_numbers(struct kw_load_options *o)
{
    const struct {
        const char *flag, *text;
        uint64_t least, most, *ret_n;
    } number[] = {
        {"in-flight", w.in_flight, 1, 512, &o->in_flight},
        {"connections", w.connections, 1, KW_CONNECTIONS_MAX, &o->connections},
        {"calls", w.calls, 1, 500000000, &o->calls},
        {"rate", w.rate, 1, 1000000, &o->rate},
        {"max-rate", w.max_rate, 1, 1000000, &o->max_rate},
        {"server-pid", w.server_pid, 2, INT32_MAX, &o->server_pid},
    };
    const struct {
        const char *flag, *text;
        int64_t least, most, *ret_ns;
    } time[] = {
        {"seconds", w.seconds, KW_MS_NS, 3600 * KW_S_NS, &o->seconds_ns},
        {"warmup", w.warmup, 0, 600 * KW_S_NS, &o->warmup_ns},
        {"timeout", w.timeout, 0, 600 * KW_S_NS, &o->timeout_ns},
        {"stop-p99", w.stop_p99, KW_MS_NS, 600 * KW_S_NS, &o->stop_p99_ns},
    };
    int code = -1;
    for (size_t i = 0; code < 0 && i < sizeof number / sizeof number[0]; i++)
        code = kw_args_number(&verb, number[i].flag, number[i].text, number[i].least,
                              number[i].most, number[i].ret_n);
    for (size_t i = 0; code < 0 && i < sizeof time / sizeof time[0]; i++)
        code = kw_args_time(&verb, time[i].flag, time[i].text, time[i].least,
                            time[i].most, time[i].ret_ns);
    return code;
}

static int read_options(struct kw_load_options *o)
{
    int code = read_choice(o);
    if (code < 0)
        code = read_numbers(o);
    if (code >= 0)
        return code;
    o->ramp = w.ramp;
    o->eager = w.eager;
    o->reconnect = w.reconnect;
    o->any_token = w.yes;
    if (o->connections > o->in_flight)
        return kw_usage(&verb, "more connections than calls in flight");
    if (w.calls != NULL && w.seconds != NULL)
        return kw_usage(&verb, "--calls and --seconds are two ways to say when to end");
    if (w.calls != NULL && w.reconnect)
        return kw_usage(&verb, "--reconnect goes on until --seconds are over: leave out "
                               "--calls");
    if (w.ramp && o->rate == 0 && o->max_rate == 0)
        return kw_usage(&verb, "--ramp wants --rate or --max-rate");
    if (o->max_rate > 0 && o->rate > o->max_rate)
        return kw_usage(&verb, "--rate %s is more than --max-rate %s", w.rate,
                        w.max_rate);
    return -1;
}

static enum kw_exit verdict(const struct kw_load_result *r)
{
    const struct kw_outcome *all = &r->tally.all;
    if (all->wrong > 0 || r->not_proven > 0 || r->stopped)
        return KW_EXIT_WRONG;
    if (r->partial)
        return KW_EXIT_UNABLE;
    if (all->failed > 0 || kw_missed(all) > 0)
        return KW_EXIT_WRONG;
    return all->good.count > 0 ? KW_EXIT_GOOD : KW_EXIT_UNABLE;
}

static int say(const struct kw_load_options *o, const struct kw_load_result *r)
{
    if (w.json)
        return kw_document_out(kw_load_document(o, r), verdict(r));
    kw_load_table(o, r);
    if (r->partial)
        (void)kw_unable(&verb, "%s; what was measured until then stands above", r->fault);
    else if (r->tally.all.good.count == 0)
        (void)kw_unable(&verb, "not one good reply");
    return (int)verdict(r);
}

static int measure(const struct kw_load_options *o)
{
    struct kw_note note = {{0}};
    struct kw_load_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(&verb, "out of memory");
    kw_err e = kw_load_run(o, r, &note);
    int code = kw_failed(e) ? kw_unable_err(&verb, e, &note) : say(o, r);
    kw_free(r);
    return code;
}

static int plan(const struct kw_load_options *o)
{
    if (w.json)
        return kw_document_out(kw_load_plan_document(o), KW_EXIT_GOOD);
    kw_load_plan(o);
    return KW_EXIT_GOOD;
}

int kw_bench_load(int argc, char **argv)
{
    struct kw_progress progress = {0};
    struct kw_load_options o = {.mix = "decrypt",
                                .ciphertexts = "distinct:1000",
                                .choice = {.seed = 1},
                                .in_flight = 64,
                                .connections = 1,
                                .seconds_ns = 5 * KW_S_NS,
                                .warmup_ns = KW_S_NS,
                                .timeout_ns = 3 * KW_S_NS,
                                .progress = &progress};
    uint64_t cpu = 0;
    int operands = 0, code = kw_args(&verb, argc, argv, &operands);
    if (code < 0)
        code = read_options(&o);
    if (code < 0)
        code = kw_args_number(&verb, "cpu", w.cpu, 0, 1023, &cpu);
    if (code >= 0)
        return code;
    o.socket = argv[1];
    if (w.dry_run)
        return plan(&o);
    if (w.cpu != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(&verb, "there is no CPU %s for this process", w.cpu);
    if (!w.quiet && !w.json)
        kw_progress_begin(&progress, &kw_clock_system, stderr, isatty(STDERR_FILENO) == 1,
                          "load");
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    return measure(&o);
}
