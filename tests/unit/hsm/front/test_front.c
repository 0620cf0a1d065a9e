/* SPDX-License-Identifier: Apache-2.0 */
/* The whole front; the test plays the workers. */
#include "stage.h"

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

/* ---- starting ---------------------------------------------------------------------- */

static void start__one_worker_at_a_time(void **state)
{
    (void)state;
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

static void start__worker_echoes_another_keyring__killed(void **state)
{
    (void)state;
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready r = {.keyring_sha256 = {1}};
    begin();
    CHECK_OK(kw_wire_put_ready(&r, &dst));
    fake_say(&s, 0, buf, dst.len);
    stage_spin(&s);
    CHECK(s.fakes[0].killed);
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    stage_end(&s);
}

static void tell_facts(unsigned i, const char *firmware)
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
    CHECK_OK(kw_wire_put_facts(&f, &dst));
    fake_say(&s, i, dst.ptr, dst.len);
    fake_ready(&s, i);
}

static void facts__logged_when_they_are_new_or_have_changed(void **state)
{
    (void)state;
    static char log[16384];
    FILE *file = tmpfile();
    CHECK(file != NULL);
    kw_log_setup(fileno(file), KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    begin();
    tell_facts(0, "1.0");
    tell_facts(1, "1.0");
    fake_dies(&s, 1);
    tell_facts(2, "1.1");
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

static void start__failed_after_a_login__next_one_ten_seconds_later(void **state)
{
    (void)state;
    begin();
    kw_page_enter(s.fakes[0].page, KW_PAGE_LOGIN);
    kw_page_enter(s.fakes[0].page, KW_PAGE_TEST);
    fake_failed(&s, 0, kw_err_at(KW_CODE_HSM_CONFIG, "self-test"), "no GCM here");
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == 1);
    CHECK_STR(stage_status(&s).reason, "no GCM here");
    stage_pass(&s, 1);
    CHECK(s.started == 2);
    stage_end(&s);
}

static void start__killed_in_login__counts_as_a_login(void **state)
{
    (void)state;
    begin();
    kw_page_enter(s.fakes[0].page, KW_PAGE_LOGIN);
    s.fakes[0].killed = true;
    fake_dies(&s, 0);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(s.started == 1);
    stage_pass(&s, 1);
    CHECK(s.started == 2);
    stage_end(&s);
}

static void start__hangs_in_login__not_killed_before_its_grace(void **state)
{
    (void)state;
    begin();
    kw_page_enter(s.fakes[0].page, KW_PAGE_LOGIN);
    stage_pass(&s, 0);
    stage_pass(&s, 30 * KW_S_NS - 1);
    CHECK(!s.fakes[0].killed);
    stage_pass(&s, 1);
    CHECK(s.fakes[0].killed);
    stage_end(&s);
}

static void start__fails_for_suspect__lost(void **state)
{
    (void)state;
    begin();
    fake_failed(&s, 0, kw_err_at(KW_CODE_MISSING, "token"), "no such token");
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK(stage_health(&s).why.code == KW_CODE_MISSING);
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST && stage_health(&s).losses == 1);
    stage_end(&s);
}

/* ---- the PIN latch ----------------------------------------------------------------- */

static void pin_stop__no_start_until_the_source_changes__also_in_the_next_life(
    void **state)
{
    (void)state;
    begin();
    fake_failed(&s, 0, kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login"), "wrong PIN");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).why.code == KW_CODE_PIN_STOP);
    for (int i = 0; i < 50; i++)
        stage_pass(&s, 60 * KW_S_NS);
    CHECK(s.started == 1);
    CHECK(stage_status(&s).pin_latched);
    stage_close(&s);
    stage_open(&s);
    stage_pass(&s, 60 * KW_S_NS);
    CHECK(s.started == 1 && stage_health(&s).state == KW_HSM_LOST);
    CHECK_STR(stage_status(&s).reason, "wrong PIN");
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("right"), 0600, NULL));
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(s.started == 2);
    CHECK(s.fakes[1].proven_pin); /* the token still counts the wrong one */
    fake_ready(&s, 1);
    CHECK(s.started == 3 && s.fakes[2].proven_pin);
    CHECK(!stage_status(&s).pin_latched);
    stage_end(&s);
}

/* ---- jobs -------------------------------------------------------------------------- */

static void job__answered__done_once_with_the_output(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    CHECK_STR(o.output, "out!");
    stage_end(&s);
}

