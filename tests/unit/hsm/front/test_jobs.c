/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs through the whole front; the test plays the workers. */
#include "stage.h"

static struct stage s;

static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
}

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

TEST(job__answered__done_once_with_the_output)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    CHECK_STR(o.output, "out!");
    stage_end(&s);
}

TEST(job__no_worker__deadline)
{
    struct outcome o;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    stage_pass(&s, 2 * KW_S_NS - 1);
    CHECK(!o.done);
    stage_pass(&s, 1);
    CHECK(o.done && o.err.code == KW_CODE_DEADLINE);
    stage_end(&s);
}

TEST(job__cancelled__done_is_not_called)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    kw_lock_take(&s.lock);
    CHECK(s.door.ops->cancel(s.door.hsm, o.ticket));
    CHECK(!s.door.ops->cancel(s.door.hsm, o.ticket));
    kw_lock_give(&s.lock);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(!o.done && stage_status(&s).jobs.late_answers == 1);
    stage_end(&s);
}

static void extend(const struct outcome *o, int64_t ns)
{
    kw_lock_take(&s.lock);
    CHECK(s.door.ops->extend(s.door.hsm, o->ticket, kw_deadline_in(&s.clock, ns)));
    kw_lock_give(&s.lock);
}

TEST(deadline_in_the_socket_over__extended_job_is_sent_again)
{
    struct outcome o;
    struct kw_wire_job job;
    const kw_err over = kw_err_at(KW_CODE_DEADLINE, "deadline");
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    extend(&o, 8 * KW_S_NS);
    CHECK(fake_job(&s, 0, &job));
    int64_t first = job.until_ns;
    s.time.now_ns = first;
    fake_answer(&s, 0, job.id, over, "");
    CHECK(!o.done);
    CHECK(fake_job(&s, 0, &job));
    CHECK(job.op == KW_WIRE_UNWRAP && job.until_ns > first);
    fake_answer(&s, 0, job.id, over, ""); /* that one was the latest waiter's */
    CHECK(o.done && o.err.code == KW_CODE_DEADLINE);
    stage_end(&s);
}

TEST(answer__unknown_id_or_wrong_length_or_garbage__worker_killed)
{
    for (int i = 0; i < 4; i++) {
        struct outcome o;
        begin();
        start_two(&s);
        CHECK_OK(ask(&s, K2, TEXT, &o));
        uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
        switch (i) {
        case 0: fake_answer(&s, 0, id + (1 << 12), KW_OK, "out!"); break;
        case 1: fake_answer(&s, 0, id, KW_OK, "too long"); break;
        case 2: fake_say(&s, 0, "garbage", 7); break;
        default: fake_say(&s, 0, "", 0); break; /* an empty message is the end */
        }
        stage_spin(&s);
        CHECK(!o.done);
        CHECK(s.fakes[0].killed || i == 3);
        fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
        CHECK(o.done && !kw_failed(o.err)); /* another worker served it */
        stage_end(&s);
        kw_arena_close();
    }
}

TEST(death__in_flight_goes_to_another__second_death_of_the_executed_one_fails)
{
    struct outcome a;
    begin();
    s.tokens[0].workers = 2;
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    uint64_t first = fake_take(&s, 0, KW_WIRE_UNWRAP);
    s.fakes[0].killed = true;
    fake_dies(&s, 0);
    CHECK(s.started == 3); /* replaced at once */
    CHECK(!a.done);
    CHECK(fake_take(&s, 1, KW_WIRE_UNWRAP) != first); /* under a new id */
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    CHECK(a.done && a.err.code == KW_CODE_HSM_DOWN);
    CHECK(stage_status(&s).workers_died == 2);
    stage_end(&s);
}

/* Worker i gets ready, and dies over the next unwrap. */
static void dies_over_it(unsigned i)
{
    struct kw_wire_job job;
    do
        CHECK(fake_job(&s, i, &job));
    while (job.op == KW_WIRE_CANARY && (fake_answer(&s, i, job.id, KW_OK, ""), true));
    CHECK(job.op == KW_WIRE_UNWRAP);
    s.fakes[i].killed = true;
    fake_dies(&s, i);
}

