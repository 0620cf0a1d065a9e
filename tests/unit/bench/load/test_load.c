/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement, with options that the words of the program cannot say. */
#include "check.h"

#include <keyward/alloc.h>

#include "document.h"
#include "fake_plugin.h"
#include "load_run.h"

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
    kw_holds(kw_load_document(&o, result),
             "good = 100, overdue = 100, missed = 100, by_method/decrypt/good = 50, "
             "by_method/decrypt/overdue = 50, figures/goodput_per_s = 0, partial = "
             "false");
    end();
}

/* While it is measured, during the warm-up, and while ciphertexts are made: a real token
 * meets the Encrypts first.  (Eleven calls of every run come before.) */
TEST(p99_over_the_limit__stopped_after_a_thousand)
{
    for (int when = 0; when < 3; when++) {
        begin("decrypt");
        if (when == 2)
            CHECK_OK(kw_ciphertexts_parse("distinct:5000", &o.choice, &note));
        o.stop_p99_ns = 1;
        o.warmup_ns = when == 1 ? 600 * KW_S_NS : 0;
        o.seconds_ns = 600 * KW_S_NS;
        CHECK_OK(kw_load_run(&o, result, &note));
        CHECK(result->stopped && result->partial);
        CHECK_HAS(result->fault, "stopped: p99 over the limit: 1000 of 1000");
        const uint64_t replies = result->calls.tally.replies;
        CHECK(when == 0 ? replies >= 985 && replies <= 1003 : replies == 0);
        end();
        CHECK(p.seen[KW_ENCRYPT] < 1100);
        CHECK((p.seen[KW_DECRYPT] == 0) == (when == 2));
    }
}

/* Only Status comes before the guard. */
TEST(keyward_that_nobody_sees__denied_before_any_encrypt)
{
    begin("decrypt");
    o.server_pid = INT32_MAX; /* no kernel has so many */
    o.calls = 5;
    CHECK_CODE(kw_load_run(&o, result, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "--yes");
    o.any_token = true;
    CHECK_OK(kw_load_run(&o, result, &note));
    CHECK(result->calls.tally.all.good.count == 5 && !result->used.known);
    end();
    CHECK(p.seen[KW_ENCRYPT] == 10);
}

KW_CASES("bench/load/load", CASE(every_reply_overdue__good_and_no_goodput),
         CASE(p99_over_the_limit__stopped_after_a_thousand),
         CASE(keyward_that_nobody_sees__denied_before_any_encrypt))