static void job__no_worker__deadline(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    stage_pass(&s, 2 * KW_S_NS - 1);
    CHECK(!o.done);
    stage_pass(&s, 1);
    CHECK(o.done && o.err.code == KW_CODE_DEADLINE);
    stage_end(&s);
}

static void job__cancelled__done_is_not_called(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    kw_lock_take(&s.lock);
    CHECK(s.door.ops->cancel(s.door.hsm, o.ticket));
    CHECK(!s.door.ops->cancel(s.door.hsm, o.ticket));
    kw_lock_give(&s.lock);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(!o.done && stage_status(&s).late_answers == 1);
    stage_end(&s);
}

static void extend(const struct outcome *o, int64_t ns)
{
    kw_lock_take(&s.lock);
    s.door.ops->extend(s.door.hsm, o->ticket, kw_deadline_in(&s.clock, ns));
    kw_lock_give(&s.lock);
}

static void deadline_in_the_socket_over__extended_job_is_sent_again(void **state)
{
    (void)state;
    struct outcome o;
    struct kw_wire_job job;
    const kw_err over = kw_err_at(KW_CODE_DEADLINE, "deadline");
    begin();
    s.front->token.workers = 1;
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

static void answer__unknown_id_or_wrong_length_or_garbage__worker_killed(void **state)
{
    (void)state;
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

static void death__in_flight_goes_to_another__second_death_of_the_executed_one_fails(
    void **state)
{
    (void)state;
    struct outcome a, b;
    begin();
    s.token.workers = 2;
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
    CHECK_CODE(ask(&s, K2, TEXT, &b), KW_CODE_QUARANTINED);
    CHECK_OK(ask(&s, K2, "some other ciphertext", &b));
    CHECK(stage_status(&s).workers_died == 2);
    stage_end(&s);
}

static void death__neighbour_in_the_socket__is_not_blamed(void **state)
{
    (void)state;
    struct outcome o[3];
    begin();
    s.front->token.workers = 1;
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

static void hsm_down__job_tried_once_more(void **state)
{
    (void)state;
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

/* An unwrap that makes worker i say HSM_DOWN and leave. */
static void costs(unsigned i)
{
    fake_answer(&s, i, fake_take(&s, i, KW_WIRE_UNWRAP),
                kw_err_native(KW_CODE_HSM_DOWN, 0x30, "C_Decrypt"), "");
    fake_dies(&s, i);
}

static void hsm_down__again_on_workers_that_were_well__quarantined(void **state)
{
    (void)state;
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
    fake_ready(&s, 3);
    CHECK(!fake_job(&s, 3, &job)); /* and no further worker is spent on it */
    CHECK_CODE(ask(&s, K1, TEXT, &o), KW_CODE_QUARANTINED);
    CHECK_OK(ask(&s, K1, "another ciphertext", &o));
    stage_end(&s);
}

static void hsm_down__one_outage_of_all_workers__nobody_is_quarantined(void **state)
{
    (void)state;
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

static void job__worker_out_of_memory__said_so(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP),
                kw_err_native(KW_CODE_NO_MEMORY, 2, "C_Decrypt"), "");
    CHECK(o.done && o.err.code == KW_CODE_NO_MEMORY && o.err.native == 2);
    stage_end(&s);
}

static void stuck__rest_goes_elsewhere__late_answer_dropped__killed_after_patience(
    void **state)
{
    (void)state;
    struct outcome a, b;
    begin();
    s.front->token.workers = 1;
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

static void stuck__comes_back_late__answer_dropped_and_drained(void **state)
{
    (void)state;
    struct outcome a;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    uint64_t hung = fake_take(&s, 0, KW_WIRE_UNWRAP);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK(a.done && a.err.code == KW_CODE_DEADLINE);
    fake_answer(&s, 0, hung, KW_OK, "out!");
    CHECK(stage_status(&s).late_answers == 1);
    stage_pass(&s, KW_MS_NS);
    CHECK(!s.fakes[0].killed);
    CHECK_STR(stage_status(&s).workers[0].state, "draining");
    stage_end(&s);
}

static void distrusted__the_worker_that_answered_is_replaced(void **state)
{
    (void)state;
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

/* ---- canaries ---------------------------------------------------------------------- */

static const kw_err no_tag = {KW_CODE_UNSURE, 5, "C_Decrypt"};

static void unsure__canary_fresh__forged_without_another(void **state)
{
    (void)state;
    struct outcome o;
    struct kw_wire_job job;
    begin();
    start_two(&s); /* their own checks are canaries */
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
    CHECK(o.done && o.err.code == KW_CODE_FORGED && o.err.native == 5);
    CHECK(!fake_job(&s, 0, &job) && !fake_job(&s, 1, &job));
    stage_end(&s);
}

static void unsure__one_canary_decides_for_all(void **state)
{
    (void)state;
    struct outcome o[4];
    for (int well = 0; well < 2; well++) {
        begin();
        s.front->token.workers = 1;
        fake_ready(&s, 0);
        stage_pass(&s, 2 * KW_S_NS);
        for (int i = 0; i < 4; i++)
            CHECK_OK(ask(&s, K1, TEXT, &o[i]));
        for (int i = 0; i < 4; i++)
            fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
        for (int i = 0; i < 4; i++)
            CHECK(!o[i].done);
        uint64_t canary = fake_take(&s, 0, KW_WIRE_CANARY);
        struct kw_wire_job job;
        CHECK(!fake_job(&s, 0, &job)); /* one in flight */
        fake_answer(&s, 0, canary, well ? KW_OK : no_tag, "");
        for (int i = 0; i < 4; i++)
            CHECK(o[i].done &&
                  o[i].err.code == (well ? KW_CODE_FORGED : KW_CODE_HSM_DOWN));
        stage_end(&s);
        kw_arena_close();
    }
}

static void unsure__canaries_fail__asked_once_a_second_and_no_older_word_counts(
    void **state)
{
    (void)state;
    struct outcome o;
    struct kw_wire_job job;
    unsigned canaries = 0;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, KW_S_NS / 2); /* its own checks were good, and are still fresh */
    kw_lock_take(&s.lock);
    kw_generation_at(s.front->serving, 1)->due_ns = 0;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_CANARY), no_tag, "");
    for (int i = 0; i < 12; i++) {
        CHECK_OK(ask(&s, K1, TEXT, &o));
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), no_tag, "");
        if (fake_job(&s, 0, &job)) {
            CHECK(job.op == KW_WIRE_CANARY && !o.done);
            canaries++;
            fake_answer(&s, 0, job.id, no_tag, "");
        }
        CHECK(o.done && o.err.code == KW_CODE_HSM_DOWN);
        stage_pass(&s, KW_S_NS / 4);
    }
    CHECK(canaries == 2); /* after one and after two seconds */
    stage_end(&s);
}

