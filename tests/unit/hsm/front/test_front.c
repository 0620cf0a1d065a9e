/* SPDX-License-Identifier: Apache-2.0 */
/* The whole front; the test plays the workers. */
#include "stage.h"

#include <string.h>

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/log.h>

static struct stage s;

static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
}

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static const kw_err no_tag = {KW_CODE_UNSURE, 5, "C_Decrypt"};

/* ---- starting ---------------------------------------------------------------------- */

TEST(start__one_worker_at_a_time)
{
    begin();
    stage_pass(&s, 0);
    CHECK(s.started == 1);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK_CODE(stage_version(&s, K2), KW_CODE_STARTING);
    fake_ready(&s, 0);
    CHECK(s.started == 2);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(!kw_failed(stage_version(&s, K2)));
    fake_ready(&s, 1);
    stage_pass(&s, KW_S_NS / 2);
    CHECK(s.started == 2);
    CHECK(s.changes > 0);
    stage_end(&s);
}

/* Nothing is on its way, so nobody is to wait for it. */
TEST(start__no_keyring__said_until_there_is_one)
{
    stage_begin(&s);
    stage_open_without_keyring(&s);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK_CODE(stage_health(&s).why, KW_CODE_STARTING);
    stage_use_many(&s, 2);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK_OK(stage_health(&s).why);
    stage_end(&s);
}

TEST(start__worker_echoes_another_keyring__killed)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready r = {.keyring_sha256 = {1}, .sessions = 1};
    begin();
    fake_logs_in(&s, 0);
    CHECK_OK(kw_wire_encode_ready(&r, &dst));
    fake_say(&s, 0, buf, dst.len);
    stage_spin(&s);
    CHECK(s.fakes[0].killed);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    stage_end(&s);
}

static void say_facts(unsigned i, const char *firmware)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_facts f = {.library = "lib",
                              .library_version = "2.7",
                              .serial = "00cafe",
                              .gcm = true,
                              .gcm_key_min = 16,
                              .gcm_key_max = 32};
    kw_copy_str(f.firmware, sizeof f.firmware, kw_span_str(firmware));
    CHECK_OK(kw_wire_encode_facts(&f, &dst));
    fake_say(&s, i, dst.ptr, dst.len);
}

static void send_facts(unsigned i, const char *firmware)
{
    say_facts(i, firmware);
    fake_ready(&s, i);
}

TEST(facts__told_twice__killed)
{
    begin();
    say_facts(0, "1.0");
    stage_spin(&s);
    CHECK(!s.fakes[0].killed);
    say_facts(0, "1.0");
    stage_spin(&s);
    CHECK(s.fakes[0].killed);
    stage_end(&s);
}

