/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is refused, and what is understood of the rest. */
#include "check.h"

#include <jansson.h>

#include "run.h"

static struct kw_run r;

#define TOKEN "--module", "/m.so", "--uri", "pkcs11:token=t", "--pin", "file:/p"
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "token", __VA_ARGS__, NULL})

/* Each with what is said of it. */
TEST(words_it_does_not_take__two_and_which)
{
    static const char *const bad[][3] = {
        {"--op sign: it wants unwrap, wrap, find, login, session or random", "--op=sign"},
        {"--key file", "--key=file"},
        {"from 1 to 64", "--processes=65"},
        {"from 1 to 64", "--threads=0"},
        {"from 1 to 1024", "--sessions=1025"},
        {"--max-rate 0", "--max-rate=0"},
        {"--stop-p99 0s", "--stop-p99=0s"},
        {"--curve 0", "--curve=1,0"},
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
    static const char *const two[][2] = {{"--uri=pkcs11:token=t", "--pin=file:/p"},
                                         {"--module=/m.so", "--pin=file:/p"},
                                         {"--module=/m.so", "--uri=pkcs11:token=t"}};
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        RUN("--dry-run", two[i][0], two[i][1]);
        CHECK(r.status == 2);
        CHECK_HAS(r.err, "--module, --uri and --pin");
    }
}

static void check_options(const char *const wanted[])
{
    CHECK(r.status == 0);
    json_t *document = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    char *options = json_dumps(json_object_get(document, "options"), JSON_COMPACT);
    CHECK(options != NULL && json_is_true(json_object_get(document, "dry_run")));
    for (size_t i = 0; wanted[i] != NULL; i++)
        CHECK_HAS(options, wanted[i]);
    free(options);
    json_decref(document);
}
#define CHECK_OPTIONS(...) check_options((const char *const[]){__VA_ARGS__, NULL})

TEST(options__or_their_defaults__understood)
{
    RUN(TOKEN, "--dry-run", "--json");
    CHECK_OPTIONS("\"operation\":\"unwrap\"", "\"key\":\"token\"",
                  "\"processes\":1,\"threads\":1,\"sessions\":1,", "\"curve\":[]",
                  "\"seconds_ns\":5000000000,\"calls\":0,\"warmup_ns\":1000000000,",
                  "\"ramp_ns\":0,\"max_rate\":0,\"stop_p99_ns\":0}");
    RUN(TOKEN, "--dry-run", "--json", "--op", "find", "--key", "copy", "--processes",
        "64", "--threads", "4", "--sessions", "1024", "--calls", "7", "--warmup", "0s",
        "--max-rate", "10", "--ramp", "5s", "--stop-p99", "20ms", "--cpu", "0,1",
        "--yes");
    CHECK_OPTIONS("\"operation\":\"find\"", "\"key\":\"copy\"",
                  "\"processes\":64,\"threads\":4,\"sessions\":1024,",
                  "\"calls\":7,\"warmup_ns\":0,",
                  "\"ramp_ns\":5000000000,\"max_rate\":10,\"stop_p99_ns\":20000000}");
    RUN(TOKEN, "--dry-run", "--json", "--curve", "1,2,4,64");
    CHECK_OPTIONS("\"curve\":[1,2,4,64]");
}

KW_CASES("bench/token/program", CASE(words_it_does_not_take__two_and_which),
         CASE(options__or_their_defaults__understood))
