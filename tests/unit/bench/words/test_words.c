/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs do not take, told before anything is opened, or as soon as it is; and what
 * they understand of the rest. */
#include "check.h"

#include "document.h"
#include "run.h"

#define URI "--uri=pkcs11:token=t "
#define PIN "--pin=file:/p "
#define TOKEN "token --dry-run --module=/m.so " PIN URI

static const struct {
    int status;
    const char *words, *said;
} refusals[] = {
    {2, "load / --mix decrypt:1,delete:1", "decrypt:1,delete:1: an unknown word"},
    {2, "load / --ciphertexts zipf:10:x", "--ciphertexts zipf:10:x"},
    {2, "load / --mix encrypt --ciphertexts zipf:10:1", "is about Decrypt"},
    {2, "load / --reconnect --calls 5", "--reconnect goes on until"},
    {2, "load / --seconds 1s --calls 5", "two ways to say when to end"},
    {2, "load / --ramp", "--ramp wants --rate or --max-rate"},
    {2, "load / --rate 20 --max-rate 10", "is more than --max-rate"},
    {2, "load / --in-flight 4 --connections 5", "more connections than calls"},
    {2, "load / --stop-p99 0s", "--stop-p99 0s"},

    {2, "storm", "SOCKET"},
    {2, "storm a b --servers 1", "more sockets than servers"},
    {2, "storm a --readers 20 --parallel=20", "lists of a server, at most 256"},
    {2, "storm a --seeds 0", "--seeds 0"},
    {2, "storm a --prepare x --corpus=y", "one at a time"},
    {2, "storm a --compress 10", "are for --day"},
    {2, "storm a --day --limit 1s", "no --limit with --day"},

    {2, "serve --work=echo", "SOCKET"},
    {2, "serve /tmp/s", "echo, software or token"},
    {2, "serve /tmp/s --work=dance", "dance"},
    {2, "serve /tmp/s --work=token --module=/x", "--uri"},
    {2, "serve /tmp/s --work=software --key=token", "are for --work token"},
    {2, "serve /tmp/s --work=echo --no-verify", "--no-verify"},
    {3, "serve /nonexistent/kw/s --work=software", "/nonexistent/kw"},
    {3, "serve /nonexistent/kw/s --work=echo", "/nonexistent/kw"},
    {3, "serve /tmp/s --work=token --module=/nonexistent.so " PIN URI, "/nonexistent.so"},

    {2, "token --dry-run " PIN URI, "--module, --uri and --pin"},
    {2, "token --dry-run --module=/m.so " PIN, "--module, --uri and --pin"},
    {2, "token --dry-run --module=/m.so " URI, "--module, --uri and --pin"},
    {2, TOKEN "--op=sign",
     "--op sign: it wants unwrap, wrap, find, login, session or random"},
    {2, TOKEN "--key=file", "--key file"},
    {2, TOKEN "--processes=65", "from 1 to 64"},
    {2, TOKEN "--threads=0", "from 1 to 64"},
    {2, TOKEN "--sessions=1025", "from 1 to 1024"},
    {2, TOKEN "--max-rate=0", "--max-rate 0"},
    {2, TOKEN "--stop-p99=0s", "--stop-p99 0s"},
    {2, TOKEN "--curve=1,0", "--curve 0"},
    {2, TOKEN "--processes=64 --threads=5", "at most 256 threads"},
    {2, TOKEN "--curve=1,2 --threads=2", "--curve says itself"},
    {2, TOKEN "--curve=1,2 --processes=2", "--curve says itself"},
    {2, TOKEN "--curve=1,2 --sessions=2", "--curve says itself"},
    {2, TOKEN "--fit=1,2 --threads=2", "--fit says itself"},
    {2, TOKEN "--fit=1,2 --sessions=2", "--fit says itself"},
    {2, TOKEN "--fit=1,2 --curve=1,2", "--fit says itself"},
    {2, TOKEN "--fit=1,2 --processes=5", "--fit has at most 4 processes"},
    {2, TOKEN "--fit=1,2 --op=random", "--fit has at most 4 processes, and unwraps"},
    {2, TOKEN "--fit=1,65", "from 1 to 64"},
    {2, TOKEN "--op=random --key=token", "this --op uses no key"},
    {2, TOKEN "--ramp=1s", "--ramp rises to --max-rate"},
    {2, TOKEN "--calls=5 --seconds=1s", "two ways to say when to end"},
    {2, TOKEN "--op=login --threads=2", "--op login has one process"},
    {2, TOKEN "--op=login --sessions=2", "--op login has one process"},
    {2, TOKEN "--op=login --processes=2", "--op login has one process"},
    {2, TOKEN "--op=login --curve=1,2", "--op login has one process"},

    {2, "wall --workers 2 --in-flight 129", "at most 64 for each worker"},
    {2, "wall --sessions 65", "from 1 to 64"},

    {2, "micro --benchmark_filter=cahce", "no case matches the filter"},
    {2, "micro --benchmark_fliter=cache", "--benchmark_fliter=cache"},
};

static struct kw_run r;

static void refused(const char *verb)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (strncmp(refusals[i].words, verb, strlen(verb)) != 0)
            continue;
        kw_run_line(&r, refusals[i].status, KEYWARD_BENCH, "%s", refusals[i].words);
        CHECK_HAS(r.err, refusals[i].said);
        CHECK_STR(r.out, "");
    }
}

TEST(load_or_storm__words_that_do_not_fit__status_and_which)
{
    refused("load");
    refused("storm");
}

TEST(serve_wall_or_micro__words_that_do_not_fit_or_name_nothing__status_and_which)
{
    refused("serve");
    refused("wall");
    refused("micro");
}

TEST(token__words_that_do_not_fit__status_and_which)
{
    refused("token");
}

TEST(token__options_or_their_defaults__understood)
{
    static const struct {
        const char *words, *options;
    } rows[] = {
        {"", "operation = unwrap, key = token, processes = 1, threads = 1, sessions = 1, "
             "curve/# = 0, seconds_ns = 5e9, calls = 0, warmup_ns = 1e9, ramp_ns = 0, "
             "max_rate = 0, stop_p99_ns = 0"},
        {"--op find --key copy --processes 64 --threads 4 --sessions 1024 --calls 7 "
         "--warmup 0s --max-rate 10 --ramp 5s --stop-p99 20ms --cpu 0,1 --yes",
         "operation = find, key = copy, processes = 64, threads = 4, sessions = 1024, "
         "calls = 7, warmup_ns = 0, ramp_ns = 5e9, max_rate = 10, stop_p99_ns = 2e7"},
        {"--curve 1,2,4,64",
         "curve/# = 4, curve/0 = 1, curve/1 = 2, curve/2 = 4, curve/3 = 64, fit = false"},
        {"--fit 1,8", "curve/# = 2, curve/1 = 8, fit = true, processes = 2"},
        {"--fit 4 --processes 3", "curve/# = 1, fit = true, processes = 3"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kw_run_line(&r, 0, KEYWARD_BENCH, TOKEN "--json %s", rows[i].words);
        kw_says(r.out, "dry_run = true");
        json_t *all = kw_parsed(r.out);
        kw_holds(json_incref(json_object_get(all, "options")), rows[i].options);
        json_decref(all);
    }
}

KW_SUITE("bench/words")
