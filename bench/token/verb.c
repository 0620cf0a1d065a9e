/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench token */
#include <stdio.h>
#include <sys/prctl.h>

#include "token_bench.h"
#include "watch.h"

#define KEYRING_STANDARD "/etc/keyward/keyring.json"

static const char verb[] = "token";
const char *const kw_op_names[] = {"unwrap",  "wrap",   "find", "login",
                                   "session", "random", NULL};

static struct kw_token_plan p = {.sessions = 1,
                                 .threads = 1,
                                 .processes = 1,
                                 .seconds_ns = 5 * KW_S_NS,
                                 .warmup_ns = KW_S_NS};
static struct kw_key_guard guard;
static struct kw_args_list fit;
static unsigned op, key;
static const char *key_text, *sessions, *threads, *processes, *calls, *seconds;

static const struct kw_option options[] = {
    {"module", "PATH", "the PKCS#11 module", .text = &p.module},
    {"uri", "URI", "the token, such as pkcs11:token=test", .text = &p.uri},
    {"pin", "SOURCE", "file:/path", .text = &p.pin},
    {"op", "WHAT", "unwrap, wrap, find, login, session or random (unwrap)",
     .choices = kw_op_names, .choice = &op},
    {"key", "WHERE", "token, session or copy: where the throw-away key is (token)",
     .text = &key_text, .choices = kw_bench_key_names, .choice = &key},
    {"processes", "P", "each with its own module and login, 1..64 (1)",
     .text = &processes, .number = &p.processes, .least = 1, .most = KW_PROCESSES_MAX},
    {"threads", "T", "of each process, 1..64 (1)", .text = &threads, .number = &p.threads,
     .least = 1, .most = KW_THREADS_MAX},
    {"sessions", "N", "of each thread, by turns, 1..1024 (1)", .text = &sessions,
     .number = &p.sessions, .least = 1, .most = KW_TOKEN_SESSIONS_MAX},
    {"curve", "LIST", "such as 1,2,4,8: so many processes of one session by turns",
     .list = &p.curve, .least = 1, .most = KW_PROCESSES_MAX},
    {"fit", "LIST", "such as 1,2,4,8: so many threads of each of 2 processes; which fit?",
     .list = &fit, .least = 1, .most = KW_THREADS_MAX},
    {"seconds", "TIME", "how long to measure (5s)", .text = &seconds,
     .time_ns = &p.seconds_ns, .least = KW_MS_NS, .most = 3600 * KW_S_NS},
    {"calls", "N", "or how many operations, of all together", .text = &calls,
     .number = &p.calls, .least = 1, .most = 500000000},
    {"warmup", "TIME", "before it, not counted (1s)", .time_ns = &p.warmup_ns,
     .most = 60 * KW_S_NS},
    {"max-rate", "R", "at most R operations a second, all together",
     .number = &p.max_rate, .least = 1, .most = 10000000},
    {"ramp", "TIME", "before the warm-up: from a tenth of that rate to all of it",
     .time_ns = &p.ramp_ns, .least = KW_MS_NS, .most = 600 * KW_S_NS},
    {"stop-p99", "TIME", "stop when more than 1 % of the operations take longer",
     .time_ns = &p.stop_p99_ns, .least = KW_MS_NS, .most = 60 * KW_S_NS},
    {"keyring", "FILE", "whose keys are not touched (" KEYRING_STANDARD ")",
     .text = &p.keyring},
    {"cpu", "LIST", "run on these CPUs only; threads by turns on several", .list = &p.cpu,
     .most = 1023},
    {"yes", NULL, "also a token that is no SoftHSM", .on = &p.any_token},
    {"clean", NULL, "list keys that a crash left behind, and destroy them",
     .on = &p.clean},
    {"dry-run", NULL, "say what would be done; with --clean, list only",
     .on = &p.dry_run},
    {"json", NULL, "one JSON document instead of a table", .on = &p.json},
};

static const char more[] =
    "It makes an AES-256 key of its own, labelled kw-bench-…, and destroys it on every\n"
    "way out; no other key is touched, and none of the keyring could be.  A process of\n"
    "its own keeps the key, so that it goes also when the module crashes.  What is left\n"
    "after a crash of that one, or of the machine, --clean finds; so it does a key of a\n"
    "measurement that runs now.\n"
    "A process has a module and a login of its own, as keyward's workers have; a thread\n"
    "has one operation under way and uses its sessions by turns.  --key copy is faster\n"
    "on soft tokens and hides that a key was deleted: keyward does not do that.\n"
    "--op login says what a worker's login costs (flags, PIN file, C_Login), and logs\n"
    "out between; each rewrites a soft token's files.\n"
    "--fit measures as keyward would work, and recommends hsm.tokens[].workers and\n"
    "sessions: the fewest that give nine tenths of the most; never more than a\n"
    "token that counts its sessions grants keyward's workers and those of a reload.\n"
    "The module's own variables, such as SOFTHSM2_CONF, are those of this process.";

