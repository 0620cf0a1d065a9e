/* SPDX-License-Identifier: Apache-2.0 */
/* Every way out, and the key is gone. */
#include "bench.h"

#include <signal.h>

static struct fixture f;
static struct kw_run r;

/* whom: the program alone, or with all that it started, as a terminal does it. */
enum whom { ALONE, GROUP };
static void signalled(enum whom whom, int number, int status, bool says)
{
    struct bench_started s;
    bench_begin(&f);
    BENCH_START(&f, &s, "--max-rate", "200", "--seconds", "1h");
    bench_await_key(&s);
    CHECK(kill(whom == GROUP ? -s.pid : s.pid, number) == 0);
    bench_end(&s, &r);
    if (r.status != status)
        fail_msg("exit status %d, not %d\n%s%s", r.status, status, r.out, r.err);
    CHECK((r.out[0] != '\0') == says); /* the outcome, as a table or a document */
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(ctrl_c__partial_and_key_destroyed)
{
    signalled(GROUP, SIGINT, 3, true);
}

TEST(terminated__partial_and_key_destroyed)
{
    signalled(ALONE, SIGTERM, 3, true);
}

/* Its standard error ends when the last of its processes has. */
TEST(killed__key_destroyed)
{
    signalled(ALONE, SIGKILL, 128 + SIGKILL, false);
}

TEST(module_crashes_while_measured__key_destroyed)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_Decrypt crash skip=20\n");
    BENCH_MUST(3, &f, &r, "--max-rate", "200", "--seconds", "1h", "--processes", "2",
               "--warmup", "1m");
    CHECK_HAS(r.err, "died of signal 6");
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(token_fails_while_measured__told_and_key_destroyed)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_Decrypt rv=0x30 skip=20\n");
    BENCH_MUST(1, &f, &r, "--max-rate", "200", "--seconds", "1h", "--warmup", "0s",
               "--json");
    CHECK_HAS(r.out, "the token failed while it was measured");
    CHECK_HAS(r.out, "\"partial\": true");
    CHECK(number_of(r.out, "good") > 0);
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(slow_token__stopped_at_its_limit)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_Decrypt delay=3 skip=20\n");
    BENCH_MUST(3, &f, &r, "--seconds", "1h", "--warmup", "0s", "--stop-p99", "1ms",
               "--json");
    CHECK_HAS(r.out, "\"fault\": \"stopped: ");
    CHECK_HAS(r.out, "\"partial\": true");
    CHECK(number_of(r.out, "good") > 0);
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(copy_refused__told_and_key_destroyed)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_CopyObject rv=0x13\n");
    BENCH_MUST(3, &f, &r, "--key", "copy", "--seconds", "1h");
    CHECK_HAS(r.err, "--key session");
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(key_not_destroyed__told_with_its_label)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_DestroyObject rv=0x6 skip=1\n"); /* the self-test's */
    BENCH_MUST(1, &f, &r, "--calls", "5", "--warmup", "0s", "--json");
    CHECK_HAS(r.out, "could not be destroyed");
    CHECK_HAS(r.out, "--clean");
    CHECK(leftovers(&f) == 1);
    fixture_end(&f);
}

TEST(owner_crashes__told_with_its_label)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_DestroyObject crash skip=1\n");
    BENCH_MUST(1, &f, &r, "--calls", "5", "--warmup", "0s", "--json");
    CHECK_HAS(r.out, "the process that keeps the key died");
    CHECK_HAS(r.out, "--clean");
    CHECK(number_of(r.out, "good") == 5);
    CHECK(leftovers(&f) == 1);
    fixture_end(&f);
}

KW_CASES("bench/end", CASE(owner_crashes__told_with_its_label),
         CASE(key_not_destroyed__told_with_its_label),
         CASE(copy_refused__told_and_key_destroyed),
         CASE(token_fails_while_measured__told_and_key_destroyed),
         CASE(module_crashes_while_measured__key_destroyed),
         CASE(slow_token__stopped_at_its_limit), CASE(killed__key_destroyed),
         CASE(terminated__partial_and_key_destroyed),
         CASE(ctrl_c__partial_and_key_destroyed))
