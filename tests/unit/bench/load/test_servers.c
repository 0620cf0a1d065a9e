/* SPDX-License-Identifier: Apache-2.0 */
/* The program against plugins that behave as their scripts say. */
#include "check.h"

#include <jansson.h>
#include <stdio.h>

#include "fake_plugin.h"
#include "run.h"

static struct fake_plugin p;
static struct kw_run r;
static json_t *document; /* of the last run with --json */

#define LOAD(...)                                                                        \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "load", p.path, "--warmup", "0s",    \
                                     "--in-flight", "4", __VA_ARGS__, NULL})
#define MEASURE(...)                                                                     \
    do {                                                                                 \
        kw_run(&r, (const char *const[]){KEYWARD_BENCH, "load", p.path, "--warmup",      \
                                         "0s", "--json", __VA_ARGS__, NULL});            \
        json_error_t why;                                                                \
        json_decref(document);                                                           \
        document = json_loads(r.out, JSON_REJECT_DUPLICATES, &why);                      \
        if (document == NULL)                                                            \
            fail_msg("no JSON: %s\n%s", r.out, r.err);                                   \
    } while (0)

#define FEW "--in-flight", "4", "--ciphertexts", "distinct:10"

/* `after` so many calls, which are answered well, the script begins. */
static void begin(enum fake_script script, unsigned after, unsigned code)
{
    p = (struct fake_plugin){.script = script,
                             .from = after + 1,
                             .times = script == FAKE_INTERRUPTS,
                             .counts = KW_METHODS,
                             .code = code};
    fake_start(&p);
}

static void end(void)
{
    json_decref(document);
    document = NULL;
}

static json_int_t number(const json_t *in, const char *name)
{
    const json_t *n = json_object_get(in, name);
    if (!json_is_integer(n))
        fail_msg("there is no whole number %s", name);
    return json_integer_value(n);
}

static bool has_figure(const char *name)
{
    return json_is_number(json_object_get(json_object_get(document, "figures"), name));
}

static double figure(const char *name)
{
    if (!has_figure(name))
        fail_msg("there is no figure %s", name);
    return json_number_value(json_object_get(json_object_get(document, "figures"), name));
}

TEST(closes_at_once__three_and_which_socket)
{
    begin(FAKE_CLOSES, 0, 0);
    LOAD("--calls", "5");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, p.path);
    CHECK_HAS(r.err, "without a word; may this user (uid ");
}

TEST(answers_as_http1__three)
{
    begin(FAKE_HTTP1, 0, 0);
    LOAD("--calls", "5");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "speaks no HTTP/2");
}

TEST(grpc_without_the_service__three_and_unimplemented)
{
    begin(FAKE_CODE, 0, 12);
    LOAD("--calls", "5");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "UNIMPLEMENTED");
    CHECK(p.seen[KW_ENCRYPT] == 0 && p.seen[KW_DECRYPT] == 0);
}

TEST(status_not_ok__three_before_any_encrypt)
{
    begin(FAKE_ILL, 0, 0);
    LOAD("--calls", "5");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is this a KMS v2 plugin?");
    CHECK(p.seen[KW_ENCRYPT] == 0);
}

/* One Status and ten Encrypts come first. */
TEST(dies_while_measured__three_and_what_was_measured)
{
    begin(FAKE_DIES, 11 + 200, 0);
    MEASURE(FEW, "--calls", "1000");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK(json_is_true(json_object_get(document, "partial")));
    CHECK_HAS(json_string_value(json_object_get(document, "fault")), "closed");
    CHECK(number(document, "good") > 0 && number(document, "good") <= 200);
    CHECK(number(document, "failed") <= 4); /* what was under way */
    end();
}

/* The first call behind the preparation and each third one finds the connection closed.
 */
TEST(dies_with_reconnect__goes_on_and_tells_the_gaps)
{
    begin(FAKE_DIES_EACH_THIRD, 11, 0);
    MEASURE("--in-flight", "1", "--ciphertexts", "distinct:10", "--reconnect",
            "--seconds", "500ms");
    fake_stop(&p);
    CHECK(r.status == 1); /* calls failed */
    CHECK(json_is_false(json_object_get(document, "partial")));
    const json_t *gaps = json_object_get(document, "gaps"),
                 *first = json_array_get(gaps, 0);
    CHECK(json_array_size(gaps) > 1);
    CHECK(number(first, "failed") == 1);
    CHECK_HAS(json_string_value(json_object_get(first, "first_error")), "closed");
    CHECK(number(first, "at_us") >= 0 && number(first, "us") > 0);
    CHECK(number(document, "good") >= 2 && number(document, "failed") >= 2);
    CHECK(number(document, "began_monotonic_ns") > 0);
    end();
}