TEST(ready__after_its_last_word__killed_and_not_used)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_failed f = {.err = kw_err_at(KW_CODE_HSM_CONFIG, "self-test")};
    begin();
    fake_logs_in(&s, 0);
    CHECK_OK(kw_wire_encode_failed(&f, &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    fake_ready(&s, 0);
    CHECK(s.fakes[0].killed);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    stage_end(&s);
}

TEST(facts__logged_when_they_are_new_or_have_changed)
{
    static char log[16384];
    FILE *file = tmpfile();
    CHECK(file != NULL);
    kw_log_setup(fileno(file), KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    begin();
    send_facts(0, "1.0");
    send_facts(1, "1.0");
    fake_dies(&s, 1);
    send_facts(2, "1.1");
    stage_end(&s);
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    rewind(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    const char *first = strstr(log, "event=token-facts");
    CHECK(first != NULL);
    CHECK_HAS(first, "token=tok library=lib library_version=2.7 ");
    CHECK_HAS(first, "serial=00cafe ");
    CHECK_HAS(first, "firmware=1.0 ");
    CHECK_HAS(first, "aes_gcm=yes aes_gcm_key_min=16 aes_gcm_key_max=32");
    const char *second = strstr(first + 1, "event=token-facts");
    CHECK(second != NULL);
    CHECK_HAS(second, "firmware=1.1 ");
    CHECK(strstr(second + 1, "event=token-facts") == NULL);
}

TEST(start__failed_after_a_login__next_one_ten_seconds_later)
{
    begin();
    fake_logs_in(&s, 0);
    kw_page_enter(s.fakes[0].page, KW_PAGE_TEST);
    fake_failed(&s, 0, kw_err_at(KW_CODE_HSM_CONFIG, "self-test"), "no GCM here");
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == 1);
    CHECK_STR(stage_status(&s).reason, "no GCM here");
    stage_pass(&s, 1);
    CHECK(s.started == 2);
    stage_end(&s);
}

/* What to do about it stands at its end. */
TEST(start__fails_with_a_long_reason__every_word_of_it)
{
    char why[KW_NOTE_MAX];
    memset(why, 'x', sizeof why);
    why[sizeof why - 1] = '\0';
    begin();
    fake_failed(&s, 0, kw_err_at(KW_CODE_HSM_CONFIG, "self-test"), why);
    stage_pass(&s, 0);
    CHECK_STR(stage_status(&s).reason, why);
    stage_end(&s);
}

TEST(start__hangs_in_login__not_killed_before_its_grace)
{
    begin();
    fake_in_login(&s, 0);
    stage_pass(&s, 0);
    stage_pass(&s, 30 * KW_S_NS - 1);
    CHECK(!s.fakes[0].killed);
    stage_pass(&s, 1);
    CHECK(s.fakes[0].killed);
    stage_end(&s);
}

TEST(start__fails_for_suspect__lost)
{
    begin();
    fake_failed(&s, 0, kw_err_at(KW_CODE_MISSING, "token"), "no such token");
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK(stage_health(&s).why.code == KW_CODE_MISSING);
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST && stage_health(&s).losses == 1);
    stage_end(&s);
}

/* ---- reload ------------------------------------------------------------------------ */

TEST(reload__proven__swapped_in_one_step_and_old_workers_drain)
{
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
    stage_use_next(&s);
    CHECK(s.started == 3 && stage_status(&s).coming_up);
    CHECK(stage_health(&s).active_n == 2);
    CHECK_CODE(stage_version(&s, K3), KW_CODE_UNKNOWN_KEY);
    uint64_t epoch = stage_health(&s).key_epoch;
    fake_ready(&s, 2);
    CHECK(stage_health(&s).active_n == 3 && stage_health(&s).key_epoch == epoch);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(!kw_failed(stage_version(&s, K3)) && !stage_status(&s).coming_up);
    fake_answer(&s, 0, id, KW_OK, "out!"); /* drains: what it had is answered */
    CHECK(o.done && !kw_failed(o.err));
    CHECK(!s.fakes[0].killed && !s.fakes[1].killed);
    CHECK(s.started == 4); /* the second worker of the new keyring */
    fake_dies(&s, 0);
    fake_dies(&s, 1);
    CHECK(stage_health(&s).losses == 0);
    stage_end(&s);
}

/* What is cached under it goes at the swap, and not before. */
TEST(reload__a_version_disabled__key_epoch_grows_at_the_swap)
{
    begin();
    fake_ready(&s, 0);
    fake_ready(&s, 1);
    uint64_t epoch = stage_health(&s).key_epoch;
    stage_use_next_but_the_first(&s, KW_KEY_DISABLED);
    CHECK(stage_health(&s).key_epoch == epoch);
    fake_ready(&s, 2);
    CHECK(stage_health(&s).active_n == 3 && stage_health(&s).key_epoch == epoch + 1);
    stage_end(&s);
}

TEST(version__its_state_forbids_it__said_which)
{
    static const struct {
        enum kw_key_state state;
        enum kw_code code;
        enum kw_hsm_refusal refusal;
    } rows[] = {
        {KW_KEY_CREATED, KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_CREATED},
        {KW_KEY_DISABLED, KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DISABLED},
        {KW_KEY_DESTROYED, KW_CODE_KEY_DISABLED, KW_HSM_REFUSED_DESTROYED},
        {KW_KEY_ACCEPTED, KW_CODE_OK, KW_HSM_NOT_REFUSED},
        {KW_KEY_RETIRED, KW_CODE_OK, KW_HSM_NOT_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        start_two(&s);
        stage_use_next_but_the_first(&s, rows[i].state);
        fake_ready(&s, 2);
        CHECK_CODE(stage_version(&s, K1), rows[i].code);
        CHECK(s.refusal == rows[i].refusal);
        CHECK_OK(stage_version(&s, K3));
        CHECK(s.refusal == KW_HSM_NOT_REFUSED);
        stage_end(&s);
        kw_arena_close();
    }
}

TEST(ready__active_key_will_not_do__the_status_says_why)
{
    begin();
    fake_ready_but(&s, 0, 2, kw_err_at(KW_CODE_MISSING, "find"));
    stage_pass(&s, 3 * KW_S_NS);
    CHECK(kw_failed(stage_health(&s).active_err));
    CHECK_STR(stage_status(&s).reason, "said so");
    stage_end(&s);
}

/* The baseline needs a newer keyward: what is understood is read, nothing is wrapped, and
 * never with the older key. */
TEST(reload__active_not_understood__reads_the_rest_and_wraps_nothing)
{
    struct outcome o;
    begin();
    start_two(&s);
    stage_use_future(&s);
    fake_ready(&s, 2);
    CHECK(stage_health(&s).state == KW_HSM_UP && !stage_status(&s).coming_up);
    CHECK(stage_health(&s).active_n == 3);
    CHECK_CODE(stage_health(&s).active_err, KW_CODE_KEY_DISABLED);
    CHECK_CODE(stage_version(&s, K3), KW_CODE_KEY_DISABLED);
    CHECK(s.refusal == KW_HSM_REFUSED_UNKNOWN);
    CHECK_HAS(stage_status(&s).versions[2].reason, "newer keyward: its mechanism");
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    stage_end(&s);
}

static size_t count_workers(const char *state)
{
    const struct kw_front_status status = stage_status(&s);
    size_t n = 0;
    for (size_t i = 0; i < status.worker_count; i++)
        n += strcmp(status.workers[i].state, state) == 0;
    return n;
}

/* With slow logins the service would else be down to one worker for as long. */
TEST(reload__new_workers_replace_old_ones_one_for_one)
{
    begin();
    s.tokens[0].workers = s.front->tokens[0].o.workers = 3;
    start_two(&s);
    stage_pass(&s, KW_S_NS);
    fake_ready(&s, 2);
    fake_canaries(&s, 0);
    stage_use_next(&s);
    CHECK(s.started == 4);
    CHECK(count_workers("ready") == 3); /* the newcomer proves it first */
    for (unsigned i = 3; i < 6; i++) {
        fake_ready(&s, i);
        CHECK(count_workers("ready") == 3);
        CHECK(s.started == (i < 5 ? i + 2 : 6));
        CHECK(count_workers("draining") == i - 2);
    }
    stage_end(&s);
}

TEST(reload__again_before_all_are_replaced__the_old_ones_serve_on)
{
    begin();
    s.tokens[0].workers = s.front->tokens[0].o.workers = 3;
    start_two(&s);
    stage_pass(&s, KW_S_NS);
    fake_ready(&s, 2);
    fake_canaries(&s, 0);
    stage_use_next(&s);
    fake_ready(&s, 3);
    CHECK(count_workers("ready") == 3);
    stage_use_next(&s); /* before the second new one is ready */
    CHECK(count_workers("ready") == 3);
    stage_end(&s);
}

TEST(reload__active_not_proven__old_one_serves_on)
{
    struct outcome o;
    begin();
    start_two(&s);
    stage_use_next(&s);
    fake_ready_but(&s, 2, 3, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).active_n == 2 && stage_health(&s).state == KW_HSM_UP);
    CHECK(stage_status(&s).coming_up);
    CHECK_STR(stage_status(&s).reason, "said so");
    CHECK_STR(stage_status(&s).coming_reason, "said so");
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    fake_dies(&s, 2);
    CHECK(s.started == 3);
    stage_pass(&s, 9 * KW_S_NS);
    CHECK(s.started == 3); /* not in a loop */
    stage_end(&s);
}

TEST(reload__jobs_that_wait_for_a_canary__get_it_from_the_new_workers)
{
    struct outcome o;
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 2 * KW_S_NS);
    stage_use_next(&s);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    uint64_t old = fake_take(&s, 0, KW_WIRE_CANARY);
    fake_ready(&s, 1);
    CHECK(stage_health(&s).active_n == 3);
    fake_answer(&s, 0, old, KW_OK, "");
    CHECK(!o.done);
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_CANARY), KW_OK, "");
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(o.done && o.err.code == KW_CODE_FORGED);
    stage_end(&s);
}

