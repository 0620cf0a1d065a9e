/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "options.h"

static const struct kw_verb verb = {.name = "token"};

static struct kw_token_words some(void)
{
    return (struct kw_token_words){
        .module = "/m.so", .uri = "pkcs11:token=t", .pin = "file:/p"};
}

/* Wrong usage, and the plan is as it was. */
static void refused(struct kw_token_words w)
{
    struct kw_token_plan p = {.processes = 77};
    CHECK(kw_token_plan_read(&verb, &w, &p) == KW_EXIT_USAGE);
    CHECK(p.processes == 77 && p.module == NULL);
}

static struct kw_token_plan taken(struct kw_token_words w)
{
    struct kw_token_plan p = {0};
    CHECK(kw_token_plan_read(&verb, &w, &p) == -1);
    return p;
}

#define WITH(...)                                                                        \
    ((struct kw_token_words){                                                            \
        .module = "/m.so", .uri = "pkcs11:token=t", .pin = "file:/p", __VA_ARGS__})

static void read__no_token_named__refused(void **state)
{
    (void)state;
    struct kw_token_words w = some();
    w.module = NULL;
    refused(w);
    w = some();
    w.uri = NULL;
    refused(w);
    w = some();
    w.pin = NULL;
    refused(w);
}

static void read__unknown_words__refused(void **state)
{
    (void)state;
    refused(WITH(.op = "sign"));
    refused(WITH(.op = ""));
    refused(WITH(.key = "file"));
    refused(WITH(.processes = "0"));
    refused(WITH(.processes = "65"));
    refused(WITH(.threads = "-1"));
    refused(WITH(.sessions = "1025"));
    refused(WITH(.max_rate = "0"));
    refused(WITH(.stop_p99 = "0s"));
    refused(WITH(.stop_p99 = "5"));
    refused(WITH(.calls = "0"));
}

static void read__lists_that_are_none__refused(void **state)
{
    (void)state;
    refused(WITH(.curve = ""));
    refused(WITH(.curve = "1,"));
    refused(WITH(.curve = ",1"));
    refused(WITH(.curve = "1,0"));
    refused(WITH(.curve = "1,65"));
    refused(WITH(.curve = "1;2"));
    refused(WITH(.curve = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"));
    refused(WITH(.curve = "00000000000000000000000001"));
    refused(WITH(.cpu = "0,1024"));
}

static void read__contradictions__refused(void **state)
{
    (void)state;
    refused(WITH(.processes = "64", .threads = "5"));
    refused(WITH(.curve = "1,2", .threads = "2"));
    refused(WITH(.curve = "1,2", .processes = "2"));
    refused(WITH(.curve = "1,2", .sessions = "2"));
    refused(WITH(.op = "random", .key = "token"));
    refused(WITH(.ramp = "1s"));
    refused(WITH(.calls = "5", .seconds = "1s"));
    refused(WITH(.op = "login", .threads = "2"));
    refused(WITH(.op = "login", .sessions = "2"));
    refused(WITH(.op = "login", .processes = "2"));
    refused(WITH(.op = "login", .curve = "1,2"));
}

static void read__nothing_more__the_defaults(void **state)
{
    (void)state;
    struct kw_token_plan p = taken(some());
    CHECK(p.op == KW_OP_UNWRAP && p.place == KW_PLACE_TOKEN);
    CHECK(p.processes == 1 && p.threads == 1 && p.sessions == 1);
    CHECK(p.curve_count == 0 && p.cpu_count == 0 && p.max_rate == 0 && p.calls == 0);
    CHECK(p.seconds_ns == 5 * KW_S_NS && p.warmup_ns == KW_S_NS && p.stop_p99_ns == 0);
    CHECK(!p.any_token && !p.clean && !p.dry_run && p.keyring == NULL);
}

static void read__everything__taken(void **state)
{
    (void)state;
    struct kw_token_plan p =
        taken(WITH(.op = "find", .key = "copy", .processes = "64", .threads = "4",
                   .sessions = "1024", .seconds = "2s", .warmup = "0s", .max_rate = "10",
                   .ramp = "5s", .stop_p99 = "20ms", .keyring = "/k", .cpu = "0,1",
                   .yes = true));
    CHECK(p.op == KW_OP_FIND && p.place == KW_PLACE_COPY);
    CHECK(p.processes == 64 && p.threads == 4 && p.sessions == 1024);
    CHECK(p.max_rate == 10 && p.ramp_ns == 5 * KW_S_NS);
    CHECK(p.stop_p99_ns == 20 * KW_MS_NS && p.warmup_ns == 0);
    CHECK(p.cpu_count == 2 && p.cpu[1] == 1 && p.any_token);
    CHECK_STR(p.keyring, "/k");
}

static void read__curve__its_points(void **state)
{
    (void)state;
    struct kw_token_plan p = taken(WITH(.curve = "1,2,4,64"));
    CHECK(p.curve_count == 4 && p.curve[0] == 1 && p.curve[2] == 4 && p.curve[3] == 64);
}

KW_CASES("bench/token/options", CASE(read__no_token_named__refused),
         CASE(read__unknown_words__refused), CASE(read__lists_that_are_none__refused),
         CASE(read__contradictions__refused), CASE(read__nothing_more__the_defaults),
         CASE(read__everything__taken), CASE(read__curve__its_points))
