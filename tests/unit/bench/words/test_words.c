/* SPDX-License-Identifier: Apache-2.0 */
/* What each verb does not take, told before anything is opened, or as soon as it is. */
#include "check.h"

#include "run.h"

struct refusal {
    int status;
    const char *said, *words;
};

static void refuse(const char *verb, const struct refusal *of, size_t count)
{
    static struct kw_run r;
    for (size_t i = 0; i < count; i++) {
        kw_run_line(&r, of[i].status, KEYWARD_BENCH, "%s %s", verb, of[i].words);
        CHECK_HAS(r.err, of[i].said);
        CHECK_STR(r.out, "");
    }
}
#define REFUSE(verb, of) refuse(verb, of, sizeof(of) / sizeof(of)[0])

static const struct refusal of_load[] = {
    {2, "decrypt:1,delete:1: an unknown word", "/ --mix decrypt:1,delete:1"},
    {2, "--ciphertexts zipf:10:x", "/ --ciphertexts zipf:10:x"},
    {2, "is about Decrypt", "/ --mix encrypt --ciphertexts zipf:10:1"},
    {2, "--reconnect goes on until", "/ --reconnect --calls 5"},
    {2, "two ways to say when to end", "/ --seconds 1s --calls 5"},
    {2, "--ramp wants --rate or --max-rate", "/ --ramp"},
    {2, "more than --max-rate", "/ --rate 20 --max-rate 10"},
    {2, "more connections than calls", "/ --in-flight 4 --connections 5"},
    {2, "--stop-p99 0s", "/ --stop-p99 0s"},
};

TEST(load__words_that_do_not_fit__two_and_which)
{
    REFUSE("load --warmup 0s", of_load);
}

static const struct refusal of_storm[] = {
    {2, "SOCKET", ""},
    {2, "2 sockets for 1 servers", "a b --servers 1"},
    {2, "400 lists of a server, at most 256", "a --readers 20 --parallel=20"},
    {2, "--seeds 0", "a --seeds 0"},
    {2, "one at a time", "a --prepare x --corpus=y"},
    {2, "are for --day", "a --compress 10"},
    {2, "no --limit with --day", "a --day --limit 1s"},
};

TEST(storm__words_that_do_not_fit__two_and_which)
{
    REFUSE("storm", of_storm);
}

static const struct refusal of_serve[] = {
    {2, "SOCKET", "--work=echo"},
    {2, "echo, software or token", "/tmp/s"},
    {2, "dance", "/tmp/s --work=dance"},
    {2, "--uri", "/tmp/s --work=token --module=/x"},
    {2, "are for --work token", "/tmp/s --work=software --key=token"},
    {2, "--no-verify", "/tmp/s --work=echo --no-verify"},
    {3, "/nonexistent/kw", "/nonexistent/kw/s --work=software"},
    {3, "/nonexistent/kw", "/nonexistent/kw/s --work=echo"},
    {3, "/nonexistent.so",
     "/tmp/s --work=token --module=/nonexistent.so --uri=pkcs11:token=a --pin=file:/x"},
};

TEST(serve__words_that_do_not_fit_or_name_nothing__status_and_which)
{
    REFUSE("serve", of_serve);
}

#define URI "--uri=pkcs11:token=t "
#define TOKEN "--module=/m.so --pin=file:/p " URI

static const struct refusal of_token[] = {
    {2, "--module, --uri and --pin", "--pin=file:/p " URI},
    {2, "--module, --uri and --pin", "--module=/m.so --pin=file:/p"},
    {2, "--module, --uri and --pin", "--module=/m.so " URI},
    {2, "--op sign: it wants unwrap, wrap, find, login, session or random",
     TOKEN "--op=sign"},
    {2, "--key file", TOKEN "--key=file"},
    {2, "from 1 to 64", TOKEN "--processes=65"},
    {2, "from 1 to 64", TOKEN "--threads=0"},
    {2, "from 1 to 1024", TOKEN "--sessions=1025"},
    {2, "--max-rate 0", TOKEN "--max-rate=0"},
    {2, "--stop-p99 0s", TOKEN "--stop-p99=0s"},
    {2, "--curve 0", TOKEN "--curve=1,0"},
    {2, "at most 256 threads", TOKEN "--processes=64 --threads=5"},
    {2, "--curve says itself", TOKEN "--curve=1,2 --threads=2"},
    {2, "--curve says itself", TOKEN "--curve=1,2 --processes=2"},
    {2, "--curve says itself", TOKEN "--curve=1,2 --sessions=2"},
    {2, "--op random uses no key", TOKEN "--op=random --key=token"},
    {2, "--ramp rises to --max-rate", TOKEN "--ramp=1s"},
    {2, "two ways to say when to end", TOKEN "--calls=5 --seconds=1s"},
    {2, "--op login has one process", TOKEN "--op=login --threads=2"},
    {2, "--op login has one process", TOKEN "--op=login --sessions=2"},
    {2, "--op login has one process", TOKEN "--op=login --processes=2"},
    {2, "--op login has one process", TOKEN "--op=login --curve=1,2"},
};

TEST(token__words_that_do_not_fit__two_and_which)
{
    REFUSE("token --dry-run", of_token);
}

static const struct refusal of_micro[] = {
    {2, "no case matches the filter", "--benchmark_filter=cahce"},
    {2, "--benchmark_fliter=cache", "--benchmark_fliter=cache"},
};

TEST(micro__words_it_does_not_take__two_and_which)
{
    REFUSE("micro", of_micro);
}

KW_CASES("bench/words", CASE(load__words_that_do_not_fit__two_and_which),
         CASE(storm__words_that_do_not_fit__two_and_which),
         CASE(serve__words_that_do_not_fit_or_name_nothing__status_and_which),
         CASE(token__words_that_do_not_fit__two_and_which),
         CASE(micro__words_it_does_not_take__two_and_which))
