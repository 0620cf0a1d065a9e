/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement, with options that the words of the program cannot say. */
#include "check.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "load_run.h"
#include "fake_plugin.h"

static struct fake_plugin p;
static struct kw_load_options o;
static struct kw_load_result *result;
static struct kw_progress progress;
static struct kw_note note;

static void begin(const char *mix)
{
    p = (struct fake_plugin){.script = FAKE_GOOD};
    fake_start(&p);
    progress = (struct kw_progress){0};
    o = (struct kw_load_options){.socket = p.path,
                                 .mix = mix,
                                 .ciphertexts = "distinct:10",
                                 .in_flight = 4,
                                 .connections = 1,
                                 .timeout_ns = 3 * KW_S_NS,
                                 .progress = &progress};
    CHECK_OK(kw_mix_parse(o.mix, &o.choice, &note));
    CHECK_OK(kw_ciphertexts_parse(o.ciphertexts, &o.choice, &note));
    result = kw_new(1, sizeof *result);
    CHECK(result != NULL);
}

static void end(void)
{
    kw_free(result);
    fake_stop(&p);
}

/* Nothing is answered within a nanosecond. */
TEST(every_reply_overdue__good_and_no_goodput)
{
    begin("decrypt:1,status:1");
    o.timeout_ns = 1;
    o.calls = 100;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->tally.all.good.count == 100 && result->tally.all.overdue == 100);
    CHECK(result->tally.of[KW_DECRYPT].overdue ==
          result->tally.of[KW_DECRYPT].good.count);
    json_t *document = kw_load_document(&o, result);
    const json_t *figures = json_object_get(document, "figures");
    CHECK(json_integer_value(json_object_get(document, "missed")) == 100);
    CHECK(json_number_value(json_object_get(figures, "goodput_per_s")) == 0);
    json_decref(document);
    CHECK(!result->partial);
    end();
}

TEST(p99_over_the_limit__stopped_after_a_thousand)
{
    begin("decrypt");
    o.stop_p99_ns = 1;
    o.seconds_ns = 600 * KW_S_NS;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->stopped && result->partial);
    CHECK_HAS(result->fault, "stopped: p99 over the limit: 1000 of 1000");
    CHECK(result->tally.replies >= 985 && result->tally.replies <= 1003);
    end();
}

TEST(p99_below_the_limit__goes_on)
{
    begin("decrypt");
    o.stop_p99_ns = 600 * KW_S_NS;
    o.calls = 3000;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(!result->stopped && !result->partial);
    CHECK(result->tally.replies == 3000);
    end();
}

/* The limit holds during the warm-up, too: then nothing is measured at all.  (Eleven
 * calls of every run come before.) */
TEST(p99_over_the_limit_in_the_warm_up__stopped)
{
    begin("decrypt");
    o.stop_p99_ns = 1;
    o.warmup_ns = 600 * KW_S_NS;
    o.seconds_ns = KW_S_NS;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->stopped && result->tally.replies == 0);
    end();
}

/* And while ciphertexts are made: a real token meets the Encrypts first. */
TEST(p99_over_the_limit_while_preparing__stopped)
{
    begin("decrypt");
    o.ciphertexts = "distinct:5000";
    CHECK_OK(kw_ciphertexts_parse(o.ciphertexts, &o.choice, &note));
    o.stop_p99_ns = 1;
    o.calls = 5;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->stopped && result->partial && result->tally.replies == 0);
    end();
    CHECK(p.seen[KW_ENCRYPT] < 1100 && p.seen[KW_DECRYPT] == 0);
}

TEST(encrypt__every_seed_proven)
{
    begin("encrypt");
    o.calls = 25;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->proven == 10 && result->not_proven == 0);
    end();
    CHECK(p.seen[KW_STATUS] == 1);
}

/* Only Status comes before the guard. */
TEST(keyward_that_nobody_sees__denied_before_any_encrypt)
{
    begin("decrypt");
    p.is_keyward = true;
    o.server_pid = INT32_MAX; /* no kernel has so many */
    o.calls = 5;
    CHECK_CODE(kw_load_run(&o, result, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "--yes");
    o.any_token = true;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->tally.all.good.count == 5 && !result->used.known);
    end();
    CHECK(p.seen[KW_ENCRYPT] == 10);
}

/* Every look at this clock finds it ten seconds later: there is always something to
 * say. */
static int64_t running(void *self)
{
    int64_t *now_ns = self;
    return *now_ns += 10 * KW_S_NS;
}

TEST(measuring__tells_how_far_it_is)
{
    char said[4096] = {0};
    int64_t now_ns = 0;
    const struct kw_clock clock = {running, running, running, &now_ns};
    begin("decrypt");
    FILE *out = fmemopen(said, sizeof said - 1, "w");
    CHECK(out != NULL);
    kw_progress_begin(&progress, &clock, out, false, "load");
    o.seconds_ns = 250 * KW_MS_NS;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(fclose(out) == 0);
    CHECK_HAS(said, "keyward-bench load: measuring: ");
    end();
}

KW_CASES("bench/load/load", CASE(every_reply_overdue__good_and_no_goodput),
         CASE(p99_over_the_limit__stopped_after_a_thousand),
         CASE(p99_below_the_limit__goes_on),
         CASE(p99_over_the_limit_in_the_warm_up__stopped),
         CASE(p99_over_the_limit_while_preparing__stopped),
         CASE(encrypt__every_seed_proven),
         CASE(keyward_that_nobody_sees__denied_before_any_encrypt),
         CASE(measuring__tells_how_far_it_is))