TEST(deaths__again_on_a_worker_that_was_well_since__quarantined)
{
    struct outcome a, b;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    dies_over_it(0);
    dies_over_it(1); /* nothing says that its library was well since the first one */
    CHECK(a.done && a.err.code == KW_CODE_HSM_DOWN);
    fake_ready(&s, 2); /* it opened the check blobs */
    CHECK_OK(ask(&s, K2, TEXT, &a));
    dies_over_it(2);
    CHECK_CODE(ask(&s, K2, TEXT, &b), KW_CODE_QUARANTINED);
    CHECK_OK(ask(&s, K2, "some other ciphertext", &b));
    struct kw_front_status status = stage_status(&s);
    CHECK(status.held_count == 1 && strlen(status.held[0].input) == 16);
    CHECK(status.held[0].until_wall_ns - status.held[0].since_wall_ns ==
          KW_QUARANTINE_NS);
    CHECK(kw_front_quarantine_lift(s.front) == 1 && stage_status(&s).held_count == 0);
    struct outcome again;
    CHECK_OK(ask(&s, K2, TEXT, &again));
    stage_end(&s);
}

/* The library of all workers went mad for a while: the one seed that everybody asks for
 * has no part in that. */
TEST(deaths__of_all_workers_at_once__tried_again_and_served)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    dies_over_it(0);
    dies_over_it(1);
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    fake_ready(&s, 2);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 2, fake_take(&s, 2, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err) && s.front->queue.quarantine.used == 0);
    stage_end(&s);
}

/* Worker 2 was well after the first death over it; then worker 1 died over another. */
TEST(deaths__over_another_input_in_between__not_quarantined)
{
    struct outcome a, filler, other, again, more;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    dies_over_it(0);
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), kw_err_at(KW_CODE_DEADLINE, "t"),
                ""); /* neither well nor a loss */
    CHECK(a.done);
    fake_ready(&s, 2);
    CHECK_OK(ask(&s, K2, "filler for worker two", &filler));
    CHECK_OK(ask(&s, K2, "some other ciphertext", &other));
    dies_over_it(1);
    fake_answer(&s, 2, fake_take(&s, 2, KW_WIRE_UNWRAP), KW_OK, "some!");
    fake_answer(&s, 2, fake_take(&s, 2, KW_WIRE_UNWRAP), KW_OK, "some!");
    CHECK(filler.done && other.done && !kw_failed(other.err));
    CHECK_OK(ask(&s, K2, TEXT, &again));
    dies_over_it(2);
    CHECK_OK(ask(&s, K2, TEXT, &more));
    stage_end(&s);
}

TEST(death__neighbour_in_the_socket__is_not_blamed)
{
    struct outcome o[3];
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    for (unsigned i = 0; i < 3; i++) {
        for (int k = 0; k < 3 && i == 0; k++)
            CHECK_OK(ask(&s, K2, k == 0 ? "poisoned ciphertext" : TEXT, &o[k]));
        CHECK(s.started == i + 1);
        if (i > 0)
            fake_ready(&s, i);
        fake_take(&s, i, KW_WIRE_UNWRAP);
        if (i == 2)
            break;
        s.fakes[i].killed = true;
        fake_dies(&s, i);
    }
    CHECK(o[0].done && o[0].err.code == KW_CODE_HSM_DOWN);
    CHECK(!o[1].done && !o[2].done); /* two deaths, and still served */
    stage_end(&s);
}

TEST(hsm_down__job_tried_once_more)
{
    struct outcome o;
    const kw_err down = kw_err_native(KW_CODE_HSM_DOWN, 0x30, "C_Decrypt");
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), down, "");
    fake_dies(&s, 0);
    CHECK(!o.done);
    struct kw_wire_job job;
    unsigned i = fake_job(&s, 1, &job) ? 1 : 0;
    CHECK(i == 1);
    fake_answer(&s, 1, job.id, down, "");
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN && o.err.native == 0x30);
    stage_end(&s);
}

