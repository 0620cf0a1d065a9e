/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "backoff.h"
#include "supervisor.h"

static const struct kw_worker_times times = {
    .deadline_ns = KW_S_NS, .patience_ns = 15 * KW_S_NS, .login_grace_ns = 30 * KW_S_NS};

TEST(backoff__never_more_than_its_bound)
{
    CHECK(kw_backoff_ns(1, 0) == 0); /* full jitter */
    CHECK(kw_backoff_ns(1, UINT64_MAX) <= KW_BACKOFF_FIRST_NS);
    CHECK(kw_backoff_ns(1, (uint64_t)KW_BACKOFF_FIRST_NS) == KW_BACKOFF_FIRST_NS);
    CHECK(kw_backoff_ns(3, 4 * (uint64_t)KW_BACKOFF_FIRST_NS) == 4 * KW_BACKOFF_FIRST_NS);
    CHECK(kw_backoff_ns(1000, (uint64_t)KW_BACKOFF_MAX_NS) == KW_BACKOFF_MAX_NS);
    CHECK(kw_backoff_ns(1000, (uint64_t)KW_BACKOFF_MAX_NS + 1) == 0);
}

TEST(failed__login_spent__none_for_ten_seconds)
{
    struct kw_supervisor s = {0};
    CHECK(kw_supervisor_may_start(&s, 0)); /* the first start waits for nothing */
    kw_supervisor_failed(&s, true, 0, 0);
    CHECK(!kw_supervisor_may_start(&s, KW_LOGIN_EVERY_NS - 1));
    CHECK(kw_supervisor_may_start(&s, KW_LOGIN_EVERY_NS));
}

TEST(failed__without_login__backoff_only_and_ready_ends_it)
{
    struct kw_supervisor s = {0};
    uint64_t most = (uint64_t)KW_BACKOFF_FIRST_NS;
    kw_supervisor_failed(&s, false, 0, most);
    CHECK(!kw_supervisor_may_start(&s, KW_BACKOFF_FIRST_NS - 1));
    CHECK(kw_supervisor_may_start(&s, KW_BACKOFF_FIRST_NS));
    kw_supervisor_failed(&s, false, 0, 2 * most);
    CHECK(!kw_supervisor_may_start(&s, 2 * KW_BACKOFF_FIRST_NS - 1));
    kw_supervisor_ready(&s);
    CHECK(
        kw_supervisor_may_start(&s, 0)); /* replacement of one that was ready: at once */
}

static enum kw_order judge(struct kw_worker_view w, int64_t now)
{
    return kw_supervisor_judge(&w, &times, now);
}

TEST(starting_in_login__never_killed_before_its_grace)
{
    struct kw_worker_view w = {.life = {KW_WORKER_STARTING, KW_PROCESS_RUNNING},
                               .phase = KW_PAGE_LOGIN};
    CHECK(judge(w, 30 * KW_S_NS - 1) == KW_ORDER_NONE);
    CHECK(judge(w, 30 * KW_S_NS) == KW_ORDER_KILL);
    w.phase_since_ns = 20 * KW_S_NS; /* it took its time before the login */
    CHECK(judge(w, 40 * KW_S_NS) == KW_ORDER_NONE);
}

TEST(starting_elsewhere__killed_after_its_patience)
{
    struct kw_worker_view w = {.life = {KW_WORKER_STARTING, KW_PROCESS_RUNNING},
                               .phase = KW_PAGE_INIT};
    CHECK(judge(w, 15 * KW_S_NS - 1) == KW_ORDER_NONE);
    CHECK(judge(w, 15 * KW_S_NS) == KW_ORDER_KILL);
}

TEST(ready__operation_longer_than_a_deadline__stuck)
{
    struct kw_worker_view w = {.life = {KW_WORKER_READY, KW_PROCESS_RUNNING},
                               .sessions = 1};
    w.longest_ns = 600 * KW_S_NS;
    w.overdue = 1;
    CHECK(judge(w, 0) == KW_ORDER_STUCK);
    w = (struct kw_worker_view){.life = {KW_WORKER_READY, KW_PROCESS_RUNNING},
                                .sessions = 1};
    CHECK(judge(w, 600 * KW_S_NS) == KW_ORDER_NONE); /* jobs may wait: not blamed */
}

/* A vendor's recovery may run inside one call; what the others do is good. */
TEST(ready__one_of_many_sessions_hangs__works_on_and_leaves_after_patience)
{
    struct kw_worker_view w = {
        .life = {KW_WORKER_READY, KW_PROCESS_RUNNING}, .sessions = 4, .overdue = 1};
    w.longest_ns = 16 * KW_S_NS;
    CHECK(judge(w, 0) == KW_ORDER_NONE);
    w.longest_ns++;
    CHECK(judge(w, 0) == KW_ORDER_DRAIN);
    w.overdue = 3;
    w.longest_ns = 2 * KW_S_NS;
    CHECK(judge(w, 0) == KW_ORDER_NONE);
    w.overdue = 4;
    CHECK(judge(w, 0) == KW_ORDER_STUCK);
}

TEST(ready__stands_still_before_its_jobs__stuck)
{
    struct kw_worker_view w = {
        .life = {KW_WORKER_READY, KW_PROCESS_RUNNING}, .sessions = 1, .idle_ns = KW_S_NS};
    CHECK(judge(w, 0) == KW_ORDER_NONE);
    w.idle_ns++;
    CHECK(judge(w, 0) == KW_ORDER_STUCK);
}

TEST(stuck__does_not_move__killed_after_patience)
{
    struct kw_worker_view w = {
        .life = {KW_WORKER_STUCK, KW_PROCESS_RUNNING}, .sessions = 1, .overdue = 1};
    CHECK(judge(w, 15 * KW_S_NS - 1) == KW_ORDER_NONE);
    CHECK(judge(w, 15 * KW_S_NS) == KW_ORDER_KILL);
}

TEST(stuck__came_back__drained_not_killed)
{
    struct kw_worker_view w = {
        .life = {KW_WORKER_STUCK, KW_PROCESS_RUNNING}, .sessions = 1, .moved = true};
    CHECK(judge(w, 600 * KW_S_NS) == KW_ORDER_DRAIN);
}

TEST(draining__killed_after_patience_but_not_in_login)
{
    struct kw_worker_view w = {.life = {KW_WORKER_DRAINING, KW_PROCESS_RUNNING},
                               .phase = KW_PAGE_LOGIN};
    CHECK(judge(w, 15 * KW_S_NS) == KW_ORDER_NONE);
    CHECK(judge(w, 30 * KW_S_NS) == KW_ORDER_KILL);
    w.phase = KW_PAGE_IDLE;
    CHECK(judge(w, 15 * KW_S_NS) == KW_ORDER_KILL);
    w.life.process = KW_PROCESS_KILLED;
    CHECK(judge(w, 600 * KW_S_NS) == KW_ORDER_NONE);
}

KW_CASES("hsm/front/supervisor", CASE(backoff__never_more_than_its_bound),
         CASE(failed__login_spent__none_for_ten_seconds),
         CASE(failed__without_login__backoff_only_and_ready_ends_it),
         CASE(starting_in_login__never_killed_before_its_grace),
         CASE(starting_elsewhere__killed_after_its_patience),
         CASE(ready__operation_longer_than_a_deadline__stuck),
         CASE(ready__stands_still_before_its_jobs__stuck),
         CASE(stuck__does_not_move__killed_after_patience),
         CASE(ready__one_of_many_sessions_hangs__works_on_and_leaves_after_patience),
         CASE(stuck__came_back__drained_not_killed),
         CASE(draining__killed_after_patience_but_not_in_login))