/* ---- the end ----------------------------------------------------------------------- */

TEST(stop__waiting_jobs_fail__no_new_ones)
{
    struct outcome o, late;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_dies(&s, 0);
    kw_front_stop(s.front, 0);
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    CHECK_CODE(ask(&s, K2, TEXT, &late), KW_CODE_BUSY);
    stage_end(&s);
}

TEST(stop__last_answer_wants_a_canary__fails)
{
    struct outcome o;
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    const struct kw_wire_answer a = {.id = fake_take(&s, 0, KW_WIRE_UNWRAP),
                                     .err = no_tag};
    CHECK_OK(kw_wire_encode_answer(&a, &dst));
    fake_say(&s, 0, dst.ptr, dst.len); /* read only while the front stops */
    kw_front_stop(s.front, 0);
    CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
    stage_end(&s);
}

/* What is cached of a version whose key is away goes when nobody may unwrap with it. */
TEST(reload__a_version_disabled_while_its_key_is_away__key_epoch_grows)
{
    begin();
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    fake_dies(&s, 0);
    fake_ready_but(&s, 1, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    uint64_t epoch = stage_health(&s).key_epoch;
    stage_use_next(&s);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    CHECK(stage_health(&s).key_epoch == epoch && stage_health(&s).away_epoch == 1);
    stage_use_next_but_the_first(&s, KW_KEY_DISABLED);
    fake_ready(&s, 3);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_DISABLED);
    CHECK(stage_health(&s).key_epoch == epoch + 1);
    stage_end(&s);
}

