/* SPDX-License-Identifier: Apache-2.0 */
/* Two tokens, one worker each: fake 0 is of the first, fake 1 of the second. */
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

#define TEXT                                                                             \
    "sealed text 1234567"                                                                \
    "8"

enum { FIRST, SECOND };
static struct stage s;

static void begin_with(bool spread, unsigned sessions)
{
    stage_begin(&s);
    s.sessions = sessions;
    stage_two_tokens(&s);
    s.options.spread = spread;
    stage_open(&s);
    CHECK(s.started == 2 && s.fakes[FIRST].token == 0 && s.fakes[SECOND].token == 1);
    fake_ready(&s, FIRST);
    fake_ready(&s, SECOND);
    CHECK(stage_health(&s).state == KW_HSM_UP);
}

static void begin(bool spread)
{
    begin_with(spread, 1);
}

static bool has_job(unsigned i)
{
    struct kw_wire_job job;
    return fake_job(&s, i, &job);
}

static uint64_t unwrap_of(unsigned i)
{
    return fake_take(&s, i, KW_WIRE_UNWRAP);
}

static void answer_well(unsigned i)
{
    fake_answer(&s, i, unwrap_of(i), KW_OK, "out!");
}

static enum kw_hsm_state state_of(unsigned token)
{
    return stage_status(&s).tokens[token].state;
}

static void ask_well(unsigned i)
{
    struct outcome o;
    CHECK_OK(ask(&s, K2, TEXT, &o));
    answer_well(i);
    CHECK(o.done && !kw_failed(o.err));
}

/* The check blob of the active version does. */
static void opens_to_something_else(unsigned i)
{
    struct kw_wire_job job;
    while (fake_job(&s, i, &job))
        fake_answer(&s, i, job.id,
                    job.n == 2 ? kw_err_at(KW_CODE_FORGED, "canary") : KW_OK, "");
}

TEST(priority__first_one_gets_all__also_when_it_is_busy)
{
    struct outcome o[8];
    begin(false);
    for (size_t i = 0; i < 8; i++)
        CHECK_OK(ask(&s, K2, TEXT, &o[i]));
    CHECK(!has_job(SECOND));
    for (size_t i = 0; i < 8; i++)
        answer_well(FIRST);
    for (size_t i = 0; i < 8; i++)
        CHECK(o[i].done && !kw_failed(o[i].err));
    stage_end(&s);
}

TEST(spread__both_get_some)
{
    struct outcome a, b;
    begin(true);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    answer_well(FIRST);
    answer_well(SECOND);
    CHECK(a.done && b.done);
    stage_end(&s);
}

TEST(first_one_s_worker_dies__second_one_serves_until_the_next_is_ready)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    (void)unwrap_of(FIRST);
    s.fakes[FIRST].killed = true;
    fake_dies(&s, FIRST);
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(s.started == 3 && s.fakes[2].token == 0);
    ask_well(SECOND);
    fake_ready(&s, 2);
    ask_well(2);
    stage_end(&s);
}

/* A third of the deadline is 333 ms here; a call has two seconds. */
TEST(hangs__job_goes_on_after_a_third_of_the_deadline__late_answer_is_dropped)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    uint64_t hanging = unwrap_of(FIRST);
    stage_pass(&s, 300 * KW_MS_NS);
    CHECK(!has_job(SECOND));
    stage_pass(&s, 50 * KW_MS_NS);
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    CHECK_STR(o.output, "out!");
    fake_answer(&s, FIRST, hanging, KW_OK, "out?");
    CHECK(stage_status(&s).jobs.late_answers == 1);
    stage_end(&s);
}

/* It would serve within the deadline if it were the only one left. */
TEST(slower_than_an_attempt__its_worker_is_not_stuck_before_the_deadline)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    (void)unwrap_of(FIRST);
    stage_pass(&s, 350 * KW_MS_NS);
    answer_well(SECOND);
    stage_pass(&s, 600 * KW_MS_NS);
    CHECK_STR(stage_status(&s).workers[0].state, "ready");
    stage_pass(&s, 100 * KW_MS_NS);
    CHECK_STR(stage_status(&s).workers[0].state, "stuck");
    stage_end(&s);
}

