/* SPDX-License-Identifier: Apache-2.0 */
/* What workers find out about a key while it is in use; the test plays the workers. */
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static struct stage s;
static const kw_err exposed = {KW_CODE_KEY_BAD, 0, "key attributes"};
static const kw_err forged = {KW_CODE_FORGED, 0, "C_Decrypt"};

static void begin(void)
{
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
}

static void begin_alone(void)
{
    stage_begin(&s);
    stage_open(&s);
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
}

/* The front asks for this version's canary now. */
static void ask_for(uint32_t n)
{
    kw_lock_take(&s.lock);
    struct kw_gen_version *v = kw_gen_at(s.front->serving->tokens, n);
    v->due_ns = 0;
    v->look_ns = 0;
    kw_lock_give(&s.lock);
    stage_pass(&s, 0);
}

static uint64_t take_canary(unsigned i, uint32_t n)
{
    struct kw_wire_job job;
    CHECK(fake_job(&s, i, &job));
    CHECK(job.op == KW_WIRE_CANARY && job.n == n && job.closely);
    return job.id;
}

/* Worker i looks and finds this. */
static void finds(unsigned i, uint32_t n, kw_err e, unsigned findings)
{
    fake_looked(&s, i, take_canary(i, n), e, findings, "");
}

static const char *found(uint32_t n)
{
    static struct kw_front_status status;
    status = stage_status(&s);
    return status.versions[n - 1].found;
}

static const char *reason(uint32_t n)
{
    static struct kw_front_status status;
    status = stage_status(&s);
    return status.versions[n - 1].reason;
}

/* ---- when it is looked ---- */

TEST(canaries__look_closely__active_each_time_retired_every_ten_minutes)
{
    enum { ROUNDS = 121 };
    struct kw_wire_job job;
    unsigned asked[3] = {0}, closely[3] = {0};
    begin(); /* their own proofs were looks */
    for (int round = 0; round < ROUNDS; round++) {
        stage_pass(&s, 10 * KW_S_NS);
        for (unsigned i = 0; i < 2; i++)
            while (fake_job(&s, i, &job)) {
                CHECK(job.op == KW_WIRE_CANARY);
                asked[job.n]++;
                closely[job.n] += job.closely;
                CHECK(job.n == 2 || !job.closely || (round + 1) % 60 == 0);
                if (job.closely)
                    fake_looked(&s, i, job.id, KW_OK, 0, "");
                else
                    fake_answer(&s, i, job.id, KW_OK, "");
            }
    }
    CHECK(asked[1] == 2 && asked[2] == ROUNDS); /* by one worker or the other */
    CHECK(closely[2] == ROUNDS && closely[1] == 2);
    stage_end(&s);
}

TEST(closely__no_answer__asked_closely_again)
{
    begin_alone();
    ask_for(1);
    fake_answer(&s, 0, take_canary(0, 1), kw_err_at(KW_CODE_NO_MEMORY, "arena"), "");
    stage_pass(&s, 10 * KW_S_NS);
    fake_looked(&s, 0, take_canary(0, 1), KW_OK, 0, "");
    stage_end(&s);
}

/* ---- a key that may leave the token ---- */

TEST(exposed__only_that_version__nothing_more_of_it_is_handed_out)
{
    enum { JOBS = 12 };
    struct outcome o[JOBS], other;
    begin();
    ask_for(1);
    uint64_t canary = take_canary(0, 1);
    for (int i = 0; i < JOBS; i++)
        CHECK_OK(ask(&s, K1, TEXT, &o[i]));
    uint64_t epoch = stage_health(&s).key_epoch;
    fake_looked(&s, 0, canary, exposed, KW_WIRE_EXPOSED, "");
    struct kw_wire_job job;
    for (unsigned i = 0; i < 2; i++)
        while (fake_job(&s, i, &job)) /* one of them sees nothing wrong */
            fake_answer(&s, i, job.id, KW_OK, "out!");
    for (int i = 0; i < JOBS; i++) {
        CHECK(o[i].done && o[i].err.code == KW_CODE_KEY_BAD);
        CHECK_STR(o[i].output, "");
    }
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK_STR(found(1), "exposed");
    CHECK_STR(reason(1), "seen");
    CHECK(stage_health(&s).key_epoch > epoch); /* what is in memory is wiped */
    CHECK(stage_health(&s).state == KW_HSM_UP && stage_health(&s).losses == 0);
    CHECK(!kw_failed(stage_version(&s, K2)));
    CHECK_OK(ask(&s, K2, TEXT, &other));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(other.done && !kw_failed(other.err));
    stage_end(&s);
}

