/* SPDX-License-Identifier: Apache-2.0 */
/* What is done, counted at the module. */
#include "bench.h"

static struct fixture f;
static struct kw_run r;

TEST(shape__processes_threads_sessions__the_sum_of_all)
{
    bench_begin(&f);
    unsigned logins = kw_fault_count(&f.hsm, "C_Login");
    unsigned sessions = kw_fault_count(&f.hsm, "C_OpenSession");
    BENCH_MUST(0, &f, &r, "--op", "random", "--processes", "2", "--threads", "2",
               "--sessions", "3", "--max-rate", "400", "--calls", "61", "--warmup", "0s",
               "--json");
    double good = number_of(r.out, "good");
    CHECK(good == 61 && good == (double)kw_fault_count(&f.hsm, "C_GenerateRandom"));
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 2 + 1);
    CHECK(kw_fault_count(&f.hsm, "C_OpenSession") == sessions + 2 * 2 * 3 + 1);
    CHECK(number_of(r.out, "wrong") == 0 && number_of(r.out, "cpu_us") > 0);
    CHECK_HAS(r.out, "\"partial\": false");
    fixture_end(&f);
}

TEST(warm_up__before_the_measured_time__not_counted)
{
    bench_begin(&f);
    BENCH_MUST(0, &f, &r, "--op", "random", "--max-rate", "100", "--ramp", "500ms",
               "--calls", "5", "--warmup", "500ms", "--json");
    CHECK(number_of(r.out, "good") == 5);
    CHECK(number_of(r.out, "good") < (double)kw_fault_count(&f.hsm, "C_GenerateRandom"));
    fixture_end(&f);
}

TEST(curve__two_points__each_with_its_sessions)
{
    bench_begin(&f);
    unsigned logins = kw_fault_count(&f.hsm, "C_Login");
    unsigned keys = kw_fault_count(&f.hsm, "C_GenerateKey");
    BENCH_MUST(0, &f, &r, "--curve", "1,3", "--max-rate", "300", "--calls", "12",
               "--warmup", "0s", "--json");
    const char *curve = strstr(r.out, "\"curve\": [\n");
    CHECK(curve != NULL);
    CHECK_HAS(curve, "\"sessions\": 1");
    CHECK_HAS(curve, "\"sessions\": 3");
    CHECK(number_of(curve, "ops_per_s") > 0);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1 + 1 + 3);
    CHECK(kw_fault_count(&f.hsm, "C_GenerateKey") ==
          keys + 2); /* self-test's, and ours */
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(every_operation_and_place__no_key_left)
{
    static const char *const ops[] = {"unwrap", "wrap",    "find",
                                      "login",  "session", "random"};
    static const char *const places[] = {"session", "copy"};
    bench_begin(&f);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        BENCH_MUST(0, &f, &r, "--op", ops[i], "--calls", "20", "--warmup", "0s",
                   "--json");
        CHECK(number_of(r.out, "good") == 20 && number_of(r.out, "wrong") == 0);
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        BENCH_MUST(0, &f, &r, "--key", places[i], "--calls", "20", "--warmup", "0s",
                   "--threads", "2", "--json");
        CHECK(number_of(r.out, "good") == 20 && number_of(r.out, "wrong") == 0);
    }
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(login__each__a_login_and_a_logout_at_the_module)
{
    bench_begin(&f);
    unsigned logins = kw_fault_count(&f.hsm, "C_Login");
    BENCH_MUST(0, &f, &r, "--op", "login", "--calls", "5", "--warmup", "0s", "--json");
    double good = number_of(r.out, "good");
    CHECK(good == 5 && kw_fault_count(&f.hsm, "C_Logout") == 5);
    CHECK(good == (double)(kw_fault_count(&f.hsm, "C_Login") - logins) - 2);
    fixture_end(&f);
}

TEST(token__facts_mechanism_and_iv__told)
{
    bench_begin(&f);
    BENCH_MUST(0, &f, &r, "--calls", "1", "--warmup", "0s", "--json");
    CHECK_HAS(r.out, "\"label\": \"keyward-test\"");
    CHECK_HAS(r.out, "\"model\": \"SoftHSM v2\"");
    CHECK_HAS(r.out, "\"firmware\": \"");
    CHECK_HAS(r.out, "\"library_version\": \"");
    CHECK_HAS(r.out, "\"mechanism\": \"CKM_AES_GCM\"");
    CHECK_HAS(r.out, "\"iv\": \"caller\"");
    fixture_end(&f);
}

TEST(wrong_answers__told_and_status_one)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "C_Decrypt flip skip=20\n"); /* after the self-test */
    BENCH_MUST(1, &f, &r, "--calls", "30", "--warmup", "0s", "--json");
    CHECK(number_of(r.out, "wrong") == 10); /* twenty were honest */
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

KW_CASES("bench/run", CASE(wrong_answers__told_and_status_one),
         CASE(shape__processes_threads_sessions__the_sum_of_all),
         CASE(warm_up__before_the_measured_time__not_counted),
         CASE(curve__two_points__each_with_its_sessions),
         CASE(every_operation_and_place__no_key_left),
         CASE(login__each__a_login_and_a_logout_at_the_module),
         CASE(token__facts_mechanism_and_iv__told))
