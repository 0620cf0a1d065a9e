/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench load */
#include <string.h>
#include <sys/prctl.h>

#include <keyward/alloc.h>

#include "load.h"

struct words {
    const char *in_flight, *connections, *mix, *ciphertexts, *calls, *seconds, *warmup,
        *timeout, *rate, *cpu, *server_pid;
    bool json, eager;
};

static int read_mix(const struct kw_verb *v, const char *text, enum kw_method *ret_method)
{
    for (unsigned i = 0; text != NULL && i < KW_METHODS; i++)
        if (strcmp(text, kw_method_names[i]) == 0) {
            *ret_method = (enum kw_method)i;
            return -1;
        }
    return text == NULL ? -1 : kw_usage(v, "--mix %s: decrypt, encrypt or status", text);
}

static int read_ciphertexts(const struct kw_verb *v, const char *text,
                            uint64_t *ret_count)
{
    static const char distinct[] = "distinct:";
    if (text == NULL)
        return -1;
    if (strcmp(text, "same") == 0) {
        *ret_count = 1;
        return -1;
    }
    if (strncmp(text, distinct, sizeof distinct - 1) != 0)
        return kw_usage(v, "--ciphertexts %s: distinct:K or same", text);
    return kw_args_number(v, "ciphertexts distinct:", text + sizeof distinct - 1, 1,
                          KW_CORPUS_MAX, ret_count);
}

static int read_numbers(const struct kw_verb *v, const struct words *w,
                        struct kw_load_options *o)
{
    int code = kw_args_number(v, "in-flight", w->in_flight, 1, 512, &o->in_flight);
    if (code < 0)
        code = kw_args_number(v, "connections", w->connections, 1, KW_CONNECTIONS_MAX,
                              &o->connections);
    if (code < 0)
        code = kw_args_number(v, "calls", w->calls, 1, 500000000, &o->calls);
    if (code < 0)
        code = kw_args_time(v, "seconds", w->seconds, KW_MS_NS, 3600 * KW_S_NS,
                            &o->seconds_ns);
    if (code < 0)
        code = kw_args_time(v, "warmup", w->warmup, 0, 60 * KW_S_NS, &o->warmup_ns);
    if (code < 0)
        code = kw_args_time(v, "timeout", w->timeout, 0, 600 * KW_S_NS, &o->timeout_ns);
    if (code < 0)
        code = kw_args_number(v, "rate", w->rate, 1, 1000000, &o->rate);
    if (code < 0)
        code =
            kw_args_number(v, "server-pid", w->server_pid, 2, INT32_MAX, &o->server_pid);
    return code;
}

static int read_options(const struct kw_verb *v, const struct words *w,
                        struct kw_load_options *o)
{
    int code = read_mix(v, w->mix, &o->method);
    if (code < 0)
        code = read_ciphertexts(v, w->ciphertexts, &o->distinct);
    if (code < 0)
        code = read_numbers(v, w, o);
    if (code < 0 && o->connections > o->in_flight)
        return kw_usage(v, "more connections than calls in flight");
    if (code < 0 && w->calls != NULL && w->seconds != NULL)
        return kw_usage(v, "--calls and --seconds are two ways to say when to end");
    return code;
}

static int say(const struct kw_verb *v, const struct words *w,
               const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_tally *t = &r->tally;
    enum kw_exit code = KW_EXIT_GOOD;
    if (t->wrong > 0 || r->not_proven > 0 || kw_tally_failed(t) > 0)
        code = KW_EXIT_WRONG;
    else if (r->partial || t->good.count == 0)
        code = KW_EXIT_UNABLE;
    if (w->json)
        return kw_document_out(kw_load_document(o, r), code);
    kw_load_table(o, r);
    if (t->good.count == 0)
        return kw_unable(v, "not one good reply");
    return (int)code;
}

static int measure(const struct kw_verb *v, const struct words *w,
                   const struct kw_load_options *o)
{
    struct kw_note note = {{0}};
    struct kw_load_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(v, "out of memory");
    kw_err e = kw_load_run(o, r, &note);
    int code = kw_failed(e) ? kw_unable_err(v, e, &note) : say(v, w, o, r);
    kw_free(r);
    return code;
}

int kw_bench_load(int argc, char **argv)
{
    struct words w = {0};
    struct kw_load_options o = {.method = KW_DECRYPT,
                                .in_flight = 64,
                                .connections = 1,
                                .distinct = 1000,
                                .seconds_ns = 5 * KW_S_NS,
                                .warmup_ns = KW_S_NS,
                                .timeout_ns = 3 * KW_S_NS};
    const struct kw_flag flags[] = {
        {"mix", "WHAT", "decrypt, encrypt or status (decrypt)", NULL, &w.mix},
        {"in-flight", "N", "calls under way at once, 1..512 (64)", NULL, &w.in_flight},
        {"connections", "C", "on so many connections, 1..16 (1)", NULL, &w.connections},
        {"ciphertexts", "WHICH", "distinct:K or same (distinct:1000)", NULL,
         &w.ciphertexts},
        {"seconds", "TIME", "how long to measure (5s)", NULL, &w.seconds},
        {"calls", "N", "or how many replies", NULL, &w.calls},
        {"warmup", "TIME", "before it, not counted (1s)", NULL, &w.warmup},
        {"rate", "R", "open loop: calls a second, latency from the meant start", NULL,
         &w.rate},
        {"timeout", "TIME", "the deadline told to the server, 0s for none (3s)", NULL,
         &w.timeout},
        {"server-pid", "PID", "whose CPU counts (who listens on the socket)", NULL,
         &w.server_pid},
        {"eager", NULL, "read each reply at once, also when many are under way", &w.eager,
         NULL},
        {"cpu", "N", "run this client on CPU N only", NULL, &w.cpu},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "load",
        .operands = "SOCKET",
        .summary = "Drives any KMS v2 socket, looks at every reply, and says what a call "
                   "costs.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "Ciphertexts are made first, through Encrypt, and used round robin: more of\n"
            "them than the server's cache holds makes every Decrypt an uncached one.\n"
            "With 16 calls under way and more, replies are gathered for 50 us, so that "
            "the\n"
            "client does not cost what it measures; --eager does not.\n"
            "A percentile is told only when 100 samples lie beyond it.  Ctrl-C keeps\n"
            "what was measured.  CPU and memory are read from /proc for the process\n"
            "that listens and all its children."};
    uint64_t cpu = 0;
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = read_options(&v, &w, &o);
    if (code < 0)
        code = kw_args_number(&v, "cpu", w.cpu, 0, 1023, &cpu);
    if (code >= 0)
        return code;
    if (w.cpu != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(&v, "there is no CPU %s for this process", w.cpu);
    o.socket = argv[1];
    o.eager = w.eager;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    return measure(&v, &w, &o);
}