static void canaries__every_version_every_so_often(void **state)
{
    (void)state;
    struct kw_wire_job job;
    unsigned asked[3] = {0};
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS - 1);
    CHECK(!fake_job(&s, 0, &job));
    stage_pass(&s, 1);
    while (fake_job(&s, 0, &job)) {
        CHECK(job.op == KW_WIRE_CANARY && job.n <= 2);
        CHECK(job.also_wrap == (job.n == 2));
        asked[job.n]++;
        fake_answer(&s, 0, job.id, KW_OK, "");
    }
    CHECK(asked[1] == 1 && asked[2] == 1);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

static void canary__active_opened_to_something_else__lost_at_once(void **state)
{
    (void)state;
    struct kw_wire_job job;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS);
    while (fake_job(&s, 0, &job))
        fake_answer(&s, 0, job.id,
                    job.n == 2 ? kw_err_at(KW_CODE_WRONG_ANSWER, "check") : KW_OK, "");
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_end(&s);
}

static void canary__recover_at_once__still_a_pause_between_two(void **state)
{
    (void)state;
    struct kw_wire_job job;
    unsigned canaries = 0;
    stage_begin(&s);
    s.options.recover_ns = 0;
    stage_open(&s);
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    kw_lock_take(&s.lock);
    kw_health_lost(&s.front->health, no_tag, kw_front_now(s.front));
    kw_lock_give(&s.lock);
    for (int i = 0; i < 100; i++) { /* of 20 ms: two seconds */
        stage_pass(&s, 20 * KW_MS_NS);
        while (fake_job(&s, 0, &job)) {
            canaries += job.n == 2;
            fake_answer(&s, 0, job.id, no_tag, "");
        }
    }
    CHECK(canaries >= 15 && canaries <= 20);
    stage_end(&s);
}

static void canary__never_answered__suspect_then_lost(void **state)
{
    (void)state;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 10 * KW_S_NS); /* asked; the worker stands still */
    stage_pass(&s, KW_S_NS - 1);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    stage_pass(&s, 1);
    CHECK(stage_health(&s).state == KW_HSM_SUSPECT);
    CHECK(stage_health(&s).losses == 0);
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST && stage_health(&s).losses == 1);
    stage_end(&s);
}