TEST(exposed__jobs_that_wait_for_a_worker__key_bad_at_once)
{
    enum { JOBS = KW_WIRE_JOBS_MAX + 8 };
    static struct outcome o[JOBS];
    unsigned ended = 0;
    begin_alone();
    ask_for(1);
    uint64_t canary = take_canary(0, 1);
    for (int i = 0; i < JOBS; i++)
        CHECK_OK(ask(&s, K1, TEXT, &o[i]));
    fake_looked(&s, 0, canary, exposed, KW_WIRE_EXPOSED, "");
    for (int i = 0; i < JOBS; i++) {
        CHECK(!o[i].done || o[i].err.code == KW_CODE_KEY_BAD);
        ended += o[i].done;
    }
    CHECK(ended == 8); /* the others are in its socket */
    stage_end(&s);
}

TEST(exposed__active__status_of_it_fails_and_the_rest_serves)
{
    struct outcome o;
    begin();
    ask_for(2);
    finds(0, 2, exposed, KW_WIRE_EXPOSED);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(!kw_failed(stage_version(&s, K1)));
    CHECK_OK(ask(&s, K1, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && !kw_failed(o.err));
    for (int i = 0; i < 12; i++) { /* a new worker would not make it better */
        stage_pass(&s, 10 * KW_S_NS);
        struct kw_wire_job job;
        for (unsigned k = 0; k < 2; k++)
            while (fake_job(&s, k, &job))
                fake_looked(&s, k, job.id, job.n == 2 ? exposed : KW_OK,
                            job.n == 2 ? KW_WIRE_EXPOSED : 0, "");
    }
    CHECK(s.started == 2 && stage_health(&s).state == KW_HSM_UP);
    CHECK(stage_health(&s).losses == 0);
    stage_end(&s);
}

TEST(exposed__unwraps_that_wait_for_its_canary__key_bad)
{
    struct outcome o;
    begin_alone();
    stage_pass(&s, 2 * KW_S_NS);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP),
                kw_err_at(KW_CODE_UNSURE, "C_Decrypt"), "");
    CHECK(!o.done);
    struct kw_wire_job job;
    CHECK(fake_job(&s, 0, &job) && job.op == KW_WIRE_CANARY && job.n == 1);
    fake_looked(&s, 0, job.id, exposed, KW_WIRE_EXPOSED, "");
    CHECK(o.done && o.err.code == KW_CODE_KEY_BAD);
    stage_end(&s);
}

TEST(exposed__old_workers_canary_is_good__stands_and_the_finder_is_asked)
{
    struct outcome o;
    begin();
    CHECK_OK(ask(&s, K2, TEXT, &o)); /* so the canary goes to worker 1 */
    ask_for(1);
    finds(1, 1, exposed, KW_WIRE_EXPOSED);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(stage_version(&s, K1).code == KW_CODE_KEY_BAD);
    kw_lock_take(&s.lock); /* as if the other one had been asked before */
    struct kw_gen_result word = {.looked = true, .reason = ""};
    kw_front_judge(s.front->tokens[0].workers[0], kw_gen_at(s.front->serving->tokens, 1),
                   &word);
    kw_lock_give(&s.lock);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    ask_for(1); /* worker 0 has as little to do, and comes first */
    fake_answer(&s, 1, take_canary(1, 1), KW_OK, ""); /* the check blob alone */
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    ask_for(1);
    finds(1, 1, KW_OK, 0);
    CHECK(!kw_failed(stage_version(&s, K1)));
    CHECK_STR(found(1), "");
    stage_end(&s);
}

