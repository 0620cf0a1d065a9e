/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that want to log in; the test plays them, the hours are a fake clock's. */
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

static struct stage s;

static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
}

static const kw_err wrong_pin = {KW_CODE_PIN_STOP, 0xa0, "C_Login"};
static const kw_err general_error = {KW_CODE_HSM_DOWN, 5, "C_Login"};

static void pass_hours(unsigned hours)
{
    for (unsigned i = 0; i < 60 * hours; i++)
        stage_pass(&s, 60 * KW_S_NS);
}

TEST(pin_stop__no_start_until_another_pin__also_in_the_next_life)
{
    struct kw_wire_permit word;
    begin();
    CHECK(s.fakes[0].has_pin_key);
    fake_login(&s, 0, wrong_pin, "wrong PIN");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).why.code == KW_CODE_PIN_STOP);
    pass_hours(2);
    CHECK(s.started == 1);
    CHECK(stage_status(&s).pin_latched);
    CHECK_STR(stage_status(&s).reason, "wrong PIN");
    stage_close(&s);
    stage_open(&s);
    CHECK(s.started == 2 && fake_asks(&s, 1, &word)); /* to know which token it is */
    CHECK(word.err.code == KW_CODE_PIN_STOP);
    CHECK_HAS(word.note.text, "no login is tried since 2026-");
    CHECK(stage_health(&s).state == KW_HSM_LOST && stage_status(&s).pin_latched);
    fake_failed(&s, 1, word.err, word.note.text);
    pass_hours(2);
    CHECK(s.started == 2);
    stage_write_pin(&s, "right");
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(s.started == 3);
    s.count_low = true; /* the token still counts the wrong one */
    fake_ready(&s, 2);
    CHECK(!stage_status(&s).pin_latched);
    fake_ready(&s, 3);
    stage_end(&s);
}

/* chmod, chown, touch, an agent that renders it anew, a credential laid anew. */
TEST(pin_stop__same_pin_in_another_file__asked_and_stopped)
{
    struct kw_wire_permit word;
    begin();
    fake_login(&s, 0, wrong_pin, "wrong PIN");
    for (unsigned i = 1; i < 10; i++) {
        stage_write_pin(&s, "1234");
        stage_stand_still(&s, 60 * KW_S_NS);
        CHECK(s.started == i + 1 && fake_asks(&s, i, &word));
        CHECK(word.err.code == KW_CODE_PIN_STOP);
        fake_failed(&s, i, word.err, word.note.text);
        pass_hours(1);
        CHECK(s.started == i + 1);
    }
    CHECK(stage_status(&s).pin_latched);
    stage_end(&s);
}

TEST(pin_stop__source_gone_and_back__still_stopped)
{
    begin();
    fake_login(&s, 0, wrong_pin, "wrong PIN");
    CHECK(unlink(s.pin_path) == 0);
    pass_hours(1);
    CHECK(s.started == 1 && stage_status(&s).pin_latched);
    stage_end(&s);
}

TEST(login__never_proven_unclear_end__latched_at_once)
{
    begin();
    fake_login(&s, 0, general_error, "C_Login: CKR_GENERAL_ERROR");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).why.code == KW_CODE_PIN_STOP);
    CHECK(stage_status(&s).pin_latched);
    pass_hours(3);
    CHECK(s.started == 1);
    stage_end(&s);
}

TEST(login__never_proven_dies_in_it__latched_at_once)
{
    begin();
    fake_in_login(&s, 0);
    s.fakes[0].killed = true;
    fake_dies(&s, 0);
    CHECK(stage_status(&s).pin_latched);
    CHECK(stage_health(&s).why.code == KW_CODE_PIN_STOP);
    pass_hours(3);
    CHECK(s.started == 1);
    stage_end(&s);
}

/* One ready worker, proven; the other one's start is what a case plays. */
static void begin_proven(void)
{
    begin();
    fake_ready(&s, 0);
    CHECK(s.started == 2);
}

TEST(login__proven_dies_in_it__again_after_ten_seconds_then_hourly)
{
    begin_proven();
    fake_in_login(&s, 1);
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    CHECK(!stage_status(&s).pin_latched);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == 2);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(s.started == 3);
    for (unsigned i = 2; i < 5; i++) {
        fake_login(&s, i, general_error, "C_Login: CKR_GENERAL_ERROR");
        for (unsigned m = 0; m < 59; m++)
            stage_pass(&s, 60 * KW_S_NS);
        CHECK(s.started == i + 1);
        stage_pass(&s, 60 * KW_S_NS);
        stage_pass(&s, KW_S_NS);
        CHECK(s.started == i + 2);
    }
    fake_ready(&s, 5);
    CHECK(s.started == 7); /* and back: the other one, which died of age, at once */
    fake_ready(&s, 6);
    stage_end(&s);
}

