/* SPDX-License-Identifier: Apache-2.0 */
/* What threads and processes left in the shared page, as one, and its document. */
#include "check.h"

#include "document.h"
#include "token_bench.h"

static struct kw_shared b;

/* Two processes of two threads. */
static void begin(void)
{
    b.processes = b.threads = 2;
    b.from_ns = 1000;
}

TEST(sum__threads__added_and_the_last_end_counts)
{
    struct kw_token_point p = {.elapsed_ns = 5, .wrong = 5};
    kw_point_sum(&b, &p);
    CHECK(p.elapsed_ns == 0 && p.wrong == 0 && kw_point_per_second(&p) == 0);
    for (uint64_t i = 0; i < 4; i++) {
        for (uint64_t k = 0; k <= i; k++)
            kw_histogram_add(&b.thread[i].latency, 10 * (i + 1));
        b.thread[i].wrong = i;
    }
    b.thread[1].end_ns = 1000 + 2 * KW_S_NS;
    b.thread[3].end_ns = 1000 + KW_S_NS;
    b.process[0].used = (struct kw_process_cpu){6000, 3};
    b.process[1].used = (struct kw_process_cpu){4000, 2};
    b.process[0].counted = true;
    kw_point_sum(&b, &p);
    CHECK(p.latency.count == 10 && p.latency.sum == 10 + 40 + 90 + 160);
    CHECK(p.latency.max == 40 && p.latency.bucket[30] == 3);
    CHECK(p.elapsed_ns == 2 * KW_S_NS && p.wrong == 6 && p.switches == 5);
    CHECK(kw_point_per_second(&p) == 5 && p.cpu_ns == 10000);
    CHECK(!p.cpu_known); /* one has not said that it came to its end */
    b.process[1].counted = true;
    kw_point_sum(&b, &p);
    CHECK(p.cpu_known);
}

TEST(operations__counted_and_the_longest_under_way)
{
    b.thread[0].done = 7;
    b.thread[2].done = 8;
    b.thread[2].slow = 3;
    b.thread[1].since_ns = 400;
    b.thread[3].since_ns = 100;
    struct kw_operations p = kw_shared_operations(&b, 1000);
    CHECK(p.done == 15 && p.slow == 3 && p.longest_now_ns == 900);
}

/* Of several threads and processes that fail: all end, and why is what came first. */
TEST(failure__first_is_kept_and_all_stop)
{
    kw_failure_set(&b.failure, &b, kw_err_at(KW_CODE_IO, "there"),
                   &(struct kw_note){"x"});
    kw_failure_set(&b.failure, &b, kw_err_at(KW_CODE_BUG, "here"),
                   &(struct kw_note){"y"});
    CHECK_CODE(b.failure.error, KW_CODE_IO);
    CHECK_STR(b.failure.note.text, "x");
    CHECK(b.stop && !kw_failed(b.owner.error));
}

/* ---- the document ------------------------------------------------------------------- */

static const struct kw_key_guard no_keyring;
static struct kw_token_plan plan = {.module = "/m.so",
                                    .uri = "pkcs11:token=t",
                                    .pin = "file:/p",
                                    .processes = 3,
                                    .threads = 2,
                                    .sessions = 4};
static struct kw_token_result r;

/* Of a second each; each point has as many samples again as the one before. */
static void result_of(size_t points, unsigned samples)
{
    r = (struct kw_token_result){.count = points};
    for (size_t i = 0; i < points; i++) {
        struct kw_token_point *p = &r.point[i];
        *p = (struct kw_token_point){.processes = i + 1,
                                     .threads = 1,
                                     .elapsed_ns = KW_S_NS,
                                     .cpu_ns = samples * 2000,
                                     .cpu_known = true};
        for (unsigned k = 0; k < samples * (i + 1); k++)
            kw_histogram_add(&p->latency, 100);
    }
}

static void result_holds(const char *claims)
{
    kw_holds(kw_token_document(&plan, &no_keyring, &r), claims);
}

TEST(document__few_samples_a_death_or_nothing__unknown_figures_absent)
{
    result_of(1, 150);
    kw_note_set(&r.fault, "why");
    result_holds("good = 150, figures/calls_per_s = 150, figures/cpu_us = 2, figures/# = "
                 "3, fault = why, keyring = null, curve absent");
    r.point[0].cpu_known = false;
    result_holds("good = 150, figures/calls_per_s = 150, figures/# = 1");
    r.point[0] = (struct kw_token_point){.cpu_known = true};
    result_holds("good = 0, figures/# = 0, fault = why");
}