TEST(nobody_there_with_reconnect__three_when_the_time_is_over)
{
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "load", "/nonexistent/s",
                                     "--reconnect", "--seconds", "50ms", NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "/nonexistent/s: ");
}

TEST(dies_while_prepared__three_and_when)
{
    begin(FAKE_DIES, 5, 0);
    LOAD("--calls", "5");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "making ciphertexts with Encrypt");
    CHECK_STR(r.out, "");
}

TEST(interrupted__three_and_what_was_measured)
{
    begin(FAKE_INTERRUPTS, 11 + 99, 0);
    MEASURE(FEW, "--seconds", "3600s");
    fake_stop(&p);
    CHECK(r.status == 3);
    CHECK(json_is_true(json_object_get(document, "partial")));
    CHECK_STR(json_string_value(json_object_get(document, "fault")), "interrupted");
    CHECK(number(document, "good") >= 90); /* those of its last 4 may be unread */
    CHECK(number(document, "wrong") == 0 && number(document, "failed") == 0);
    end();
}

/* Each of the four is given up a second behind its time. */
TEST(no_answer__given_up_as_exceeded)
{
    begin(FAKE_SILENT, 11 + 10, 0);
    MEASURE(FEW, "--calls", "14", "--timeout", "500ms");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "good") == 10 && number(document, "exceeded") == 4);
    CHECK_HAS(r.out, "no answer in time");
    end();
}

TEST(another_seed__one_and_counted)
{
    begin(FAKE_WRONG, 11 + 100, 0);
    MEASURE(FEW, "--calls", "150");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "wrong") == 50 && number(document, "good") == 100);
    CHECK(number(document, "failed") == 0);
    end();
}

TEST(ciphertexts_that_do_not_open__one)
{
    begin(FAKE_WRONG, 0, 0);
    MEASURE(FEW, "--mix", "encrypt", "--calls", "50");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "good") == 50);
    CHECK(number(document, "not_proven") == 10);
    end();
}

TEST(deadline_exceeded__one_and_apart_from_errors)
{
    begin(FAKE_CODE, 11 + 10, 4);
    MEASURE(FEW, "--calls", "30");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "good") == 10 && number(document, "failed") == 0);
    CHECK(number(document, "missed") == 20 && number(document, "exceeded") == 20);
    CHECK(number(json_object_get(json_object_get(document, "by_method"), "decrypt"),
                 "exceeded") == 20);
    end();
}

TEST(other_errors__one_and_which)
{
    begin(FAKE_CODE, 11 + 10, 14);
    MEASURE(FEW, "--calls", "30");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "failed") == 20 && number(document, "missed") == 0);
    CHECK(number(json_object_get(json_object_get(document, "failures"), "UNAVAILABLE"),
                 "count") == 20);
    end();
}

TEST(no_status__an_error_too)
{
    begin(FAKE_NO_STATUS, 11, 0);
    MEASURE(FEW, "--calls", "20");
    fake_stop(&p);
    CHECK(r.status == 1);
    CHECK(number(document, "failed") == 20);
    CHECK_HAS(r.out, "no grpc-status");
    end();
}

TEST(not_one_good_reply__no_figure_of_a_call)
{
    begin(FAKE_CODE, 11, 14);
    MEASURE(FEW, "--calls", "20");
    fake_stop(&p);
    CHECK(figure("calls_per_s") == 0 && figure("goodput_per_s") == 0);
    CHECK(!has_figure("client_us") && !has_figure("cpu_us") && !has_figure("p50_us"));
    end();
}

/* More is written than a socket holds, and read in small pieces. */
TEST(slow_reader__every_reply_good)
{
    begin(FAKE_SLOW, 0, 0);
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "load", p.path, "--warmup", "0s",
                                     "--in-flight", "512", "--calls", "1500",
                                     "--ciphertexts", "distinct:600", NULL});
    fake_stop(&p);
    CHECK(r.status == 0);
    CHECK(p.seen[KW_ENCRYPT] == 600 && p.seen[KW_DECRYPT] >= 1500);
}

TEST(mix__counts_agree_with_the_plugins)
{
    static const char *const names[KW_METHODS] = {"status", "encrypt", "decrypt"};
    json_int_t got[KW_METHODS];
    begin(FAKE_GOOD, 0, 0);
    MEASURE("--mix", "decrypt:7,encrypt:2,status:1", "--calls", "1000", "--in-flight",
            "3", "--ciphertexts", "distinct:10");
    fake_stop(&p);
    CHECK(r.status == 0);
    for (unsigned m = 0; m < KW_METHODS; m++)
        got[m] = number(json_object_get(json_object_get(document, "by_method"), names[m]),
                        "good");
    CHECK(got[KW_STATUS] == 100 && got[KW_ENCRYPT] == 200 && got[KW_DECRYPT] == 700);
    CHECK(number(document, "good") == 1000 && number(document, "replies") == 1000);
    CHECK(number(document, "proven") == 200);
    /* Of the whole run, one Status and ten Encrypts before and the proof included. */
    const json_t *sent = json_object_get(document, "sent");
    for (unsigned m = 0; m < KW_METHODS; m++)
        CHECK(number(sent, names[m]) == p.seen[m]);
    CHECK(p.seen[KW_STATUS] >= 101 && p.seen[KW_ENCRYPT] >= 210);
    CHECK(p.seen[KW_DECRYPT] >= 900);
    end();
}

