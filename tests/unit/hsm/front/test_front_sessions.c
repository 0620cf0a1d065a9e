/* SPDX-License-Identifier: Apache-2.0 */
/* Workers with several sessions: how much they get, and what is done about one that
 * hangs. */
#include <sys/socket.h>

#include "stage.h"

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

enum { SESSIONS = 4, MOST = SESSIONS + 1, ASKED = 12 };
static struct stage s;
static struct outcome out[ASKED];

static void begin(unsigned workers)
{
    stage_begin(&s);
    s.sessions = SESSIONS;
    stage_open(&s);
    s.front->tokens[0].o.workers = workers;
    for (unsigned i = 0; i < workers; i++)
        fake_ready(&s, i);
    stage_pass(&s, 0);
}

/* The next job but for canaries, which are answered; it is at no session yet. */
static bool take(unsigned i, struct kw_wire_job *ret)
{
    while (fake_job(&s, i, ret)) {
        kw_page_end(s.fakes[i].page, 0);
        if (ret->op != KW_WIRE_CANARY)
            return true;
        fake_answer(&s, i, ret->id, KW_OK, "");
    }
    return false;
}

static unsigned take_all(unsigned i, struct kw_wire_job jobs[ASKED])
{
    unsigned n = 0;
    while (n < ASKED && take(i, &jobs[n]))
        n++;
    return n;
}

static void ask_some(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        CHECK_OK(ask(&s, K2, TEXT, &out[i]));
}

static unsigned answered_well(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ASKED; i++)
        n += out[i].done && !kw_failed(out[i].err);
    return n;
}

TEST(jobs__one_for_each_session_and_a_quarter_more)
{
    struct kw_wire_job jobs[ASKED];
    begin(1);
    ask_some(0, ASKED);
    CHECK(take_all(0, jobs) == MOST);
    fake_answer(&s, 0, jobs[3].id, KW_OK, "out!"); /* in any order */
    fake_answer(&s, 0, jobs[1].id, KW_OK, "out!");
    CHECK(answered_well() == 2);
    CHECK(take_all(0, jobs) == 2);
    stage_end(&s);
}

TEST(same_answer_twice__killed)
{
    struct kw_wire_job jobs[ASKED];
    begin(1);
    ask_some(0, 2);
    CHECK(take_all(0, jobs) == 2);
    fake_answer(&s, 0, jobs[1].id, KW_OK, "out!");
    CHECK(!s.fakes[0].killed);
    fake_answer(&s, 0, jobs[1].id, KW_OK, "out!");
    CHECK(s.fakes[0].killed && answered_well() == 1);
    stage_end(&s);
}

/* One job stays with session 1 of worker 0, which hangs from now on. */
static void hang_one(void)
{
    struct kw_wire_job job;
    ask_some(0, 1);
    CHECK(take(0, &job));
    kw_page_begin(s.fakes[0].page, 1, job.id, s.time.now_ns);
    stage_pass(&s, s.options.times.deadline_ns + 1);
}

/* A lock in the library would swallow one job after the other. */
TEST(one_session_hangs__one_job_at_a_time_until_an_answer_comes)
{
    struct kw_wire_job jobs[ASKED];
    begin(1);
    hang_one();
    ask_some(2, ASKED);
    CHECK(take_all(0, jobs) == 1);
    CHECK(stage_status(&s).workers[0].state[0] == 'r'); /* ready */
    fake_answer(&s, 0, jobs[0].id, KW_OK, "out!");
    CHECK(take_all(0, jobs) == SESSIONS); /* its place in the socket is taken */
    stage_end(&s);
}

TEST(one_session_hangs__worker_leaves_after_patience)
{
    begin(2);
    hang_one();
    stage_pass(&s, s.options.times.patience_ns - 1);
    CHECK_STR(stage_status(&s).workers[0].state, "ready");
    CHECK(s.started == 2);
    stage_pass(&s, 2);
    CHECK_STR(stage_status(&s).workers[0].state, "draining");
    CHECK(s.started == 3 && !s.fakes[0].killed);
    stage_pass(&s, s.options.times.patience_ns);
    CHECK(s.fakes[0].killed);
    stage_end(&s);
}