static int token_check(void)
{
    const bool shaped = processes != NULL || threads != NULL || sessions != NULL;
    p.op = (enum kw_op)op;
    p.fits = fit.count > 0;
    p.processes = processes == NULL && p.fits ? 2 : p.processes;
    p.key = (enum kw_bench_key)key;
    const struct kw_bench_rule rules[] = {
        {p.module == NULL || p.uri == NULL || p.pin == NULL,
         "it wants --module, --uri and --pin"},
        {key_text != NULL && !kw_op_wants_key(p.op),
         "this --op uses no key: leave out --key"},
        {p.fits && (p.curve.count > 0 || threads != NULL || sessions != NULL),
         "--fit says itself how many threads of one session there are: leave out "
         "--curve, "
         "--sessions, --threads"},
        {p.fits &&
             (p.processes > KW_ALL_THREADS_MAX / KW_THREADS_MAX || !kw_op_seals(p.op)),
         "--fit has at most 4 processes, and unwraps or wraps"},
        {p.processes * p.threads > KW_ALL_THREADS_MAX,
         "at most 256 threads in all processes together"},
        {p.curve.count > 0 && shaped, "--curve says itself how many processes of one "
                                      "session there are: leave out --sessions, "
                                      "--threads, --processes"},
        {calls != NULL && seconds != NULL,
         "--calls and --seconds are two ways to say when to end"},
        {p.ramp_ns > 0 && p.max_rate == 0, "--ramp rises to --max-rate: say that too"},
        /* A login is the whole process's: a second session would be logged out by it. */
        {p.op == KW_OP_LOGIN &&
             (p.sessions * p.threads * p.processes != 1 || p.curve.count > 0),
         "--op login has one process, one thread and one session"}};
    const int code = kw_bench_rules(verb, rules, KW_COUNT(rules));
    p.curve = p.fits ? fit : p.curve;
    return code;
}

static enum kw_bench_exit token_exit(const struct kw_token_result *r)
{
    const bool nothing = kw_result_best(r) == NULL, failed = kw_failed(r->error);
    /* It was measured, and then the token failed; our own limit is no error of it. */
    if (r->wrong > 0 || (failed && !nothing && r->error.code != KW_CODE_DEADLINE))
        return KW_BENCH_WRONG;
    return r->partial || failed || nothing ? KW_BENCH_UNABLE : KW_BENCH_GOOD;
}

static int token_measure(void)
{
    static struct kw_token_result r; /* large */
    kw_err e = kw_token_run(&p, &guard, &r);
    const bool nothing = kw_result_best(&r) == NULL;
    int code = (int)token_exit(&r);
    if (!kw_failed(e) || !nothing)
        code = kw_bench_document(verb, kw_token_document(&p, &guard, &r), p.json,
                                 (enum kw_bench_exit)code);
    if (kw_failed(e) && (nothing || !p.json))
        (void)kw_bench_failed(verb, e, &r.fault);
    else if (!p.json && nothing)
        (void)kw_bench_unable(verb, "not one operation was measured");
    return code;
}

/* Before anything is destroyed, so that it is known whatever becomes of this process. */
static void token_listed(const struct kw_leftovers *l)
{
    if (p.json)
        return;
    printf("token %s (%s %s): %zu keys whose label begins with %s\n", l->facts.label,
           l->facts.manufacturer, l->facts.model, l->count, KW_THROWAWAY_BEGIN);
    for (size_t i = 0; i < l->count; i++)
        printf("  %s\n", l->key[i].key.label);
    (void)fflush(stdout);
}

static int token_clean(void)
{
    struct kw_note note = {{0}};
    static struct kw_leftovers l; /* large */
    kw_err e = kw_leftovers_run(&p, &guard, token_listed, &l, &note);
    const enum kw_bench_exit code =
        kw_failed(e) || kw_stop_asked() ? KW_BENCH_UNABLE : KW_BENCH_GOOD;
    if (kw_failed(e))
        (void)kw_bench_failed(verb, e, &note);
    return kw_bench_document(verb, kw_leftovers_document(&p, &l, note.text), p.json,
                             code);
}

static int token_go(void)
{
    struct kw_note note = {{0}};
    kw_err e = kw_key_guard_open(p.keyring, KEYRING_STANDARD, &guard, &note);
    if (kw_failed(e))
        return kw_bench_failed(verb, e, &note);
    int code = -1;
    if (p.dry_run && !p.clean)
        code = kw_bench_document(verb, kw_token_plan_document(&p, &guard), p.json,
                                 KW_BENCH_GOOD);
    /* Each is tried, so that none is missed later; threads choose among them. */
    for (size_t i = 0; code < 0 && i < p.cpu.count; i++)
        if (!kw_pin((unsigned)p.cpu.at[i]))
            code = kw_bench_unable(verb, "there is no CPU %u for this process",
                                   (unsigned)p.cpu.at[i]);
    if (code < 0)
        code = p.clean ? token_clean() : token_measure();
    kw_key_guard_close(&guard);
    return code;
}

int kw_bench_token(int argc, char **argv)
{
    struct kw_args args = KW_BENCH_ARGS(
        verb, options, "", NULL,
        "Measures what a token gives: wraps, unwraps, finds, logins, sessions or random\n"
        "bytes, in as many sessions as asked for.",
        more);
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = token_check();
    if (code >= 0)
        return code;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* --max-rate naps */
    return token_go();
}