/* It has too much to do: that job goes to another worker, and it rests, longer each time,
 * but for canaries. */
TEST(busy__job_goes_elsewhere_and_the_worker_rests)
{
    struct outcome o[3];
    struct kw_wire_job job;
    const kw_err busy = kw_err_native(KW_CODE_HSM_BUSY, 0x31, "C_Decrypt");
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o[0]));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), busy, "");
    CHECK(!o[0].done && !s.fakes[0].killed);
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o[0].done && !kw_failed(o[0].err));
    CHECK_OK(ask(&s, K2, TEXT, &o[1]));
    CHECK_OK(ask(&s, K2, TEXT, &o[2]));
    stage_pass(&s, 0);
    CHECK(!fake_job(&s, 0, &job));
    stage_pass(&s, 20 * KW_MS_NS);
    uint64_t id = fake_take(&s, 1, KW_WIRE_UNWRAP);
    fake_answer(&s, 1, id, busy, "");
    stage_pass(&s, 0);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), busy, "");
    stage_pass(&s, 20 * KW_MS_NS);
    CHECK(stage_status(&s).workers_started == 2 && stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

/* Logging in brings nothing as long as nothing is answered well.  Each job is another one:
 * none is quarantined. */
TEST(ready__ends_before_it_did_any_good__from_the_second_on_ten_seconds_apart)
{
    static const char *const texts[] = {"the first twenty ...", "the second twenty ..",
                                        "the third twenty ...", "the fourth twenty .."};
    struct outcome o[4];
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_OK(ask(&s, K2, texts[i], &o[i]));
        fake_answer(&s, i, fake_take(&s, i, KW_WIRE_UNWRAP),
                    kw_err_native(KW_CODE_HSM_DOWN, 0x30, "C_Decrypt"), "");
        fake_dies(&s, i);
        stage_pass(&s, i == 0 ? 0 : 10 * KW_S_NS - 1);
        CHECK(s.started == (i == 0 ? 2 : i + 1));
        stage_stand_still(&s, i == 0 ? 0 : 20 * KW_S_NS);
        CHECK(s.started == i + 2);
        fake_ready(&s, i + 1);
    }
    CHECK_OK(ask(&s, K2, texts[3], &o[3]));
    struct kw_wire_job job;
    CHECK(fake_job(&s, 3, &job));
    fake_answer(&s, 3, job.id, KW_OK, job.op == KW_WIRE_CANARY ? "" : "out!");
    fake_dies(&s, 3); /* it has done some good: at once */
    stage_pass(&s, 0);
    CHECK(s.started == 5);
    stage_end(&s);
}

/* A library that takes no second thread, say: ready, and dead before anything is asked. */
static void ends_when_ready(unsigned i, bool crashes)
{
    fake_ready(&s, i);
    s.fakes[i].crashes = crashes;
    fake_dies(&s, i);
}

TEST(ready__crashes_before_it_did_any_good__then_ten_seconds_apart)
{
    struct kw_wire_job job;
    unsigned i = 0;
    begin();
    s.front->tokens[0].o.workers = 1;
    for (; i < s.started && i < 10; i++)
        ends_when_ready(i, true);
    CHECK(i >= 2 && i <= 3); /* whether its end is known before the next one starts */
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == i);
    stage_stand_still(&s, 20 * KW_S_NS);
    CHECK(s.started == i + 1);
    fake_ready(&s, i);
    while (fake_job(&s, i, &job))
        fake_answer(&s, i, job.id, KW_OK, "");
    s.fakes[i].crashes = true;
    fake_dies(&s, i); /* it has done some good: at once */
    stage_pass(&s, 0);
    CHECK(s.started == i + 2);
    stage_end(&s);
}