TEST(exposed__finder_gone__a_new_worker_decides)
{
    for (int good = 0; good < 2; good++) {
        begin();
        ask_for(1);
        finds(0, 1, exposed, KW_WIRE_EXPOSED);
        s.fakes[0].killed = true;
        fake_dies(&s, 0);
        ask_for(1);
        finds(1, 1, KW_OK, 0); /* nobody else is there to be asked */
        CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
        CHECK(s.started == 3);
        fake_ready_found(&s, 2, 1, good ? KW_OK : exposed, good ? 0 : KW_WIRE_EXPOSED);
        CHECK(kw_failed(stage_version(&s, K1)) == !good);
        CHECK(stage_status(&s).worker_count == 2);
        stage_end(&s);
        kw_arena_close();
    }
}

TEST(exposed__says_a_new_worker_while_others_prove_it__ends_everywhere)
{
    begin();
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    fake_ready_found(&s, 2, 2, exposed, KW_WIRE_EXPOSED);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK_STR(found(2), "exposed");
    CHECK_STR(stage_status(&s).workers[1].state, "ready"); /* for the other versions */
    ask_for(2);
    finds(2, 2, KW_OK, 0); /* the new one is asked, and may take it back */
    CHECK(!kw_failed(stage_health(&s).active_err));
    stage_end(&s);
}

TEST(exposed__at_the_start__up_without_an_active_version)
{
    stage_begin(&s);
    stage_open(&s);
    fake_ready_found(&s, 0, 2, exposed, KW_WIRE_EXPOSED);
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_end(&s);
}

/* The handle died, and what was found again is not what it was. */
TEST(exposed_or_replaced__found_in_the_middle_of_a_job__ends_everywhere)
{
    static const struct {
        unsigned findings;
        const char *text;
    } cases[] = {{KW_WIRE_EXPOSED, "exposed"}, {KW_WIRE_REPLACED, "replaced"}};
    for (size_t i = 0; i < 2; i++)
        for (int late = 0; late < 2; late++) {
            struct outcome o;
            begin();
            CHECK_OK(ask(&s, K1, TEXT, &o));
            uint64_t id = fake_take(&s, 0, KW_WIRE_UNWRAP);
            if (late)
                stage_pass(&s, 2 * KW_S_NS); /* its caller has gone */
            fake_looked(&s, 0, id, exposed, cases[i].findings, "");
            CHECK(o.done);
            CHECK(o.err.code == (late ? KW_CODE_DEADLINE : KW_CODE_KEY_BAD));
            CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
            CHECK_STR(found(1), cases[i].text);
            stage_end(&s);
            kw_arena_close();
        }
}

TEST(found_again_in_a_job__good__the_error_is_the_datas)
{
    struct outcome o;
    begin();
    CHECK_OK(ask(&s, K1, TEXT, &o));
    fake_looked(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), forged, 0, "");
    CHECK(o.done && o.err.code == KW_CODE_FORGED);
    CHECK(!kw_failed(stage_version(&s, K1)));
    stage_end(&s);
}

/* ---- another key under the label ---- */

TEST(replaced__active__lost_and_an_older_workers_canary_is_no_proof)
{
    begin();
    ask_for(2);
    finds(0, 2, forged, KW_WIRE_REPLACED);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    for (int i = 0; i < 8; i++) {
        kw_lock_take(&s.lock);
        struct kw_gen_result word = {.looked = true, .reason = ""};
        kw_front_judge(s.front->tokens[0].workers[1],
                       kw_gen_at(s.front->serving->tokens, 2), &word);
        kw_lock_give(&s.lock);
        s.time.now_ns += 5 * KW_S_NS;
    }
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK(stage_health(&s).active_err.code == KW_CODE_KEY_BAD);
    stage_end(&s);
}

/* ---- told, and served on ---- */