TEST(late_three_times_in_a_row__out_though_each_answer_was_good)
{
    struct outcome o[3];
    begin_with(false, 4);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(ask(&s, K2, TEXT, &o[i]));
        uint64_t late = unwrap_of(FIRST);
        stage_pass(&s, 350 * KW_MS_NS);
        answer_well(SECOND);
        CHECK(o[i].done && !kw_failed(o[i].err));
        fake_answer(&s, FIRST, late, KW_OK, "out!");
    }
    CHECK(stage_status(&s).tokens[0].is_out);
    stage_end(&s);
}

/* With slow operations a worker has one job in its hands: no third failure would come before
 * the deadlines of those that wait. */
TEST(all_sessions_hang__what_waits_goes_to_the_other_one_at_once)
{
    struct outcome first, o[4];
    begin(false);
    s.op_ns = 20 * KW_MS_NS;
    CHECK_OK(ask(&s, K2, TEXT, &first));
    answer_well(FIRST); /* the front has seen how slow it is */
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(ask(&s, K2, TEXT, &o[i]));
    (void)unwrap_of(FIRST);
    CHECK(!has_job(FIRST) && !has_job(SECOND));
    stage_pass(&s, 350 * KW_MS_NS);
    CHECK(stage_status(&s).tokens[0].is_out);
    for (size_t i = 0; i < 4; i++)
        answer_well(SECOND);
    for (size_t i = 0; i < 4; i++)
        CHECK(o[i].done && !kw_failed(o[i].err));
    stage_end(&s);
}

TEST(deadline_in_the_message__is_the_attempt_s_while_another_one_is_left)
{
    struct outcome o;
    struct kw_wire_job job;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    CHECK(fake_job(&s, FIRST, &job));
    CHECK(job.until_ns == s.time.now_ns + KW_S_NS / 3);
    fake_answer(&s, FIRST, job.id, kw_err_at(KW_CODE_HSM_BUSY, "C_Decrypt"), "");
    CHECK(fake_job(&s, SECOND, &job));
    CHECK(job.until_ns == s.time.now_ns + 2 * KW_S_NS);
    fake_answer(&s, SECOND, job.id, KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

TEST(failed_three_times_in_a_row__out_until_a_canary_asked_after_that)
{
    struct outcome o[3];
    begin(false);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(ask(&s, K2, TEXT, &o[i]));
        fake_answer(&s, FIRST, unwrap_of(FIRST), kw_err_at(KW_CODE_HSM_BUSY, "x"), "");
        stage_pass(&s, KW_S_NS / 10); /* it rests in between */
        answer_well(SECOND);
        CHECK(o[i].done && !kw_failed(o[i].err));
    }
    CHECK(stage_status(&s).tokens[0].is_out);
    uint64_t canary = fake_take(&s, FIRST, KW_WIRE_CANARY);
    ask_well(SECOND);
    fake_answer(&s, FIRST, canary, KW_OK, "");
    CHECK(!stage_status(&s).tokens[0].is_out);
    ask_well(FIRST);
    stage_end(&s);
}

TEST(another_key_on_one__its_own_state__the_other_serves_and_nothing_is_wiped)
{
    begin(false);
    uint64_t epoch = stage_health(&s).key_epoch;
    stage_pass(&s, s.options.times.probe_every_ns);
    fake_canaries(&s, SECOND);
    opens_to_something_else(FIRST);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(stage_health(&s).key_epoch == epoch);
    CHECK(state_of(0) == KW_HSM_LOST && state_of(1) == KW_HSM_UP);
    CHECK_OK(stage_version(&s, K2));
    ask_well(SECOND);
    stage_end(&s);
}

TEST(both_hold_another_key__lost)
{
    begin(false);
    stage_pass(&s, s.options.times.probe_every_ns);
    opens_to_something_else(FIRST);
    opens_to_something_else(SECOND);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK_CODE(stage_version(&s, K2), KW_CODE_KEY_BAD);
    stage_end(&s);
}

TEST(forged_for_one__the_other_is_asked__genuine_there)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, FIRST, unwrap_of(FIRST), kw_err_native(KW_CODE_FORGED, 0x40, "x"),
                "");
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