TEST(login__proven_unclear_and_the_token_counts__not_tried)
{
    struct kw_wire_permit word;
    begin_proven();
    fake_login(&s, 1, general_error, "C_Login: CKR_GENERAL_ERROR");
    s.count_low = true;
    stage_pass(&s, 10 * KW_S_NS);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(s.started == 3 && fake_asks(&s, 2, &word));
    CHECK(word.err.code == KW_CODE_PIN_STOP);
    CHECK_HAS(word.note.text, "has counted a wrong PIN");
    fake_failed(&s, 2, word.err, word.note.text);
    stage_pass(&s, 59 * KW_S_NS);
    CHECK(s.started == 3);
    s.count_low = false; /* the vendor's tool has cleared it: found out by itself */
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(s.started == 4);
    fake_ready(&s, 3);
    stage_end(&s);
}

TEST(login__dies_before_c_login__counts_nothing)
{
    struct kw_wire_permit word;
    begin();
    for (unsigned i = 0; i < 5; i++) {
        CHECK(fake_asks(&s, i, &word) && !kw_failed(word.err));
        s.fakes[i].killed = true;
        fake_dies(&s, i);
        CHECK(!stage_status(&s).pin_latched);
        for (int t = 0; t < 60 && s.started == i + 1; t++)
            stage_pass(&s, KW_S_NS);
        CHECK(s.started == i + 2);
    }
    fake_ready(&s, 5);
    stage_end(&s);
}

/* The token sees one C_Login at a time: a worker that was told to leave within it is one. */
TEST(login__keyring_replaced_within_it__next_worker_waits_for_its_end)
{
    begin();
    fake_in_login(&s, 0);
    stage_use_next(&s);
    stage_pass(&s, 0);
    stage_pass(&s, 5 * KW_S_NS);
    CHECK(s.started == 1);
    fake_sends_login(&s, 0, KW_OK, "");
    stage_pass(&s, 0);
    CHECK(s.started == 1); /* it proves keys, or whatever it does: not said to be ready */
    fake_dies(&s, 0);
    stage_pass(&s, 0);
    CHECK(s.started == 2);
    stage_end(&s);
}

TEST(login__ready_without_one__killed)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready r = {.verdicts = 0, .sessions = 1};
    begin();
    CHECK_OK(kw_wire_encode_ready(&r, &dst));
    fake_say(&s, 0, buf, dst.len);
    stage_spin(&s);
    CHECK(s.fakes[0].killed);
    stage_end(&s);
}

TEST(login__asked_twice_or_ended_before_it_may__killed)
{
    struct kw_wire_permit word;
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_login l = {.err = KW_OK};
    begin();
    CHECK(fake_asks(&s, 0, &word));
    CHECK(!fake_asks(&s, 0, &word));
    CHECK(s.fakes[0].killed);
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    for (int t = 0; t < 60 && s.started == 1; t++)
        stage_pass(&s, KW_S_NS);
    fake_say(&s, 1, buf, dst.len);
    stage_spin(&s);
    CHECK(s.fakes[1].killed);
    stage_end(&s);
}

TEST(login__somebody_is_at_the_files__answered_when_they_are_free)
{
    struct kw_wire_permit word;
    struct kw_state_dir *tool = NULL;
    begin();
    CHECK_OK(kw_state_open(s.state_path, &tool, NULL));
    CHECK_OK(kw_state_lock(tool, NULL));
    CHECK(!fake_asks(&s, 0, &word));
    stage_pass(&s, KW_S_NS);
    CHECK(!fake_hears(&s, 0, &word) && !s.fakes[0].killed);
    kw_state_unlock(tool);
    stage_pass(&s, 20 * KW_MS_NS);
    CHECK(fake_hears(&s, 0, &word) && !kw_failed(word.err));
    kw_state_close(tool);
    stage_end(&s);
}

/* The last word of a login comes while the tool is at the files, and then it stops. */
TEST(stop__end_of_a_login_is_owed__written_before_it_is_gone)
{
    struct kw_state_dir *tool = NULL;
    struct kw_pin_record r;
    struct kw_pin_book book = {.runtime = "", .clock = &s.clock};
    begin_proven();
    CHECK_OK(kw_state_open(s.state_path, &tool, NULL));
    fake_in_login(&s, 1);
    CHECK_OK(kw_state_lock(tool, NULL));
    fake_sends_login(&s, 1, wrong_pin, "wrong PIN");
    kw_state_unlock(tool);
    stage_close(&s);
    book.state = tool;
    CHECK_OK(kw_pin_look(&book, "00cafe", "tok", &r, NULL));
    CHECK(r.latched && r.tried.pid == 0);
    kw_state_close(tool);
    stage_end(&s);
}

TEST(login__somebody_logs_in_and_does_not_end__told_no_and_tried_later)
{
    struct kw_wire_permit word;
    struct kw_pin_verdict v;
    struct kw_pin_owner tool;
    struct kw_pin_facts facts = {.serial = "00cafe", .label = "tok"};
    begin();
    struct kw_pin_book book = {s.state, "", &s.clock};
    CHECK(kw_pin_owner_of(getpid(), &tool));
    CHECK_OK(kw_pin_ask(&book, &facts, &tool, &v, NULL));
    CHECK(v.word == KW_PIN_GO && !fake_asks(&s, 0, &word));
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(fake_hears(&s, 0, &word) && word.err.code == KW_CODE_BUSY);
    CHECK_HAS(word.note.text, "is logging in to this token");
    fake_failed(&s, 0, word.err, word.note.text);
    CHECK(!stage_status(&s).pin_latched);
    CHECK_OK(kw_pin_settled(&book, &facts, &tool, KW_PIN_WORKED, "", NULL));
    for (int t = 0; t < 60 && s.started == 1; t++)
        stage_pass(&s, KW_S_NS);
    fake_ready(&s, 1);
    stage_end(&s);
}