/* One that gets no threads, or whose other sessions the token does not let work. */
TEST(ready__leaves_without_a_word__then_ten_seconds_apart)
{
    unsigned i = 0;
    begin();
    s.front->tokens[0].o.workers = 1;
    for (; i < s.started && i < 10; i++)
        ends_when_ready(i, false);
    CHECK(i >= 2 && i <= 3);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == i);
    stage_end(&s);
}

/* What it says is no word of the protocol, each time. */
TEST(ready__breaks_the_protocol__then_ten_seconds_apart)
{
    unsigned i = 0;
    begin();
    s.front->tokens[0].o.workers = 1;
    for (; i < s.started && i < 10; i++) {
        fake_ready(&s, i);
        fake_say(&s, i, "nonsense", 8);
        stage_spin(&s);
        CHECK(s.fakes[i].killed);
    }
    CHECK(i >= 2 && i <= 3);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == i);
    stage_end(&s);
}

/* Who is killed from outside (by the kernel, when memory is short) is replaced at once. */
TEST(ready__killed_from_outside__replaced_at_once_each_time)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    for (unsigned i = 0; i < 6; i++) {
        CHECK(s.started == i + 1);
        fake_ready(&s, i);
        s.fakes[i].killed = true;
        fake_dies(&s, i);
    }
    stage_end(&s);
}

/* An unwrap that makes worker i say HSM_DOWN and leave. */
static void costs(unsigned i)
{
    fake_answer(&s, i, fake_take(&s, i, KW_WIRE_UNWRAP),
                kw_err_native(KW_CODE_HSM_DOWN, 0x30, "C_Decrypt"), "");
    fake_dies(&s, i);
}

TEST(hsm_down__again_on_workers_that_were_well__quarantined)
{
    struct outcome o;
    struct kw_wire_job job;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    costs(0);
    fake_ready(&s, 2);
    costs(1); /* older than the first loss: both may be one outage's */
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    costs(2); /* it had proven itself in between */
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    stage_stand_still(&s, 30 * KW_S_NS); /* none of them did any good */
    fake_ready(&s, 3);
    while (fake_job(&s, 3, &job)) /* and no further worker is spent on it */
        CHECK(job.op == KW_WIRE_CANARY);
    CHECK_CODE(ask(&s, K1, TEXT, &o), KW_CODE_QUARANTINED);
    CHECK_OK(ask(&s, K1, "another ciphertext", &o));
    stage_end(&s);
}

TEST(hsm_down__one_outage_of_all_workers__nobody_is_quarantined)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    costs(0);
    costs(1);
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    fake_ready(&s, 2);
    fake_answer(&s, 2, fake_take(&s, 2, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    CHECK(s.front->queue.quarantine.used == 0); /* served: nothing is left */
    stage_end(&s);
}

TEST(job__worker_out_of_memory__said_so)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP),
                kw_err_native(KW_CODE_NO_MEMORY, 2, "C_Decrypt"), "");
    CHECK(o.done && o.err.code == KW_CODE_NO_MEMORY && o.err.native == 2);
    stage_end(&s);
}

/* Jobs were waiting for it: they lie in its socket when it is looked at first. */
TEST(ready__jobs_before_the_first_look__not_stuck)
{
    struct outcome a, b;
    begin();
    s.front->tokens[0].o.workers = 1;
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    fake_ready(&s, 0);
    stage_pass(&s, 1);
    CHECK_STR(stage_status(&s).workers[0].state, "ready");
    CHECK(s.started == 1);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(a.done && b.done && !kw_failed(a.err) && !kw_failed(b.err));
    stage_end(&s);
}

/* The disk held the main thread up: what looks like a hanging operation is an answer that
 * nobody has read yet. */