static void main_thread_hangs__record_goes_stale(void **state)
{
    (void)state;
    begin();
    start_two(&s);
    s.time.now_ns += 30 * KW_S_NS; /* no tick, no canary: nothing runs but the reader */
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

static int64_t after_a_night(void *self)
{
    return ((struct kw_fake_clock *)self)->now_ns + 8 * 3600 * KW_S_NS;
}

static void machine_slept__record_and_canaries_are_old__deadlines_are_not(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
    s.clock.boot_ns = after_a_night;
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).since_boot_ns == after_a_night(&s.time));
    stage_pass(&s, KW_MS_NS);
    CHECK(!o.done);
    fake_answer(&s, 0, id, no_tag, "");
    CHECK(!o.done); /* yesterday's canary says nothing about it */
    stage_end(&s);
}

/* ---- verdicts ---------------------------------------------------------------------- */

static void retired_key_missing__only_its_decrypts_fail(void **state)
{
    (void)state;
    begin();
    fake_ready_but(&s, 0, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K2)));
    stage_end(&s);
}

static void active_key_missing__not_up__the_rest_serves(void **state)
{
    (void)state;
    begin();
    fake_ready_but(&s, 0, 2, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).state == KW_HSM_STARTING);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_pass(&s, 10 * KW_S_NS);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    stage_end(&s);
}

static void key_missing_for_a_new_worker__not_while_another_proves_it(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 2; n++) {
        struct outcome o;
        begin();
        start_two(&s);
        s.fakes[1].killed = true;
        fake_dies(&s, 1);
        fake_ready_but(&s, 2, n, kw_err_at(KW_CODE_MISSING, "find"));
        CHECK(!kw_failed(stage_health(&s).active_err));
        CHECK(!kw_failed(stage_version(&s, K1)) && !kw_failed(stage_version(&s, K2)));
        CHECK_STR(stage_status(&s).workers[1].state, "draining");
        CHECK_STR(stage_status(&s).reason, "said so");
        fake_dies(&s, 2);
        CHECK(s.started == 3); /* its successor waits, as after any failure */
        fake_canaries(&s, 0);  /* one was asked at once */
        CHECK_OK(ask(&s, K2, TEXT, &o));
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
        CHECK(o.done && !kw_failed(o.err));
        stage_end(&s);
        kw_arena_close();
    }
}

static void key_missing_for_a_new_worker__nobody_else_proves_it__bad(void **state)
{
    (void)state;
    struct kw_wire_job job;
    begin();
    start_two(&s);
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(!kw_failed(stage_version(&s, K1)));
    CHECK(fake_job(&s, 0, &job) && job.op == KW_WIRE_CANARY && job.n == 1);
    s.fakes[0].killed = true; /* a proven key is gone: that worker leaves */
    fake_answer(&s, 0, job.id, kw_err_at(KW_CODE_HSM_DOWN, "find"), "");
    fake_dies(&s, 0);
    fake_dies(&s, 2);
    stage_pass(&s, 11 * KW_S_NS);
    CHECK(s.started == 4);
    fake_ready_but(&s, 3, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K2)));
    stage_end(&s);
}

static void version__unknown_higher_n__look_again_but_not_often(void **state)
{
    (void)state;
    begin();
    start_two(&s);
    CHECK_CODE(stage_version(&s, "no key id"), KW_CODE_UNKNOWN_KEY);
    stage_pass(&s, 0);
    CHECK(s.looks == 0);
    for (int i = 0; i < 5; i++) {
        CHECK_CODE(stage_version(&s, K3), KW_CODE_UNKNOWN_KEY);
        stage_pass(&s, KW_S_NS);
    }
    CHECK(s.looks == 1);
    stage_pass(&s, 6 * KW_S_NS);
    CHECK(s.looks == 2);
    stage_end(&s);
}

/* ---- reload ------------------------------------------------------------------------ */

