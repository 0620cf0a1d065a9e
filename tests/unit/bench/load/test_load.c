/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement, with times that the words of the program cannot say. */
#include "check.h"

#include "document.h"
#include "fake_plugin.h"
#include "load_run.h"

static struct fake_plugin p;
static struct kw_load_options o;
static struct kw_load_result result;

static void measure(const struct kw_load_options *options)
{
    static struct kw_progress silent;
    struct kw_note note = {{0}};
    p = (struct fake_plugin){0};
    fake_start(&p);
    o = *options;
    o.socket = p.path;
    o.in_flight = 4;
    o.connections = 1;
    o.progress = &silent;
    CHECK_OK(kw_mix_parse(o.mix, &o.choice, &note));
    CHECK_OK(kw_ciphertexts_parse(o.ciphertexts, &o.choice, &note));
    memset(&result, 0, sizeof result);
    CHECK_OK(kw_load_run(&o, &result, &note));
    fake_stop(&p);
}
#define MEASURE(...) measure(&(struct kw_load_options){__VA_ARGS__})

/* Nothing is answered within a nanosecond. */
TEST(every_reply_overdue__good_and_no_goodput)
{
    MEASURE(.mix = "decrypt:1,status:1", .ciphertexts = "distinct:10", .timeout_ns = 1,
            .calls = 100);
    kw_holds(
        kw_load_document(&o, &result),
        "good = 100, overdue = 100, missed = 100, by_method/decrypt/good = 50, "
        "by_method/decrypt/overdue = 50, figures/goodput_per_s = 0, partial = false");
}

/* While it is measured, during the warm-up, and while ciphertexts are made: a real token
 * meets the Encrypts first.  (Eleven calls of every run come before.) */
TEST(p99_over_the_limit__stopped_after_a_thousand)
{
    for (int when = 0; when < 3; when++) {
        MEASURE(.mix = "decrypt",
                .ciphertexts = when == 2 ? "distinct:5000" : "distinct:10",
                .timeout_ns = 3 * KW_S_NS, .stop_p99_ns = 1, .seconds_ns = 600 * KW_S_NS,
                .warmup_ns = when == 1 ? 600 * KW_S_NS : 0);
        kw_holds(kw_load_document(&o, &result),
                 "stopped = true, partial = true, "
                 "fault ~ stopped: p99 over the limit: 1000 of 1000");
        const uint64_t replies = result.calls.tally.replies;
        CHECK(when == 0 ? replies >= 985 && replies <= 1003 : replies == 0);
        CHECK(p.seen[KW_ENCRYPT] < 1100);
        CHECK((p.seen[KW_DECRYPT] == 0) == (when == 2));
    }
}

KW_SUITE("bench/load/load")