/* The new keyring's worker misses it: an outage of that version, as in any other hour. */
TEST(reload__a_key_is_away_for_the_first_new_worker__away_epoch_grows)
{
    begin();
    start_two(&s);
    const struct kw_hsm_health before = stage_health(&s);
    stage_use_next(&s);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_MISSING);
    CHECK(stage_health(&s).key_epoch == before.key_epoch);
    CHECK(stage_health(&s).away_epoch == before.away_epoch + 1);
    stage_end(&s);
}

KW_CASES("hsm/front/front",
         CASE(reload__a_key_is_away_for_the_first_new_worker__away_epoch_grows),
         CASE(version__its_state_forbids_it__said_which),
         CASE(start__one_worker_at_a_time),
         CASE(start__no_keyring__said_until_there_is_one),
         CASE(start__worker_echoes_another_keyring__killed),
         CASE(facts__told_twice__killed),
         CASE(ready__after_its_last_word__killed_and_not_used),
         CASE(facts__logged_when_they_are_new_or_have_changed),
         CASE(start__failed_after_a_login__next_one_ten_seconds_later),
         CASE(start__fails_with_a_long_reason__every_word_of_it),
         CASE(start__hangs_in_login__not_killed_before_its_grace),
         CASE(start__fails_for_suspect__lost),
         CASE(reload__active_not_understood__reads_the_rest_and_wraps_nothing),
         CASE(reload__proven__swapped_in_one_step_and_old_workers_drain),
         CASE(reload__a_version_disabled__key_epoch_grows_at_the_swap),
         CASE(ready__active_key_will_not_do__the_status_says_why),
         CASE(reload__new_workers_replace_old_ones_one_for_one),
         CASE(reload__again_before_all_are_replaced__the_old_ones_serve_on),
         CASE(reload__active_not_proven__old_one_serves_on),
         CASE(reload__jobs_that_wait_for_a_canary__get_it_from_the_new_workers),
         CASE(stop__waiting_jobs_fail__no_new_ones),
         CASE(stop__last_answer_wants_a_canary__fails),
         CASE(reload__a_version_disabled_while_its_key_is_away__key_epoch_grows))