/* What the operator's tool does in another process. */
static void by_the_tool(enum kw_pin_end end)
{
    struct kw_pin_book book = {s.state, "", &s.clock};
    struct kw_pin_owner tool;
    struct kw_pin_verdict v;
    struct kw_pin_facts facts = {.serial = "00cafe", .label = "tok"};
    CHECK(kw_pin_owner_of(getpid(), &tool));
    CHECK_OK(kw_pin_ask(&book, &facts, &tool, &v, NULL));
    CHECK(v.word == KW_PIN_GO);
    CHECK_OK(kw_pin_settled(&book, &facts, &tool, end, "by the tool", NULL));
}

TEST(tool_latches_while_it_serves__shown_and_no_worker_logs_in)
{
    struct kw_wire_permit word;
    begin();
    start_two(&s);
    by_the_tool(KW_PIN_REFUSED);
    CHECK(!stage_status(&s).pin_latched);
    stage_pass(&s, KW_S_NS);
    CHECK(stage_status(&s).pin_latched);
    CHECK_STR(stage_status(&s).reason, "by the tool");
    CHECK(stage_health(&s).state == KW_HSM_UP); /* who is logged in serves on */
    fake_dies(&s, 1);
    for (int t = 0; t < 60 && s.started == 2; t++)
        stage_pass(&s, KW_S_NS);
    CHECK(s.started == 3 && fake_asks(&s, 2, &word));
    CHECK(word.err.code == KW_CODE_PIN_STOP);
    stage_end(&s);
}

TEST(retry_is_said__started_at_once_and_one_try)
{
    struct kw_pin_book book = {.runtime = "", .clock = &s.clock};
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    begin();
    book.state = s.state;
    fake_login(&s, 0, general_error, "C_Login: CKR_GENERAL_ERROR");
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, NULL));
    CHECK(n == 1 && lifts[0].lifted);
    stage_pass(&s, KW_S_NS); /* not after the pause that follows a failure */
    CHECK(s.started == 2);
    fake_login(&s, 1, general_error, "C_Login: CKR_GENERAL_ERROR");
    pass_hours(2);
    CHECK(s.started == 2 && stage_status(&s).pin_latched);
    stage_end(&s);
}

TEST(spoilt_latch_file__no_login_and_said)
{
    char path[120];
    struct kw_wire_permit word;
    begin();
    snprintf(path, sizeof path, "%s/pin-latch.json", s.state_path);
    CHECK_OK(kw_file_replace(path, kw_span_str("{}"), 0600, NULL));
    CHECK(fake_asks(&s, 0, &word) && word.err.code == KW_CODE_BAD_INPUT);
    fake_failed(&s, 0, word.err, word.note.text);
    CHECK_HAS(stage_status(&s).reason, "pin-latch.json");
    stage_end(&s);
}

TEST(worked__remembered_at_once_not_only_when_ready)
{
    struct kw_pin_record r;
    struct kw_pin_book book = {.runtime = "", .clock = &s.clock};
    begin();
    book.state = s.state;
    fake_logs_in(&s, 0);
    CHECK_OK(kw_pin_look(&book, "00cafe", "tok", &r, NULL));
    CHECK(r.proven && r.tried.pid == 0); /* told at once, not only when it is ready */
    stage_end(&s);
}

KW_CASES("hsm/front/logins",
         CASE(pin_stop__no_start_until_another_pin__also_in_the_next_life),
         CASE(pin_stop__same_pin_in_another_file__asked_and_stopped),
         CASE(pin_stop__source_gone_and_back__still_stopped),
         CASE(login__never_proven_unclear_end__latched_at_once),
         CASE(login__never_proven_dies_in_it__latched_at_once),
         CASE(login__proven_dies_in_it__again_after_ten_seconds_then_hourly),
         CASE(login__proven_unclear_and_the_token_counts__not_tried),
         CASE(login__dies_before_c_login__counts_nothing),
         CASE(login__keyring_replaced_within_it__next_worker_waits_for_its_end),
         CASE(login__ready_without_one__killed),
         CASE(login__asked_twice_or_ended_before_it_may__killed),
         CASE(login__somebody_is_at_the_files__answered_when_they_are_free),
         CASE(stop__end_of_a_login_is_owed__written_before_it_is_gone),
         CASE(login__somebody_logs_in_and_does_not_end__told_no_and_tried_later),
         CASE(tool_latches_while_it_serves__shown_and_no_worker_logs_in),
         CASE(retry_is_said__started_at_once_and_one_try),
         CASE(spoilt_latch_file__no_login_and_said),
         CASE(worked__remembered_at_once_not_only_when_ready))
