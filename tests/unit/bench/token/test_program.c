/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is refused, and what is understood of the rest. */
#include "check.h"

#include <jansson.h>
#include <stdio.h>

#include "run.h"

static struct kw_run r;

#define TOKEN "--module", "/m.so", "--uri", "pkcs11:token=t", "--pin", "file:/p"
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "token", __VA_ARGS__, NULL})

TEST(no_token_named__two)
{
    RUN("--uri", "pkcs11:token=t", "--pin", "file:/p");
    CHECK(r.status == 2);
    RUN("--module", "/m.so", "--pin", "file:/p");
    CHECK(r.status == 2);
    RUN("--module", "/m.so", "--uri", "pkcs11:token=t");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--module, --uri and --pin");
}

/* Each with what is said of it. */
TEST(words_it_does_not_take__two_and_which)
{
    static const char *const bad[][6] = {
        {"--op sign: it wants unwrap, wrap, find, login, session or random", "--op=sign"},
        {"--key file", "--key=file"},
        {"from 1 to 64", "--processes=65"},
        {"from 1 to 64", "--threads=0"},
        {"from 1 to 1024", "--sessions=1025"},
        {"--max-rate 0", "--max-rate=0"},
        {"--stop-p99 0s", "--stop-p99=0s"},
        {"--calls 0", "--calls=0"},
        {"--curve", "--curve=1,"},
        {"--curve 0", "--curve=1,0"},
        {"--cpu 1024", "--cpu=0,1024"},
        {"at most 256 threads", "--processes=64", "--threads=5"},
        {"--curve says itself", "--curve=1,2", "--threads=2"},
        {"--curve says itself", "--curve=1,2", "--processes=2"},
        {"--curve says itself", "--curve=1,2", "--sessions=2"},
        {"--op random uses no key", "--op=random", "--key=token"},
        {"--ramp rises to --max-rate", "--ramp=1s"},
        {"two ways to say when to end", "--calls=5", "--seconds=1s"},
        {"--op login has one process", "--op=login", "--threads=2"},
        {"--op login has one process", "--op=login", "--sessions=2"},
        {"--op login has one process", "--op=login", "--processes=2"},
        {"--op login has one process", "--op=login", "--curve=1,2"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        RUN(TOKEN, "--dry-run", bad[i][1], bad[i][2]);
        CHECK(r.status == 2);
        CHECK_HAS(r.err, bad[i][0]);
        CHECK_STR(r.out, "");
    }
}

static json_t *document;

static const json_t *option(const char *name)
{
    const json_t *o = json_object_get(json_object_get(document, "options"), name);
    if (o == NULL)
        fail_msg("no option %s", name);
    return o;
}

static json_int_t number(const char *name)
{
    return json_integer_value(option(name));
}

static void plan(void)
{
    json_decref(document);
    CHECK(r.status == 0);
    document = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    CHECK(document != NULL);
    CHECK(json_is_true(json_object_get(document, "dry_run")));
}

TEST(nothing_more__the_defaults)
{
    RUN(TOKEN, "--dry-run", "--json");
    plan();
    CHECK_STR(json_string_value(option("operation")), "unwrap");
    CHECK_STR(json_string_value(option("key")), "token");
    CHECK(number("processes") == 1 && number("threads") == 1 && number("sessions") == 1);
    CHECK(number("seconds_ns") == 5 * KW_S_NS && number("warmup_ns") == KW_S_NS);
    CHECK(number("calls") == 0 && number("max_rate") == 0 && number("stop_p99_ns") == 0);
    CHECK(json_array_size(option("curve")) == 0);
}

TEST(everything__understood)
{
    RUN(TOKEN, "--dry-run", "--json", "--op", "find", "--key", "copy", "--processes",
        "64", "--threads", "4", "--sessions", "1024", "--seconds", "2s", "--warmup", "0s",
        "--max-rate", "10", "--ramp", "5s", "--stop-p99", "20ms", "--cpu", "0,1",
        "--yes");
    plan();
    CHECK_STR(json_string_value(option("operation")), "find");
    CHECK_STR(json_string_value(option("key")), "copy");
    CHECK(number("processes") == 64 && number("threads") == 4);
    CHECK(number("sessions") == 1024 && number("max_rate") == 10);
    CHECK(number("ramp_ns") == 5 * KW_S_NS && number("stop_p99_ns") == 20 * KW_MS_NS);
    RUN(TOKEN, "--dry-run", "--json", "--curve", "1,2,4,64", "--calls", "7");
    plan();
    CHECK(json_array_size(option("curve")) == 4 && number("calls") == 7);
    json_decref(document);
    document = NULL;
}

KW_CASES("bench/token/program", CASE(no_token_named__two),
         CASE(words_it_does_not_take__two_and_which), CASE(nothing_more__the_defaults),
         CASE(everything__understood))