TEST(answer_lies_unread__the_worker_is_not_to_blame)
{
    struct outcome o;
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    const struct kw_wire_answer a = {.id = fake_take(&s, 0, KW_WIRE_UNWRAP),
                                     .output = kw_span_str("out!")};
    CHECK_OK(kw_wire_encode_answer(&a, &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    s.time.now_ns += s.options.times.deadline_ns + 1;
    kw_front_tick(s.front);
    CHECK_STR(stage_status(&s).workers[0].state, "ready");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

TEST(stuck__rest_goes_elsewhere__late_answer_dropped__killed_after_patience)
{
    struct outcome a, b;
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    uint64_t hung = fake_take(&s, 0, KW_WIRE_UNWRAP);
    stage_pass(&s, KW_S_NS + 1);
    CHECK_STR(stage_status(&s).workers[0].state, "stuck");
    CHECK(s.started == 2); /* a second one starts beside it at once */
    fake_ready(&s, 1);
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(b.done && !kw_failed(b.err) && !a.done);
    stage_pass(&s, KW_S_NS);
    CHECK(a.done && a.err.code == KW_CODE_DEADLINE);
    stage_pass(&s, 8 * KW_S_NS);
    CHECK(!s.fakes[0].killed);
    stage_pass(&s, KW_S_NS);
    CHECK(s.fakes[0].killed && stage_status(&s).workers_killed == 1);
    (void)hung;
    stage_end(&s);
}

TEST(stuck__comes_back_late__answer_dropped_and_drained)
{
    struct outcome a;
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    uint64_t hung = fake_take(&s, 0, KW_WIRE_UNWRAP);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(a.done && a.err.code == KW_CODE_DEADLINE);
    fake_answer(&s, 0, hung, KW_OK, "out!");
    CHECK(stage_status(&s).jobs.late_answers == 1);
    stage_pass(&s, KW_MS_NS);
    CHECK(!s.fakes[0].killed);
    CHECK_STR(stage_status(&s).workers[0].state, "draining");
    stage_end(&s);
}

TEST(distrusted__the_worker_that_answered_is_replaced)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    o.distrust = true;
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "lie!");
    CHECK(o.done && s.fakes[0].killed && !s.fakes[1].killed);
    stage_spin(&s);
    CHECK(s.started == 3);
    stage_end(&s);
}

KW_CASES("hsm/front/jobs", CASE(job__answered__done_once_with_the_output),
         CASE(job__no_worker__deadline), CASE(job__cancelled__done_is_not_called),
         CASE(deadline_in_the_socket_over__extended_job_is_sent_again),
         CASE(answer__unknown_id_or_wrong_length_or_garbage__worker_killed),
         CASE(death__in_flight_goes_to_another__second_death_of_the_executed_one_fails),
         CASE(deaths__again_on_a_worker_that_was_well_since__quarantined),
         CASE(deaths__of_all_workers_at_once__tried_again_and_served),
         CASE(deaths__over_another_input_in_between__not_quarantined),
         CASE(death__neighbour_in_the_socket__is_not_blamed),
         CASE(hsm_down__job_tried_once_more),
         CASE(busy__job_goes_elsewhere_and_the_worker_rests),
         CASE(ready__ends_before_it_did_any_good__from_the_second_on_ten_seconds_apart),
         CASE(ready__crashes_before_it_did_any_good__then_ten_seconds_apart),
         CASE(ready__leaves_without_a_word__then_ten_seconds_apart),
         CASE(ready__breaks_the_protocol__then_ten_seconds_apart),
         CASE(ready__killed_from_outside__replaced_at_once_each_time),
         CASE(hsm_down__again_on_workers_that_were_well__quarantined),
         CASE(hsm_down__one_outage_of_all_workers__nobody_is_quarantined),
         CASE(job__worker_out_of_memory__said_so),
         CASE(ready__jobs_before_the_first_look__not_stuck),
         CASE(answer_lies_unread__the_worker_is_not_to_blame),
         CASE(stuck__rest_goes_elsewhere__late_answer_dropped__killed_after_patience),
         CASE(stuck__comes_back_late__answer_dropped_and_drained),
         CASE(distrusted__the_worker_that_answered_is_replaced))