static void reload__proven__swapped_in_one_step_and_old_workers_drain(void **state)
{
    (void)state;
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
    CHECK(stage_health(&s).active_n == 3 && stage_health(&s).key_epoch > epoch);
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

static void ready__active_key_will_not_do__the_status_says_why(void **state)
{
    (void)state;
    begin();
    fake_ready_but(&s, 0, 2, kw_err_at(KW_CODE_MISSING, "find"));
    stage_pass(&s, 3 * KW_S_NS);
    CHECK(kw_failed(stage_health(&s).active_err));
    CHECK_STR(stage_status(&s).reason, "said so");
    stage_end(&s);
}

static void reload__active_not_proven__old_one_serves_on(void **state)
{
    (void)state;
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

static void reload__jobs_that_wait_for_a_canary__get_it_from_the_new_workers(void **state)
{
    (void)state;
    struct outcome o;
    begin();
    s.front->token.workers = 1;
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
    CHECK(o.done && o.err.code == KW_CODE_FORGED);
    stage_end(&s);
}

/* ---- the end ----------------------------------------------------------------------- */

static void stop__waiting_jobs_cancelled__no_new_ones(void **state)
{
    (void)state;
    struct outcome o, late;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_dies(&s, 0);
    kw_front_stop(s.front, 0);
    CHECK(o.done && o.err.code == KW_CODE_CANCELLED);
    CHECK_CODE(ask(&s, K2, TEXT, &late), KW_CODE_BUSY);
    stage_end(&s);
}

static void stop__last_answer_wants_a_canary__cancelled(void **state)
{
    (void)state;
    struct outcome o;
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    begin();
    s.front->token.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 2 * KW_S_NS);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    const struct kw_wire_answer a = {.id = fake_take(&s, 0, KW_WIRE_UNWRAP),
                                     .err = no_tag};
    CHECK_OK(kw_wire_put_answer(&a, &dst));
    fake_say(&s, 0, dst.ptr, dst.len); /* read only while the front stops */
    kw_front_stop(s.front, 0);
    CHECK(o.done && o.err.code == KW_CODE_CANCELLED);
    stage_end(&s);
}

KW_CASES("hsm/front/front", CASE(start__one_worker_at_a_time),
         CASE(start__worker_echoes_another_keyring__killed),
         CASE(facts__logged_when_they_are_new_or_have_changed),
         CASE(start__failed_after_a_login__next_one_ten_seconds_later),
         CASE(start__killed_in_login__counts_as_a_login),
         CASE(start__hangs_in_login__not_killed_before_its_grace),
         CASE(start__fails_for_suspect__lost),
         CASE(pin_stop__no_start_until_the_source_changes__also_in_the_next_life),
         CASE(job__answered__done_once_with_the_output), CASE(job__no_worker__deadline),
         CASE(job__cancelled__done_is_not_called),
         CASE(deadline_in_the_socket_over__extended_job_is_sent_again),
         CASE(answer__unknown_id_or_wrong_length_or_garbage__worker_killed),
         CASE(death__in_flight_goes_to_another__second_death_of_the_executed_one_fails),
         CASE(death__neighbour_in_the_socket__is_not_blamed),
         CASE(hsm_down__job_tried_once_more),
         CASE(hsm_down__again_on_workers_that_were_well__quarantined),
         CASE(hsm_down__one_outage_of_all_workers__nobody_is_quarantined),
         CASE(job__worker_out_of_memory__said_so),
         CASE(stuck__rest_goes_elsewhere__late_answer_dropped__killed_after_patience),
         CASE(stuck__comes_back_late__answer_dropped_and_drained),
         CASE(distrusted__the_worker_that_answered_is_replaced),
         CASE(unsure__canary_fresh__forged_without_another),
         CASE(unsure__one_canary_decides_for_all),
         CASE(unsure__canaries_fail__asked_once_a_second_and_no_older_word_counts),
         CASE(canaries__every_version_every_so_often),
         CASE(canary__active_opened_to_something_else__lost_at_once),
         CASE(canary__recover_at_once__still_a_pause_between_two),
         CASE(canary__never_answered__suspect_then_lost),
         CASE(main_thread_hangs__record_goes_stale),
         CASE(machine_slept__record_and_canaries_are_old__deadlines_are_not),
         CASE(retired_key_missing__only_its_decrypts_fail),
         CASE(active_key_missing__not_up__the_rest_serves),
         CASE(key_missing_for_a_new_worker__not_while_another_proves_it),
         CASE(key_missing_for_a_new_worker__nobody_else_proves_it__bad),
         CASE(version__unknown_higher_n__look_again_but_not_often),
         CASE(reload__proven__swapped_in_one_step_and_old_workers_drain),
         CASE(ready__active_key_will_not_do__the_status_says_why),
         CASE(reload__active_not_proven__old_one_serves_on),
         CASE(reload__jobs_that_wait_for_a_canary__get_it_from_the_new_workers),
         CASE(stop__waiting_jobs_cancelled__no_new_ones),
         CASE(stop__last_answer_wants_a_canary__cancelled))