TEST(all_sessions_hang__stuck_and_what_waits_goes_elsewhere)
{
    struct kw_wire_job jobs[ASKED], other[ASKED];
    begin(1);
    ask_some(0, MOST);
    CHECK(take_all(0, jobs) == MOST);
    for (unsigned i = 0; i < SESSIONS; i++)
        kw_page_begin(s.fakes[0].page, i, jobs[i].id, s.time.now_ns);
    for (unsigned i = 0; i < MOST; i++) {
        kw_lock_take(&s.lock);
        s.door.ops->extend(s.door.hsm, out[i].ticket,
                           kw_deadline_in(&s.clock, 60 * KW_S_NS));
        kw_lock_give(&s.lock);
    }
    stage_pass(&s, s.options.times.deadline_ns + 1);
    CHECK_STR(stage_status(&s).workers[0].state, "stuck");
    CHECK(s.started == 2);
    fake_ready(&s, 1);
    stage_pass(&s, 0);
    CHECK(take_all(1, other) == 1 && other[0].id > jobs[MOST - 1].id);
    stage_end(&s);
}

/* It is at its end, though a session is not back yet: it reads nothing more. */
TEST(worker_reads_no_more__its_jobs_go_elsewhere_and_it_drains)
{
    struct kw_wire_job jobs[ASKED];
    begin(2);
    CHECK(shutdown(s.fakes[0].socket, SHUT_RD) == 0);
    ask_some(0, 2);
    stage_pass(&s, 0);
    CHECK(take_all(1, jobs) == 2);
    CHECK_STR(stage_status(&s).workers[0].state, "draining");
    CHECK(s.started == 3);
    stage_end(&s);
}

/* Three sessions at one input, one at another: who dies of it is not known yet.  Then each
 * is tried alone, and only who was alone at a death has had its second one. */
TEST(death_at_several_inputs__each_tried_alone_and_only_the_poisonous_one_held)
{
    struct kw_wire_job jobs[ASKED];
    begin(1);
    ask_some(0, 3);
    CHECK_OK(ask(&s, K2, "another ciphertext..", &out[3]));
    CHECK(take_all(0, jobs) == 4);
    for (unsigned i = 0; i < SESSIONS; i++)
        kw_page_begin(s.fakes[0].page, i, jobs[i].id, s.time.now_ns);
    fake_dies(&s, 0);
    fake_ready(&s, 1);
    stage_pass(&s, 0);
    CHECK(take_all(1, jobs) == 1); /* alone */
    fake_answer(&s, 1, jobs[0].id, KW_OK, "out!");
    CHECK(take_all(1, jobs) == 2); /* equal ones are no suspects any more; the other is */
    fake_answer(&s, 1, jobs[0].id, KW_OK, "out!");
    fake_answer(&s, 1, jobs[1].id, KW_OK, "out!");
    CHECK(take_all(1, jobs) == 1);
    kw_page_begin(s.fakes[1].page, 2, jobs[0].id, s.time.now_ns);
    fake_dies(&s, 1);
    CHECK(out[3].done && out[3].err.code == KW_CODE_HSM_DOWN);
    CHECK_CODE(ask(&s, K2, "another ciphertext..", &out[4]), KW_CODE_QUARANTINED);
    CHECK_OK(ask(&s, K2, TEXT, &out[5]));
    stage_end(&s);
}

TEST(page_with_a_start_of_any_kind__nobody_hangs)
{
    const int64_t starts[] = {INT64_MIN, -1, 0, INT64_MAX};
    struct kw_wire_job job;
    begin(1);
    ask_some(0, 1);
    CHECK(take(0, &job));
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        kw_page_begin(s.fakes[0].page, 1, job.id, starts[i]);
        stage_pass(&s, 10 * KW_S_NS);
        CHECK_STR(stage_status(&s).workers[0].state, "ready");
    }
    stage_end(&s);
}

/* A page says what it likes: an id that the worker does not have is at no session. */
TEST(page_with_foreign_ids__nobody_hangs)
{
    begin(1);
    for (unsigned i = 0; i < KW_SESSIONS_MAX; i++)
        kw_page_begin(s.fakes[0].page, i, 1 + i, 0);
    stage_stand_still(&s, 60 * KW_S_NS);
    CHECK_STR(stage_status(&s).workers[0].state, "ready");
    stage_end(&s);
}

KW_CASES("hsm/front/sessions", CASE(jobs__one_for_each_session_and_a_quarter_more),
         CASE(same_answer_twice__killed),
         CASE(one_session_hangs__one_job_at_a_time_until_an_answer_comes),
         CASE(one_session_hangs__worker_leaves_after_patience),
         CASE(all_sessions_hang__stuck_and_what_waits_goes_elsewhere),
         CASE(worker_reads_no_more__its_jobs_go_elsewhere_and_it_drains),
         CASE(page_with_foreign_ids__nobody_hangs),
         CASE(page_with_a_start_of_any_kind__nobody_hangs),
         CASE(death_at_several_inputs__each_tried_alone_and_only_the_poisonous_one_held))