TEST(forged_for_both__forged_without_a_canary)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    for (unsigned i = FIRST; i <= SECOND; i++)
        fake_answer(&s, i, unwrap_of(i), kw_err_native(KW_CODE_FORGED, 0x40, "x"), "");
    CHECK(o.done);
    CHECK_CODE(o.err, KW_CODE_FORGED);
    stage_end(&s);
}

/* The first one's word was no word about the data. */
/* Either may be the one that has another key: what an Encrypt of the second one's made is
 * looked at by the first one too. */
TEST(forged_for_one_and_opened_by_the_other__canaries_ask_both)
{
    struct outcome o;
    begin(false);
    stage_pass(&s, KW_S_NS / 2); /* the last canary is some time ago */
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, FIRST, unwrap_of(FIRST),
                kw_err_native(KW_CODE_FORGED, 0x40, "C_Decrypt"), "");
    CHECK(!has_job(FIRST));
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    (void)fake_take(&s, FIRST, KW_WIRE_CANARY);
    (void)fake_take(&s, SECOND, KW_WIRE_CANARY);
    stage_end(&s);
}

TEST(unclear_for_one__a_canary_asks_it_while_the_other_does_the_job)
{
    struct outcome o;
    begin(false);
    stage_pass(&s, KW_S_NS / 2);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, FIRST, unwrap_of(FIRST),
                kw_err_native(KW_CODE_UNSURE, 0x30, "C_Decrypt"), "");
    (void)fake_take(&s, FIRST, KW_WIRE_CANARY);
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

/* A version that only a lost token has: its jobs do not wait to their deadlines. */
TEST(the_only_one_with_a_version_lost__refused_at_once__the_rest_served)
{
    struct outcome o;
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready(&s, FIRST);
    fake_ready_but(&s, SECOND, 1, kw_err_at(KW_CODE_MISSING, "find"));
    fake_dies(&s, FIRST);
    fake_failed(&s, 2, kw_err_at(KW_CODE_HSM_DOWN, "C_Initialize"), "no token");
    for (int i = 0; i < 100 && state_of(0) != KW_HSM_LOST; i++) {
        stage_pass(&s, KW_S_NS / 4);
        fake_canaries(&s, SECOND);
    }
    CHECK(state_of(0) == KW_HSM_LOST && stage_health(&s).state == KW_HSM_UP);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    stage_pass(&s, KW_S_NS / 50);
    CHECK(o.done);
    CHECK_CODE(o.err, KW_CODE_HSM_DOWN);
    ask_well(SECOND); /* version 2 */
    stage_end(&s);
}

TEST(unclear_for_one_and_forged_for_the_other__a_canary_decides)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, FIRST, unwrap_of(FIRST), kw_err_native(KW_CODE_UNSURE, 5, "x"), "");
    fake_answer(&s, SECOND, unwrap_of(SECOND), kw_err_native(KW_CODE_FORGED, 0x40, "x"),
                "");
    CHECK(!o.done);
    stage_pass(&s, KW_S_NS / 4);
    fake_answer(&s, SECOND, fake_take(&s, SECOND, KW_WIRE_CANARY), KW_OK, "");
    answer_well(SECOND); /* once more, where it is known to be well now */
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

TEST(input_that_kills_a_worker_of_each__not_given_to_a_third)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    for (unsigned i = FIRST; i <= SECOND; i++) {
        (void)unwrap_of(i);
        s.fakes[i].killed = true;
        fake_dies(&s, i);
    }
    CHECK(o.done);
    CHECK_CODE(o.err, KW_CODE_HSM_DOWN);
    fake_ready(&s, 2); /* well after that death: one more is the input's fault */
    CHECK_OK(ask(&s, K2, TEXT, &o));
    (void)unwrap_of(2);
    s.fakes[2].killed = true;
    fake_dies(&s, 2);
    CHECK_CODE(ask(&s, K2, TEXT, &o), KW_CODE_QUARANTINED);
    stage_end(&s);
}

