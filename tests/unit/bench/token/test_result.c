/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/alloc.h>

#include "check.h"

#include "token_bench.h"

/* Two processes of two threads. */
static struct kw_shared *shared(void)
{
    struct kw_shared *b = kw_new(1, sizeof *b + 4 * sizeof b->thread[0]);
    CHECK(b != NULL);
    b->processes = b->threads = 2;
    b->from_ns = 1000;
    return b;
}

TEST(sum__nothing_measured__zeros)
{
    struct kw_shared *b = shared();
    struct kw_token_point p = {.elapsed_ns = 5, .wrong = 5};
    kw_point_sum(b, &p);
    CHECK(p.elapsed_ns == 0 && p.wrong == 0 && p.latency.count == 0);
    CHECK(kw_point_per_second(&p) == 0);
    kw_free(b);
}

TEST(sum__threads__added_and_the_last_end_counts)
{
    struct kw_shared *b = shared();
    struct kw_token_point p = {0};
    for (uint64_t i = 0; i < 4; i++) {
        for (uint64_t k = 0; k <= i; k++)
            kw_histogram_add(&b->thread[i].latency, 10 * (i + 1));
        b->thread[i].wrong = i;
    }
    b->thread[1].end_ns = 1000 + 2 * KW_S_NS;
    b->thread[3].end_ns = 1000 + KW_S_NS;
    b->process[0].used = (struct kw_process_cpu){6000, 3};
    b->process[1].used = (struct kw_process_cpu){4000, 2};
    kw_point_sum(b, &p);
    CHECK(p.latency.count == 10 && p.latency.sum == 10 + 40 + 90 + 160);
    CHECK(p.latency.max == 40 && p.latency.bucket[30] == 3);
    CHECK(p.elapsed_ns == 2 * KW_S_NS && p.wrong == 6 && p.switches == 5);
    CHECK(kw_point_per_second(&p) == 5 && p.cpu_ns == 10000);
    CHECK(!p.cpu_known); /* nobody has said that it came to its end */
    b->process[0].counted = b->process[1].counted = true;
    kw_point_sum(b, &p);
    CHECK(p.cpu_known);
    b->process[1].counted = false;
    kw_point_sum(b, &p);
    CHECK(!p.cpu_known);
    kw_free(b);
}

TEST(error__of_a_thread_before_one_of_a_process)
{
    struct kw_shared *b = shared();
    struct kw_note note = {"as it was"};
    CHECK_OK(kw_shared_error(b, &note));
    CHECK_STR(note.text, "as it was");
    b->process[1].error = kw_err_at(KW_CODE_IO, "there");
    kw_note_set(&b->process[1].note, "process");
    CHECK_CODE(kw_shared_error(b, &note), KW_CODE_IO);
    CHECK_STR(note.text, "process");
    b->thread[3].error = kw_err_at(KW_CODE_HSM_DOWN, "here");
    kw_note_set(&b->thread[3].note, "thread");
    CHECK_CODE(kw_shared_error(b, &note), KW_CODE_HSM_DOWN);
    CHECK_STR(note.text, "thread");
    kw_free(b);
}

TEST(progress__counted_and_the_longest_under_way)
{
    struct kw_shared *b = shared();
    atomic_store(&b->thread[0].done, 7);
    atomic_store(&b->thread[2].done, 8);
    atomic_store(&b->thread[2].slow, 3);
    atomic_store(&b->thread[1].since_ns, 400);
    atomic_store(&b->thread[3].since_ns, 100);
    struct kw_operations p = kw_shared_operations(b, 1000);
    CHECK(p.done == 15 && p.slow == 3 && p.longest_now_ns == 900);
    kw_free(b);
}

TEST(best__the_fastest_that_measured)
{
    static struct kw_token_result r;
    CHECK(kw_result_best(&r) == NULL);
    r.count = 3;
    CHECK(kw_result_best(&r) == NULL);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k <= 2 - i; k++)
            kw_histogram_add(&r.point[i].latency, 1);
        r.point[i].elapsed_ns = KW_S_NS;
        r.point[i].wrong = i;
    }
    CHECK(kw_result_best(&r) == &r.point[0]);
    CHECK(kw_result_wrong(&r) == 1);
}

KW_CASES("bench/token/result", CASE(sum__nothing_measured__zeros),
         CASE(sum__threads__added_and_the_last_end_counts),
         CASE(error__of_a_thread_before_one_of_a_process),
         CASE(progress__counted_and_the_longest_under_way),
         CASE(best__the_fastest_that_measured))