/* The third was begun and measured nothing. */
TEST(document__curve__points_ascending_and_the_best_as_figures)
{
    plan.curve = (struct kw_args_list){{1, 2, 4}, 3};
    result_of(2, 1000);
    r.count = 3;
    result_holds("curve/# = 2, curve/0/sessions = 1, curve/1/sessions = 2, "
                 "curve/1/ops_per_s = 2000, curve/1/p50_us = 0.1, figures/calls_per_s = "
                 "2000");
}

/* One of each is the owner's. */
TEST(plan__logins_and_sessions__counted)
{
    kw_holds(kw_token_plan_document(&plan, &no_keyring),
             "logins = 4, sessions_open = 25");
    plan.threads = plan.sessions = 1;
    plan.curve = (struct kw_args_list){{8, 2}, 2};
    kw_holds(kw_token_plan_document(&plan, &no_keyring),
             "logins = 11, sessions_open = 9");
    plan.fits = true;
    plan.processes = 2;
    plan.curve = (struct kw_args_list){{1, 8}, 2};
    kw_holds(kw_token_plan_document(&plan, &no_keyring),
             "logins = 5, sessions_open = 17");
}

/* ---- which workers and sessions fit --------------------------------------------------- */

/* Of two processes; each point has so many threads, and gives so many samples. */
static void fit_of(struct kw_args_list threads, const unsigned samples[])
{
    plan.fits = true;
    plan.processes = 2;
    plan.curve = threads;
    result_of(threads.count, 1);
    for (size_t i = 0; i < threads.count; i++) {
        r.point[i].processes = 2;
        r.point[i].threads = threads.at[i];
        r.point[i].latency.count = samples[i];
    }
    r.facts.free_sessions = KW_TOKEN_NOT_TOLD;
}

TEST(fit__nothing_measured_or_a_curve__none)
{
    fit_of((struct kw_args_list){{1, 2}, 2}, (const unsigned[]){0, 0});
    result_holds("fits absent");
    fit_of((struct kw_args_list){{1, 2}, 2}, (const unsigned[]){5, 9});
    plan.fits = false;
    result_holds("fits absent");
}

/* Nine tenths of the most are enough, in whatever order they were measured. */
TEST(fit__fewest_threads_of_nine_tenths__and_why_no_more)
{
    fit_of((struct kw_args_list){{1, 2, 4}, 3}, (const unsigned[]){100, 90, 95});
    result_holds(
        "fits/workers = 2, fits/sessions = 1, fits/in_flight = 2, fits/ops_per_s "
        "= 100, fits/why = enough, fits/granted absent, curve/# = 3, "
        "curve/2/sessions = 8");
    fit_of((struct kw_args_list){{16, 8, 4}, 3}, (const unsigned[]){1000, 900, 899});
    result_holds("fits/sessions = 8, fits/ops_per_s = 900, fits/why = enough");
    fit_of((struct kw_args_list){{1, 2, 4}, 3}, (const unsigned[]){100, 200, 400});
    result_holds("fits/sessions = 4, fits/in_flight = 8, fits/why = measured");
}

/* 80 free ones: 40 for two workers and the two that stand beside them at a reload, each of
 * which keeps one for its login; so 16 was not measured. */
TEST(fit__token_that_counts_its_sessions__no_more_than_it_grants)
{
    fit_of((struct kw_args_list){{4, 8, 16}, 3}, (const unsigned[]){400, 800, 0});
    r.facts.free_sessions = 80;
    r.count = 2;
    result_holds("fits/sessions = 8, fits/why = granted, fits/granted = 9");
    r.partial = true; /* or was it interrupted? */
    result_holds("fits/sessions = 8, fits/why = measured");
    CHECK(kw_fit_granted(&r.facts, 1) == 19 && kw_fit_granted(&r.facts, 3) == 5);
    r.facts.free_sessions = 3;
    CHECK(kw_fit_granted(&r.facts, 2) == 1);
}

KW_SUITE_AROUND("bench/token/result", begin, NULL)