TEST(latched_on_one__the_other_serves__both__lost)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_login(&s, FIRST, kw_err_native(KW_CODE_PIN_STOP, 0xA0, "C_Login"), "wrong");
    fake_ready(&s, SECOND);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(state_of(0) == KW_HSM_LOST && stage_status(&s).tokens[0].pin_latched);
    CHECK(!stage_status(&s).tokens[1].pin_latched);
    ask_well(SECOND);
    s.fakes[SECOND].killed = true;
    fake_dies(&s, SECOND);
    fake_login(&s, 2, kw_err_native(KW_CODE_PIN_STOP, 0xA0, "C_Login"), "wrong");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

TEST(version_missing_on_one__the_other_serves_it__and_each_is_said)
{
    struct outcome o;
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready_but(&s, FIRST, 1, kw_err_at(KW_CODE_MISSING, "find"));
    fake_ready(&s, SECOND);
    CHECK_OK(stage_version(&s, K1));
    CHECK_OK(ask(&s, K1, TEXT, &o));
    answer_well(SECOND);
    CHECK(o.done && !kw_failed(o.err));
    ask_well(FIRST); /* version 2 */
    CHECK(stage_status(&s).tokens[0].unproven == 1);
    CHECK(stage_status(&s).tokens[1].unproven == 0);
    stage_end(&s);
}

TEST(key_that_may_leave_one_token__bad_on_both)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready_found(&s, FIRST, 1, kw_err_at(KW_CODE_KEY_BAD, "attributes"),
                     KW_WIRE_EXPOSED);
    fake_ready(&s, SECOND);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    stage_end(&s);
}

TEST(reload__swapped_when_one_has_proven_it__the_other_joins_with_the_keyring_in_use)
{
    struct outcome o;
    begin(false);
    stage_use_next(&s);
    CHECK(s.started == 4 && s.fakes[2].token == 0 && s.fakes[3].token == 1);
    fake_ready(&s, 3);
    CHECK(stage_health(&s).active_n == 3 && stage_health(&s).state == KW_HSM_UP);
    CHECK_OK(ask(&s, K3, TEXT, &o));
    answer_well(3); /* the first one's worker does not know it */
    CHECK(o.done && !kw_failed(o.err));
    ask_well(3); /* in rotation is who has the keyring in use */
    fake_ready(&s, 2);
    ask_well(2);
    CHECK(stage_status(&s).worker_count == 4); /* two are leaving */
    stage_end(&s);
}

/* The second one had no worker when the first one's answer was unclear; it is the one that
 * brings the next keyring up. */
TEST(reload__what_waits_for_a_canary_of_the_other__goes_to_the_one_that_proved_it)
{
    struct outcome o;
    begin(false);
    fake_dies(&s, SECOND);
    stage_pass(&s, KW_S_NS / 2);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, FIRST, unwrap_of(FIRST),
                kw_err_native(KW_CODE_UNSURE, 0x30, "C_Decrypt"), "");
    (void)fake_take(&s, FIRST, KW_WIRE_CANARY); /* it is not answered in time */
    fake_ready(&s, 2);
    stage_use_next(&s);
    CHECK(s.started == 5 && s.fakes[4].token == 1);
    fake_ready(&s, 4);
    CHECK(stage_health(&s).active_n == 3);
    fake_answer(&s, 4, fake_take(&s, 4, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

TEST(finding_at_the_second_one__is_in_the_status)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready(&s, FIRST);
    fake_ready_found(&s, SECOND, 2, KW_OK, KW_WIRE_DUPLICATE);
    CHECK_STR(stage_status(&s).versions[1].found, "duplicate-label");
    CHECK_OK(stage_version(&s, K2));
    stage_end(&s);
}

TEST(distrust__the_one_whose_answer_it_was)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    o.distrust = true;
    answer_well(FIRST);
    CHECK(s.fakes[FIRST].killed && !s.fakes[SECOND].killed);
    stage_end(&s);
}