TEST(duplicate_or_copyable__told_and_served_on)
{
    static char log[16384];
    struct outcome o;
    FILE *file = tmpfile();
    CHECK(file != NULL);
    begin();
    kw_log_setup(fileno(file), KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    uint64_t epoch = stage_health(&s).key_epoch;
    ask_for(2);
    finds(0, 2, KW_OK, KW_WIRE_DUPLICATE);
    CHECK_STR(found(2), "duplicate-label");
    CHECK(!kw_failed(stage_health(&s).active_err));
    CHECK(stage_health(&s).key_epoch == epoch); /* no reason to wipe anything */
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_looked(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK,
                KW_WIRE_DUPLICATE | KW_WIRE_COPYABLE, "out!"); /* proven again in it */
    CHECK(o.done && !kw_failed(o.err));
    CHECK_STR(found(2), "copyable,duplicate-label");
    ask_for(2);
    finds(0, 2, KW_OK, 0);
    CHECK_STR(found(2), "");
    stage_end(&s);
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    rewind(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    CHECK_HAS(log, "level=error event=key-finding token=tok key_id=" K2
                   " found=duplicate-label\n");
    CHECK_HAS(log, "found=copyable,duplicate-label\n");
    CHECK_HAS(log, "level=info event=key-finding token=tok key_id=" K2 " found=\"\"\n");
}

TEST(key_missing_for_a_new_worker__told_until_a_newer_one_proves_it)
{
    begin();
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    fake_ready_but(&s, 2, 1, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(!kw_failed(stage_version(&s, K1)));
    CHECK_STR(found(1), "disputed");
    ask_for(1);
    finds(0, 1, KW_OK, 0); /* the older one's word against it: that is the dispute */
    CHECK_STR(found(1), "disputed");
    fake_dies(&s, 2);
    stage_pass(&s, 11 * KW_S_NS);
    CHECK(s.started == 4);
    fake_ready(&s, 3);
    CHECK_STR(found(1), "");
    stage_end(&s);
}

TEST(key_missing_for_a_second_new_worker__believed)
{
    begin();
    s.fakes[1].killed = true;
    fake_dies(&s, 1);
    fake_ready_but(&s, 2, 2, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(!kw_failed(stage_health(&s).active_err));
    ask_for(2);
    finds(0, 2, KW_OK, 0);
    fake_dies(&s, 2);
    stage_pass(&s, 11 * KW_S_NS);
    fake_ready_but(&s, 3, 2, kw_err_at(KW_CODE_MISSING, "find"));
    CHECK(stage_health(&s).active_err.code == KW_CODE_MISSING);
    CHECK_STR(stage_status(&s).workers[1].state, "ready"); /* for the other versions */
    stage_end(&s);
}

/* ---- another keyring ---- */

TEST(found_by_a_worker_of_the_keyring_before__heard_if_it_is_exposed)
{
    for (int canary = 0; canary < 2; canary++) {
        struct outcome o;
        uint64_t id;
        begin();
        if (canary) {
            ask_for(1);
            id = take_canary(0, 1);
        } else {
            CHECK_OK(ask(&s, K1, TEXT, &o));
            id = fake_take(&s, 0, KW_WIRE_UNWRAP);
        }
        stage_use_next(&s);
        fake_ready(&s, 2);
        CHECK(stage_health(&s).active_n == 3 && !kw_failed(stage_version(&s, K1)));
        fake_looked(&s, 0, id, exposed, KW_WIRE_EXPOSED, "");
        CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
        CHECK(canary || (o.done && o.err.code == KW_CODE_KEY_BAD));
        stage_end(&s);
        kw_arena_close();
    }
}

static void says(unsigned i, uint32_t n, kw_err e, unsigned findings)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_verdict v = {.n = n, .err = e, .findings = findings};
    CHECK_OK(kw_wire_encode_verdict(&v, &dst));
    fake_say(&s, i, buf, dst.len);
}

TEST(found_by_a_worker_of_a_keyring_that_does_not_come_up__ends_here_too)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready ready = {.verdicts = 3, .sessions = 1};
    begin();
    stage_use_next(&s);
    fake_logs_in(&s, 2);
    says(2, 1, exposed, KW_WIRE_EXPOSED);
    says(2, 2, KW_OK, 0);
    says(2, 3, kw_err_at(KW_CODE_MISSING, "find"), 0); /* the new active one */
    CHECK_OK(kw_wire_encode_ready(&ready, &dst));
    fake_say(&s, 2, buf, dst.len);
    stage_spin(&s);
    CHECK(stage_status(&s).coming_up && stage_health(&s).active_n == 2);
    CHECK_CODE(stage_version(&s, K1), KW_CODE_KEY_BAD);
    CHECK_STR(found(1), "exposed");
    CHECK(!kw_failed(stage_version(&s, K2)) && stage_health(&s).state == KW_HSM_UP);
    stage_end(&s);
}

TEST(found_while_another_keyring_comes_up__stands_in_it_too)
{
    for (int after = 0; after < 2; after++) {
        begin();
        if (!after)
            stage_use_next(&s); /* its worker 2 starts, and looks, before */
        ask_for(1);
        finds(0, 1, exposed, KW_WIRE_EXPOSED);
        if (after)
            stage_use_next(&s);
        fake_ready(&s, 2);
        CHECK(stage_health(&s).active_n == 3);
        CHECK(kw_failed(stage_version(&s, K1)) == !after);
        CHECK_STR(found(1), after ? "" : "exposed");
        CHECK(!kw_failed(stage_version(&s, K2)));
        stage_end(&s);
        kw_arena_close();
    }
}

/* The new keyring's worker has looked before that was found: its word ends no loss. */
TEST(replaced__while_another_keyring_comes_up__lost_in_it_too)
{
    begin();
    stage_use_many(&s, 2); /* the same versions */
    ask_for(2);
    finds(0, 2, forged, KW_WIRE_REPLACED);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    fake_ready(&s, 2);
    CHECK(!stage_status(&s).coming_up);
    CHECK(stage_health(&s).state == KW_HSM_LOST);
    CHECK_CODE(stage_health(&s).active_err, KW_CODE_KEY_BAD);
    fake_ready(&s, 3); /* started since */
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK_OK(stage_health(&s).active_err);
    stage_end(&s);
}

KW_CASES("hsm/front/findings",
         CASE(canaries__look_closely__active_each_time_retired_every_ten_minutes),
         CASE(closely__no_answer__asked_closely_again),
         CASE(exposed__only_that_version__nothing_more_of_it_is_handed_out),
         CASE(exposed__jobs_that_wait_for_a_worker__key_bad_at_once),
         CASE(exposed__active__status_of_it_fails_and_the_rest_serves),
         CASE(exposed__unwraps_that_wait_for_its_canary__key_bad),
         CASE(exposed__old_workers_canary_is_good__stands_and_the_finder_is_asked),
         CASE(exposed__finder_gone__a_new_worker_decides),
         CASE(exposed__says_a_new_worker_while_others_prove_it__ends_everywhere),
         CASE(exposed__at_the_start__up_without_an_active_version),
         CASE(exposed_or_replaced__found_in_the_middle_of_a_job__ends_everywhere),
         CASE(found_again_in_a_job__good__the_error_is_the_datas),
         CASE(replaced__active__lost_and_an_older_workers_canary_is_no_proof),
         CASE(duplicate_or_copyable__told_and_served_on),
         CASE(key_missing_for_a_new_worker__told_until_a_newer_one_proves_it),
         CASE(key_missing_for_a_second_new_worker__believed),
         CASE(found_by_a_worker_of_the_keyring_before__heard_if_it_is_exposed),
         CASE(found_by_a_worker_of_a_keyring_that_does_not_come_up__ends_here_too),
         CASE(found_while_another_keyring_comes_up__stands_in_it_too),
         CASE(replaced__while_another_keyring_comes_up__lost_in_it_too))