TEST(good__histogram_holds_every_good_call)
{
    size_t i;
    json_t *pair;
    json_int_t sum = 0, before = -1;
    begin(FAKE_GOOD, 0, 0);
    MEASURE(FEW, "--calls", "1200");
    fake_stop(&p);
    CHECK(r.status == 0);
    json_array_foreach(json_object_get(document, "histogram"), i, pair)
    {
        CHECK(json_integer_value(json_array_get(pair, 0)) > before);
        before = json_integer_value(json_array_get(pair, 0));
        sum += json_integer_value(json_array_get(pair, 1));
    }
    CHECK(sum == 1200 && number(document, "good") == 1200);
    CHECK(figure("p50_us") <= figure("p90_us"));
    CHECK(!has_figure("p99_us")); /* 12 samples lie beyond it */
    CHECK(figure("goodput_per_s") == figure("calls_per_s"));
    CHECK(!has_figure("late_per_s"));
    end();
}

TEST(open_loop_with_a_ramp__late_ones_told)
{
    begin(FAKE_GOOD, 0, 0);
    MEASURE(FEW, "--rate", "2000", "--ramp", "--calls", "100");
    fake_stop(&p);
    CHECK(r.status == 0);
    CHECK(number(document, "good") == 100 && has_figure("late_per_s"));
    end();
}

TEST(max_rate__never_quicker)
{
    begin(FAKE_GOOD, 0, 0);
    MEASURE(FEW, "--max-rate", "2000", "--calls", "200");
    fake_stop(&p);
    CHECK(r.status == 0);
    CHECK(number(document, "good") == 200);
    CHECK(figure("calls_per_s") <= 2100); /* one call more than gaps, and a millisecond */
    end();
}

TEST(dry_run__nothing_sent)
{
    begin(FAKE_GOOD, 0, 0);
    MEASURE("--dry-run", "--ciphertexts", "repeat:90:100");
    fake_stop(&p);
    CHECK(number(document, "ciphertexts") == 116);
    CHECK(json_is_true(json_object_get(document, "dry_run")));
    CHECK(p.calls == 0);
    end();
}

TEST(bad_options__two_and_which)
{
    p.path[0] = '/';
    LOAD("--mix", "decrypt:1,delete:1");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "decrypt:1,delete:1: an unknown word");
    LOAD("--ciphertexts", "zipf:10:x");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--ciphertexts zipf:10:x");
    LOAD("--mix", "encrypt", "--ciphertexts", "zipf:10:1");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "is about Decrypt");
    LOAD("--reconnect", "--calls", "5");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--reconnect goes on until --seconds are over");
    LOAD("--ramp");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--ramp wants --rate or --max-rate");
    LOAD("--rate", "20", "--max-rate", "10");
    CHECK(r.status == 2);
    LOAD("--stop-p99", "0s");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--stop-p99 0s");
}

KW_CASES("bench/load/servers", CASE(closes_at_once__three_and_which_socket),
         CASE(answers_as_http1__three),
         CASE(grpc_without_the_service__three_and_unimplemented),
         CASE(status_not_ok__three_before_any_encrypt),
         CASE(dies_while_measured__three_and_what_was_measured),
         CASE(dies_with_reconnect__goes_on_and_tells_the_gaps),
         CASE(nobody_there_with_reconnect__three_when_the_time_is_over),
         CASE(dies_while_prepared__three_and_when),
         CASE(interrupted__three_and_what_was_measured),
         CASE(no_answer__given_up_as_exceeded), CASE(another_seed__one_and_counted),
         CASE(ciphertexts_that_do_not_open__one),
         CASE(deadline_exceeded__one_and_apart_from_errors),
         CASE(other_errors__one_and_which), CASE(no_status__an_error_too),
         CASE(not_one_good_reply__no_figure_of_a_call),
         CASE(slow_reader__every_reply_good), CASE(mix__counts_agree_with_the_plugins),
         CASE(good__histogram_holds_every_good_call),
         CASE(open_loop_with_a_ramp__late_ones_told), CASE(max_rate__never_quicker),
         CASE(dry_run__nothing_sent), CASE(bad_options__two_and_which))