/* A wrap of the second one, which the first one was asked to open. */
TEST(distrust__by_an_answer_of_another_one__all_of_the_named_are_replaced)
{
    struct outcome o;
    begin(false);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    o.distrust = true;
    o.instead = "tok2";
    answer_well(FIRST);
    CHECK(!s.fakes[FIRST].killed && s.fakes[SECOND].killed);
    stage_end(&s);
}

TEST(one_is_out_or_lost__the_log_says_which)
{
    static char log[16384];
    struct outcome o[3];
    FILE *file = tmpfile();
    CHECK(file != NULL);
    kw_log_setup(fileno(file), KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    begin(false);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(ask(&s, K2, TEXT, &o[i]));
        fake_answer(&s, FIRST, unwrap_of(FIRST), kw_err_at(KW_CODE_HSM_BUSY, "x"), "");
        stage_pass(&s, KW_S_NS / 10);
        answer_well(SECOND);
    }
    fake_answer(&s, FIRST, fake_take(&s, FIRST, KW_WIRE_CANARY), KW_OK, "");
    stage_pass(&s, s.options.times.probe_every_ns);
    fake_canaries(&s, FIRST);
    opens_to_something_else(SECOND);
    stage_end(&s);
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    rewind(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    const char *at = strstr(log, "event=token-state token=tok from=starting to=up");
    CHECK(at != NULL && (at = strstr(at, "event=token-out token=tok\n")) != NULL);
    CHECK((at = strstr(at, "event=token-in token=tok\n")) != NULL);
    CHECK_HAS(at, "event=token-state token=tok2 from=up to=lost why=forged");
}

/* That the second one never came up is no reason to call the first one's outage of one
 * version the loss of a right, nor to send its jobs into nothing. */
TEST(version_away_on_one__the_other_never_said_a_word__away)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready(&s, FIRST);
    CHECK_OK(stage_version(&s, K1));
    const struct kw_hsm_health before = stage_health(&s);
    fake_dies(&s, FIRST);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    CHECK(stage_health(&s).key_epoch == before.key_epoch);
    CHECK(stage_health(&s).away_epoch == before.away_epoch + 1);
    stage_end(&s);
}

/* Something was proven: what is in memory may be served, and that is no start. */
TEST(one_lost__the_other_still_starting__lost)
{
    stage_begin(&s);
    stage_two_tokens(&s);
    stage_open(&s);
    fake_ready(&s, FIRST);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_pass(&s, s.options.times.probe_every_ns - KW_S_NS);
    fake_canaries(&s, FIRST);
    stage_pass(&s, 2 * KW_S_NS);
    opens_to_something_else(FIRST);
    CHECK(state_of(0) == KW_HSM_LOST && state_of(1) == KW_HSM_STARTING);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK_CODE(stage_health(&s).why, KW_CODE_FORGED);
    stage_end(&s);
}

/* The same while jobs of other classes wait for the token that is left. */
TEST(the_only_one_with_a_version_lost__refused_at_once__also_behind_other_shares)
{
    struct outcome a, b, o;
    stage_begin(&s);
    stage_two_tokens(&s);
    s.options.shares = 3;
    s.op_ns = 20 * KW_MS_NS; /* so that its worker has one job at a time */
    stage_open(&s);
    fake_ready(&s, FIRST);
    fake_ready_but(&s, SECOND, 1, kw_err_at(KW_CODE_MISSING, "find"));
    fake_dies(&s, FIRST);
    fake_failed(&s, 2, kw_err_at(KW_CODE_HSM_DOWN, "C_Initialize"), "no token");
    for (int i = 0; i < 100 && state_of(0) != KW_HSM_LOST; i++) {
        stage_pass(&s, KW_S_NS / 4);
        fake_canaries(&s, SECOND);
    }
    ask_well(SECOND);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    s.share = 1;
    CHECK_OK(ask(&s, K2, TEXT, &b)); /* waits, and has the turn */
    s.share = 2;
    CHECK_OK(ask(&s, K1, TEXT, &o));
    stage_pass(&s, KW_S_NS / 50);
    CHECK(o.done && !a.done && !b.done);
    CHECK_CODE(o.err, KW_CODE_HSM_DOWN);
    stage_end(&s);
}

KW_SUITE("hsm/front/tokens")
